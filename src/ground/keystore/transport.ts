/** Transport keys: RSA-3072, to which a key is wrapped for one module and no other (smets1-keys.md section 6.6). */

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import { refusal } from './refusals.ts'

/** As strong as the AES-128 that it carries (SP 800-57 part 1, table 2). */
export const transportBits = 3072

/**
 * Under RSA-OAEP with SHA-1 and an empty label, as every module has it: OAEP does not rest on collisions, which is
 * where SHA-1 fails. @throws Refusal KEY_UNUSABLE unless the key is RSA-3072
 */
export function wrapToTransportKey(spki: Bytes, octets: Bytes): Buffer {
  return publicEncrypt({ key: importTransportKey(spki), oaepHash, padding }, octets)
}

/** @param spki SubjectPublicKeyInfo, DER @throws Refusal KEY_UNUSABLE unless it is RSA-3072 with exponent 65537 */
export function importTransportKey(spki: Bytes): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: view(spki), format: 'der', type: 'spki' })
  } catch (cause) {
    throw refusal('KEY_UNUSABLE', 'a transport key is RSA-3072', cause)
  }
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  const right = key.asymmetricKeyType === 'rsa' && modulusLength === transportBits && publicExponent === 65537n
  if (!right) throw refusal('KEY_UNUSABLE', 'a transport key is RSA-3072')
  return key
}

/** A new pair, DER. `pkcs8` is the caller's to zero. */
export function makeTransportPair(): { spki: Buffer; pkcs8: Buffer } {
  const { publicKey: spki, privateKey: pkcs8 } = generateKeyPairSync('rsa', {
    modulusLength: transportBits,
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  })
  return { spki, pkcs8 }
}

/** The public half of a pair of ours, SubjectPublicKeyInfo, DER. */
export function transportKeyOf(pkcs8: Bytes): Buffer {
  const key = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

/** The 16 octets that were wrapped, the caller's to zero. @throws Refusal TRANSPORT_REFUSED */
export function unwrapFromTransport(pkcs8: Bytes, wrapped: Bytes): Buffer {
  const key = createPrivateKey({ key: view(pkcs8), format: 'der', type: 'pkcs8' })
  let octets: Buffer
  try {
    octets = privateDecrypt({ key, oaepHash, padding }, wrapped)
  } catch (cause) {
    throw refusal('TRANSPORT_REFUSED', undefined, cause)
  }
  if (octets.length === 16) return octets
  octets.fill(0)
  throw refusal('TRANSPORT_REFUSED')
}

const oaepHash = 'sha1'
const padding = constants.RSA_PKCS1_OAEP_PADDING
