/** A strict cursor over the octets of an APDU: nothing is believed before it is known to be there. */

import { type Bytes, view } from '../bytes.ts'
import { type DlmsCode, refusal } from './refusals.ts'

/** Reads one field after another. Every method throws a Refusal of this folder and nothing else. */
export class Cursor {
  readonly octets: Buffer
  at = 0

  constructor(octets: Bytes) {
    this.octets = view(octets)
  }

  get left(): number {
    return this.octets.length - this.at
  }

  /** Unsigned, one octet. */
  octet(what: string): number {
    this.#need(1, what)
    return this.octets[this.at++]!
  }

  /** Unsigned, big-endian, of 1 to 6 octets. */
  number(count: number, what: string): number {
    this.#need(count, what)
    const value = this.octets.readUIntBE(this.at, count)
    this.at += count
    return value
  }

  /** The next `count` octets. Nothing is copied. */
  take(count: number, what: string): Buffer {
    this.#need(count, what)
    this.at += count
    return this.octets.subarray(this.at - count, this.at)
  }

  /** The next octet must be this one. */
  expect(value: number, what: string, code: DlmsCode = 'DLMS_ENCODING'): void {
    const found = this.octet(what)
    if (found !== value) this.fail(code, `${what} is ${hex(found)}, not ${hex(value)}`, -1)
  }

  /** An A-XDR length: one octet below 80, else 81 nn or 82 nnnn, never longer than needed (dlms.md section 2). */
  length(what: string): number {
    const first = this.octet(what)
    if (first < 0x80) return first
    // 80 is BER's indefinite form, which A-XDR does not have.
    if (first === 0x80 || first > 0x82) this.fail('DLMS_LENGTH', `${what} begins with ${hex(first)}`, -1)
    const count = first & 0x7f
    const value = this.number(count, what)
    if (value < (count === 1 ? 0x80 : 0x100)) {
      this.fail('DLMS_LENGTH', `${what} is not in its shortest form`, -1 - count)
    }
    return value
  }

  /** Nothing may follow. */
  finish(what: string): void {
    if (this.left > 0) this.fail('DLMS_LENGTH', `${this.left} octets follow ${what}`)
  }

  /** @param back from here to the octet that is wrong: 0 the next one, -1 the one read last. */
  fail(code: DlmsCode, about: string, back = 0): never {
    const offset = this.at + back
    throw refusal(code, `${about} (at octet ${offset})`, { details: { offset } })
  }

  #need(count: number, what: string): void {
    if (this.left < count) this.fail('DLMS_LENGTH', `${what} needs ${count} octets, and ${this.left} are there`)
  }
}

/** An A-XDR length in its shortest form. @throws Refusal DLMS_TOO_LONG above 65,535 */
export function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length)
  if (length < 0x100) return Buffer.of(0x81, length)
  if (length < 0x10000) return Buffer.of(0x82, length >> 8, length & 0xff)
  throw refusal('DLMS_TOO_LONG', `${length} octets`)
}

/** Two upper-case hexadecimal digits. */
export function hex(octet: number): string {
  return octet.toString(16).toUpperCase().padStart(2, '0')
}
