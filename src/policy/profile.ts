/** What a certificate profile is: data that one machine plans by, and another checks by. */

import type { KeyUsage } from '../ground/x509/extensions.ts'

/** The kinds of public key that these PKIs certify. */
export type KeyKind = 'P-256' | 'RSA-2048' | 'RSA-4096'

/** Text and type of one attribute of a name, in its place. Every relative name has one attribute. */
export interface AttributeRule {
  readonly attribute: 'commonName' | 'organizationName' | 'organizationalUnitName' | 'uniqueIdentifier'
  readonly string: 'UTF8String' | 'PrintableString' | 'BIT STRING'
  /** A value that stands in every such certificate; absent where it is of the single subject. */
  readonly fixed?: string
  readonly optional?: true
  /** Characters, for strings. */
  readonly atMost?: number
}

export type ExtensionRule =
  | { readonly is: 'keyUsage'; readonly critical: boolean; readonly all: readonly KeyUsage[] }
  | { readonly is: 'keyUsage'; readonly critical: boolean; readonly oneOf: readonly KeyUsage[] }
  | { readonly is: 'basicConstraints'; readonly critical: boolean; readonly pathLength: number }
  | { readonly is: 'certificatePolicies'; readonly critical: boolean; readonly oid: string }
  | { readonly is: 'extendedKeyUsage'; readonly critical: boolean; readonly purposes: readonly string[] }
  | {
      readonly is: 'subjectKeyIdentifier' | 'authorityKeyIdentifier' | 'hardwareModuleName' | 'serverNames'
      readonly critical: boolean
    }
  | { readonly is: 'wrappedApexContingencyKey'; readonly critical: boolean; readonly oid: string }

export interface Validity {
  /** Whole years, the last second belonging to the period; or no well-defined end (99991231235959Z). */
  readonly years: number | 'forever'
  /** Where the period begins: at the moment of issue, or at midnight UTC of its day. */
  readonly from: 'moment' | 'day'
}

/** Which family of certificates, for registers and searches. */
export type Family = 'ca' | 'device' | 'organisation' | 'iki' | 'dccki' | 's1spki' | 'tls'

export interface Profile {
  /** Unique, as people say it: `Device Certificate`. */
  readonly name: string
  readonly pki: PkiName
  readonly family: Family
  /** Where the profile is laid down. */
  readonly clause: string
  readonly key: KeyKind
  readonly subject: readonly AttributeRule[]
  readonly validity: Validity
  /** In the order in which they stand in the certificate. */
  readonly extensions: readonly ExtensionRule[]
}

export type PkiName =
  | 'smki-organisation'
  | 'smki-device'
  | 'iki'
  | 'dccki'
  | 's1spki-foc'
  | 's1spki-moc'
  | 'test-tls'

/** A list schedule (certificates.md section 10; CERT-A11). */
export interface ListSchedule {
  readonly name: string
  /** A new list is lodged at least this often. */
  readonly everyHours: number
  readonly validHours: number
  /** After a revocation the new list is lodged within. */
  readonly afterRevocationHours: number
}

/** One certification authority of a hierarchy. */
export interface AuthorityPlan {
  /** Its part: `Root OCA`, `Issuing DCA`. */
  readonly part: string
  readonly level: 'root' | 'issuing'
  readonly profile: Profile
  /** The values of its subject, by attribute; a `#` stands for the running number of a stock. */
  readonly subject: Readonly<Record<string, string>>
  /** The list that it signs; absent where there is none (no Device CRL exists, CERT-A14). */
  readonly list?: ListSchedule
  /** Its key is used for so long or so many certificates, then destroyed (CERT-A07); such authorities are made ahead. */
  readonly keyUse?: { readonly certificates: number; readonly months: number; readonly stock: number }
}

export interface Hierarchy {
  readonly pki: PkiName
  readonly says: string
  readonly root: AuthorityPlan
  readonly issuing: AuthorityPlan
  readonly endEntities: readonly Profile[]
}

/** The signature algorithm of an authority follows from its key. */
export function signatureAlgorithmOf(key: KeyKind): 'ecdsa-with-SHA256' | 'sha256WithRSAEncryption' {
  return key === 'P-256' ? 'ecdsa-with-SHA256' : 'sha256WithRSAEncryption'
}
