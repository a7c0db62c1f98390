/** The Repository answers: which certificates there are, and what state each is in. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { assembleCertificate } from '../../ground/x509/assemble.ts'
import { readTbs } from '../../ground/x509/certificate.ts'
import type { Family } from '../../policy/profile.ts'
import { families, fromSlot, type Usage, usages } from './register.ts'

/** P pending, I in use, N not in use, E expired, R revoked (repository.md section 4). */
export type Status = 'P' | 'I' | 'N' | 'E' | 'R'

export interface Lodged {
  readonly signing: bigint
  readonly position: number
  readonly authority: number
  readonly family: Family
  readonly usage: Usage
  readonly role: number | undefined
  /** 16 hexadecimal digits. */
  readonly eui64: string | undefined
  readonly ordinal: number
  readonly serial: Buffer
  readonly status: Status
  /** The first for that Device ID and usage (REP-A05). */
  readonly manufacturing: boolean
  readonly issuedAt: Date
  readonly der: Buffer
}

type Reader = Pick<Store, 'query'>

const columns = `c.signing, c.position, c.authority, c.family, c.usage, c.role, c.ordinal, c.eui64, c.serial, c.tbs, s.at,
  substr(s.signatures, c.position::int * s.slot + 1, s.slot) AS slot, n.since IS NOT NULL AS withdrawn, r.at IS NOT NULL AS revoked`
const from = `FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
  LEFT JOIN not_in_use n ON n.signing = c.signing AND n.position = c.position
  LEFT JOIN revoked r ON r.authority = c.authority AND r.serial = c.serial`

interface Row {
  signing: bigint
  position: number
  authority: number
  family: number
  usage: number
  role: number | null
  ordinal: number | null
  eui64: Buffer | null
  serial: Buffer
  tbs: Buffer
  at: Date
  slot: Buffer
  withdrawn: boolean
  revoked: boolean
}

/** Every certificate of one EUI-64, all statuses, roles and usages, oldest first. */
export async function findByEui64(
  store: Reader,
  eui64: Bytes,
  family: 'device' | 'organisation',
  now: Date,
): Promise<Lodged[]> {
  const { rows } = await store.query<Row>({
    name: 'find_by_eui64',
    text: `SELECT ${columns} ${from} WHERE c.eui64 = $1 AND c.family = $2 ORDER BY c.ordinal`,
    values: [eui64, families[family]],
  })
  return rows.map(row => lodged(row, rows, now))
}

/**
 * The certificate of that serial number. Serial numbers are unique for each issuer only: if two issuers share one, the
 * Organisation or Device Certificate is answered, newest first (repository.md section 10, trap 6).
 */
export async function findBySerial(store: Reader, serial: Bytes, now: Date): Promise<Lodged | undefined> {
  const { rows } = await store.query<Row>({
    name: 'find_by_serial',
    text: `SELECT ${columns} ${from} WHERE c.serial = $1 ORDER BY c.family IN (1, 2) DESC, s.at DESC LIMIT 1`,
    values: [serial],
  })
  const row = rows[0]
  if (!row) return undefined
  if (row.family !== families.device || !row.eui64) return lodged(row, [row], now)
  const siblings = await store.query<Row>({
    name: 'find_siblings',
    text: `SELECT c.usage, c.ordinal, c.family ${from} WHERE c.eui64 = $1 AND c.family = 1`,
    values: [row.eui64],
  })
  return lodged(row, siblings.rows, now)
}

/** Every certificate, in order of issue, a thousand at a time: for exports and audits. Memory stays flat. */
export async function* everyCertificate(store: Reader, now: Date): AsyncGenerator<Lodged> {
  let after: [bigint, number] = [0n, -1]
  for (;;) {
    const { rows } = await store.query<Row>({
      text: `SELECT ${columns} ${from} WHERE (c.signing, c.position) > ($1, $2) ORDER BY c.signing, c.position LIMIT 1000`,
      values: after,
    })
    if (rows.length === 0) return
    const eui64s = rows.flatMap(row => (row.eui64 && row.family === families.device ? [row.eui64] : []))
    const siblings = await store.query<Row>({
      text: `SELECT c.eui64, c.usage, c.ordinal, c.family ${from} WHERE c.eui64 = ANY($1) AND c.family = 1`,
      values: [eui64s],
    })
    const byDevice = Map.groupBy(siblings.rows, row => toHex(row.eui64!))
    for (const row of rows) yield lodged(row, row.eui64 ? (byDevice.get(toHex(row.eui64)) ?? [row]) : [row], now)
    const last = rows[rows.length - 1]!
    after = [last.signing, last.position]
  }
}

export async function howMany(store: Reader): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>(
    "SELECT coalesce(sum(count), 0)::int8 AS count FROM signing WHERE state = 'complete'",
  )
  return Number(rows[0]!.count)
}

/** What a signing wrote down before it signed, in order of position. */
export async function tbsOf(store: Reader, signing: bigint): Promise<Buffer[]> {
  const { rows } = await store.query<{ tbs: Buffer }>({
    name: 'tbs_of',
    text: 'SELECT tbs FROM certificate WHERE signing = $1 ORDER BY position',
    values: [signing],
  })
  return rows.map(row => row.tbs)
}

/** Every signing that led to certificates. */
export async function completeSignings(store: Reader): Promise<bigint[]> {
  const { rows } = await store.query<{ id: bigint }>("SELECT id FROM signing WHERE state = 'complete' ORDER BY id")
  return rows.map(row => row.id)
}

/** The certificates of one signing, in order of position: the results of a batch are made from these. */
export async function certificatesOf(store: Reader, signing: bigint): Promise<Buffer[]> {
  const { rows } = await store.query<{ tbs: Buffer; slot: Buffer }>({
    name: 'certificates_of',
    text: `SELECT c.tbs, substr(s.signatures, c.position::int * s.slot + 1, s.slot) AS slot
             FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
            WHERE c.signing = $1 ORDER BY c.position`,
    values: [signing],
  })
  return rows.map(row => assembleCertificate(row.tbs, fromSlot(row.slot)))
}

function lodged(row: Row, siblings: readonly Row[], now: Date): Lodged {
  const family = nameOf(families, row.family)
  const ofUsage = siblings
    .filter(one => one.family === row.family && one.usage === row.usage)
    .map(one => one.ordinal ?? 0)
  const ordinal = row.ordinal ?? 0
  return {
    signing: row.signing,
    position: row.position,
    authority: row.authority,
    family,
    usage: nameOf(usages, row.usage),
    role: row.role ?? undefined,
    eui64: row.eui64 ? toHex(row.eui64) : undefined,
    ordinal,
    serial: row.serial,
    status: statusOf(row, family, ordinal < Math.max(...ofUsage), now),
    manufacturing: family === 'device' && ordinal === Math.min(...ofUsage),
    issuedAt: row.at,
    der: assembleCertificate(row.tbs, fromSlot(row.slot)),
  }
}

/** In the order R, E, N, P, I. A newer Device Certificate of the same usage takes a Device's place in use (REP-A04). */
function statusOf(row: Row, family: Family, replaced: boolean, now: Date): Status {
  if (row.revoked) return 'R'
  if (family !== 'device' && readTbs(row.tbs).notAfter.ms < now.getTime()) return 'E'
  if (row.withdrawn || (family === 'device' && replaced)) return 'N'
  return 'I'
}

function nameOf<Name extends string>(names: Readonly<Record<Name, number>>, number: number): Name {
  return (Object.keys(names) as Name[]).find(name => names[name] === number)!
}
