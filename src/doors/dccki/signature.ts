/** Detached CMS signatures (RFC 5652) by one P-256 key over SHA-256, with signed attributes: read strictly, then verified. */

import { hash } from 'node:crypto'
import { type Bytes, equal, view } from '../../ground/bytes.ts'
import { readOid } from '../../ground/der/oid.ts'
import { Der, NotDer, tag } from '../../ground/der/read.ts'
import { verifyOnce } from '../../ground/keystore/check.ts'
import { oids } from '../../ground/x509/names.ts'
import { refuse } from './refusals.ts'

const cms = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const

export interface DetachedSignature {
  /** Name of the issuer of the signer's certificate, DER, and its serial number. */
  readonly issuer: Bytes
  readonly serial: Bytes
  /** What was signed: the attributes as a SET OF, DER. */
  readonly signed: Bytes
  /** SHA-256 of the message. */
  readonly digest: Bytes
  /** ECDSA-Sig-Value. */
  readonly signature: Bytes
}

/** The longest that is read; one with its certificate has some 1,000 octets. */
const longest = 8192

/**
 * One signer, named by issuer and serial number; certificates in it are passed over, for the signer's is in the
 * Repository.
 * @param text base64 of the DER, as it stands in the header
 * @throws Refusal SIGNATURE_UNFIT
 */
export function readDetached(text: string): DetachedSignature {
  const octets = Buffer.from(text, 'base64')
  if (octets.length === 0 || octets.length > longest || octets.toString('base64') !== text)
    throw refuse('SIGNATURE_UNFIT', 'it is not base64')
  try {
    return readSignedData(octets)
  } catch (cause) {
    if (cause instanceof NotDer) throw refuse('SIGNATURE_UNFIT', cause.message)
    throw cause
  }
}

/** Whether it is over these octets, by that key. @param spki of a P-256 key */
export function signatureHolds(
  { signed, digest, signature }: DetachedSignature,
  octets: Bytes,
  spki: Bytes,
): boolean {
  return equal(digest, hash('sha256', octets, 'buffer')) && verifyOnce(spki, signed, signature) === 'valid'
}

function readSignedData(octets: Bytes): DetachedSignature {
  const der = new Der(octets)
  const whole = der.sequence('the signature')
  der.finish('the signature')
  expect(whole, cms.signedData, 'the content type')
  const explicit = whole.enter(0xa0, 'the content')
  whole.finish('the signature')
  const data = explicit.sequence('SignedData')
  explicit.finish('the content')
  data.small('the version of SignedData')
  data.element(tag.set, 'the digest algorithms')
  const inner = data.sequence('the encapsulated content')
  expect(inner, cms.data, 'the type of the encapsulated content')
  // Nothing encapsulated: the message is beside it.
  inner.finish('the encapsulated content')
  while (data.peek() === 0xa0 || data.peek() === 0xa1) data.any('certificates and lists')
  const signers = data.enter(tag.set, 'the signers')
  data.finish('SignedData')
  const signer = signers.sequence('the signer')
  signers.finish('the signers')
  return readSigner(signer)
}

function readSigner(signer: Der): DetachedSignature {
  if (signer.small('the version of the signer') !== 1)
    throw refuse('SIGNATURE_UNFIT', 'the signer has no serial number')
  const sid = signer.sequence('the identifier of the signer')
  const issuer = sid.element(tag.sequence, 'the issuer')
  const serial = sid.integer('the serial number')
  sid.finish('the identifier of the signer')
  algorithm(signer, cms.sha256, 'the digest algorithm')
  const attributes = view(signer.element(0xa0, 'the signed attributes'))
  const digest = readAttributes(new Der(attributes))
  algorithm(signer, oids.ecdsaWithSha256, 'the signature algorithm')
  const signature = signer.content(tag.octetString, 'the signature value')
  // Unsigned attributes say nothing that counts.
  if (!signer.done) signer.element(0xa1, 'the unsigned attributes')
  signer.finish('the signer')
  // Signed is the SET OF, not the tag that it stands under here (RFC 5652 5.4).
  const signed = Buffer.concat([Buffer.of(tag.set), attributes.subarray(1)])
  return { issuer, serial, signed, digest, signature }
}

/** contentType and messageDigest once each; what else is signed says nothing to us. @returns the digest of the message */
function readAttributes(der: Der): Bytes {
  const set = der.enter(0xa0, 'the signed attributes')
  const found = new Map<string, Der>()
  while (!set.done) {
    const attribute = set.sequence('a signed attribute')
    const type = readOid(attribute, 'the type of a signed attribute')
    const values = attribute.enter(tag.set, 'the values of a signed attribute')
    attribute.finish('a signed attribute')
    if (found.has(type)) throw refuse('SIGNATURE_UNFIT', 'a signed attribute stands there twice')
    found.set(type, values)
  }
  const type = found.get(cms.contentType)
  const digest = found.get(cms.messageDigest)
  if (!type || !digest) throw refuse('SIGNATURE_UNFIT', 'contentType or messageDigest is not signed')
  expect(type, cms.data, 'contentType')
  type.finish('contentType')
  const octets = digest.content(tag.octetString, 'messageDigest')
  digest.finish('messageDigest')
  return octets
}

function expect(der: Der, oid: string, what: string): void {
  if (readOid(der, what) !== oid) throw refuse('SIGNATURE_UNFIT', `${what} is not ${oid}`)
}

function algorithm(from: Der, oid: string, what: string): void {
  const der = from.sequence(what)
  expect(der, oid, what)
  // SHA-256 may stand there with NULL (RFC 5754 2).
  if (!der.done && oid === cms.sha256) der.nothing(what)
  der.finish(what)
}
