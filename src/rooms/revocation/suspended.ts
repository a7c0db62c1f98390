/** What is suspended now (L2.14): one indexed question for each request, or a snapshot that a door renews each second. */

import { fromHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { Interface, SuspendedThing, SuspensionScope } from '../../policy/revocation/suspension.ts'
import { codes } from '../../policy/smki-device/codes.ts'
import { type CertificateRef, subjectOf } from './object.ts'
import { no } from './refusals.ts'

/** What somebody is about to use: everything that is known of it. */
export interface Used {
  readonly interface?: Interface | undefined
  readonly party?: number | undefined
  /** That is about to issue, or has issued. */
  readonly authority?: number | undefined
  readonly certificate?: CertificateRef | undefined
}

export interface Suspension {
  readonly id: number
  /** Reference of the direction. */
  readonly decision: string
  readonly scope: SuspensionScope
  readonly interface: Interface | undefined
  readonly authority: number | undefined
  readonly party: number | undefined
  readonly stops: SuspendedThing
  /** L2.14: what is in immediate danger; `revoked` of an authority whose certificate was revoked. */
  readonly ground: string
  /** Interfaces that go on although the scope covers them. */
  readonly goesOn: readonly Interface[]
  readonly startedAt: Date
  readonly endedAt: Date | undefined
  readonly endDecision: string | undefined
  readonly forGood: boolean
}

/** As a snapshot: with the certificates of a set, in the words of `subjectOf`. */
export interface SuspensionInForce extends Suspension {
  readonly certificates: ReadonlySet<string>
}

type Reader = Pick<Store, 'query'> | Client

/** The suspension that covers a use at that instant, the oldest if several do; undefined when it may go on. */
export async function suspensionOf(store: Reader, used: Used, at: Date): Promise<Suspension | undefined> {
  const { rows } = await (store as Client).query<Row>({
    name: 'suspension_of',
    text: `SELECT ${columns} FROM suspension s WHERE s.started_at <= $6 AND (s.ended_at IS NULL OR s.ended_at > $6)
        AND (s.scope = 'interface' AND s.interface = $1
          OR ($1 IS NULL OR $1 <> ALL (s.goes_on)) AND (s.scope = 'service' OR s.scope = 'party' AND s.party = $2
            OR s.scope = 'authority' AND s.authority = $3
            OR s.scope = 'certificates' AND EXISTS (SELECT FROM suspension_certificate c
              WHERE c.suspension = s.id AND c.authority = $4 AND c.serial = $5)))
      ORDER BY s.id LIMIT 1`,
    values: [
      used.interface ?? null,
      used.party ?? null,
      used.authority ?? null,
      used.certificate?.authority ?? null,
      used.certificate === undefined ? null : fromHex(used.certificate.serial),
      at,
    ],
  })
  return rows[0] && read(rows[0])
}

/** Everything in force, for a door that asks more often than it wants to ask the store: see `coveringSuspension`. */
export async function suspensions(store: Reader): Promise<SuspensionInForce[]> {
  const { rows } = await (store as Client).query<Row & { certificates: string[] }>(
    `SELECT ${columns}, ARRAY(SELECT 'certificate:' || c.authority || ':' || encode(c.serial, 'hex')
         FROM suspension_certificate c WHERE c.suspension = s.id) AS certificates
       FROM suspension s WHERE s.ended_at IS NULL ORDER BY s.id`,
  )
  return rows.map(row => ({ ...read(row), certificates: new Set(row.certificates) }))
}

/** Authorities whose certificates were revoked: they are suspended for good. */
export async function revokedAuthorities(store: Reader): Promise<number[]> {
  const inForce = await suspensions(store)
  return inForce.flatMap(one => (one.forGood && one.authority !== undefined ? [one.authority] : []))
}

/** As `suspensionOf`, on a snapshot. Pure. */
export function coveringSuspension(
  inForce: readonly SuspensionInForce[],
  used: Used,
  at: Date,
): SuspensionInForce | undefined {
  return inForce.find(one => one.startedAt <= at && covers(one, used))
}

function covers(one: SuspensionInForce, used: Used): boolean {
  if (one.scope === 'interface') return one.interface === used.interface
  if (used.interface !== undefined && one.goesOn.includes(used.interface)) return false
  if (one.scope === 'party') return one.party === used.party
  if (one.scope === 'authority') return one.authority === used.authority
  if (one.scope === 'service') return true
  return used.certificate !== undefined && one.certificates.has(subjectOf(used.certificate))
}

/** On record, ended ones too, oldest first. */
export async function suspensionRecords(store: Reader): Promise<
  (Suspension & {
    readonly certificates: readonly CertificateRef[]
    readonly informed: readonly { readonly who: string; readonly how: string; readonly at: Date }[]
  })[]
> {
  const { rows } = await (store as Client).query<
    Row & {
      certificates: { authority: number; serial: string }[]
      informed: { who: string; how: string; at: string }[]
    }
  >(
    `SELECT ${columns}, (SELECT coalesce(json_agg(json_build_object('authority', c.authority, 'serial',
         encode(c.serial, 'hex')) ORDER BY c.authority, c.serial), '[]') FROM suspension_certificate c
         WHERE c.suspension = s.id) AS certificates,
       (SELECT coalesce(json_agg(json_build_object('who', i.who, 'how', i.how, 'at', i.at) ORDER BY i.number), '[]')
         FROM suspension_informed i WHERE i.suspension = s.id) AS informed
       FROM suspension s ORDER BY s.id`,
  )
  return rows.map(row => ({
    ...read(row),
    certificates: row.certificates,
    informed: row.informed.map(one => ({ ...one, at: new Date(one.at) })),
  }))
}

/** What a door answers: `WF:SUSP`, with the direction. */
export function suspended({ id, decision }: Suspension): Refusal<'WF:SUSP'> {
  return new Refusal('WF:SUSP', codes['WF:SUSP'].text, { details: { suspension: id, decision } })
}

/** @throws Refusal SUSPENSION_UNKNOWN */
export async function suspensionHeld(client: Client, id: number): Promise<Suspension> {
  const { rows } = await client.query<Row>(`SELECT ${columns} FROM suspension s WHERE s.id = $1 FOR UPDATE`, [id])
  if (!rows[0]) throw no('SUSPENSION_UNKNOWN', String(id))
  return read(rows[0])
}

const columns = `s.id, s.decision, s.scope, s.interface, s.authority, s.party, s.stops, s.ground, s.goes_on, s.started_at,
  s.ended_at, s.end_decision, s.for_good`

interface Row {
  id: number
  decision: string
  scope: SuspensionScope
  interface: Interface | null
  authority: number | null
  party: number | null
  stops: SuspendedThing
  ground: string
  goes_on: Interface[]
  started_at: Date
  ended_at: Date | null
  end_decision: string | null
  for_good: boolean
}

function read(row: Row): Suspension {
  return {
    id: row.id,
    decision: row.decision,
    scope: row.scope,
    interface: row.interface ?? undefined,
    authority: row.authority ?? undefined,
    party: row.party ?? undefined,
    stops: row.stops,
    ground: row.ground,
    goesOn: row.goes_on,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    endDecision: row.end_decision ?? undefined,
    forGood: row.for_good,
  }
}

/** Those of a record, as octets for the store. */
export function certificateColumns(certificates: readonly CertificateRef[]): [number[], Buffer[]] {
  return [certificates.map(one => one.authority), certificates.map(one => fromHex(one.serial))]
}
