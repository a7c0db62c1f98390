/** initiateRequest and initiateResponse: what an association agrees on, and its Dedicated Key (dlms.md section 4). */

import type { Bytes } from '../bytes.ts'
import { Opened, type Text } from '../keystore/dlms-cipher.ts'
import { Cursor } from './cursor.ts'
import { readFlag } from './request.ts'

export interface InitiateRequest {
  readonly service: 'initiateRequest'
  /** 24 bits. */
  readonly conformance: number
  /** The largest PDU that we take, in octets; FFFF when there is no limit of ours. */
  readonly maxPdu: number
  /** To write: an opened key, which stays in its key store. As read: 16 octets, the caller's to zero with the text. */
  readonly dedicatedKey?: Opened<'DK'> | Bytes
}

export interface InitiateResponse {
  readonly service: 'initiateResponse'
  readonly conformance: number
  /** The largest PDU that the server takes, in octets. */
  readonly maxPdu: number
}

/** 01, 00 or 01 10 DK, 00 00 06, conformance, largest PDU. @throws RangeError for numbers that do not fit */
export function writeInitiateRequest({ dedicatedKey, conformance, maxPdu }: InitiateRequest): Text {
  const rest = Buffer.concat([Buffer.of(0, 0, version), agreed(conformance, maxPdu)])
  if (dedicatedKey === undefined) return Buffer.concat([Buffer.of(0x01, 0), rest])
  if (!Opened.is(dedicatedKey) && dedicatedKey.length !== keyLength) throw new RangeError('a key is 16 octets')
  return [Buffer.of(0x01, 1, keyLength), dedicatedKey, rest]
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING, DLMS_NOT_USED */
export function readInitiateRequest(octets: Bytes): InitiateRequest {
  const cursor = new Cursor(octets)
  cursor.expect(0x01, 'the tag of an initiateRequest', 'DLMS_FRAMING')
  let key = {}
  if (readFlag(cursor, 'the flag of the Dedicated Key')) {
    cursor.expect(keyLength, 'the length of the Dedicated Key', 'DLMS_LENGTH')
    key = { dedicatedKey: cursor.take(keyLength, 'the Dedicated Key') }
  }
  cursor.expect(0, 'the flag of response-allowed', 'DLMS_NOT_USED')
  cursor.expect(0, 'the flag of the quality of service', 'DLMS_NOT_USED')
  cursor.expect(version, 'the DLMS version')
  const agreed = readAgreed(cursor)
  cursor.finish('the initiateRequest')
  return { service: 'initiateRequest', ...agreed, ...key }
}

/** 08 00 06, conformance, largest PDU, 0007. @throws RangeError for numbers that do not fit */
export function writeInitiateResponse({ conformance, maxPdu }: InitiateResponse): Buffer {
  return Buffer.concat([Buffer.of(0x08, 0, version), agreed(conformance, maxPdu), Buffer.of(0, vaaName)])
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING, DLMS_NOT_USED */
export function readInitiateResponse(octets: Bytes): InitiateResponse {
  const cursor = new Cursor(octets)
  cursor.expect(0x08, 'the tag of an initiateResponse', 'DLMS_FRAMING')
  cursor.expect(0, 'the flag of the quality of service', 'DLMS_NOT_USED')
  cursor.expect(version, 'the DLMS version')
  const agreed = readAgreed(cursor)
  cursor.expect(0, 'the VAA name')
  cursor.expect(vaaName, 'the VAA name')
  cursor.finish('the initiateResponse')
  return { service: 'initiateResponse', ...agreed }
}

const keyLength = 16
const version = 6
/** 0007: objects are addressed by their logical names. */
const vaaName = 0x07

/** 5F1F 04 00: [APPLICATION 31], four octets of a bit string without unused bits; then the largest PDU. */
const conformanceHead = [0x5f, 0x1f, 0x04, 0x00]

function agreed(conformance: number, maxPdu: number): Buffer {
  const out = Buffer.alloc(9)
  out.set(conformanceHead)
  out.writeUIntBE(conformance, 4, 3)
  out.writeUInt16BE(maxPdu, 7)
  return out
}

function readAgreed(cursor: Cursor): { conformance: number; maxPdu: number } {
  for (const value of conformanceHead) cursor.expect(value, 'the head of the conformance')
  const conformance = cursor.number(3, 'the conformance')
  const maxPdu = cursor.number(2, 'the largest PDU')
  return { conformance, maxPdu }
}
