/** Why a relying party says no: the codes of path validation, which are never renamed or reused. */

import { toHexUpper } from '../../bytes.ts'
import { NotDer } from '../../der/read.ts'
import type { Certificate } from '../certificate.ts'
import { showName } from '../name.ts'

/** What each code means; the sentence of a refusal says it of the certificate or list at hand. */
export const pathRefusals = {
  // the path
  NO_PATH: 'no trust anchor is reached: an issuer was not given',
  SEARCH_LIMIT: 'there are more candidate paths than are worth trying',
  SIGNATURE_BAD: 'the signature is not by the issuer’s key',
  SIGNATURE_NOT_DER: 'the signature value is not DER, whatever its numbers say',
  KEY_IDENTIFIER_MISMATCH: 'the authority key identifier names another key or certificate than the issuer’s',
  PATH_TOO_LONG: 'more intermediate certificates follow than a pathLenConstraint allows',

  // one certificate of it
  MALFORMED: 'the octets are no DER certificate',
  VERSION: 'the version of the certificate is too old for its place in the path',
  SERIAL_NUMBER: 'the serial number is not positive, or longer than 20 octets',
  NAME_MALFORMED: 'a name has a value of an unknown type, or text that is not what its type says',
  NAME_EMPTY: 'a name is empty that must not be',
  ALGORITHM_WEAK: 'the signature algorithm is known and no longer good enough',
  ALGORITHM_NOT_UNDERSTOOD: 'the signature algorithm is not one that is understood here',
  ALGORITHM_MISMATCH: 'the signature algorithms inside and outside differ, or do not fit the issuer’s key',
  KEY_WEAK: 'the public key is too short, or its exponent is unsafe',
  KEY_NOT_UNDERSTOOD: 'the public key is of a kind that is not understood here',
  KEY_BAD: 'the public key is not what it says it is',
  NOT_YET_VALID: 'the certificate is not valid yet',
  EXPIRED: 'the certificate is no longer valid',
  NOT_A_CA: 'the certificate issued another and is no CA',
  BASIC_CONSTRAINTS: 'basicConstraints contradicts itself or keyUsage',
  KEY_USAGE: 'keyUsage does not allow what the key was used for, or is to be used for',
  PURPOSE: 'extendedKeyUsage does not allow the purpose',
  KEY_IDENTIFIER_MISSING: 'a key identifier is absent that must be there',
  EXTENSION_MALFORMED: 'the content of a known extension is not what it must be',
  EXTENSION_CRITICALITY: 'an extension is critical that must not be, or the other way round',
  UNKNOWN_CRITICAL_EXTENSION: 'a critical extension is not understood',
  NAME_CONSTRAINTS_NOT_SUPPORTED: 'the certificate carries name constraints, which are not supported',
  POLICY_MAPPINGS_NOT_SUPPORTED: 'the certificate carries policy mappings, which are not supported',
  PROFILE: 'the certificate breaks a rule of the GB profile',

  // certificate policies
  POLICY_NOT_ACCEPTED: 'the path is valid for no accepted certificate policy',

  // revocation
  REVOKED: 'the certificate is revoked',
  LIST_MISSING: 'no revocation list of the issuer was given',
  LIST_EXPIRED: 'the revocation list is past its nextUpdate',
  LIST_NOT_YET_VALID: 'the revocation list is from the future',
  LIST_SIGNATURE_BAD: 'the revocation list is not signed by the issuer',
  LIST_SIGNER: 'the issuer may not sign revocation lists',
  LIST_NOT_UNDERSTOOD: 'a revocation list of the issuer is of a form that is not understood',
} as const satisfies Record<string, string>

export type PathCode = keyof typeof pathRefusals

export interface PathRefusal {
  readonly code: PathCode
  /** For people: names the certificate, what is wrong, and the clause. */
  readonly sentence: string
  /** The certificate at fault, where it is one of the path; absent when it could not be read. */
  readonly certificate?: Certificate
}

export function refuse(code: PathCode, certificate: Certificate, says: string): PathRefusal {
  return { code, sentence: `${called(certificate)}: ${says}`, certificate }
}

/** What people call a certificate: its subject, and its serial number where the subject says nothing. */
export function called(certificate: Certificate): string {
  return certificate.subject.rdns.length > 0
    ? showName(certificate.subject)
    : `serial ${toHexUpper(certificate.serial)} of ${showName(certificate.issuer)}`
}

/** The fault of octets that were to be DER, as a sentence; everything else is a fault of ours and goes on. */
export function notDer(cause: unknown): string {
  if (cause instanceof NotDer) return cause.message
  throw cause
}
