/** Lists on time: each is renewed by its schedule, with a margin, while the key that signs it is at hand. */

import type { Clock } from '../../ground/clock.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import type { Store } from '../../ground/store/store.ts'
import type { ListSchedule } from '../../policy/profile.ts'
import { authorities } from '../authority/register.ts'
import { currentIntervals, isWaiting, type ListInterval, type LodgedList } from '../repository/lists.ts'
import { publishList } from './list.ts'

/** A list is made anew when this part of its interval has gone by, so that it is never late (lessons, row 6). */
const early = 0.9

/** Renews every list that is due and whose key is in this key store; those of offline roots are left to ceremonies. */
export async function renewLists(
  hands: { store: Store; clock: Clock },
  keys: KeyStore,
  schedules: (authority: { pki: string; level: string }) => ListSchedule | undefined,
): Promise<LodgedList[]> {
  const current = new Map((await currentIntervals(hands.store)).map(list => [list.authority, list]))
  const renewed: LodgedList[] = []
  for (const authority of await authorities(hands.store)) {
    const schedule = schedules(authority)
    if (!schedule || authority.store !== 'issuing') continue
    const list = current.get(authority.id)
    const due = list ? list.thisUpdate.getTime() + schedule.everyHours * 3_600_000 * early : 0
    // A revocation waits for no schedule: it is on a list within the minute that this is called again.
    if (hands.clock().getTime() >= due || (list && (await isWaiting(hands.store, list))))
      renewed.push(await publishList(hands, authority, keys, schedule))
  }
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
