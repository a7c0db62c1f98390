/** The codes with which the Portal itself says no, and the statuses of all that it shows. */

import { type Refusals, refusing } from '../../ground/refusal.ts'
import { performanceRefusals } from '../../rooms/governance/performance/refusals.ts'
import { governanceRefusals } from '../../rooms/governance/refusals.ts'
import { issuanceRefusals } from '../../rooms/issuance/refusals.ts'
import { recoveryRefusals } from '../../rooms/recovery/refusals.ts'
import { registrationRefusals } from '../../rooms/registration/refusals.ts'
import { revocationRefusals } from '../../rooms/revocation/refusals.ts'

export const portalRefusals = {
  CREDENTIAL_NOT_KNOWN: { status: 403, says: 'the client certificate is no credential that is on record here' },
  CREDENTIAL_OTHER_DOOR: { status: 403, says: 'your credential does not open this part of the Portal' },
  CREDENTIAL_NOT_IN_USE: { status: 403, says: 'your credential is not in use any more' },
  NOT_FOR_YOU: { status: 403, says: 'this page is not for your role' },
  NOTHING_THERE: { status: 404, says: 'there is nothing under that address' },
  FORM_STALE: {
    status: 409,
    says: 'this form is out of date: go back, load the page again, and repeat what you wanted',
  },
  FORM_FOREIGN: { status: 403, says: 'this form did not come from a page of the Portal' },
  FORM_UNFIT: { status: 400, says: 'what was sent is not what this form sends' },
  FORM_TOO_LONG: { status: 413, says: 'what was sent is longer than this form takes' },
  FILE_TOO_LONG: { status: 413, says: 'the file is larger than the Portal takes' },
  UPLOADS_BUSY: {
    status: 503,
    says: 'many files are being taken in just now: nothing was submitted, try again in a minute',
  },
  SESSION_ENDED: { status: 403, says: 'your session has ended: nothing was submitted' },
  PRIVATE_KEY: {
    status: 400,
    says: 'this holds a private key, which must never leave its holder. We have not kept it. Consider it compromised: stop using it, make a new Key Pair, and request the revocation of any Certificate for it',
  },
} as const satisfies Refusals<string>

export type PortalCode = keyof typeof portalRefusals

/** The sentence of the code, and after it what is particular. */
export const refuse = refusing(portalRefusals)

const tables: readonly Readonly<Record<string, { readonly status: number }>>[] = [
  portalRefusals,
  registrationRefusals,
  governanceRefusals,
  issuanceRefusals,
  revocationRefusals,
  recoveryRefusals,
  performanceRefusals,
  // Codes of service-interface.md section 4 that say: not now.
  { 'WF:SUSP': { status: 503 }, 'CA:FF1': { status: 503 }, BATCH_NOT_PENDING: { status: 409 } },
]

/** The HTTP status of a code: that of its table; 400 for a code without one, such as those of CSRs. */
export function statusOf(code: string): number {
  return tables.find(one => Object.hasOwn(one, code))?.[code]?.status ?? 400
}
