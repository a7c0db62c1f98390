/** Plain get-request and get-response, normal (dlms.md section 6). */

import type { Bytes } from '../bytes.ts'
import { Cursor } from './cursor.ts'
import { type Data, readData, writeData } from './data.ts'
import {
  head,
  type Member,
  memberOctets,
  octet,
  readFlag,
  readHead,
  readMember,
  readNoSelector,
} from './request.ts'

export interface GetRequest extends Member {
  readonly service: 'get-request'
  readonly invoke: number
}

/** The value, or the data-access-result that says why there is none. */
export type Got = { readonly data: Data } | { readonly error: number }

export type GetResponse = { readonly service: 'get-response'; readonly invoke: number } & Got

/** C0 01 invoke class name attribute 00. */
export function writeGetRequest(request: GetRequest): Buffer {
  return Buffer.concat([head(0xc0, request.invoke), memberOctets(request), Buffer.of(0)])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH, DLMS_ENCODING */
export function readGetRequest(octets: Bytes): GetRequest {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc0)
  const member = readMember(cursor)
  readNoSelector(cursor)
  cursor.finish('the get-request')
  return { service: 'get-request', invoke, ...member }
}

/** C4 01 invoke, then what `writeGot` writes. */
export function writeGetResponse(response: GetResponse): Buffer {
  return Buffer.concat([head(0xc4, response.invoke), writeGot(response)])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH, DLMS_ENCODING, DLMS_DEPTH */
export function readGetResponse(octets: Bytes): GetResponse {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc4)
  const got = readGot(cursor)
  cursor.finish('the get-response')
  return { service: 'get-response', invoke, ...got }
}

/** 00 data, or 01 and one octet of error: what a get-response and the return of an action have in common. */
export function writeGot(got: Got): Buffer {
  return 'data' in got ? Buffer.concat([Buffer.of(0), writeData(got.data)]) : Buffer.of(1, octet(got.error))
}

export function readGot(cursor: Cursor): Got {
  if (readFlag(cursor, 'the choice of data or error')) return { error: cursor.octet('the error') }
  return { data: readData(cursor) }
}
