/** Writes DER: each function gives the octets of one whole element. */

import type { Bytes } from '../bytes.ts'
import { oidContent } from './oid.ts'
import { tag } from './read.ts'

/**
 * One element: tag, length in its shortest form, content. The parts are arguments, and so live on the stack: join tens
 * of thousands of them first.
 */
export function element(tagOctet: number, ...content: Bytes[]): Buffer {
  let length = 0
  for (const part of content) length += part.length
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6
  const out = Buffer.allocUnsafe(header + length)
  out[0] = tagOctet
  if (header === 2) out[1] = length
  else {
    out[1] = 0x80 | (header - 2)
    out.writeUIntBE(length, 2, header - 2)
  }
  let at = header
  for (const part of content) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export const sequence = (...content: Bytes[]): Buffer => element(tag.sequence, ...content)

/** SET OF: its elements in ascending order of their octets (X.690 11.6). */
export const setOf = (...content: Bytes[]): Buffer => element(tag.set, ...content.toSorted(Buffer.compare))

export const octetString = (content: Bytes): Buffer => element(tag.octetString, content)
/** The same few are written again and again: each is encoded once. Nobody changes what is handed out. */
const writtenOids = new Map<string, Buffer>()

export function oid(text: string): Buffer {
  const known = writtenOids.get(text)
  if (known) return known
  const written = element(tag.oid, oidContent(text))
  // Some come from outside (hwType); a limit, so that they do not fill the memory.
  if (writtenOids.size < 512) writtenOids.set(text, written)
  return written
}
export const boolean = (value: boolean): Buffer => element(tag.boolean, Buffer.from([value ? 0xff : 0x00]))
export const nothing = (): Buffer => element(tag.null)

/** A non-negative INTEGER; octets are unsigned, big-endian. @throws RangeError on what is no such number. */
export function integer(value: number | bigint | Bytes, tagOctet: number = tag.integer): Buffer {
  const fits =
    typeof value === 'object'
      ? value.length > 0
      : value >= 0 && (typeof value === 'bigint' || Number.isSafeInteger(value))
  if (!fits) throw new RangeError('not a non-negative integer')
  let octets = typeof value === 'object' ? value : Buffer.from(evenHex(value), 'hex')
  let zeros = 0
  while (zeros < octets.length - 1 && octets[zeros] === 0) zeros++
  octets = octets.subarray(zeros)
  return octets[0]! >= 0x80 ? element(tagOctet, Buffer.of(0), octets) : element(tagOctet, octets)
}

function evenHex(value: number | bigint): string {
  const text = value.toString(16)
  return text.length % 2 ? `0${text}` : text
}

export const enumerated = (value: number): Buffer => integer(value, tag.enumerated)

/** @throws RangeError unless the unused bits, 0 to 7 of the last octet, are there and zero (X.690 11.2.1). */
export function bitString(octets: Bytes, unused = 0): Buffer {
  if (unused !== 0 && !(unused > 0 && unused < 8 && ((octets.at(-1) ?? 0xff) & ((1 << unused) - 1)) === 0))
    throw new RangeError('not a bit string')
  return element(tag.bitString, Buffer.of(unused), octets)
}

/** A BIT STRING of named bits (keyUsage): bit 0 first, trailing zero bits left out (X.690 11.2.2). */
export function namedBits(...bits: number[]): Buffer {
  const highest = Math.max(-1, ...bits)
  const octets = Buffer.alloc(Math.floor(highest / 8) + 1)
  for (const bit of bits) octets[bit >> 3]! |= 0x80 >> (bit & 7)
  return bitString(octets, highest < 0 ? 0 : 7 - (highest % 8))
}

/** @throws RangeError on half a surrogate pair, which UTF-8 does not have. */
export function utf8String(text: string): Buffer {
  if (!text.isWellFormed()) throw new RangeError('not Unicode')
  return element(tag.utf8String, Buffer.from(text, 'utf8'))
}

/** @throws RangeError on a character that PrintableString does not have. */
export function printableString(text: string): Buffer {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)) throw new RangeError(`not printable: ${text}`)
  return element(tag.printableString, Buffer.from(text, 'latin1'))
}

/** @throws RangeError on a character beyond ASCII. */
export function ia5String(text: string, tagOctet: number = tag.ia5String): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: IA5String is exactly these 128 characters
  if (!/^[\x00-\x7f]*$/.test(text)) throw new RangeError('not IA5')
  return element(tagOctet, Buffer.from(text, 'latin1'))
}

/** [n] EXPLICIT, or IMPLICIT over a constructed type. */
export const tagged = (n: number, ...content: Bytes[]): Buffer => element(0xa0 | n, ...content)

/** [n] IMPLICIT over a primitive type. */
export const taggedPrimitive = (n: number, content: Bytes): Buffer => element(0x80 | n, content)
