/** What can be said of a kind of file, and which texts say it. */

import type { KeyUsage } from '../../ground/x509/extensions.ts'
import { oids } from '../../ground/x509/names.ts'

/** The attributes of a name in their order. */
export type NameShape = readonly {
  readonly type: 'CN' | 'OU' | 'O' | 'UID'
  readonly text?: RegExp
  readonly optional?: boolean
}[]

export const attributeOids = {
  CN: oids.commonName,
  OU: oids.organizationalUnitName,
  O: oids.organizationName,
  UID: oids.uniqueIdentifier,
} as const

export type ExtensionName =
  | 'keyUsage'
  | 'basicConstraints'
  | 'certificatePolicies'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'subjectAltName'
  | 'extendedKeyUsage'
  | 'wrappedApexContingencyKey'
  | 'crlNumber'

/** A part of a profile that a text may settle or leave to us. */
export type Field =
  | 'serial'
  | 'issuer'
  | 'subject'
  | 'subjectOrder'
  | 'strings'
  | 'key'
  | 'signature'
  | 'years'
  | 'period'
  | 'usages'
  | 'pathLength'
  | 'purposes'
  | 'keyIdentifiers'
  | 'entries'
  | 'nothingElse'
  | ExtensionName

/** A kind's profile. What is undefined, the linter does not look at. */
export interface Profile {
  readonly title: string
  /** A root's issuer is its subject. */
  readonly root?: boolean
  readonly authority?: boolean
  readonly serialOctets?: number
  readonly issuer?: NameShape
  readonly subject?: NameShape
  /** Tag of the strings of the name. */
  readonly issuerStrings?: number
  readonly subjectStrings?: number
  readonly key?: 'P-256' | { readonly rsaBits: number }
  readonly signature?: 'ecdsa' | 'rsa'
  /** The inclusive period: notAfter is one second before the anniversary. `forever` is 9999-12-31T23:59:59Z. */
  readonly years?: number | 'forever'
  /** Of a list, from thisUpdate to nextUpdate at most. */
  readonly period?: { readonly hours: number } | { readonly months: number }
  /** keyUsage is exactly one of these, each in the order of its bits. */
  readonly usages?: readonly (readonly KeyUsage[])[]
  readonly pathLength?: number
  readonly purposes?: readonly string[]
  readonly dnsNames?: boolean
  /** Octets of key identifiers, by RFC 5280 4.2.1.2 method (2). */
  readonly keyIdentifierOctets?: number
  /** In the order of issue. */
  readonly extensions?: readonly { readonly name: ExtensionName; readonly critical: boolean }[]
  /**
   * Fields that no text gives (ASSUMED with confidence M or L), each with its row of the register: a certificate that
   * differs there is only warned about. ASSUMED(H) stands with what the texts give.
   */
  readonly assumed?: Readonly<Partial<Record<Field, string>>>
}
