/** Certification requests: PKCS#10 (RFC 2986), read strictly. */

import type { Bytes } from '../bytes.ts'
import { readAny } from '../der/any.ts'
import { readOid } from '../der/oid.ts'
import { Der, tag } from '../der/read.ts'
import { type Extension, readExtensions } from './extensions.ts'
import { type AlgorithmIdentifier, type PublicKey, readAlgorithm, readPublicKey } from './key.ts'
import { type Name, readName } from './name.ts'
import { oids } from './names.ts'

export interface CertificationRequest {
  readonly der: Bytes
  /** The CertificationRequestInfo: the octets that were signed. */
  readonly tbs: Bytes
  /** 0 in every PKCS#10 request. */
  readonly version: number
  readonly subject: Name
  readonly publicKey: PublicKey
  /** Types of the attributes, in the order of the encoding. */
  readonly attributes: readonly string[]
  /** What the extensionRequest attribute asks for; empty when there is none. */
  readonly extensions: readonly Extension[]
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Bytes
}

/** Exactly one request. @throws NotDer */
export function readRequest(octets: Bytes): CertificationRequest {
  const der = new Der(octets)
  const whole = der.sequence('the request')
  der.finish('the request')
  const start = whole.at
  const info = whole.sequence('the request information')
  const tbs = octets.subarray(start, whole.at)

  const version = info.small('the version')
  const subject = readName(info, 'the subject')
  const publicKey = readPublicKey(info)
  const { attributes, extensions } = readAttributes(info)
  info.finish('the request information')

  const signatureAlgorithm = readAlgorithm(whole, 'the signature algorithm')
  const signature = whole.wholeBits('the signature')
  whole.finish('the signature')
  return { der: octets, tbs, version, subject, publicKey, attributes, extensions, signatureAlgorithm, signature }
}

/** attributes [0] IMPLICIT SET OF. It is not optional (RFC 2986 4.1), but may be empty. */
function readAttributes(info: Der): { attributes: string[]; extensions: Extension[] } {
  const set = info.enter(0xa0, 'the attributes')
  const attributes = new Set<string>()
  let extensions: Extension[] = []
  let previous: Bytes | undefined
  while (!set.done) {
    const from = set.at
    const attribute = set.sequence('an attribute')
    const oid = readOid(attribute, 'an attribute type')
    const values = attribute.enter(tag.set, 'the values of an attribute')
    attribute.finish('an attribute')
    const whole = set.octets.subarray(from, set.at)
    if (previous && Buffer.compare(previous, whole) > 0) set.fail('set_order', 'the attributes are out of order')
    previous = whole
    if (attributes.has(oid)) set.fail('duplicate', `the attribute ${oid} stands there twice`)
    attributes.add(oid)
    if (values.done) values.fail('empty', 'an attribute has no value')
    if (oid === oids.extensionRequest) {
      extensions = readExtensions(values, 'the requested extensions')
      values.finish('the requested extensions')
    }
    let before: Bytes | undefined
    while (!values.done) {
      const value = readAny(values, 'an attribute value')
      if (before && Buffer.compare(before, value) > 0)
        values.fail('set_order', 'the values of an attribute are out of order')
      before = value
    }
  }
  return { attributes: [...attributes], extensions }
}
