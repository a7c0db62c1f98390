/** Which workers have portions of batches in hand, and whether each still says so in time. */

import type { Store } from '../../ground/store/store.ts'

export interface WorkerAtWork {
  readonly worker: string
  readonly portions: number
  readonly csrs: number
  /** Until when it has said that it goes on; afterwards others take over. */
  readonly leaseUntil: Date
}

export async function workersAtWork(store: Pick<Store, 'query'>): Promise<WorkerAtWork[]> {
  const { rows } = await store.query<{ worker: string; portions: number; csrs: bigint; lease_until: Date }>(
    `SELECT worker, count(*)::int AS portions, sum(count)::bigint AS csrs, min(lease_until) AS lease_until
       FROM portion WHERE state = 'taken' GROUP BY worker ORDER BY worker`,
  )
  return rows.map(row => ({
    worker: row.worker,
    portions: row.portions,
    csrs: Number(row.csrs),
    leaseUntil: row.lease_until,
  }))
}
