/** One block of AES-128-ECB at a time: how a key is packaged (smets1-keys.md section 3). */

import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import type { Bytes } from '../bytes.ts'

/** Each takes and gives 16 octets, and throws RangeError for any other number. */
export interface Blocks {
  encrypt(octets: Bytes): Buffer
  decrypt(octets: Bytes): Buffer
}

/** The ciphers are made once: ECB carries nothing from one block to the next, and making one costs ten times a block. */
export function ecbBlocks(key: KeyObject): Blocks {
  return {
    encrypt: kept(() => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)),
    decrypt: kept(() => createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)),
  }
}

interface Cipher {
  update(octets: Bytes): Buffer
}

function kept(make: () => Cipher): (octets: Bytes) => Buffer {
  let idle: Cipher | undefined
  return octets => {
    // Part of a block would stay inside, and shift every block after it.
    if (octets.length !== 16) throw new RangeError('a block of AES is 16 octets')
    const cipher = idle ?? make()
    // One that fails is not used again.
    idle = undefined
    const block = cipher.update(octets)
    idle = cipher
    return block
  }
}
