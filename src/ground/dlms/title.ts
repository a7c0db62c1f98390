/** System titles: eight octets, three letters of the maker and five of the unit (dlms.md section 1). */

import { type Bytes, equal } from '../bytes.ts'
import { refusal } from './refusals.ts'

export const titleLength = 8

/** @throws RangeError: a title of our own making that is not one is a fault. */
export function mustBeTitle(title: Bytes): void {
  if (title.length !== titleLength) throw new RangeError(`a system title is ${titleLength} octets`)
}

/**
 * The peer's title as it stands in what came from it.
 * @param expected the title that the peer is known by, if it is
 * @throws Refusal DLMS_LENGTH, DLMS_OWN_TITLE, DLMS_TITLE
 */
export function checkPeerTitle(title: Bytes, own: Bytes, expected?: Bytes): void {
  if (title.length !== titleLength) throw refusal('DLMS_LENGTH', 'a system title')
  if (equal(title, own)) throw refusal('DLMS_OWN_TITLE')
  if (expected !== undefined && !equal(title, expected)) throw refusal('DLMS_TITLE')
}
