/** The text forms of EUI-64 identifiers and of serial numbers. */

import { type Bytes, fromHex, toHex, toHexUpper } from '../ground/bytes.ts'

/**
 * An EUI-64 in our own form, 16 lower-case hexadecimal digits, from 16 digits or 8 pairs with hyphens, of either case
 * (certificates.md section 13). Undefined when the text is neither.
 */
export function eui64(text: string): string | undefined {
  if (/^[0-9a-fA-F]{16}$/.test(text)) return text.toLowerCase()
  if (/^[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){7}$/.test(text)) return text.replaceAll('-', '').toLowerCase()
  return undefined
}

/** An EUI-64 in our own form, from its 8 octets. @throws RangeError unless there are 8 */
export function eui64Of(octets: Bytes): string {
  if (octets.length !== 8) throw new RangeError(`an EUI-64 has 8 octets, not ${octets.length}`)
  return toHex(octets)
}

/** `90-B3-D5-1F-30-01-00-00`, the form of the Repository and of people. @throws RangeError on a text that is no EUI-64 */
export function hyphenated(text: string): string {
  const own = eui64(text)
  if (own === undefined) throw new RangeError(`not an EUI-64: ${text}`)
  return own.toUpperCase().match(/../g)!.join('-')
}

/**
 * A serial number as 32 upper-case hexadecimal digits, from the content octets of its INTEGER. A foreign one of more
 * than 16 octets keeps all its digits; the octet 00 that only holds the sign is not shown.
 */
export function serialText(octets: Bytes): string {
  const digits = toHexUpper(octets)
  return (octets.length > 16 && octets[0] === 0 ? digits.slice(2) : digits).padStart(32, '0')
}

/**
 * The 16 octets of a serial number, from 1 to 32 hexadecimal digits read as an integer: clients lose leading zeros, even
 * one digit of a pair (certificates.md section 16, trap 1). Undefined when the text is not that.
 */
export function serialFromText(text: string): Buffer | undefined {
  return /^[0-9a-fA-F]{1,32}$/.test(text) ? fromHex(text.padStart(32, '0')) : undefined
}
