/** The certificate that links a new Root OCA to the one before it, for a normal root change (REC-A08, ASSUMED(M)). */

import type { Profile } from '../profile.ts'
import { aki, ca, caUsage, policy, shortCaName, ski } from '../rows.ts'
import type { Settings } from '../settings.ts'

/** The new root's name and key, certified by the old root: Devices that hold the old follow it to the new. */
export function linkProfile(settings: Settings): Profile {
  const { certificates } = settings
  return {
    pki: 'smki-organisation',
    clause: 'recovery.md 7, REC-A08',
    key: 'P-256',
    name: 'Root OCA link Certificate',
    family: 'ca',
    subject: shortCaName(settings, '00'),
    validity: { years: certificates.issuingYears, from: 'day' },
    extensions: [caUsage, ca(certificates.rootPathLength), policy(certificates.policyOrganisation, true), ski, aki],
  }
}
