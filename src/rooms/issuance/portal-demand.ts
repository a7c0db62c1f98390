/** What Parties sent by the SMKI Portal in 24 hours, beside what the Code of Connection lets them send (APPN). */

import type { Store } from '../../ground/store/store.ts'
import type { PerformanceSettings } from '../../policy/performance/settings.ts'
import { singleMark, zipMark } from './batch.ts'

/** A Party's demand by one way of the Portal. Above the limit its excess may wait; it is never lost. */
export interface PortalDemand {
  readonly party: number
  readonly sent: 'singly' | 'in batches'
  /** CSRs in the last 24 hours. */
  readonly csrs: number
  readonly most: number
}

const dayMs = 86_400_000

/** Of every Party that sent anything by the Portal in the 24 hours before that instant, in order. */
export async function portalDemand(
  store: Pick<Store, 'query'>,
  settings: PerformanceSettings,
  at: Date,
): Promise<PortalDemand[]> {
  const { rows } = await store.query<{ party: number; single: boolean; csrs: bigint }>(
    `SELECT party, starts_with(reference, $2) AS single, sum(count)::bigint AS csrs FROM batch
      WHERE received_at > $1 AND received_at <= $4 AND (starts_with(reference, $2) OR starts_with(reference, $3))
      GROUP BY 1, 2 ORDER BY 1, 2 DESC`,
    [new Date(at.getTime() - dayMs), singleMark, zipMark, at],
  )
  return rows.map(({ party, single, csrs }) => ({
    party,
    sent: single ? 'singly' : 'in batches',
    csrs: Number(csrs),
    most: single ? settings.portalAdHocDay : settings.portalBatchDay,
  }))
}
