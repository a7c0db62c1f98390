/** Recovery files in and out: each recorded, in the order of its sequence, with its digest. */

import { hash } from 'node:crypto'
import { type Bytes, toHex } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { cellOf, type Holding } from './cells.ts'
import { heldEvent, type Reader } from './event.ts'
import { type FileRecord, type FileType, fileNameOf, type RecoveryFile, writeFile } from './files.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'
import { materialOf } from './replacements.ts'
import { dueStep } from './steps.ts'

export interface OutgoingFile {
  readonly name: string
  readonly octets: Buffer
  /** Detached CMS, DER; undefined where nobody was there to sign. */
  readonly signature?: Buffer | undefined
}

/** Signs the octets of a file, as `signFile` does, with whose certificate and when the caller knows. */
export type SignFile = (octets: Bytes) => Buffer

/** What is recorded of a file. */
type Received = Pick<RecoveryFile, 'fileType' | 'sender' | 'sequence'> & { readonly records: readonly object[] }

/** Records a file that came; it must be the next of its sequence. @throws Refusal FILE_SEQUENCE, EVENT_UNKNOWN */
export function receiveFile(
  hands: RecoveryHands,
  event: string,
  file: Received,
  octets: Bytes,
  signature?: Bytes,
): Promise<void> {
  return byService(
    hands,
    'receive recovery file',
    { event, fileType: file.fileType },
    async ({ client, at, note }) => {
      await heldEvent(client, event)
      await record(client, event, file, { octets, signature }, at)
      await note('receive recovery file', says(event, file, octets))
    },
  )
}

const usageOf = { digitalSignature: 'DS', keyAgreement: 'KA', keyCertSign: 'keyCertSign' } as const

/** How far each Device and cell is, for the Subscriber: one record for each cell that is replaced. */
export function organisationProgress(
  hands: RecoveryHands,
  event: string,
  sender: string,
  sign?: SignFile,
): Promise<OutgoingFile> {
  const fileType = 'OrganisationCompromiseRecoveryProgress'
  return outgoing(hands, event, { fileType, sender, sign }, async (client, at) => {
    const { wave } = await heldEvent(client, event)
    const { replacements } = await materialOf(client, event, Math.max(1, wave))
    const { rows } = await client.query<{
      device: Buffer
      state: string
      cells: Holding[]
      status_code: number | null
      at: Date | null
    }>(
      `SELECT device, state, cells, status_code, coalesce(proven_at, accepted_at) AS at FROM recovery_device
        WHERE event = $1 ORDER BY device`,
      [event],
    )
    const given = [...replacements.values()]
    return rows.flatMap(row =>
      row.cells.flatMap((held): FileRecord<'OrganisationCompromiseRecoveryProgress'>[] => {
        const replacement = given.find(one => one.becomes.cell === held.cell)
        if (!replacement) return []
        const { role, keyUsage, cellUsage } = cellOf(held.cell)
        const isThere = replacement.becomes.keyId === held.keyId
        return [
          {
            eventReference: event,
            deviceId: toHex(row.device),
            role: String(role),
            usage: usageOf[keyUsage],
            cellUsage: cellUsage === 'prePaymentTopUp' ? '1' : '0',
            status: statusOf(row.state, isThere),
            statusCode: isThere ? '0' : row.status_code === null ? '' : String(row.status_code),
            newSerial: isThere ? toHex(readCertificate(replacement.certificate).serial) : '',
            at: (row.at ?? at).toISOString(),
          },
        ]
      }),
    )
  })
}

/** The five words of section 5. */
function statusOf(state: string, isThere: boolean): string {
  if (isThere) return state === 'proven' ? 'success' : 'accepted'
  if (state === 'listed') return 'failed'
  return state === 'sending' || state === 'unresolved' ? 'sent' : 'pending'
}

/** How far it is, for the SMKI PMA: counts by kind of Device and status, under the step that is due. */
export function otherProgress(
  hands: RecoveryHands,
  event: string,
  sender: string,
  sign?: SignFile,
): Promise<OutgoingFile> {
  const fileType = 'OtherCompromiseRecoveryProgress'
  return outgoing(hands, event, { fileType, sender, sign }, async (client, at) => {
    const step = await dueStep(client, event)
    const { rows } = await client.query<{ kind: string; state: string; count: bigint }>(
      'SELECT kind, state, count(*) FROM recovery_device WHERE event = $1 GROUP BY kind, state ORDER BY kind, state',
      [event],
    )
    return rows.map(row => ({
      eventReference: event,
      phase: step?.phase ?? 'Post-Recovery',
      step: step?.action ?? 'done',
      deviceType: row.kind,
      status: row.state,
      count: String(row.count),
      at: at.toISOString(),
    }))
  })
}

/** What is to leave for Devices, in one file for whoever carries it. */
export function commandFile(
  hands: RecoveryHands,
  event: string,
  sender: string,
  messages: readonly { readonly device: string; readonly octets: Bytes }[],
  sign: SignFile,
): Promise<OutgoingFile> {
  return outgoing(hands, event, { fileType: 'RecoveryCommands', sender, sign }, async (_, at) =>
    messages.map(({ device, octets }) => ({
      eventReference: event,
      deviceId: device,
      message: toHex(octets),
      at: at.toISOString(),
    })),
  )
}

/** A file as it stands on record. */
export interface RecordedFile {
  readonly name: string
  readonly fileType: FileType
  readonly sender: string
  readonly sequence: number
  readonly records: number
  /** SHA-256, hexadecimal. */
  readonly sha256: string
  readonly isSigned: boolean
  readonly at: Date
}

/** Those of an event that came and went, oldest first. */
export async function recordedFiles(store: Reader, event: string): Promise<RecordedFile[]> {
  const { rows } = await (store as Client).query<{
    file_type: FileType
    sender: string
    sequence: number
    records: number
    sha256: Buffer
    signed: boolean
    at: Date
  }>(
    `SELECT file_type, sender, sequence, records, sha256, signature IS NOT NULL AS signed, at FROM recovery_file
      WHERE event = $1 ORDER BY at, file_type, sequence`,
    [event],
  )
  return rows.map(({ file_type: fileType, sha256, signed, ...rest }) => ({
    ...rest,
    fileType,
    name: fileNameOf(fileType, event, rest.sequence),
    sha256: toHex(sha256),
    isSigned: signed,
  }))
}

/** Those of that type and sender after that sequence number, with their octets, in their order. */
export async function filesAfter(
  store: Reader,
  event: string,
  {
    fileType,
    sender,
    sequence,
  }: { readonly fileType: FileType; readonly sender: string; readonly sequence: number },
): Promise<OutgoingFile[]> {
  const { rows } = await (store as Client).query<{ sequence: number; octets: Buffer; signature: Buffer | null }>(
    `SELECT sequence, octets, signature FROM recovery_file
      WHERE event = $1 AND file_type = $2 AND sender = $3 AND sequence > $4 AND octets IS NOT NULL ORDER BY sequence`,
    [event, fileType, sender, sequence],
  )
  return rows.map(row => ({
    name: fileNameOf(fileType, event, row.sequence),
    octets: row.octets,
    signature: row.signature ?? undefined,
  }))
}

interface Outgoing<T extends FileType> {
  readonly fileType: T
  readonly sender: string
  readonly sign: SignFile | undefined
}

function outgoing<T extends FileType>(
  hands: RecoveryHands,
  event: string,
  { fileType, sender, sign }: Outgoing<T>,
  records: (client: Client, at: Date) => Promise<FileRecord<T>[]>,
): Promise<OutgoingFile> {
  return byService(hands, 'make recovery file', { event, fileType }, async ({ client, at, note }) => {
    await heldEvent(client, event)
    const sequence = (await lastSequence(client, event, fileType, sender)) + 1
    const file: RecoveryFile<T> = {
      fileType,
      version: hands.recovery.fileVersion,
      sender,
      createdAt: at,
      sequence,
      records: await records(client, at),
    }
    const octets = writeFile(file)
    const signature = sign?.(octets)
    await record(client, event, file, { octets, signature }, at)
    await note('make recovery file', says(event, file, octets))
    return { name: fileNameOf(fileType, event, sequence), octets, signature }
  })
}

const says = (event: string, { fileType, sender, sequence, records }: Received, octets: Bytes) => ({
  event,
  fileType,
  sender: /^[\w .:-]{1,40}$/.test(sender) ? sender : '?',
  sequence,
  records: records.length,
  sha256: hash('sha256', octets, 'hex'),
})

async function record(
  client: Client,
  event: string,
  file: Received,
  { octets, signature }: { readonly octets: Bytes; readonly signature?: Bytes | undefined },
  at: Date,
): Promise<void> {
  const { fileType, sender, sequence, records } = file
  const last = await lastSequence(client, event, fileType, sender)
  if (sequence !== last + 1) throw no('FILE_SEQUENCE', `${last + 1} is due, not ${sequence}`)
  await client.query(
    `INSERT INTO recovery_file (event, file_type, sequence, sender, records, sha256, at, octets, signature)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      event,
      fileType,
      sequence,
      sender,
      records.length,
      hash('sha256', octets, 'buffer'),
      at,
      octets,
      signature ?? null,
    ],
  )
}

async function lastSequence(client: Client, event: string, fileType: string, sender: string): Promise<number> {
  const { rows } = await client.query<{ last: number }>(
    `SELECT coalesce(max(sequence), 0) AS last FROM recovery_file
      WHERE event = $1 AND file_type = $2 AND sender = $3`,
    [event, fileType, sender],
  )
  return rows[0]!.last
}
