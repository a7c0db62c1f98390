/** Whether a Party is Eligible for the Devices of a group of CSRs (L3.16): facts of the Party once, of the Devices at one question. */

import type { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import { deviceEligibilities, subscriberOf } from '../registration/eligible.ts'
import type { RegistrationRules } from '../registration/form.ts'
import type { Inventory } from '../registration/inventory.ts'

/** Of each of these Device IDs why it may not have a certificate; undefined where it may, or where there is no ID. */
export type Eligibility = (
  deviceIds: readonly (string | undefined)[],
) => Promise<readonly (Refusal<DeviceCode> | undefined)[]>

/**
 * For a group of one Party: two questions, however many CSRs it has.
 * @param by the Ad Hoc web service is for some User Roles only
 */
export function eligibilityFor(
  store: Pick<Store, 'query'>,
  rules: Pick<RegistrationRules, 'deviceEligibility' | 'smiStatuses'>,
  inventory: Inventory,
  party: number,
  by?: 'ADHOC_WS',
): Eligibility {
  return async deviceIds => {
    const known = deviceIds.filter(id => id !== undefined)
    if (known.length === 0) return deviceIds.map(() => undefined)
    const reasons = await deviceEligibilities(rules, inventory, await subscriberOf(store, party), known, by)
    let at = 0
    return deviceIds.map(id => (id === undefined ? undefined : reasons[at++]))
  }
}

/** For a group of several Parties, one for each request: that of each is asked for its own. */
export function eligibilityOfEach(parties: readonly number[], of: (party: number) => Eligibility): Eligibility {
  return async deviceIds => {
    const places = Map.groupBy(parties.keys(), n => parties[n]!)
    const reasons: (Refusal<DeviceCode> | undefined)[] = deviceIds.map(() => undefined)
    for (const [party, own] of places) {
      const found = await of(party)(own.map(n => deviceIds[n]))
      for (const [i, n] of own.entries()) reasons[n] = found[i]
    }
    return reasons
  }
}
