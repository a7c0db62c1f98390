/** The codes with which this room says no. None is ever renamed or given another meaning. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const revocationRefusals = {
  // What is to be revoked.
  CERTIFICATE_UNKNOWN: { status: 404, says: 'no certificate of that authority has that serial number' },
  DEVICE_NEVER_REVOKED: {
    status: 409,
    says: 'a Device Certificate is never revoked: a rejection of it is logged and investigated',
  },
  ROOT_NOT_LISTED: { status: 409, says: 'a root is revoked by no list: whoever trusts it must cease to' },
  NOT_LISTED: { status: 409, says: 'the authority that issued it signs no list' },
  ALREADY_REVOKED: { status: 409, says: 'the certificate is revoked already' },
  CERTIFICATE_EXPIRED: { status: 409, says: 'the certificate has expired, and needs no revocation' },
  // Requests and cases.
  GROUND_UNFIT: { status: 400, says: 'that is no ground for the revocation of such a certificate' },
  FORM_NEEDED: { status: 400, says: 'that request is made on its form' },
  DIRECTION_NEEDED: {
    status: 403,
    says: 'that office asks for it by direction of the SMKI PMA, whose decision it names',
  },
  NOT_OWN_CREDENTIAL: {
    status: 403,
    says: 'an ARO asks for what he holds himself or a system holds, not for others',
  },
  CASE_OPEN: { status: 409, says: 'the revocation of that certificate was requested already' },
  CASE_UNKNOWN: { status: 404, says: 'there is no such revocation case' },
  CASE_STATE: { status: 409, says: 'that does not follow in the state of this case' },
  REVOCATION_DEFERRED: {
    status: 409,
    says: 'a deferral decided by the SMKI PMA is in force (L16): the revocation waits until it ends',
  },
  REJECTION_UNKNOWN: { status: 404, says: 'no rejection of that number waits for its investigation' },
  REJECTION_LOGGED: { status: 409, says: 'that rejection is logged already, and under investigation' },
  NOT_OF_PARTY: { status: 403, says: 'the certificate is not one of that Party' },
  // Deferrals.
  DEFERRAL_UNKNOWN: { status: 404, says: 'there is no such deferral' },
  DEFERRAL_ENDED: { status: 409, says: 'that deferral has ended' },
  DEFERRAL_EXISTS: { status: 409, says: 'a deferral for that supplier is in force: it is extended or ended' },
  DEFERRAL_WITHOUT_CERTIFICATES: {
    status: 409,
    says: 'that supplier has no certificate whose revocation could wait',
  },
  DEFERRAL_DATES: {
    status: 400,
    says: 'a deferral is reviewed after it begins, and ends no earlier than its review',
  },
  DEFERRAL_UNFIT: {
    status: 400,
    says: 'User IDs, MPIDs and certificates of a deferral are short lists of short text',
  },
  // Suspensions.
  SUSPENSION_SCOPE: { status: 400, says: 'a suspension is of something that may be suspended, and names it' },
  SUSPENSION_UNKNOWN: { status: 404, says: 'there is no such suspension' },
  SUSPENSION_ENDED: { status: 409, says: 'that suspension has ended' },
  SUSPENSION_FOR_GOOD: { status: 409, says: 'an authority whose certificate was revoked never resumes' },
  SUSPENSION_LATER_DIRECTION: {
    status: 409,
    says: 'a suspension ends by a later direction than the one that began it',
  },
  INFORMED_UNFIT: { status: 400, says: 'who was informed, and how, is short text' },
  // Events of Default.
  DEFAULT_UNKNOWN: { status: 404, says: 'there is no such Event of Default' },
  DEFAULT_STEP: { status: 409, says: 'another step of the Event of Default comes next' },
  DEFAULT_UNFIT: { status: 400, says: 'an Event of Default names the provision that was broken, in short text' },
} as const satisfies Refusals<string>

export type RevocationCode = keyof typeof revocationRefusals

/** The sentence of the code, and after it what is particular. */
export const no = refusing(revocationRefusals)
