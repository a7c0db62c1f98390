/** The codes with which issuance refuses Organisation CSRs and IKI CSRs. None is ever renamed or given another meaning. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const issuanceRefusals = {
  CREDENTIAL_NOT_FOR_THIS: {
    status: 403,
    says: 'that credential does not open the SMKI Portal for Organisation Certificates, or does not any more',
  },
  SUBMISSION_UNKNOWN: { status: 404, says: 'the Party has submitted no such Organisation CSR' },
  SUBMISSION_STATE: { status: 409, says: 'that does not follow in the life of this Organisation CSR' },
  REFERENCE_UNFIT: { status: 400, says: 'a reference is 1 to 64 letters, digits, dots, hyphens or underscores' },
  REFERENCE_TAKEN: { status: 409, says: 'the Party has submitted another Organisation CSR under that reference' },
  EUI64_OF_ANOTHER: { status: 403, says: 'the EUI-64 belongs to another organisation' },
  EUI64_OUTSIDE_USER_ROLE: {
    status: 403,
    says: 'the EUI-64 lies outside the range of the User Role that may carry that Remote Party Role',
  },
  KEY_OF_ANOTHER_SUBJECT: {
    status: 409,
    says: 'this key was certified for another subject: the Registration Authority must act first',
  },
  REFUSED_BY_RA: { status: 403, says: 'the Registration Authority has refused the Organisation CSR' },
  ACCEPTED_ALREADY: {
    status: 409,
    says: 'the Certificate was accepted already, by word or by silence (L11.7): request its revocation instead',
  },
  REJECTED_ALREADY: { status: 409, says: 'the Certificate was rejected already' },
  CSR_NOT_APPROVED: { status: 409, says: 'that CSR is not the one that the credential was approved for' },
  // DCCKI and S1SPKI.
  REQUEST_UNKNOWN: { status: 404, says: 'there is no such request for a certificate' },
  REQUEST_STATE: { status: 409, says: 'that does not follow in the life of this request' },
  DCCKI_INELIGIBLE: { status: 403, says: 'the Subscriber is not a DCCKI Eligible Subscriber for that kind' },
  SENDER_NOT_FOR_THIS: {
    status: 403,
    says: 'who sends it does not speak for a DCCKI Subscriber, or does not any more',
  },
  TOKEN_FOR_TESTS_ONLY: {
    status: 403,
    says: 'private keys are written into files in test environments only; elsewhere they are made in the token',
  },
} as const satisfies Refusals<string>

export type IssuanceCode = keyof typeof issuanceRefusals

/** The sentence of the code, and after it what is particular. */
export const refuse = refusing(issuanceRefusals)

/**
 * The family of section 4 of service-interface.md that the Portal shows a refusal under (SVC-A04): `CR` the form of the
 * CSR, `IN` the right to the Certificate, `CA` the authority must look or could not sign, `WF` the workflow.
 */
export function familyOf(code: string): 'CR' | 'IN' | 'CA' | 'WF' {
  const [family] = code.split(':')
  if (family === 'CR' || family === 'IN' || family === 'CA' || family === 'WF') return family
  if (code === 'KEY_OF_ANOTHER_SUBJECT' || code === 'REFUSED_BY_RA') return 'CA'
  return Object.hasOwn(eligibility, code) ? 'IN' : 'WF'
}

/** Refusals of stage "approve", rows 3 and 4 of section 3.1. */
const eligibility = {
  ARO_NOT_AUTHORISED: true,
  NOT_AUTHORISED_SUBSCRIBER: true,
  EUI64_NOT_OWN: true,
  EUI64_OF_ANOTHER: true,
  EUI64_OUTSIDE_USER_ROLE: true,
  OU_ROLE_NOT_HELD: true,
}
