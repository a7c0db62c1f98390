/** Serial numbers: 128 bits from a full random source, made positive by redrawing, never by forcing. */

import type { Bytes } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'

/**
 * 16 octets, the first 01 to 7F, so that the INTEGER has exactly 16 content octets (certificates.md section 3).
 * The top bit is cleared and a first octet of zero is drawn again: 126.99 bits are left to chance.
 */
export function serialNumbers(chance: Chance): () => Buffer {
  let pool: Bytes = new Uint8Array(0)
  let at = 0
  return () => {
    for (;;) {
      if (at + 16 > pool.length) {
        pool = chance(4096)
        at = 0
      }
      const serial = Buffer.from(pool.subarray(at, at + 16))
      at += 16
      serial[0]! &= 0x7f
      if (serial[0] !== 0) return serial
    }
  }
}
