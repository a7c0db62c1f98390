/** What the revocation room answers for issuance, which stands below it: what is suspended, and how a rejected certificate is revoked. */

import { toHex } from '../ground/bytes.ts'
import type { Revoke } from '../rooms/issuance/acceptance.ts'
import type { Refuse } from '../rooms/issuance/hold.ts'
import type { RevocationHands } from '../rooms/revocation/hands.ts'
import { revokeRejected } from '../rooms/revocation/reject.ts'
import { suspended, suspensionOf } from '../rooms/revocation/suspended.ts'

/** `WF:SUSP` while an emergency suspension (L2.14) covers it. */
export const stoppedBySuspension: Refuse = async (store, about, at) => {
  const found = await suspensionOf(store, about, at)
  return found && suspended(found)
}

/** For `rejectOrganisation`: as a case of its own, which waits while a deferral (L16) covers the Subscriber. */
export function rejectedCase(hands: RevocationHands): Revoke {
  return (acting, { authority, serial, party }) =>
    revokeRejected(acting, hands, { authority, serial: toHex(serial) }, party)
}
