/** Key pairs that live outside every key store: TLS servers, the Parties of a test environment, simulated Devices. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { KeyKind } from './keystore.ts'
import { importPublic, makePair, signWith } from './kinds.ts'
import { refusal } from './refusals.ts'

/** A key pair whose owner looks after the private half. Never one of an authority. */
export interface KeyPair {
  readonly kind: KeyKind
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes
  /** Signs as `KeyStore.sign` does: a CSR's proof of possession, for one. */
  sign(octets: Bytes): Bytes
  /** The private key as PKCS #8, DER, not encrypted; the caller zeroes it. */
  pkcs8(): Buffer
  /** The same as PEM: octets and no string, so that the caller can zero it. A file of it belongs to mode 0600. */
  pem(): Buffer
}

export function makeKeyPair(kind: KeyKind): KeyPair {
  const { spki, pkcs8 } = makePair(kind)
  try {
    return keyPair(kind, spki, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  } finally {
    pkcs8.fill(0)
  }
}

/**
 * The key pair in an unencrypted private key: PEM, or PKCS #8 in DER.
 * @throws Refusal KEY_UNUSABLE when there is none, or one of no kind of ours
 */
export function readKeyPair(octets: Bytes): KeyPair {
  const key = readPrivate(view(octets))
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return keyPair(importPublic(spki).kind, spki, key)
}

function readPrivate(key: Buffer): KeyObject {
  try {
    const isDer = key[0] === 0x30
    return createPrivateKey(isDer ? { key, format: 'der', type: 'pkcs8' } : { key, format: 'pem' })
  } catch (cause) {
    throw refusal('KEY_UNUSABLE', undefined, cause)
  }
}

function keyPair(kind: KeyKind, publicKey: Bytes, key: KeyObject): KeyPair {
  const pkcs8 = () => key.export({ format: 'der', type: 'pkcs8' })
  return {
    kind,
    publicKey,
    sign: octets => signWith(kind, key, octets),
    pkcs8,
    pem() {
      const der = pkcs8()
      try {
        return privateKeyPem(der)
      } finally {
        der.fill(0)
      }
    },
  }
}

/** RFC 7468. By hand, because the library gives PEM as a string, which nobody can zero. */
function privateKeyPem(der: Buffer): Buffer {
  const lines = Math.ceil(der.length / octetsALine)
  const pem = Buffer.alloc(begin.length + Math.ceil(der.length / 3) * 4 + lines + end.length)
  let at = begin.copy(pem)
  for (let from = 0; from < der.length; from += 3) {
    if (from > 0 && from % octetsALine === 0) pem[at++] = newline
    const left = der.length - from
    const group = (der[from]! << 16) | ((der[from + 1] ?? 0) << 8) | (der[from + 2] ?? 0)
    pem[at++] = base64[(group >> 18) & 63]!
    pem[at++] = base64[(group >> 12) & 63]!
    pem[at++] = left > 1 ? base64[(group >> 6) & 63]! : padding
    pem[at++] = left > 2 ? base64[group & 63]! : padding
  }
  pem[at++] = newline
  end.copy(pem, at)
  return pem
}

const begin = Buffer.from('-----BEGIN PRIVATE KEY-----\n')
const end = Buffer.from('-----END PRIVATE KEY-----\n')
const base64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const padding = 0x3d
const newline = 0x0a
const octetsALine = 48
