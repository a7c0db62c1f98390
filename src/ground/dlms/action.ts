/** Plain action-request and action-response, normal (dlms.md section 6). */

import type { Bytes } from '../bytes.ts'
import { Cursor } from './cursor.ts'
import { type Data, readData, writeData } from './data.ts'
import { type Got, readGot, writeGot } from './get.ts'
import { head, type Member, memberOctets, octet, readFlag, readHead, readMember } from './request.ts'

export interface ActionRequest extends Member {
  readonly service: 'action-request'
  readonly invoke: number
  /** The argument, if the method has one. */
  readonly data?: Data
}

export interface ActionResponse {
  readonly service: 'action-response'
  readonly invoke: number
  /** By `actionResults`; others may come. */
  readonly result: number
  /** What the method gave back, if it did. */
  readonly returned?: Got
}

/** Names of action results (dlms.md section 5) [ASSUMED(M) DLMS-A04]. */
export const actionResults: Readonly<Record<number, string>> = {
  0: 'success',
  1: 'hardware fault',
  2: 'temporary failure',
  3: 'read-write denied',
  4: 'object undefined',
  9: 'class inconsistent',
  11: 'object unavailable',
  12: 'type unmatched',
  13: 'scope of access violated',
  14: 'data block unavailable',
  15: 'long action aborted',
  16: 'no long action in progress',
  250: 'other reason',
}

/** C3 01 invoke class name method, then 00, or 01 and data. */
export function writeActionRequest(request: ActionRequest): Buffer {
  const { invoke, data } = request
  return Buffer.concat([head(0xc3, invoke), memberOctets(request), ...optional(data && writeData(data))])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH, DLMS_ENCODING, DLMS_DEPTH */
export function readActionRequest(octets: Bytes): ActionRequest {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc3)
  const member = readMember(cursor)
  const argument = readFlag(cursor, 'the flag of the argument') ? { data: readData(cursor) } : {}
  cursor.finish('the action-request')
  return { service: 'action-request', invoke, ...member, ...argument }
}

/** C7 01 invoke result, then 00, or 01 and what `writeGot` writes. */
export function writeActionResponse({ invoke, result, returned }: ActionResponse): Buffer {
  return Buffer.concat([head(0xc7, invoke), Buffer.of(octet(result)), ...optional(returned && writeGot(returned))])
}

/** @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH, DLMS_ENCODING, DLMS_DEPTH */
export function readActionResponse(octets: Bytes): ActionResponse {
  const cursor = new Cursor(octets)
  const invoke = readHead(cursor, 0xc7)
  const result = cursor.octet('the result')
  const returned = readFlag(cursor, 'the flag of the return data') ? { returned: readGot(cursor) } : {}
  cursor.finish('the action-response')
  return { service: 'action-response', invoke, result, ...returned }
}

function optional(octets: Buffer | undefined): Buffer[] {
  return octets === undefined ? [Buffer.of(0)] : [Buffer.of(1), octets]
}
