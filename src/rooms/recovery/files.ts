/** Files that the DCC and Subscribers exchange about a recovery (recovery.md section 5, REC-A07): CSV with a header record. */

import { type Bytes, equal } from '../../ground/bytes.ts'
import { type DetachedSignature, type Signing, signDetached, verifyDetached } from '../../ground/cms.ts'
import { NotDer } from '../../ground/der/read.ts'
import { Refusal } from '../../ground/refusal.ts'
import { no } from './refusals.ts'

/** Columns after the header record, by type of file. */
export const fileTypes = {
  OrganisationCompromiseNotification: [
    'eventReference',
    'subscriberEui64',
    'certificateIssuer',
    'certificateSerial',
    'role',
    'usage',
    'cellUsage',
    'suspectedSince',
    'method',
    'deviceId',
  ],
  OrganisationCompromiseRecoveryProgress: [
    'eventReference',
    'deviceId',
    'role',
    'usage',
    'cellUsage',
    'status',
    'statusCode',
    'newSerial',
    'at',
  ],
  OtherCompromiseNotification: [
    'eventReference',
    'keyKind',
    'keyId',
    'suspectedSince',
    'caCertificates',
    'estimatedDevices',
  ],
  OtherCompromiseRecoveryProgress: ['eventReference', 'phase', 'step', 'deviceType', 'status', 'count', 'at'],
  // Ours, in the same form (DESIGN): what the carrier of the network takes, and what it hands back. GBCS messages in
  // hexadecimal digits.
  RecoveryCommands: ['eventReference', 'deviceId', 'message', 'at'],
  RecoveryResponses: ['eventReference', 'message', 'at'],
} as const satisfies Record<string, readonly string[]>

export type FileType = keyof typeof fileTypes
type Column<T extends FileType> = (typeof fileTypes)[T][number]
export type FileRecord<T extends FileType> = Readonly<Record<Column<T>, string>>

export interface RecoveryFile<T extends FileType = FileType> {
  readonly fileType: T
  readonly version: string
  /** EUI-64 of the sender, or its name. */
  readonly sender: string
  readonly createdAt: Date
  /** From 1, without gap, for each type and sender of an event. */
  readonly sequence: number
  readonly records: readonly FileRecord<T>[]
}

const header = ['fileType', 'version', 'sender', 'createdAt', 'sequence', 'recordCount'] as const

/** `OrganisationCompromiseNotification-SUP-2026-004-1.csv` */
export const fileNameOf = (type: FileType, event: string, sequence: number): string =>
  `${type}-${event}-${sequence}.csv`

/** UTF-8, RFC 4180: CRLF at the end of each record, quotes where they are needed. */
export function writeFile<T extends FileType>(file: RecoveryFile<T>): Buffer {
  const { fileType, version, sender, createdAt, sequence, records } = file
  const columns: readonly string[] = fileTypes[fileType]
  const rows = [
    [...header],
    [fileType, version, sender, createdAt.toISOString(), String(sequence), String(records.length)],
    columns,
    ...records.map(one => columns.map(column => (one as Record<string, string>)[column]!)),
  ]
  return Buffer.from(rows.map(row => `${row.map(quoted).join(',')}\r\n`).join(''))
}

const quoted = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

/** @throws Refusal FILE_UNFIT, naming the record */
export function readFile<T extends FileType>(octets: Bytes, expected: T): RecoveryFile<T> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    throw no('FILE_UNFIT', 'it is not UTF-8')
  }
  const [names, first, columns, ...rest] = recordsOf(text)
  const wanted: readonly string[] = fileTypes[expected]
  if (!names || !same(names, header)) throw no('FILE_UNFIT', 'record 1: the names of the header')
  if (!first || first.length !== header.length) throw no('FILE_UNFIT', 'record 2: the header')
  const [fileType, version, sender, createdAt, sequence, count] = first as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  if (fileType !== expected) throw no('FILE_UNFIT', `it is no ${expected}`)
  const made = new Date(createdAt)
  if (Number.isNaN(made.getTime()) || made.toISOString() !== createdAt)
    throw no('FILE_UNFIT', 'record 2: createdAt')
  if (!/^[1-9]\d{0,8}$/.test(sequence)) throw no('FILE_UNFIT', 'record 2: sequence')
  if (!columns || !same(columns, wanted)) throw no('FILE_UNFIT', 'record 3: the names of the columns')
  if (count !== String(rest.length))
    throw no('FILE_UNFIT', `it has ${rest.length} records, not ${count.slice(0, 20)}`)
  const records = rest.map((row, i) => {
    if (row.length !== wanted.length) throw no('FILE_UNFIT', `record ${i + 4}: ${row.length} fields`)
    return Object.fromEntries(row.map((field, at) => [wanted[at]!, field])) as FileRecord<T>
  })
  return { fileType: expected, version, sender, createdAt: made, sequence: Number(sequence), records }
}

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one, i) => one === b[i])

/** RFC 4180, strictly: each record ends in CRLF, a quote stands at the ends of a field or twice within. */
function recordsOf(text: string): string[][] {
  const records: string[][] = []
  let fields: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  while (field.lastIndex < text.length) {
    const found = field.exec(text)
    if (!found) throw no('FILE_UNFIT', `record ${records.length + 1}: not as RFC 4180 has it`)
    fields.push(found[1] === undefined ? found[2]! : found[1].replaceAll('""', '"'))
    if (found[3] === ',') continue
    records.push(fields)
    fields = []
  }
  if (fields.length > 0) throw no('FILE_UNFIT', `record ${records.length + 1} has no end`)
  return records
}

/** The detached signature that goes with a file, by an IKI Certificate for signing files. */
export const signFile = (octets: Bytes, signing: Signing): Buffer => signDetached(octets, signing)

/**
 * That the file is signed by the holder of one of these certificates, which the caller has found to be in force.
 * @throws Refusal FILE_SIGNATURE
 */
export function requireFileSignature(
  octets: Bytes,
  signature: Bytes,
  certificates: readonly Bytes[],
): DetachedSignature {
  try {
    const found = verifyDetached(signature, octets)
    if (!certificates.some(one => equal(one, found.certificate.der))) throw no('FILE_SIGNATURE', 'by another')
    return found
  } catch (cause) {
    if (cause instanceof NotDer || (cause instanceof Refusal && cause.code === 'CMS_SIGNATURE'))
      throw no('FILE_SIGNATURE')
    throw cause
  }
}
