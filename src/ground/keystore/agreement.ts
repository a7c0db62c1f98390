/** Key agreement over P-256 and the MAC of GBCS messages (recovery.md section 9): the secrets stay in these objects. */

import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  timingSafeEqual,
} from 'node:crypto'
import { type Bytes, view } from '../bytes.ts'
import { type KeyPair, makeKeyPair } from './pair.ts'

/** An AES-128 key that makes and checks MACs of 12 octets, and does nothing else. */
export interface MacKey {
  /** AES-128-GCM without text. @param iv 12 octets @returns 12 octets */
  mac(iv: Bytes, data: Bytes): Buffer
  /** In constant time. */
  verify(iv: Bytes, data: Bytes, mac: Bytes): boolean
}

/** A key pair for key agreement. */
export interface AgreementKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes
  /**
   * The first 16 octets of SHA-256(00000001, Z, OtherInfo), Z being the x coordinate that both sides reach.
   * @param peer the other's SubjectPublicKeyInfo, DER, P-256
   */
  macKey(peer: Bytes, otherInfo: Bytes): MacKey
}

export function makeAgreementKey(): AgreementKey {
  return agreementKey(makeKeyPair('P-256'))
}

/** Of a pair that its owner keeps elsewhere. */
export function agreementKey(pair: KeyPair): AgreementKey {
  const pkcs8 = pair.pkcs8()
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  pkcs8.fill(0)
  return {
    publicKey: pair.publicKey,
    macKey(peer, otherInfo) {
      const publicKey = createPublicKey({ key: view(peer), format: 'der', type: 'spki' })
      const z = diffieHellman({ privateKey, publicKey })
      const material = Buffer.concat([Buffer.of(0, 0, 0, 1), z, otherInfo])
      const derived = hash('sha256', material, 'buffer')
      try {
        return macKeyOf(derived.subarray(0, 16))
      } finally {
        for (const secret of [z, material, derived]) secret.fill(0)
      }
    },
  }
}

/** @param octets 16, copied: the caller zeroes his own */
export function macKeyOf(octets: Bytes): MacKey {
  const key = Buffer.from(octets)
  const make = (iv: Bytes, data: Bytes) => {
    const cipher = createCipheriv('aes-128-gcm', key, iv, { authTagLength: 12 })
    cipher.setAAD(data)
    cipher.final()
    return cipher.getAuthTag()
  }
  return {
    mac: make,
    verify: (iv, data, mac) => mac.length === 12 && timingSafeEqual(make(iv, data), mac),
  }
}
