/** What has been decided about one certificate before its octets are made: given to the plan and to its check alike. */

import type { Bytes } from '../ground/bytes.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import type { KeyUsage } from '../ground/x509/extensions.ts'
import type { Profile } from './profile.ts'

export interface Wanted {
  readonly profile: Profile
  /** The certificate of the authority that signs; `self` for a root. */
  readonly issuer: Certificate | 'self'
  /** 16 octets, the first 01 to 7F. */
  readonly serial: Bytes
  /** The moment of issue, a whole second, by the signing clock. */
  readonly moment: Date
  /** Values of the subject by attribute, text; a uniqueIdentifier is an EUI-64 of 16 hexadecimal digits. */
  readonly subject: Readonly<Record<string, string>>
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
  /** The key identifier of that key, for whoever has it: method (2) of RFC 5280 4.2.1.2. */
  readonly keyId?: Bytes
  /** Where the profile leaves a choice. */
  readonly usage?: KeyUsage
  readonly hardwareModule?: { readonly hwType: string; readonly hwSerialNum: Bytes }
  /** DNS names and IP addresses. */
  readonly serverNames?: readonly string[]
  /** DER of the ApexContingencyKey (RFC 5934 section 4.1). */
  readonly contingencyKey?: Bytes
}
