/** A GBCS message: MAC Header, Grouping Header, payload, signature and MAC, read and written octet for octet. */

import { type Bytes, view } from '../bytes.ts'
import { readLength, writeLength } from './elements.ts'
import { notGbcs } from './refusals.ts'

/** The octet CRA: what kind of message it is. */
export const cra = { command: 1, response: 2, alert: 3 } as const
export type Cra = (typeof cra)[keyof typeof cra]

/** What stands in a Grouping Header, and the payload. */
export interface Grouping {
  readonly cra: Cra
  /** Of the originator, 64 bits. */
  readonly counter: bigint
  /** Entity identifiers: 8 octets each. */
  readonly originator: Bytes
  readonly recipient: Bytes
  /** 12 octets as COSEM has them; absent in most messages. */
  readonly dateTime?: Bytes | undefined
  /** 16 bits: the use case. */
  readonly messageCode: number
  /** What follows the message code in the other information. */
  readonly extras?: Bytes | undefined
  readonly payload: Bytes
}

export interface GbcsMessage extends Grouping {
  /**
   * 64 octets, plain r and s; `none` where the message says that it has none; undefined in a pre-command, which is yet
   * to be signed and ends with its payload.
   */
  readonly signature: Bytes | 'none' | undefined
  /** 12 octets, of a message with a MAC Header. */
  readonly mac: Bytes | undefined
  /** What the signature is over: the octets after the tag DF, to the end of the payload. */
  readonly signed: Bytes
  /** What the MAC is over, besides its own header: the octets from DF to the end of the signature part. */
  readonly grouped: Bytes
}

const groupingTag = 0xdf
const macHeader = Buffer.from('dd000000000000', 'hex')
/** Security control octet, and a frame counter of zero. */
const macControl = Buffer.from('1100000000', 'hex')
const macLength = 12
const signatureLength = 64

/** Exactly one message. @throws Refusal of refusals.ts */
export function readMessage(octets: Bytes): GbcsMessage {
  if (octets[0] !== macHeader[0]) return readGrouped(octets, undefined)
  const start = macHeader.length
  if (!view(octets.subarray(0, start)).equals(macHeader)) throw notGbcs('GBCS_VALUE', 'the MAC Header', 0)
  const { length, next, form } = readLength(octets, start, octets.length, 'the MAC Header')
  if (form === 'two octets') throw notGbcs('GBCS_LENGTH', 'the MAC Header', start)
  if (next + length > octets.length)
    throw notGbcs('GBCS_TRUNCATED', 'the message under the MAC Header', octets.length)
  if (next + length < octets.length) throw notGbcs('GBCS_TRAILING', 'after the MAC', next + length)
  if (length < macControl.length + macLength) throw notGbcs('GBCS_TRUNCATED', 'the MAC Header', next)
  const inside = next + macControl.length
  if (!view(octets.subarray(next, inside)).equals(macControl)) throw notGbcs('GBCS_VALUE', 'the MAC Header', next)
  const end = octets.length - macLength
  return readGrouped(octets.subarray(inside, end), octets.subarray(end))
}

function readGrouped(octets: Bytes, mac: Bytes | undefined): GbcsMessage {
  const cursor = new Cursor(octets)
  cursor.fixed([groupingTag, 0x09], 'the Grouping Header')
  const kind = cursor.octet('the kind of message')
  if (kind !== 1 && kind !== 2 && kind !== 3) throw notGbcs('GBCS_VALUE', 'the kind of message', cursor.at - 1)
  const counter = view(cursor.take(8, 'the counter')).readBigUInt64BE()
  cursor.fixed([0x08], 'the length of the originator')
  const originator = cursor.take(8, 'the originator')
  cursor.fixed([0x08], 'the length of the recipient')
  const recipient = cursor.take(8, 'the recipient')
  const dateLength = cursor.octet('the length of the date and time')
  if (dateLength !== 0 && dateLength !== 12) throw notGbcs('GBCS_LENGTH', 'the date and time', cursor.at - 1)
  const dateTime = dateLength === 0 ? undefined : cursor.take(dateLength, 'the date and time')
  const otherLength = cursor.octet('the length of the other information')
  if (otherLength < 2 || otherLength >= 0x80) throw notGbcs('GBCS_LENGTH', 'the other information', cursor.at - 1)
  const other = cursor.take(otherLength, 'the other information')
  const payload = cursor.take(cursor.length('the payload'), 'the payload')
  const end = cursor.at
  const signature = readSignature(cursor, mac !== undefined)
  return {
    cra: kind,
    counter,
    originator,
    recipient,
    dateTime,
    messageCode: view(other).readUInt16BE(),
    extras: other.length === 2 ? undefined : other.subarray(2),
    payload,
    signature,
    mac,
    signed: octets.subarray(1, end),
    grouped: octets,
  }
}

function readSignature(cursor: Cursor, hasMac: boolean): GbcsMessage['signature'] {
  if (cursor.done && !hasMac) return undefined
  const length = cursor.octet('the length of the signature')
  if (length !== 0 && length !== signatureLength) throw notGbcs('GBCS_LENGTH', 'the signature', cursor.at - 1)
  const signature = length === 0 ? 'none' : cursor.take(length, 'the signature')
  if (!cursor.done) throw notGbcs('GBCS_TRAILING', 'after the signature', cursor.at)
  return signature
}

/** The octets after DF that a signature is over. @throws RangeError on parts that no message has */
export function signedOctets(parts: Grouping): Buffer {
  const { originator, recipient, dateTime, extras, payload, counter, messageCode } = parts
  if (originator.length !== 8 || recipient.length !== 8) throw new RangeError('an entity identifier has 8 octets')
  if (dateTime && dateTime.length !== 12) throw new RangeError('a date and time has 12 octets')
  if ((extras?.length ?? 0) > 125) throw new RangeError('the other information is too long')
  const counterOctets = Buffer.alloc(8)
  counterOctets.writeBigUInt64BE(counter)
  const code = Buffer.alloc(2)
  code.writeUInt16BE(messageCode)
  return Buffer.concat([
    Buffer.of(0x09, parts.cra),
    counterOctets,
    Buffer.of(0x08),
    originator,
    Buffer.of(0x08),
    recipient,
    Buffer.of(dateTime?.length ?? 0),
    dateTime ?? Buffer.alloc(0),
    Buffer.of(2 + (extras?.length ?? 0)),
    code,
    extras ?? Buffer.alloc(0),
    writeLength(payload.length, 'shortest'),
    payload,
  ])
}

/** From DF through the signature part: what the MAC is over. */
export function groupedOctets(parts: Grouping, signature: GbcsMessage['signature']): Buffer {
  const part =
    signature === undefined
      ? Buffer.alloc(0)
      : signature === 'none'
        ? Buffer.of(0)
        : Buffer.concat([Buffer.of(0x40), signature])
  return Buffer.concat([Buffer.of(groupingTag), signedOctets(parts), part])
}

/** The whole message. @param mac 12 octets; without, there is no MAC Header */
export function writeMessage(parts: Grouping, signature: GbcsMessage['signature'], mac?: Bytes): Buffer {
  const grouped = groupedOctets(parts, signature)
  if (!mac) return grouped
  const length = macControl.length + grouped.length + mac.length
  return Buffer.concat([macHeader, writeLength(length, 'shortest'), macControl, grouped, mac])
}

class Cursor {
  readonly octets: Bytes
  at = 0

  constructor(octets: Bytes) {
    this.octets = octets
  }

  get done(): boolean {
    return this.at === this.octets.length
  }

  take(length: number, what: string): Bytes {
    if (this.at + length > this.octets.length) throw notGbcs('GBCS_TRUNCATED', what, this.at)
    this.at += length
    return this.octets.subarray(this.at - length, this.at)
  }

  octet(what: string): number {
    return this.take(1, what)[0]!
  }

  fixed(expected: readonly number[], what: string): void {
    const at = this.at
    const found = this.take(expected.length, what)
    if (expected.some((octet, i) => found[i] !== octet)) throw notGbcs('GBCS_TAG', what, at)
  }

  length(what: string): number {
    const { length, next, form } = readLength(this.octets, this.at, this.octets.length, what)
    if (form === 'two octets') throw notGbcs('GBCS_LENGTH', what, this.at)
    this.at = next
    return length
  }
}
