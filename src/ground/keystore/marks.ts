/** Tells equal keys from different ones while their module is open, without a check value that would mean something. */

import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import type { Opened } from './dlms-cipher.ts'

export interface Marks {
  set(key: Opened, octets: Bytes): void
  same(a: Opened, b: Opened): boolean
}

/** HMAC under a key that nobody has and that ends with the process (smets1-keys.md section 3: no key check values). */
export function marks(chance: Chance): Marks {
  const secret = createSecretKey(chance(32))
  const known = new WeakMap<Opened, Buffer>()
  const markOf = (key: Opened) => {
    const mark = known.get(key)
    if (!mark) throw new TypeError('the key was opened by another module')
    return mark
  }
  return {
    set: (key, octets) => void known.set(key, createHmac('sha256', secret).update(octets).digest()),
    same: (a, b) => timingSafeEqual(markOf(a), markOf(b)),
  }
}
