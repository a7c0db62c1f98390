/** The procedure of the DCCKI Registration Authority that no other policy has: what lies behind a Gateway Connection. */

import type { Office } from '../registration/offices.ts'
import type { Procedure } from '../registration/procedure.ts'

const ra: readonly Office[] = ['RA_PERSONNEL', 'RA_MANAGER']

/**
 * A DCC Gateway Connection and the host names behind it take effect: from then on certificates may name them. Its steps
 * are those of the SMKI's procedures (DCK-A01).
 * @param twoPersons REG-A01: who requests or verifies does not approve
 */
export function connectionProcedure(twoPersons: boolean): Procedure {
  return {
    says: 'a DCC Gateway Connection of a Party takes effect, with its host names',
    where: 'dccki.md 3, DCK-A03',
    request: { by: ['SRO', 'ARO', ...ra], count: 1, evidence: [] },
    verify: { by: ra, count: 1, evidence: ['gateway connection', 'control of the host names'] },
    approve: { by: ['RA_MANAGER'], count: 1, evidence: [] },
    apart: twoPersons
      ? [
          ['request', 'approve'],
          ['verify', 'approve'],
        ]
      : [],
  }
}
