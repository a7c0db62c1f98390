/** Lists on time: each is renewed by its schedule, with a margin, while the key that signs it is at hand. */

import type { Clock } from '../../ground/clock.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Schedules } from '../../policy/revocation/schedules.ts'
import { authorities } from '../authority/register.ts'
import { currentIntervals, isWaiting, type ListInterval, type LodgedList } from '../repository/lists.ts'
import { type IsDue, publishListIf } from './list.ts'
import { coveringSuspension, suspensions } from './suspended.ts'

/** A list is made anew when this part of its interval has gone by, so that it is never late (lessons, row 6). */
export const early = 0.9

/**
 * Renews every list that is due and whose key is in this key store; those of offline roots are left to ceremonies, and
 * those whose publication is suspended by name (L2.14) to a later direction. What is wrong with one keeps no other from
 * being renewed.
 * @throws what the only one that failed threw, or an AggregateError of several, when all others are renewed
 */
export async function renewLists(
  hands: { store: Store; clock: Clock },
  keys: KeyStore,
  schedules: Schedules,
): Promise<LodgedList[]> {
  const held = await suspensions(hands.store)
  const intervals = new Map((await currentIntervals(hands.store)).map(list => [list.authority, list]))
  const renewed: LodgedList[] = []
  const faults: unknown[] = []
  for (const authority of await authorities(hands.store)) {
    const schedule = schedules(authority)
    if (!schedule || authority.store !== 'issuing') continue
    const publication = { interface: 'LISTS', authority: authority.id } as const
    if (coveringSuspension(held, publication, hands.clock())) continue
    // A revocation waits for no schedule: it is on a list within the minute that this is called again.
    const isDue: IsDue = (current, waiting) =>
      waiting ||
      hands.clock().getTime() >=
        (current ? current.thisUpdate.getTime() + schedule.everyHours * 3_600_000 * early : 0)
    try {
      // Asked without a lock first: in most minutes nothing is due, and nobody who revokes is to wait for that.
      const seen = intervals.get(authority.id)
      if (!isDue(seen, seen !== undefined && (await isWaiting(hands.store, seen)))) continue
      const list = await publishListIf(hands, authority, keys, schedule, isDue)
      if (list) renewed.push(list)
    } catch (cause) {
      faults.push(cause)
    }
  }
  if (faults.length === 1) throw faults[0]
  if (faults.length > 1) throw new AggregateError(faults, `${faults.length} lists could not be renewed`)
  return renewed
}

/** A list is too near its end when less than a quarter of its life is left; of a year's list, thirty days are enough. */
const margin = { part: 0.25, most: 30 * 86_400_000 }

/** Lists that should have been renewed by now: whoever relies on them will soon refuse every certificate. */
export function listsAtRisk(lists: readonly ListInterval[], now: Date): ListInterval[] {
  return lists.filter(({ thisUpdate, nextUpdate }) => {
    const life = nextUpdate.getTime() - thisUpdate.getTime()
    return nextUpdate.getTime() - now.getTime() <= Math.min(life * margin.part, margin.most)
  })
}
