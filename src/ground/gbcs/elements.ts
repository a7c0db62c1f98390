/**
 * The elements of GBCS payloads: DER, but for lengths of 128 to 255 octets, which Devices write in two octets (82 00 83)
 * where DER has one (81 83). Both are read, never mixed in one payload, and written again as they were.
 */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { notGbcs } from './refusals.ts'

/** How lengths of 128 to 255 octets are written; `two octets` is what Devices do (recovery.md section 6, DCC-DATA). */
export type Lengths = 'two octets' | 'shortest'

/** What a payload has shown of its lengths so far; shared by the readers of one payload. */
interface Seen {
  lengths: Lengths | undefined
}

/** Reads one element after another, strictly. @throws Refusal GBCS_TRUNCATED, GBCS_TRAILING, GBCS_TAG, GBCS_LENGTH, GBCS_VALUE */
export class Elements {
  readonly octets: Bytes
  at: number
  readonly end: number
  readonly #seen: Seen

  constructor(octets: Bytes, at = 0, end = octets.length, seen: Seen = { lengths: undefined }) {
    this.octets = octets
    this.at = at
    this.end = end
    this.#seen = seen
  }

  /** As far as this payload shows it. */
  get lengths(): Lengths {
    return this.#seen.lengths ?? 'two octets'
  }

  /** The tag of the next element, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.octets[this.at]! : -1
  }

  finish(what: string): void {
    if (this.at !== this.end) throw notGbcs('GBCS_TRAILING', `after ${what}`, this.at)
  }

  /** Steps into the next element. */
  enter(expected: number, what: string): Elements {
    const [start, stop] = this.#next(expected, what)
    return new Elements(this.octets, start, stop, this.#seen)
  }

  content(expected: number, what: string): Bytes {
    const [start, stop] = this.#next(expected, what)
    return this.octets.subarray(start, stop)
  }

  /** The whole next element; its inside is somebody else's (a certificate), in DER, and shows nothing of our lengths. */
  foreign(expected: number, what: string): Bytes {
    const start = this.at
    const [, stop] = this.#next(expected, what, { lengths: undefined })
    return this.octets.subarray(start, stop)
  }

  sequence(what: string): Elements {
    return this.enter(tag.sequence, what)
  }

  /** A non-negative INTEGER below 2^63, in the fewest octets. */
  integer(what: string, expected: number = tag.integer): bigint {
    const at = this.at
    const content = this.content(expected, what)
    const minimal = content.length === 1 || content[0] !== 0 || content[1]! >= 0x80
    if (content.length === 0 || !minimal)
      throw notGbcs('GBCS_VALUE', `${what} is no INTEGER in the fewest octets`, at)
    if (content[0]! >= 0x80 || content.length > 8)
      throw notGbcs('GBCS_VALUE', `${what} is negative or too large`, at)
    return content.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n)
  }

  /** A non-negative INTEGER (or ENUMERATED) of at most 16 bits. */
  small(what: string, expected: number = tag.integer): number {
    const at = this.at
    const value = this.integer(what, expected)
    if (value > 0xffffn) throw notGbcs('GBCS_VALUE', `${what} is too large`, at)
    return Number(value)
  }

  /** Exactly so many octets. */
  octetsOf(length: number, what: string, expected: number = tag.octetString): Bytes {
    const at = this.at
    const content = this.content(expected, what)
    if (content.length !== length)
      throw notGbcs('GBCS_VALUE', `${what} has ${content.length} octets, not ${length}`, at)
    return content
  }

  /** Where the content of the next element begins, and where it ends. */
  #next(expected: number, what: string, seen: Seen = this.#seen): [number, number] {
    const { octets, at, end } = this
    if (at >= end) throw notGbcs('GBCS_TRUNCATED', what, at)
    if (octets[at] !== expected) throw notGbcs('GBCS_TAG', what, at)
    const { length, next, form } = readLength(octets, at + 1, end, what)
    if (form !== undefined) {
      if (seen.lengths !== undefined && seen.lengths !== form)
        throw notGbcs('GBCS_LENGTH', `${what}: two forms in one payload`, at)
      seen.lengths = form
    }
    const stop = next + length
    if (stop > end) throw notGbcs('GBCS_TRUNCATED', what, at)
    this.at = stop
    return [next, stop]
  }
}

/** A length in its shortest form, or 82 00 xx from 128 octets on. `form` is undefined where both are the same. */
export function readLength(
  octets: Bytes,
  at: number,
  end: number,
  what: string,
): { length: number; next: number; form: Lengths | undefined } {
  if (at >= end) throw notGbcs('GBCS_TRUNCATED', `the length of ${what}`, at)
  const first = octets[at]!
  if (first < 0x80) return { length: first, next: at + 1, form: undefined }
  const count = first & 0x7f
  if (count === 0 || count > 3) throw notGbcs('GBCS_LENGTH', what, at)
  if (at + 1 + count > end) throw notGbcs('GBCS_TRUNCATED', `the length of ${what}`, at)
  let length = 0
  for (let i = 1; i <= count; i++) length = length * 256 + octets[at + i]!
  const next = at + 1 + count
  if (count === 1 && length >= 0x80) return { length, next, form: 'shortest' }
  if (count === 2 && length >= 0x100) return { length, next, form: undefined }
  if (count === 2 && length >= 0x80) return { length, next, form: 'two octets' }
  if (count === 3 && length >= 0x10000) return { length, next, form: undefined }
  throw notGbcs('GBCS_LENGTH', what, at)
}

/** One element with a length in that form. */
export function element(lengths: Lengths, tagOctet: number, ...content: readonly Bytes[]): Buffer {
  const whole = Buffer.concat(content)
  return Buffer.concat([Buffer.of(tagOctet), writeLength(whole.length, lengths), whole])
}

export function writeLength(length: number, lengths: Lengths): Buffer {
  if (length < 0x80) return Buffer.of(length)
  if (length < 0x100 && lengths === 'shortest') return Buffer.of(0x81, length)
  if (length < 0x10000) return Buffer.of(0x82, length >> 8, length & 0xff)
  return Buffer.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
}
