/** The Repository answers: which certificates there are, and what state each is in. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { assembleCertificate } from '../../ground/x509/assemble.ts'
import { readTbs } from '../../ground/x509/certificate.ts'
import type { Family } from '../../policy/profile.ts'
import { bySerial, bySerials } from './by-serial.ts'
import { families, fromSlot, type Usage, usages } from './register.ts'

/** P pending, I in use, N not in use, E expired, R revoked (repository.md section 4). */
export type Status = 'P' | 'I' | 'N' | 'E' | 'R'

/** What is known of a certificate, without its octets. */
export interface Known {
  readonly signing: bigint
  readonly position: number
  readonly authority: number
  readonly family: Family
  readonly usage: Usage
  readonly role: number | undefined
  /** 16 hexadecimal digits. */
  readonly eui64: string | undefined
  readonly serial: Buffer
  readonly status: Status
  /** The first for that Device ID and usage (REP-A05). */
  readonly manufacturing: boolean
  readonly issuedAt: Date
}

export interface Lodged extends Known {
  readonly der: Buffer
}

export type Reader = Pick<Store, 'query'>

interface Facts {
  signing: bigint
  position: number
  authority: number
  family: number
  usage: number
  role: number | null
  ordinal: number | null
  eui64: Buffer | null
  serial: Buffer
  at: Date
  /** Of a Device Certificate nothing in it is asked for here. */
  tbs?: Buffer
  withdrawn: boolean
  revoked: boolean
  /** Ordinals of the oldest and the newest certificate of the same Device and usage. */
  oldest: number | null
  newest: number | null
}

interface Row extends Facts {
  tbs: Buffer
  slot: Buffer
}

const facts = `c.signing, c.position, c.authority, c.family, c.usage, c.role, c.ordinal, c.eui64, c.serial, s.at`
const octets = 'c.tbs, substr(s.signatures, c.position::int * s.slot + 1, s.slot) AS slot'
// In the lateral part no join: on tables that were not analysed yet, as after a crash, a join goes through every signing.
const ends = `LEFT JOIN LATERAL (
    SELECT min(o.ordinal) AS oldest, max(o.ordinal) AS newest
      FROM certificate o WHERE o.eui64 = c.eui64 AND o.family = c.family AND o.usage = c.usage
       AND (SELECT t.state FROM signing t WHERE t.id = o.signing) = 'complete') d ON c.family = ${families.device}`

// Many are gone through.
const columns = `${facts}, n.since IS NOT NULL AS withdrawn, r.at IS NOT NULL AS revoked, ${octets}, d.oldest, d.newest`
const from = `FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
  LEFT JOIN not_in_use n ON n.signing = c.signing AND n.position = c.position
  LEFT JOIN revoked r ON r.authority = c.authority AND r.serial = c.serial
  ${ends}`

// A few are looked up, by index whatever the planner takes for few: a join would go through every signing there is. OFFSET 0
// keeps it from taking the parts together.
const few = `${facts},
  (SELECT true FROM not_in_use n WHERE n.signing = c.signing AND n.position = c.position) IS NOT NULL AS withdrawn,
  (SELECT true FROM revoked r WHERE r.authority = c.authority AND r.serial = c.serial) IS NOT NULL AS revoked`
const fromFew = `FROM certificate c CROSS JOIN LATERAL (
    SELECT * FROM signing WHERE signing.id = c.signing AND signing.state = 'complete' OFFSET 0) s`

/** Every certificate of one EUI-64, all statuses, roles and usages, oldest first. */
export async function findByEui64(
  store: Reader,
  eui64: Bytes,
  family: 'device' | 'organisation',
  now: Date,
): Promise<Lodged[]> {
  const rows = await byEui64s<Row>(store, [eui64], family, `${few}, ${octets}`, 'whole')
  return rows.map(row => lodged(row, now))
}

/** What is known of those of several; those of each are in that order. Their octets stay where they are, which is half the work. */
export async function knownByEui64s(
  store: Reader,
  eui64s: readonly Bytes[],
  family: 'device' | 'organisation',
  now: Date,
): Promise<Known[]> {
  // The end of an Organisation Certificate stands in its octets.
  const select = family === 'device' ? few : `${few}, c.tbs`
  const rows = await byEui64s<Facts>(store, eui64s, family, select, 'known')
  return rows.map(row => knownOf(row, now))
}

/** All of a Device are among these rows: its oldest and newest of each usage need no question of their own. */
async function byEui64s<Of extends Facts>(
  store: Reader,
  eui64s: readonly Bytes[],
  family: 'device' | 'organisation',
  select: string,
  name: string,
): Promise<Of[]> {
  const rest = ` AND c.family = ${families[family]} ORDER BY c.ordinal`
  const { rows } = await store.query<Omit<Of, 'oldest' | 'newest'> & Facts>(
    lookUp('eui64', eui64s, `SELECT ${select} ${fromFew}`, rest, `${family}_${name}`),
  )
  const found = new Map<string, { oldest: number; newest: number }>()
  const endsOf = (row: Facts) => `${row.usage} ${toHex(row.eui64!)}`
  if (family === 'device') {
    for (const row of rows) {
      const { oldest } = found.get(endsOf(row)) ?? { oldest: row.ordinal! }
      found.set(endsOf(row), { oldest, newest: row.ordinal! })
    }
  }
  return rows.map(
    row => ({ ...row, ...(found.get(endsOf(row)) ?? { oldest: null, newest: null }) }) as unknown as Of,
  )
}

/**
 * The certificates of those serial numbers, each number's best first. Serial numbers are unique for each issuer only:
 * if two issuers share one, the Organisation or Device Certificate comes first, then the newest (repository.md section
 * 10, trap 6).
 */
export async function findBySerials(store: Reader, serials: readonly Bytes[], now: Date): Promise<Lodged[]> {
  const { rows } = await store.query<Row>(
    lookUp(
      'serial',
      serials,
      `SELECT ${few}, ${octets}, d.oldest, d.newest ${fromFew} ${ends}`,
      ' ORDER BY c.family IN (1, 2) DESC, s.at DESC',
      'any',
    ),
  )
  return rows.map(row => lodged(row, now))
}

/**
 * Planning costs the store three times what the look-up does. It plans a prepared statement once for all when the plan
 * for any values looks no dearer than those for the values at hand; for a list of unknown length it reckons with ten. So
 * one value is asked for by itself, and a list has sixteen at least, by naming its last again.
 */
function lookUp(by: 'eui64' | 'serial', values: readonly Bytes[], select: string, rest: string, name: string) {
  const alone = values.length === 1
  const padding =
    values.length === 0
      ? []
      : Array.from({ length: Math.max(0, listAtLeast - values.length) }, () => values.at(-1)!)
  return {
    name: `find_by_${by}_${name}_${alone ? 'one' : 'many'}`,
    text: `${select} WHERE ${matches[by][alone ? 'one' : 'many']}${rest}`,
    values: alone ? [values[0]] : [[...values, ...padding]],
  }
}

const listAtLeast = 16

const matches = {
  eui64: { one: 'c.eui64 = $1', many: 'c.eui64 = ANY($1)' },
  serial: { one: bySerial('$1::bytea'), many: bySerials('$1::bytea[]') },
} as const

/** For the files of this room that look otherwise. @param where and what follows it, of `c`, `s`, `n` and `r` */
export async function findWhere(store: Reader, where: string, values: unknown[], now: Date): Promise<Lodged[]> {
  const { rows } = await store.query<Row>(`SELECT ${columns} ${from} WHERE ${where}`, values)
  return rows.map(row => lodged(row, now))
}

/** Every certificate, in order of issue, a thousand at a time: for exports and audits. Memory stays flat. */
export async function* everyCertificate(store: Reader, now: Date): AsyncGenerator<Lodged> {
  for (let after: [bigint, number] = [0n, -1]; ; ) {
    const { rows } = await store.query<Row>(
      `SELECT ${columns} ${from} WHERE (c.signing, c.position) > ($1, $2) ORDER BY c.signing, c.position LIMIT 1000`,
      after,
    )
    if (rows.length === 0) return
    for (const row of rows) yield lodged(row, now)
    const last = rows.at(-1)!
    after = [last.signing, last.position]
  }
}

export async function howMany(store: Reader): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>(
    "SELECT coalesce(sum(count), 0)::int8 AS count FROM signing WHERE state = 'complete'",
  )
  return Number(rows[0]!.count)
}

function lodged(row: Row, now: Date): Lodged {
  return { ...knownOf(row, now), der: assembleCertificate(row.tbs, fromSlot(row.slot)) }
}

function knownOf(row: Facts, now: Date): Known {
  return {
    signing: row.signing,
    position: row.position,
    authority: row.authority,
    family: nameOf(families, row.family),
    usage: nameOf(usages, row.usage),
    role: row.role ?? undefined,
    eui64: row.eui64 ? toHex(row.eui64) : undefined,
    serial: row.serial,
    status: statusOf(row, now),
    manufacturing: row.oldest !== null && row.ordinal === row.oldest,
    issuedAt: row.at,
  }
}

/** In the order R, E, N, P, I. A newer Device Certificate of the same usage takes a Device's place in use (REP-A04). */
function statusOf(row: Facts, now: Date): Status {
  if (row.revoked) return 'R'
  // The end of a Device Certificate is no instant (99991231235959Z).
  if (row.family !== families.device && readTbs(row.tbs!).notAfter.ms < now.getTime()) return 'E'
  if (row.withdrawn || (row.newest !== null && row.ordinal! < row.newest)) return 'N'
  return 'I'
}

function nameOf<Name extends string>(names: Readonly<Record<Name, number>>, number: number): Name {
  return (Object.keys(names) as Name[]).find(name => names[name] === number)!
}
