/** Detached CMS signatures (RFC 5652): SignedData of one signer, RSA or P-256 with SHA-256, over octets that lie elsewhere. */

import { hash } from 'node:crypto'
import { type Bytes, equal } from './bytes.ts'
import { readOid } from './der/oid.ts'
import { Der, tag } from './der/read.ts'
import { readTime, writeTime } from './der/time.ts'
import * as der from './der/write.ts'
import { verifySignature } from './keystore/check.ts'
import { Refusal } from './refusal.ts'
import { type Certificate, readCertificate } from './x509/certificate.ts'
import { oids } from './x509/names.ts'

const data = '1.2.840.113549.1.7.1'
const signedData = '1.2.840.113549.1.7.2'
const contentType = '1.2.840.113549.1.9.3'
const messageDigest = '1.2.840.113549.1.9.4'
const signingTime = '1.2.840.113549.1.9.5'
const sha256 = '2.16.840.1.101.3.4.2.1'

export interface Signing {
  /** The signer's certificate, with an RSA key or one of P-256. */
  readonly certificate: Pick<Certificate, 'der' | 'issuer' | 'serial'>
  /** With SHA-256 over the octets themselves: PKCS #1 v1.5, or ECDSA in DER. */
  sign(octets: Bytes): Bytes
  readonly at: Date
}

/** @returns a ContentInfo, DER, with the signer's certificate and the signed attributes of RFC 5652 section 11 */
export function signDetached(content: Bytes, signing: Signing): Buffer {
  return signDigest(hash('sha256', content, 'buffer'), signing)
}

/** As `signDetached`, for content that is not in memory: its SHA-256. */
export function signDigest(digest: Bytes, { certificate, sign, at }: Signing): Buffer {
  const attributes = [
    attribute(contentType, der.oid(data)),
    attribute(messageDigest, der.octetString(digest)),
    attribute(signingTime, writeTime(new Date(Math.floor(at.getTime() / 1000) * 1000))),
  ]
  // They are signed as a SET OF, and stand in the structure under [0] (RFC 5652 5.4).
  const set = der.setOf(...attributes)
  const signer = der.sequence(
    der.integer(1),
    der.sequence(certificate.issuer.der, der.integer(certificate.serial)),
    digestAlgorithm,
    Buffer.concat([Buffer.of(0xa0), set.subarray(1)]),
    signatureAlgorithms[kindOf(readCertificate(certificate.der))],
    der.octetString(sign(set)),
  )
  const inside = der.sequence(
    der.integer(1),
    der.setOf(digestAlgorithm),
    der.sequence(der.oid(data)),
    der.tagged(0, certificate.der),
    der.setOf(signer),
  )
  return der.sequence(der.oid(signedData), der.tagged(0, inside))
}

/** RFC 3370 3.2 and RFC 5754 3.3. */
const signatureAlgorithms = {
  'RSA-2048': der.sequence(der.oid(oids.rsaEncryption), der.nothing()),
  'P-256': der.sequence(der.oid(oids.ecdsaWithSha256)),
} as const

function kindOf({ publicKey }: Certificate): keyof typeof signatureAlgorithms {
  return publicKey.algorithm.oid === oids.ecPublicKey ? 'P-256' : 'RSA-2048'
}

const digestAlgorithm = der.sequence(der.oid(sha256))
const attribute = (type: string, value: Bytes) => der.sequence(der.oid(type), der.setOf(value))

export interface DetachedSignature {
  readonly certificate: Certificate
  readonly signedAt: Date | undefined
}

/**
 * Reads a signature in the form that `signDetached` gives, and verifies it over the content. Whether the certificate is
 * one to rely on is for the caller to find out.
 * @throws NotDer; Refusal CMS_SIGNATURE when the signature, or the digest, is not that of the content
 */
export function verifyDetached(signature: Bytes, content: Bytes): DetachedSignature {
  const whole = new Der(signature)
  const info = whole.sequence('the CMS message')
  whole.finish('the CMS message')
  requireOid(info, signedData, 'the content type')
  const explicit = info.enter(0xa0, 'the SignedData')
  info.finish('the SignedData')
  const of = explicit.sequence('the SignedData')
  explicit.finish('the SignedData')
  of.small('the version')
  of.content(tag.set, 'the digest algorithms')
  const about = of.sequence('the content')
  requireOid(about, data, 'the kind of content')
  about.finish('detached content')
  const certificates = of.enter(0xa0, 'the certificates')
  const certificate = readCertificate(certificates.element(tag.sequence, 'the certificate'))
  certificates.finish('the one certificate')
  const signers = of.enter(tag.set, 'the signers')
  of.finish('the signers')
  const signer = signers.sequence('the signer')
  signers.finish('the one signer')

  signer.small('the version of the signer')
  const named = signer.sequence('the name of the signer')
  const issuer = named.element(tag.sequence, 'its issuer')
  const serial = named.integer('its serial number')
  named.finish('the name of the signer')
  if (!equal(issuer, certificate.issuer.der) || !equal(serial, certificate.serial))
    throw refused('it names another certificate')
  signer.element(tag.sequence, 'the digest algorithm')
  const set = Buffer.from(signer.element(0xa0, 'the signed attributes'))
  signer.element(tag.sequence, 'the signature algorithm')
  const value = signer.content(tag.octetString, 'the signature')
  signer.finish('the signature')

  // What was signed has the tag of a SET.
  set[0] = tag.set
  const found = readAttributes(new Der(set).enter(tag.set, 'the signed attributes'))
  const digest = found.get(messageDigest)?.content(tag.octetString, 'the digest')
  if (!digest || !equal(digest, hash('sha256', content, 'buffer'))) throw refused('the content is another')
  const time = found.get(signingTime)
  const holds = verifySignature({
    spki: certificate.publicKey.spki,
    kind: kindOf(certificate),
    octets: set,
    signature: value,
  })
  if (!holds) throw refused('it does not verify')
  return { certificate, signedAt: time && new Date(readTime(time, 'the time of signing').ms) }
}

function readAttributes(list: Der): Map<string, Der> {
  const found = new Map<string, Der>()
  while (!list.done) {
    const one = list.sequence('a signed attribute')
    const type = readOid(one, 'the type of an attribute')
    found.set(type, one.enter(tag.set, 'the values of an attribute'))
    one.finish('the values of an attribute')
  }
  return found
}

function requireOid(from: Der, expected: string, what: string): void {
  if (readOid(from, what) !== expected) from.fail('structure', `another kind of ${what}`)
}

const refused = (what: string) => new Refusal('CMS_SIGNATURE', `the signature does not hold: ${what}`)
