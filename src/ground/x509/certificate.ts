/** X.509 certificates (RFC 5280 section 4.1), read strictly, with every encoded part at hand. */

import type { Bytes } from '../bytes.ts'
import { Der, tag } from '../der/read.ts'
import { readTime, type Time } from '../der/time.ts'
import { type Extension, readExtensions } from './extensions.ts'
import { type AlgorithmIdentifier, type PublicKey, readAlgorithm, readPublicKey } from './key.ts'
import { type Name, readName } from './name.ts'

/** What a CA decides before it signs: RFC 5280's TBSCertificate. */
export interface TbsCertificate {
  /** 1, 2 or 3. */
  readonly version: number
  /** Content octets of the INTEGER: two's complement, in the fewest octets. */
  readonly serial: Bytes
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly issuer: Name
  readonly notBefore: Time
  readonly notAfter: Time
  readonly subject: Name
  readonly publicKey: PublicKey
  readonly issuerUniqueId: boolean
  readonly subjectUniqueId: boolean
  /** In the order of the encoding. */
  readonly extensions: readonly Extension[]
}

export interface Certificate extends TbsCertificate {
  /** The whole certificate. */
  readonly der: Bytes
  /** The octets that were signed. */
  readonly tbs: Bytes
  readonly outerAlgorithm: AlgorithmIdentifier
  /** Content of the BIT STRING. */
  readonly signature: Bytes
}

/** Exactly one certificate. @throws NotDer */
export function readCertificate(octets: Bytes): Certificate {
  const der = new Der(octets)
  const whole = der.sequence('the certificate')
  der.finish('the certificate')
  const start = whole.at
  whole.skip(tag.sequence, 'the to-be-signed certificate')
  const tbs = octets.subarray(start, whole.at)
  const outerAlgorithm = readAlgorithm(whole, 'the signature algorithm')
  const signature = whole.wholeBits('the signature')
  whole.finish('the signature')
  return { ...readTbs(tbs), der: octets, tbs, outerAlgorithm, signature }
}

/** Exactly one to-be-signed certificate. @throws NotDer */
export function readTbs(octets: Bytes): TbsCertificate {
  const der = new Der(octets)
  const tbs = der.sequence('the to-be-signed certificate')
  der.finish('the to-be-signed certificate')

  const version = readVersion(tbs)
  const serial = tbs.integer('the serial number')
  const signatureAlgorithm = readAlgorithm(tbs, 'the signature algorithm inside')
  const issuer = readName(tbs, 'the issuer')
  const validity = tbs.sequence('the validity')
  const notBefore = readTime(validity, 'notBefore')
  const notAfter = readTime(validity, 'notAfter')
  validity.finish('the validity')
  const subject = readName(tbs, 'the subject')
  const publicKey = readPublicKey(tbs)

  const issuerUniqueId = tbs.peek() === 0x81 && tbs.bits('issuerUniqueID', 0x81) !== undefined
  const subjectUniqueId = tbs.peek() === 0x82 && tbs.bits('subjectUniqueID', 0x82) !== undefined
  if ((issuerUniqueId || subjectUniqueId) && version < 2)
    tbs.fail('structure', 'unique identifiers stand in version 1')
  let extensions: Extension[] = []
  if (tbs.peek() === 0xa3) {
    if (version !== 3) tbs.fail('structure', `extensions stand in version ${version}`)
    const explicit = tbs.enter(0xa3, 'the extensions')
    extensions = readExtensions(explicit, 'the extensions')
    explicit.finish('the extensions')
  }
  tbs.finish('the to-be-signed certificate')
  return {
    version,
    serial,
    signatureAlgorithm,
    issuer,
    notBefore,
    notAfter,
    subject,
    publicKey,
    issuerUniqueId,
    subjectUniqueId,
    extensions,
  }
}

function readVersion(tbs: Der): number {
  if (tbs.peek() !== 0xa0) return 1
  const explicit = tbs.enter(0xa0, 'the version')
  const version = explicit.small('the version')
  explicit.finish('the version')
  if (version === 0) tbs.fail('default', 'the version is written out although it is 1')
  if (version > 2) tbs.fail('structure', `there is no version ${version + 1}`)
  return version + 1
}

/** The extension of that type, if it is there. */
export function extension(from: { readonly extensions: readonly Extension[] }, oid: string): Extension | undefined {
  return from.extensions.find(one => one.oid === oid)
}
