/** Reports of the S1SP: what is overdue, how rotations stand, what is lost, who was exposed to what. */

import type { S1spHands } from './hands.ts'

export interface Overdue {
  readonly device: string
  readonly due: Date
  readonly state: string
  /** Every try, oldest first: "subject to connectivity" is what excuses a late rotation. */
  readonly attempts: readonly { readonly at: Date; readonly code: string }[]
}

/** Devices whose rotation after commissioning is late, or becomes so within the hours given; the latest first. */
export async function overdue(
  { store, clock }: Pick<S1spHands, 'store' | 'clock'>,
  withinHours = 0,
): Promise<Overdue[]> {
  const before = new Date(clock().getTime() + withinHours * 3_600_000)
  const { rows } = await store.query<Overdue>(
    `SELECT r.device, r.due, r.state,
       coalesce((SELECT json_agg(json_build_object('at', a.at, 'code', a.code) ORDER BY a.at)
         FROM attempt a WHERE a.rotation = r.id), '[]'::json) AS attempts
     FROM rotation r WHERE r.state <> 'closed' AND r.due < $1 ORDER BY r.due, r.device`,
    [before],
  )
  return rows.map(row => ({ ...row, attempts: row.attempts.map(({ at, code }) => ({ at: new Date(at), code })) }))
}

export interface Standings {
  readonly model: string
  readonly devices: number
  readonly rotated: number
  readonly unresolved: number
  readonly unreachable: number
  readonly cannot: number
  readonly open: number
  /** Whose keys others still know: no rotation after commissioning has closed. */
  readonly inherited: number
  /** The nearest deadline of those that are not closed. */
  readonly nextDue: Date | null
}

/**
 * How the rotations after commissioning stand, by model. Rotated is a Device of which every key was replaced that its
 * model lets be replaced; what the model as such cannot is among the exceptions of its rotation, and is no failure of it.
 */
export async function standings({ store }: Pick<S1spHands, 'store'>): Promise<Standings[]> {
  const { rows } = await store.query<Record<keyof Standings, unknown>>(
    `SELECT d.model, count(*) AS devices,
       count(*) FILTER (WHERE r.state = 'closed' AND NOT failed.there) AS rotated,
       count(*) FILTER (WHERE r.state = 'unresolved') AS unresolved,
       count(*) FILTER (WHERE r.state = 'unreachable') AS unreachable,
       count(*) FILTER (WHERE r.state = 'closed' AND failed.there) AS cannot,
       count(*) FILTER (WHERE r.state = 'open') AS open,
       count(*) FILTER (WHERE r.state IS DISTINCT FROM 'closed') AS inherited,
       min(r.due) FILTER (WHERE r.state <> 'closed') AS "nextDue"
     FROM device d LEFT JOIN rotation r ON r.device = d.device AND r.ground->>'ground' = 'commissioned'
     CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM exception e
       WHERE e.rotation = r.id AND e.what <> e.says) AS there) failed
     GROUP BY d.model ORDER BY d.model`,
  )
  return rows.map(
    row =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
      ) as unknown as Standings,
  )
}

export interface LostKey {
  readonly device: string
  readonly says: string
}

/** Devices that can never be re-keyed, with why; a lost Master Key among them is found here, not hidden. */
export async function cannotBeReKeyed({ store }: Pick<S1spHands, 'store'>): Promise<LostKey[]> {
  const { rows } = await store.query<LostKey>(
    'SELECT device, cannot AS says FROM device WHERE cannot IS NOT NULL ORDER BY device',
  )
  return rows
}

/** What rotations could not do, each with why. */
export async function exceptionList({
  store,
}: Pick<S1spHands, 'store'>): Promise<{ readonly device: string; readonly what: string; readonly says: string }[]> {
  const { rows } = await store.query<{ device: string; what: string; says: string }>(
    `SELECT r.device, e.what, e.says FROM exception e JOIN rotation r ON r.id = e.rotation ORDER BY r.device, e.what`,
  )
  return rows
}
