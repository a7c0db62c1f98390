/** Logical names (OBIS codes): six octets, written 0.0.43.0.0.255. */

import type { Bytes } from '../bytes.ts'

/** Dotted decimal. */
export function nameText(octets: Bytes): string {
  return octets.join('.')
}

/** @throws RangeError unless the text is six numbers of 0 to 255, without leading zeros. */
export function nameOctets(text: string): Buffer {
  const parts = text.split('.')
  const octets = Buffer.from(parts.map(Number))
  if (parts.length !== 6 || nameText(octets) !== text) throw new RangeError(`not a logical name: ${text}`)
  return octets
}
