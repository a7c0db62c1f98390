/** Who asks: the Party whose API key stands in the query (repository 3). */

import { hash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../ground/clock.ts'
import type { Store } from '../../ground/store/store.ts'
import { partyOfApiKey } from '../../rooms/registration/parties.ts'
import { remembered } from './remembered.ts'

/** The number of a Party, or one of the keys that a test environment accepts besides. */
export type Asker = number | 'test key'

/** A revoked key opens nothing after so long. */
const lifeMs = 1000

/** @param testKeys accepted besides the keys of Parties; the caller hands in none outside test environments. */
export function apiKeys(
  store: Pick<Store, 'query'>,
  clock: Clock,
  testKeys: readonly string[],
): (key: unknown) => Promise<Asker | undefined> {
  const tests = testKeys.map(digest)
  const parties = remembered<number>(clock, lifeMs)
  return async key => {
    // A key that is given twice is no key.
    if (typeof key !== 'string' || key === '') return undefined
    const asked = digest(key)
    // Each is compared, in constant time: how long it takes tells nothing of the keys there are.
    const matching = tests.filter(one => timingSafeEqual(one, asked))
    if (matching.length > 0) return 'test key'
    return parties(asked.toString('latin1'), () => partyOfApiKey(store, key))
  }
}

function digest(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}
