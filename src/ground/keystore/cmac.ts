/** AES-CMAC with a key of 128 bits (RFC 4493; SP 800-38B), which the crypto library does not offer by itself. */

import { createCipheriv, type KeyObject } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { ecbBlocks } from './blocks.ts'

/**
 * The MAC under one key: 16 octets. What depends on the key alone is made once: the subkeys, and the cipher, which costs
 * more than a message.
 */
export function aesCmac(key: KeyObject): (message: Bytes) => Buffer {
  const k1 = double(ecbBlocks(key).encrypt(Buffer.alloc(block)))
  const k2 = double(k1)
  let idle: Chain | undefined
  return message => {
    const whole = message.length > 0 && message.length % block === 0
    const text = Buffer.alloc(whole ? message.length : message.length - (message.length % block) + block)
    text.set(message)
    if (!whole) text[message.length] = 0x80
    xor(text, text.length - block, whole ? k1 : k2)
    const chain = idle ?? begin(key)
    // One that fails is not used again.
    idle = undefined
    // CBC goes on from the block before. With that block in the first one it begins anew, as from a zero IV.
    xor(text, 0, chain.last)
    const last = chain.cbc.update(text).subarray(-block)
    idle = { cbc: chain.cbc, last }
    // A copy: whoever has it may zero it.
    return Buffer.from(last)
  }
}

interface Chain {
  readonly cbc: { update(octets: Bytes): Buffer }
  readonly last: Bytes
}

function begin(key: KeyObject): Chain {
  const zero = Buffer.alloc(block)
  return { cbc: createCipheriv('aes-128-cbc', key, zero).setAutoPadding(false), last: zero }
}

const block = 16

function xor(text: Buffer, at: number, other: Bytes): void {
  for (let i = 0; i < block; i++) text[at + i]! ^= other[i]!
}

/** Doubling in GF(2^128), most significant bit first (RFC 4493 section 2.3). */
function double(octets: Buffer): Buffer {
  const doubled = Buffer.alloc(block)
  for (let i = 0; i < block; i++) doubled[i] = (octets[i]! << 1) | ((octets[i + 1] ?? 0) >> 7)
  if (octets[0]! & 0x80) doubled[block - 1]! ^= 0x87
  return doubled
}
