/** Public keys and algorithm identifiers. */

import { createHash, hash } from 'node:crypto'
import { type Bytes, equal } from '../bytes.ts'
import { readAny } from '../der/any.ts'
import { readOid } from '../der/oid.ts'
import { type Der, tag } from '../der/read.ts'
import { oids } from './names.ts'

export interface AlgorithmIdentifier {
  readonly der: Bytes
  readonly oid: string
  /** The whole element that follows the identifier; undefined when absent. */
  readonly parameters: Bytes | undefined
}

export function readAlgorithm(der: Der, what: string): AlgorithmIdentifier {
  const start = der.at
  const sequence = der.sequence(what)
  const oid = readOid(sequence, what)
  const parameters = sequence.done ? undefined : readAny(sequence, `the parameters of ${what}`)
  sequence.finish(what)
  return { der: der.octets.subarray(start, der.at), oid, parameters }
}

export type PublicKeyKind = 'P-256' | 'P-384' | 'RSA' | 'unknown'

export interface PublicKey {
  /** The whole SubjectPublicKeyInfo. */
  readonly spki: Bytes
  readonly algorithm: AlgorithmIdentifier
  /** The content of the BIT STRING without its octet of unused bits: for P-256 the point, 04 ‖ X ‖ Y. */
  readonly key: Bytes
  readonly kind: PublicKeyKind
}

const p256Parameters = Buffer.from('06082a8648ce3d030107', 'hex')
const p384Parameters = Buffer.from('06052b81040022', 'hex')

export function readPublicKey(der: Der, what = 'the public key'): PublicKey {
  const start = der.at
  const sequence = der.sequence(what)
  const algorithm = readAlgorithm(sequence, `the algorithm of ${what}`)
  const key = sequence.wholeBits(what)
  sequence.finish(what)
  return { spki: der.octets.subarray(start, der.at), algorithm, key, kind: kindOf(algorithm) }
}

/** Only named curves have a kind: P-256 with explicit parameters is `unknown`, though some software takes it. */
function kindOf({ oid, parameters }: AlgorithmIdentifier): PublicKeyKind {
  if (oid === oids.rsaEncryption) return 'RSA'
  if (oid !== oids.ecPublicKey || !parameters) return 'unknown'
  return equal(parameters, p256Parameters) ? 'P-256' : equal(parameters, p384Parameters) ? 'P-384' : 'unknown'
}

/** Key identifier by RFC 5280 4.2.1.2 method (2): 0100, then the last 60 bits of SHA-1 over the key's octets. */
export function keyIdentifier(key: Bytes): Buffer {
  // One call that answers with text is a third of the time of a hash object that answers with a buffer.
  const id = Buffer.from(hash('sha1', key, 'hex').slice(-16), 'hex')
  id[0] = (id[0]! & 0x0f) | 0x40
  return id
}

/** Key identifier by RFC 5280 4.2.1.2 method (1): SHA-1 over the key's octets. For reading foreign certificates. */
export function longKeyIdentifier(key: Bytes): Buffer {
  return createHash('sha1').update(key).digest()
}

/** Modulus and exponent of an RSA key, of which nothing may follow. @throws NotDer */
export function readRsaKey(der: Der): { modulus: Bytes; bits: number; exponent: Bytes } {
  const sequence = der.sequence('the RSA key')
  const modulus = unsigned(sequence, 'the modulus')
  const exponent = unsigned(sequence, 'the public exponent')
  sequence.finish('the RSA key')
  der.finish('the RSA key')
  return { modulus, bits: (modulus.length - 1) * 8 + (32 - Math.clz32(modulus[0]!)), exponent }
}

function unsigned(der: Der, what: string): Bytes {
  const content = der.integer(what, tag.integer)
  if (content[0]! >= 0x80) der.fail('integer', `${what} is negative`)
  return content.length > 1 && content[0] === 0 ? content.subarray(1) : content
}

/** r and s of an ECDSA-Sig-Value, as unsigned octets. @throws NotDer, also when one is not in the fewest octets. */
export function readEcdsaSignature(der: Der): { r: Bytes; s: Bytes } {
  const sequence = der.sequence('the signature value')
  const r = unsigned(sequence, 'r of the signature')
  const s = unsigned(sequence, 's of the signature')
  sequence.finish('the signature value')
  der.finish('the signature value')
  return { r, s }
}
