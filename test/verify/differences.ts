/** Where OpenSSL and we answer differently: why our yes is right, and why our no is. */

import { extension, readCertificate } from '../../src/ground/x509/certificate.ts'
import { oids } from '../../src/ground/x509/names.ts'
import type { PathCode, Verdict } from '../../src/ground/x509/path.ts'
import type { Setting } from './openssl.ts'
import { moment } from './scene.ts'

interface YesRule {
  readonly because: string
  /** OpenSSL's error numbers (X509_V_ERR_…). */
  readonly errors: readonly number[]
  /** Whether it explains this yes. */
  readonly explains: (verdict: Verdict, setting: Setting, depth: number) => boolean
}

/** The only rules by which we say yes where OpenSSL, as strict as it can be, says no. */
export const yesRules: Readonly<Record<string, YesRule>> = {
  KEY_USAGE_IF_PRESENT: {
    because: 'RFC 5280 6.1.4 (n) and 6.3.3 (f) ask for keyUsage bits of a CA if it has the extension',
    errors: [92],
    explains: ({ path }) =>
      path.some(one => !extension(one, oids.keyUsage) && extension(one, oids.basicConstraints)),
  },
  NOT_AFTER_INCLUDED: {
    because: 'RFC 5280 4.1.2.5: the validity includes the second of notAfter; OpenSSL ends a second earlier',
    errors: [10],
    explains: ({ path }, { at = moment }) => path.some(({ notAfter }) => notAfter.ms === Date.parse(at)),
  },
  OLD_ROOT: {
    because: 'a version 1 root knows no basicConstraints; it signed itself, and trust was put in it by name',
    errors: [79],
    explains: ({ path }) => path.at(-1)!.version < 3,
  },
  ALL_PATHS_TRIED: {
    because: 'RFC 5280 6: one path that holds is enough; OpenSSL builds one and gives up',
    errors: [19, 34],
    explains: ({ path }, { untrusted = [] }) =>
      untrusted.some(der => !path.some(one => Buffer.from(one.der).equals(der)) && sharesKey(der, path)),
  },
  FORGED_LIST_LEFT_ASIDE: {
    because: 'a list that the issuer did not sign says nothing; the one that it signed does',
    errors: [8],
    explains: ({ notes }) => notes.some(note => note.includes('was left aside')),
  },
  ANCHOR_NEEDS_NO_LIST: {
    because:
      'RFC 5280 6.1: the anchor is not part of the path; OpenSSL wants a list of its issuer where it has one',
    errors: [3, 8, 11, 12, 33, 35, 36],
    explains: ({ path }, { lists }, depth) => lists !== undefined && depth === path.length - 1,
  },
  DEVICE_HAS_NO_LIST: {
    because: 'Device Certificates are never revoked, and their CA signs no lists (certificates.md 5, 10)',
    errors: [3],
    explains: ({ notes }) => notes.some(note => note.includes('Device Certificate')),
  },
}

function sharesKey(der: Uint8Array, path: Verdict['path']): boolean {
  const { publicKey } = readCertificate(der)
  return path.some(one => Buffer.from(one.publicKey.spki).equals(publicKey.spki))
}

/** Whether a no of ours against a yes of OpenSSL is one that we know. Beside an unclear list all others are said too. */
export function explained(codes: readonly PathCode[]): boolean {
  const unclear = codes.includes('LIST_NOT_UNDERSTOOD')
  return (
    codes.length > 0 && codes.every(code => noRules[code] !== undefined || (unclear && code.startsWith('LIST_')))
  )
}

/** Where we say no and OpenSSL may say yes: the codes, and why. Any other code in such a case is a surprise. */
const noRules: Readonly<Partial<Record<PathCode, string>>> = {
  NAME_MALFORMED: 'OpenSSL takes values of types that ASN.1 does not have, or no longer',
  NO_PATH: 'an anchor that is no self-signed CA does not vouch for itself; names are compared strictly',
  SEARCH_LIMIT: 'the search is bounded more tightly',
  KEY_IDENTIFIER_MISSING: 'OpenSSL does not ask it of what is trusted, nor whether it can be read',
  SERIAL_NUMBER: 'RFC 5280 4.1.2.2 demands a positive number of at most 20 octets',
  ALGORITHM_WEAK: 'OpenSSL leaves SHA-1 to the security level, which is 0 here',
  ALGORITHM_NOT_UNDERSTOOD: 'parameters of an algorithm are not looked at; more algorithms are known',
  KEY_WEAK: 'OpenSSL leaves key sizes to the security level',
  KEY_NOT_UNDERSTOOD: 'OpenSSL knows more keys',
  KEY_BAD: 'OpenSSL does not look at the key of the target, and takes compressed points',
  MALFORMED: 'OpenSSL reads some BER',
  NOT_A_CA: 'OpenSSL takes a self-signed end entity that is trusted',
  KEY_USAGE: 'the same; and the GB profile demands it',
  BASIC_CONSTRAINTS: 'a keyUsage that cannot be read allows no path length',
  EXTENSION_MALFORMED: 'OpenSSL passes over octets behind a value, and extensions that it does not use',
  EXTENSION_CRITICALITY: 'OpenSSL does not ask it of policyConstraints and inhibitAnyPolicy',
  UNKNOWN_CRITICAL_EXTENSION: 'OpenSSL takes cRLDistributionPoints for understood',
  NAME_CONSTRAINTS_NOT_SUPPORTED: 'OpenSSL supports them',
  POLICY_MAPPINGS_NOT_SUPPORTED: 'OpenSSL supports them',
  POLICY_NOT_ACCEPTED: 'OpenSSL leaves what an anchor says of policies out',
  REVOKED: 'OpenSSL looks at one list, and at none that is out of date',
  LIST_SIGNATURE_BAD: 'inner and outer algorithm of a list are not compared',
  LIST_NOT_UNDERSTOOD:
    'OpenSSL takes lists without number, key identifier or nextUpdate, partitions, and deltas as bases',
}
