/** The outside of a protected APDU, service specific or general: tag, title, length, security header, body (dlms.md 2). */

import type { Bytes } from '../bytes.ts'
import { isAuthenticated } from './control.ts'
import { Cursor, hex, lengthOctets } from './cursor.ts'
import { refusal } from './refusals.ts'
import { byDedTag, byGloTag, otherTags, type Service, unusedTags } from './services.ts'
import { titleLength } from './title.ts'

export type Framing = 'glo' | 'ded' | 'general-glo' | 'general-ded'

export const tagLength = 12

/** What stands outside. The body is a view of the octets that were read. */
export interface ProtectedApdu {
  readonly framing: Framing
  /** The service that the outer tag names; undefined in the general framings, which name none. */
  readonly service: Service | undefined
  /** The originator's title; undefined in the service specific framings, which have none. */
  readonly title: Bytes | undefined
  readonly control: number
  readonly counter: number
  /** What follows the security header: text or ciphertext, then the tag if the control octet says authenticated. */
  readonly body: Bytes
}

/**
 * Reads the whole of `octets` as one protected APDU. Says nothing of the control octet but that the lengths fit it.
 * @throws Refusal DLMS_FRAMING, DLMS_NOT_USED, DLMS_LENGTH
 */
export function readProtected(octets: Bytes): ProtectedApdu {
  const cursor = new Cursor(octets)
  const tag = cursor.octet('the tag')
  if (unusedTags.has(tag)) cursor.fail('DLMS_NOT_USED', `the tag ${hex(tag)}`, -1)
  if (tag === otherTags.generalGlo || tag === otherTags.generalDed) {
    cursor.expect(titleLength, 'the length of the system title', 'DLMS_LENGTH')
    const title = cursor.take(titleLength, 'the system title')
    const framing = tag === otherTags.generalGlo ? 'general-glo' : 'general-ded'
    return { framing, service: undefined, title, ...readSecured(cursor) }
  }
  const glo = byGloTag.get(tag)
  const service = glo ?? byDedTag.get(tag)
  if (service === undefined) cursor.fail('DLMS_FRAMING', `the tag ${hex(tag)}`, -1)
  return { framing: glo ? 'glo' : 'ded', service, title: undefined, ...readSecured(cursor) }
}

/** @throws Refusal DLMS_TOO_LONG when the body does not fit a length of two octets */
export function writeProtected(apdu: ProtectedApdu): Buffer {
  const { title, control, counter, body } = apdu
  const length = lengthOctets(headerLength + body.length)
  const titled = title === undefined ? 0 : 1 + title.length
  const out = Buffer.allocUnsafe(1 + titled + length.length + headerLength + body.length)
  let at = out.writeUInt8(tagOf(apdu))
  if (title !== undefined) {
    at = out.writeUInt8(title.length, at)
    out.set(title, at)
    at += title.length
  }
  out.set(length, at)
  at = out.writeUInt8(control, at + length.length)
  at = out.writeUInt32BE(counter, at)
  out.set(body, at)
  return out
}

/** Security control and invocation counter. */
const headerLength = 5

function readSecured(cursor: Cursor): Pick<ProtectedApdu, 'control' | 'counter' | 'body'> {
  const length = cursor.length('the length')
  if (length !== cursor.left) {
    cursor.fail('DLMS_LENGTH', `the length says ${length}, and ${cursor.left} octets follow`)
  }
  const control = cursor.octet('the security control')
  const counter = cursor.number(4, 'the invocation counter')
  const least = isAuthenticated(control) ? tagLength + 1 : 1
  if (cursor.left < least) cursor.fail('DLMS_LENGTH', `${cursor.left} octets are too few for an APDU`)
  return { control, counter, body: cursor.take(cursor.left, 'the body') }
}

function tagOf({ framing, service }: ProtectedApdu): number {
  if (framing === 'general-glo') return otherTags.generalGlo
  if (framing === 'general-ded') return otherTags.generalDed
  if (service === undefined) throw refusal('DLMS_FRAMING', 'a service specific APDU without its service')
  return service[framing]
}
