/** RLRQ and RLRE: an association ends (dlms.md sections 2 and 9). */

import type { Bytes } from '../bytes.ts'
import { element } from '../der/write.ts'
import { readAcse } from './acse.ts'
import { refusal } from './refusals.ts'
import { octet } from './request.ts'
import { otherTags } from './services.ts'

/**
 * Neither is protected here: whoever sits on the line can end an association anyway. The page gives the tags only; the
 * layout, `62 03 80 01 00`, is what open implementations write and read.
 */
export interface Release {
  readonly kind: 'request' | 'response'
  /** 0 normal; in a request 1 urgent, in a response 1 not finished; 30 the user's own. Some leave it out. */
  readonly reason?: number
}

export const releaseRequest: Release = { kind: 'request', reason: 0 }

/** 62 or 63, then 80 01 reason. @throws RangeError */
export function writeRelease({ kind, reason }: Release): Buffer {
  return element(tagOf[kind], ...(reason === undefined ? [] : [element(reasonTag, Buffer.of(octet(reason)))]))
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING, DLMS_NOT_USED for another reason than 0, 1, 30 */
export function readRelease(octets: Bytes): Release {
  const kind = octets[0] === otherTags.rlre ? 'response' : 'request'
  return readAcse(octets, tagOf[kind], `the release ${kind}`, der => {
    if (der.done) return { kind }
    const reason = der.small('the reason', reasonTag)
    if (!reasons.has(reason)) throw refusal('DLMS_NOT_USED', `the reason ${reason}`)
    return { kind, reason }
  })
}

const tagOf = { request: otherTags.rlrq, response: otherTags.rlre } as const
const reasonTag = 0x80
const reasons: ReadonlySet<number> = new Set([0, 1, 30])
