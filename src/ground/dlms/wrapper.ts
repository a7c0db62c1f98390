/** The wrapper of APDUs over TCP, IEC 62056-47: version, two ports, length (dlms.md section 2). */

import { type Bytes, view } from '../bytes.ts'
import { refusal } from './refusals.ts'

/** One APDU on its way. A client's port is its client address; a server's is its logical device. */
export interface Wrapped {
  readonly source: number
  readonly destination: number
  /** 1 to 65,535 octets. */
  readonly apdu: Bytes
}

/** 0001, source, destination, length, two octets each; then the APDU. @throws Refusal DLMS_TOO_LONG, RangeError */
export function writeWrapped({ source, destination, apdu }: Wrapped): Buffer {
  if (apdu.length === 0) throw new RangeError('an APDU has octets')
  if (apdu.length > 0xffff) throw refusal('DLMS_TOO_LONG', `${apdu.length} octets in a wrapper`)
  const out = Buffer.allocUnsafe(headerLength + apdu.length)
  out.writeUInt16BE(version)
  out.writeUInt16BE(source, 2)
  out.writeUInt16BE(destination, 4)
  out.writeUInt16BE(apdu.length, 6)
  out.set(apdu, headerLength)
  return out
}

/** The whole of `octets` as one wrapped APDU. @throws Refusal DLMS_WRAPPER, DLMS_LENGTH */
export function readWrapped(octets: Bytes): Wrapped {
  const reader = wrapperReader()
  const [first, ...more] = reader.push(octets)
  if (first === undefined || more.length > 0 || reader.waiting > 0) throw refusal('DLMS_LENGTH', 'a wrapper')
  return first
}

/** Cuts what a connection brings into wrapped APDUs. */
export interface WrapperReader {
  /**
   * @returns the APDUs that are whole now. The chunk may be used again: what is kept of it is copied.
   * @throws Refusal DLMS_WRAPPER, DLMS_LENGTH (an empty APDU), DLMS_TOO_LONG: the connection is of no more use then
   */
  push(chunk: Bytes): Wrapped[]
  /** Octets of an APDU that is not whole yet. */
  readonly waiting: number
}

/** @param maxPdu the largest APDU that is taken, in octets: defends memory, and is known before it is waited for */
export function wrapperReader(maxPdu = 0xffff): WrapperReader {
  let rest: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      // A copy in any case: what is given out must not change under its reader.
      rest = Buffer.concat([rest, chunk])
      const found: Wrapped[] = []
      let at = 0
      while (rest.length - at >= headerLength) {
        const end = at + headerLength + checkedLength(rest, at, maxPdu)
        if (end > rest.length) break
        const [source, destination] = [rest.readUInt16BE(at + 2), rest.readUInt16BE(at + 4)]
        found.push({ source, destination, apdu: rest.subarray(at + headerLength, end) })
        at = end
      }
      rest = rest.subarray(at)
      return found
    },
    get waiting() {
      return rest.length
    },
  }
}

const version = 1
const headerLength = 8

function checkedLength(octets: Bytes, at: number, maxPdu: number): number {
  const header = view(octets)
  if (header.readUInt16BE(at) !== version) throw refusal('DLMS_WRAPPER')
  const length = header.readUInt16BE(at + 6)
  if (length === 0) throw refusal('DLMS_LENGTH', 'a wrapper without an APDU')
  if (length > maxPdu)
    throw refusal('DLMS_TOO_LONG', `a wrapper of ${length} octets, and at most ${maxPdu} are due`)
  return length
}
