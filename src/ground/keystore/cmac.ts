/** AES-CMAC with a key of 128 bits (RFC 4493; SP 800-38B), which the crypto library does not offer by itself. */

import { createCipheriv, type KeyObject } from 'node:crypto'
import type { Bytes } from '../bytes.ts'

/** @returns 16 octets. */
export function aesCmac(key: KeyObject, message: Bytes): Buffer {
  const whole = message.length > 0 && message.length % block === 0
  const last = Buffer.alloc(block)
  const start = whole ? message.length - block : message.length - (message.length % block)
  last.set(message.subarray(start))
  if (!whole) last[message.length - start] = 0x80
  const k1 = double(encryptBlock(key, Buffer.alloc(block)))
  const subkey = whole ? k1 : double(k1)
  for (let i = 0; i < block; i++) last[i]! ^= subkey[i]!
  // The MAC is the last block of CBC from a zero IV.
  const cbc = createCipheriv('aes-128-cbc', key, Buffer.alloc(block)).setAutoPadding(false)
  cbc.update(message.subarray(0, start))
  return cbc.update(last)
}

/** One block under AES-128-ECB: how a key is packaged (smets1-keys.md section 3). */
export function encryptBlock(key: KeyObject, octets: Bytes): Buffer {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(octets)
}

const block = 16

/** Doubling in GF(2^128), most significant bit first (RFC 4493 section 2.3). */
function double(octets: Buffer): Buffer {
  const doubled = Buffer.alloc(block)
  for (let i = 0; i < block; i++) doubled[i] = (octets[i]! << 1) | ((octets[i + 1] ?? 0) >> 7)
  if (octets[0]! & 0x80) doubled[block - 1]! ^= 0x87
  return doubled
}
