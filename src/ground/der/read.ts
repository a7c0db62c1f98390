/** A strict reader of DER (X.690): a cursor over octets that never builds a tree and never repairs. */

import type { Bytes } from '../bytes.ts'

/** The tags these PKIs use. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** What was wrong, in a word that is never renamed; lint shows it as `der_<fault>`. */
export type DerFault =
  | 'truncated'
  | 'trailing'
  | 'tag'
  | 'length'
  | 'boolean'
  | 'integer'
  | 'bit_string'
  | 'null'
  | 'oid'
  | 'time'
  | 'string'
  | 'set_order'
  | 'default'
  | 'empty'
  | 'duplicate'
  | 'structure'

/** The octets are not the DER that was due at `offset` (counted from the start of the octets that were read). */
export class NotDer extends Error {
  readonly fault: DerFault
  readonly offset: number

  constructor(fault: DerFault, says: string, offset: number) {
    super(`${says} (at octet ${offset})`)
    this.name = 'NotDer'
    this.fault = fault
    this.offset = offset
  }
}

/** Reads one element after another between two offsets. Every method throws `NotDer` and nothing else. */
export class Der {
  readonly octets: Bytes
  at: number
  readonly end: number

  constructor(octets: Bytes, at = 0, end = octets.length) {
    this.octets = octets
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  /** The tag of the next element, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.octets[this.at]! : -1
  }

  fail(fault: DerFault, says: string): never {
    throw new NotDer(fault, says, this.at)
  }

  /** Nothing may follow. */
  finish(what: string): void {
    if (this.at !== this.end) this.fail('trailing', `octets follow ${what}`)
  }

  /** Steps into the next element, which must carry `expected`: a cursor over its content. */
  enter(expected: number, what: string): Der {
    const start = this.at
    const end = this.skip(expected, what)
    return new Der(this.octets, start + this.#header, end)
  }

  /** The content octets of the next element, which must carry `expected`. Nothing is copied. */
  content(expected: number, what: string): Bytes {
    const start = this.at
    const end = this.skip(expected, what)
    return this.octets.subarray(start + this.#header, end)
  }

  /** The whole next element, header included. */
  element(expected: number, what: string): Bytes {
    const start = this.at
    return this.octets.subarray(start, this.skip(expected, what))
  }

  /** The whole next element, whatever its tag. */
  any(what: string): Bytes {
    return this.element(this.peek(), what)
  }

  /** Where the element read last begins, and the length of its header. */
  #start = 0
  #header = 0

  /** As `fail`, but of the element read last: what is wrong begins there, not behind it. */
  #wrong(fault: DerFault, says: string): never {
    throw new NotDer(fault, says, this.#start)
  }

  /** Passes the next element; answers where it ends. */
  skip(expected: number, what: string): number {
    const { octets, at, end } = this
    if (at >= end) this.fail('truncated', `${what} is missing`)
    const found = octets[at]!
    if (found !== expected) this.fail('tag', `${what} has the tag ${hex(found)}, not ${hex(expected)}`)
    if ((found & 0x1f) === 0x1f) this.fail('tag', `${what} has a tag of more than one octet`)
    // Of the universal types that occur here SEQUENCE and SET are constructed (X.690 8.9.1, 8.11.1), the others, strings
    // among them, never (X.690 10.2); tag 0 marks BER's end of contents (X.690 8.1.5).
    if (found < 0x40 && (found === 0 || ((found & 0x1e) === 0x10) !== found >= 0x20))
      this.fail('tag', `${what} has the tag ${hex(found)}, which DER does not have`)
    if (at + 1 >= end) this.fail('truncated', `${what} ends before its length`)

    let length = octets[at + 1]!
    let header = 2
    if (length >= 0x80) {
      // No count of octets is BER's indefinite form, which DER forbids (X.690 10.1); more than four is no certificate.
      const count = length & 0x7f
      if (count === 0 || count > 4) this.fail('length', `the length of ${what} has ${count} octets`)
      if (at + 2 + count > end) this.fail('truncated', `${what} ends inside its length`)
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + octets[at + 2 + i]!
      header = 2 + count
      // The fewest octets possible (X.690 10.1).
      if (length < 0x80 || octets[at + 2] === 0)
        this.fail('length', `the length of ${what} is not in its shortest form`)
    }
    const stop = at + header + length
    if (stop > end) this.fail('truncated', `${what} is cut short: ${stop - end} octets are missing`)
    this.#start = at
    this.#header = header
    this.at = stop
    return stop
  }

  sequence(what: string): Der {
    return this.enter(tag.sequence, what)
  }

  boolean(what: string): boolean {
    const content = this.content(tag.boolean, what)
    // X.690 11.1: true is FF, not any other octet.
    if (content.length !== 1 || (content[0] !== 0xff && content[0] !== 0x00)) {
      this.#wrong('boolean', `${what} is a BOOLEAN other than 00 or FF`)
    }
    return content[0] === 0xff
  }

  /** The content octets of an INTEGER (or ENUMERATED): two's complement, in the fewest octets (X.690 8.3.2). */
  integer(what: string, expected: number = tag.integer): Bytes {
    const content = this.content(expected, what)
    if (content.length === 0) this.#wrong('integer', `${what} is an INTEGER without octets`)
    if (
      content.length > 1 &&
      ((content[0] === 0x00 && content[1]! < 0x80) || (content[0] === 0xff && content[1]! >= 0x80))
    ) {
      this.#wrong('integer', `${what} is not in the fewest octets`)
    }
    return content
  }

  /** A non-negative INTEGER of at most 31 bits. */
  small(what: string, expected: number = tag.integer): number {
    const content = this.integer(what, expected)
    if (content[0]! >= 0x80 || content.length > 4) this.#wrong('integer', `${what} is negative or too large`)
    return content.reduce((value, octet) => value * 256 + octet, 0)
  }

  /** The octets of a BIT STRING and how many bits of the last one are unused; those must be zero (X.690 11.2.1). */
  bits(what: string, expected: number = tag.bitString): { octets: Bytes; unused: number } {
    const content = this.content(expected, what)
    const unused = content[0]
    if (unused === undefined || unused > 7 || (content.length === 1 && unused !== 0)) {
      this.#wrong('bit_string', `${what} is not a BIT STRING`)
    }
    const octets = content.subarray(1)
    if (unused > 0 && (octets[octets.length - 1]! & ((1 << unused) - 1)) !== 0) {
      this.#wrong('bit_string', `${what} has unused bits that are not zero`)
    }
    return { octets, unused }
  }

  /** The octets of a BIT STRING that must fill its last octet. */
  wholeBits(what: string): Bytes {
    const { octets, unused } = this.bits(what)
    if (unused !== 0) this.#wrong('bit_string', `${what} has unused bits`)
    return octets
  }

  nothing(what: string): void {
    if (this.content(tag.null, what).length !== 0) this.#wrong('null', `${what} is a NULL with content`)
  }
}

function hex(value: number): string {
  return value < 0 ? 'of nothing' : value.toString(16).toUpperCase().padStart(2, '0')
}
