/** What the linter is told from outside: the values that differ by environment or are ASSUMED. */

import { type Role, roles } from '../roles.ts'
import type { Kind } from './kind.ts'
import type { Profile } from './profile.ts'

export interface LintSettings {
  /** Policy OIDs that are known. Production: ASSUMED(M) CERT-A12; the others are those of the test environments. */
  readonly policies: readonly string[]
  /** The Remote Party Roles. Eight numbers are unassigned: ASSUMED(M) CERT-A13. */
  readonly roles: readonly Role[]
  /** Longest common name of an OCA or DCA, in octets. ASSUMED(H) CERT-A05. */
  readonly authorityNameOctets: number
  /** Longest common name of an Organisation Certificate, in characters. ASSUMED(L) CERT-A06. */
  readonly organisationNameCharacters: number
  /** Algorithms that may wrap the Contingency Public Key, and the octets that this gives. ASSUMED(L) REC-A09. */
  readonly apexAlgorithms: Readonly<Record<string, number>>
  /** What an environment does in its own way: parts of profiles that are ASSUMED, years and path lengths above all. */
  readonly profiles: Readonly<Partial<Record<Kind, Partial<Profile>>>>
}

export const defaultSettings: LintSettings = {
  policies: ['1.2.826.0.1.8641679.1.2.1.4', '1.2.826.0.1.1800000.1.2.1.4', '1.2.826.0.1.8641679.1.2.1.2'],
  roles,
  authorityNameOctets: 4,
  organisationNameCharacters: 16,
  // A P-256 SubjectPublicKeyInfo of 91 octets under AES-128-GCM (RFC 5084) or AES-128 key wrap with padding (RFC 5649).
  apexAlgorithms: { '2.16.840.1.101.3.4.1.6': 107, '2.16.840.1.101.3.4.1.8': 104 },
  profiles: {},
}
