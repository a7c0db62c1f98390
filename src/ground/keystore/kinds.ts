/** The kinds of signing key: how each is made, imported, and signs. */

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signOctets,
} from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { equal, view } from '../bytes.ts'
import type { KeyKind } from './keystore.ts'
import { refusal } from './refusals.ts'

/** A new key pair. `pkcs8` is the caller's to zero. The randomness is the crypto library's own: it takes no other. */
export function makePair(kind: KeyKind): { spki: Buffer; pkcs8: Buffer } {
  const { publicKey: spki, privateKey: pkcs8 } = generate(kind)
  return { spki, pkcs8 }
}

/**
 * The private key in `pkcs8`, once it is known to belong to `spki`: a wrong pairing would sign certificates that
 * nobody can verify (lessons, row 13).
 * @throws Refusal KEYSTORE_DAMAGED
 */
export function importPrivate(pkcs8: Bytes, spki: Bytes): KeyObject {
  const key = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' })
  if (!equal(createPublicKey(key).export({ format: 'der', type: 'spki' }), spki)) {
    throw refusal('KEYSTORE_DAMAGED', 'a private key does not belong to its public key')
  }
  return key
}

/** The signature over the octets, as `KeyStore.sign` describes it. */
export function signWith(kind: KeyKind, key: KeyObject, octets: Bytes): Buffer {
  switch (kind) {
    case 'P-256':
      return signOctets('sha256', octets, key)
    case 'RSA-2048':
    case 'RSA-4096':
      return signOctets('sha256', octets, { key, padding: constants.RSA_PKCS1_PADDING })
    case 'Ed25519':
      return signOctets(null, octets, key)
  }
}

/**
 * The public key in a SubjectPublicKeyInfo of one of our kinds, and which kind it is.
 * @throws Refusal KEY_UNUSABLE for every other algorithm, curve or size, for any encoding but the one we would write
 * ourselves, and for points off the curve.
 */
export function importPublic(spki: Bytes): { kind: KeyKind; key: KeyObject } {
  let key: KeyObject
  try {
    key = createPublicKey({ key: view(spki), format: 'der', type: 'spki' })
  } catch (cause) {
    throw refusal('KEY_UNUSABLE', undefined, cause)
  }
  const kind = kindOf(key)
  // The library reads trailing octets and hybrid points; only one encoding of a key is the key.
  const canonical = kind === 'P-256' ? isP256(spki) : equal(key.export({ format: 'der', type: 'spki' }), spki)
  if (kind === undefined || !canonical) throw refusal('KEY_UNUSABLE')
  return { kind, key }
}

/**
 * Whether the octets are a SubjectPublicKeyInfo for P-256 with an uncompressed point: 91 octets, of which the first 26
 * are fixed (certificates.md section 2) and the 27th says "uncompressed". Says nothing about the point.
 */
export function isP256(spki: Bytes): boolean {
  return spki.length === 91 && equal(spki.subarray(0, p256Start.length), p256Start)
}

// The 27th octet counts: with 06 or 07 there, a hybrid point has the same length, and the library takes it.
const p256Start = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex')

function kindOf(key: KeyObject): KeyKind | undefined {
  const { modulusLength, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ec':
      return 'P-256' // If it is: `isP256` looks at the curve.
    case 'ed25519':
      return 'Ed25519'
    case 'rsa':
      // With exponent 1 everybody can sign; small ones have their own history.
      if (publicExponent < 65537n || publicExponent % 2n === 0n) return undefined
      return modulusLength === 2048 ? 'RSA-2048' : modulusLength === 4096 ? 'RSA-4096' : undefined
    default:
      return undefined
  }
}

function generate(kind: KeyKind) {
  // DER in buffers: a PEM string could not be zeroed.
  const der = {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  } as const
  switch (kind) {
    case 'P-256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256', ...der })
    case 'RSA-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 0x10001, ...der })
    case 'RSA-4096':
      return generateKeyPairSync('rsa', { modulusLength: 4096, publicExponent: 0x10001, ...der })
    case 'Ed25519':
      return generateKeyPairSync('ed25519', der)
  }
}
