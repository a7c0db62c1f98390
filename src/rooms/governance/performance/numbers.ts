/** How many CSRs for Device Certificates each Party sent: accepted or not, by every channel; a batch counts its members. */

import type { Client, Store } from '../../../ground/store/store.ts'
import { channels } from '../../../policy/performance/targets.ts'
import { boundsOf, type Month } from '../../../policy/performance/zone.ts'
import type { BatchFact } from './facts.ts'

export interface Sent {
  readonly single: number
  readonly batch: number
  readonly total: number
}

export const sentNothing: Sent = { single: 0, batch: 0, total: 0 }

type Reader = Pick<Store, 'query'> | Client

/** By Party. What arrived in that month by the clock in Great Britain counts. */
export async function sentIn(
  store: Reader,
  month: Month,
  batches: readonly BatchFact[],
  zone: string,
): Promise<Map<number, Sent>> {
  const { from, until } = boundsOf(month, zone)
  // Months begin on the hour in Great Britain: no hour lies in two of them.
  const { rows } = await (store as Client).query<{ party: number; csrs: bigint }>(
    'SELECT party, sum(csrs)::bigint AS csrs FROM demand WHERE hour >= $1 AND hour < $2 GROUP BY party',
    [from, until],
  )
  const single = new Map(rows.map(row => [row.party, Number(row.csrs)]))
  const batch = new Map<number, number>()
  for (const { channel, party, count, receivedAt } of batches) {
    if (receivedAt < from || receivedAt >= until) continue
    const to = channels[channel].measure === 'single' ? single : batch
    to.set(party, (to.get(party) ?? 0) + count)
  }
  const parties = [...new Set([...single.keys(), ...batch.keys()])]
  return new Map(
    parties.map(party => {
      const [one, many] = [single.get(party) ?? 0, batch.get(party) ?? 0]
      return [party, { single: one, batch: many, total: one + many }]
    }),
  )
}
