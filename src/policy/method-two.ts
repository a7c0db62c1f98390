/** Key identifiers, computed here on their own: what plans and registers compute is checked by these. */

import { hash } from 'node:crypto'
import type { Bytes } from '../ground/bytes.ts'

/** RFC 5280 4.2.1.2 (2), hexadecimal: four bits 0100, then the last 60 bits of SHA-1 over the key. */
export function methodTwo(key: Bytes): string {
  return `4${hash('sha1', key, 'hex').slice(-15)}`
}
