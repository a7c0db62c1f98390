/** How much is under way: batches by state, and their CSRs that wait; and how many were taken in hand tonight. */

import type { Store } from '../../ground/store/store.ts'
import { plusDays } from '../../policy/documents/day.ts'
import { dayIn, instantAt } from '../../policy/performance/zone.ts'

export interface QueueLength {
  /** How many batches, by state; of states before the end. */
  readonly states: Readonly<Record<string, number>>
  /** CSRs that no worker has in hand. */
  readonly waiting: number
  /** When the oldest of these batches was received. */
  readonly oldest: Date | undefined
}

export async function queueLength(store: Pick<Store, 'query'>): Promise<QueueLength> {
  const batches = await store.query<{ state: string; count: number; oldest: Date; csrs: bigint }>(
    `SELECT state, count(*)::int AS count, min(received_at) AS oldest, sum(count)::bigint AS csrs FROM batch
      WHERE state NOT IN ('REJECTED', 'TAMPERED', 'COMPLETED') GROUP BY state`,
  )
  const queued = await store.query<{ csrs: bigint | null }>(
    "SELECT sum(count)::bigint AS csrs FROM portion WHERE state = 'queued'",
  )
  const states: Record<string, number> = { PENDING: 0, PARSING: 0, QUEUED: 0, PROCESSING: 0, PAUSED: 0 }
  let oldest: Date | undefined
  let unread = 0
  for (const row of batches.rows) {
    states[row.state] = row.count
    oldest = oldest === undefined || row.oldest < oldest ? row.oldest : oldest
    // They have no portions before they are parsed.
    if (row.state === 'PENDING' || row.state === 'PARSING') unread += Number(row.csrs)
  }
  return { states, waiting: unread + Number(queued.rows[0]!.csrs ?? 0n), oldest }
}

/** When the present night began, for the limit of a night (APPN): the last time that the wall showed that time. */
export function nightOf(at: Date, from: string, zone: string): Date {
  const today = instantAt(dayIn(at, zone), from, zone)
  return at >= today ? today : instantAt(plusDays(dayIn(at, zone), -1), from, zone)
}

/** CSRs of batches that were in hand since then, whatever became of them; those refused to the last of a portion are not. */
export async function batchedSince(store: Pick<Store, 'query'>, since: Date): Promise<number> {
  const { rows } = await store.query<{ csrs: bigint | null }>(
    `SELECT sum(p.count)::bigint AS csrs
       FROM batch b JOIN portion p ON p.batch = b.id JOIN signing s ON s.id = p.signing
      WHERE (b.completed_at IS NULL OR b.completed_at >= $1) AND s.at >= $1`,
    [since],
  )
  return Number(rows[0]!.csrs ?? 0n)
}
