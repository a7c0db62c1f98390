/** Plain set-request and set-response, normal (dlms.md section 6). */

import type { Bytes } from '../bytes.ts'
import { Cursor } from './cursor.ts'
import { type Data, readData, writeData } from './data.ts'
import { head, type Member, memberOctets, octet, readHead, readMember, readNoSelector } from './request.ts'

export interface SetRequest extends Member {
  readonly service: 'set-request'
  readonly invoke: number
  readonly data: Data
}

export interface SetResponse {
  readonly service: 'set-response'
  readonly invoke: number
  /** A data-access-result; 0 is success. */
  readonly result: number
}

/** C1 01 invoke class name attribute 00 data. */
export function writeSetRequest(request: SetRequest): Buffer {
  return Buffer.concat([head(0xc1, request.invoke), memberOctets(request), Buffer.of(0), writeData(request.data)])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH, DLMS_ENCODING, DLMS_DEPTH */
export function readSetRequest(octets: Bytes): SetRequest {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc1)
  const member = readMember(cursor)
  readNoSelector(cursor)
  const data = readData(cursor)
  cursor.finish('the set-request')
  return { service: 'set-request', invoke, ...member, data }
}

/** C5 01 invoke result. */
export function writeSetResponse({ invoke, result }: SetResponse): Buffer {
  return Buffer.concat([head(0xc5, invoke), Buffer.of(octet(result))])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH */
export function readSetResponse(octets: Bytes): SetResponse {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc5)
  const result = cursor.octet('the result')
  cursor.finish('the set-response')
  return { service: 'set-response', invoke, result }
}
