/** What the plain get, set and action have in common: the invoke-id, and what is addressed (dlms.md section 6). */

import type { Cursor } from './cursor.ts'
import { hex } from './cursor.ts'
import { nameOctets, nameText } from './logical-name.ts'

/** Id 1, confirmed, high priority. */
export const usualInvoke = 0xc1

/** One attribute or method of one object. */
export interface Member {
  readonly classId: number
  /** 0.0.43.0.0.255 */
  readonly logicalName: string
  /** The attribute or method: 1 and up; vendors' own are negative. */
  readonly member: number
}

/** Reads service tag, choice and invoke-id-and-priority. @throws Refusal DLMS_NOT_USED for blocks and lists */
export function readHead(cursor: Cursor, tag: number): number {
  cursor.expect(tag, 'the tag of the service', 'DLMS_FRAMING')
  const choice = cursor.octet('the choice of the service')
  if (choice !== normal) cursor.fail('DLMS_NOT_USED', `choice ${hex(choice)}, not normal`, -1)
  return cursor.octet('the invoke-id')
}

export function head(tag: number, invoke: number): Buffer {
  return Buffer.of(tag, normal, octet(invoke))
}

export function readMember(cursor: Cursor): Member {
  const classId = cursor.number(2, 'the class')
  const logicalName = nameText(cursor.take(6, 'the logical name'))
  const member = (cursor.octet('the attribute or method') << 24) >> 24
  return { classId, logicalName, member }
}

/** @throws RangeError for numbers that do not fit, or what is no logical name */
export function memberOctets({ classId, logicalName, member }: Member): Buffer {
  const out = Buffer.alloc(9)
  out.writeUInt16BE(classId)
  out.set(nameOctets(logicalName), 2)
  out.writeInt8(member, 8)
  return out
}

/** The octet that says whether something optional follows. @throws Refusal DLMS_ENCODING for other than 00 and 01 */
export function readFlag(cursor: Cursor, what: string): boolean {
  const flag = cursor.octet(what)
  if (flag > 1) cursor.fail('DLMS_ENCODING', `${what} is ${hex(flag)}`, -1)
  return flag === 1
}

/** No selective access: entries and ranges are not asked for. @throws Refusal DLMS_NOT_USED */
export function readNoSelector(cursor: Cursor): void {
  if (readFlag(cursor, 'the flag of the selector')) cursor.fail('DLMS_NOT_USED', 'selective access', -1)
}

/** @throws RangeError */
export function octet(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new RangeError('not an octet')
  return value
}

const normal = 0x01
