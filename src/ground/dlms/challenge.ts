/** Challenges of high level security, and those that no honest peer sends (dlms.md section 4). */

import { type Bytes, equal } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { refusal } from './refusals.ts'

/** In octets (dlms.md section 4). */
export const challengeLengths = { least: 8, most: 64 } as const

/** A fresh challenge. @throws RangeError for a length of another than 8 to 64 octets */
export function makeChallenge(chance: Chance, length = 16): Bytes {
  if (!fits(length)) throw new RangeError('a challenge is 8 to 64 octets')
  return chance(length)
}

/**
 * The challenge that a peer sent.
 * @param own ours to it, in the same association
 * @throws Refusal DLMS_CHALLENGE_LENGTH, DLMS_CHALLENGE_REFLECTED, DLMS_CHALLENGE_IS_APDU
 */
export function checkPeerChallenge(challenge: Bytes, own: Bytes): void {
  checkAnswerable(challenge)
  if (equal(challenge, own)) throw refusal('DLMS_CHALLENGE_REFLECTED')
}

/**
 * That f(challenge) may be made at all. It is the very tag of an APDU that is authenticated only and reads like the
 * challenge (vector L3); so what reads like a request is not answered.
 * @throws Refusal DLMS_CHALLENGE_LENGTH, DLMS_CHALLENGE_IS_APDU
 */
export function checkAnswerable(challenge: Bytes): void {
  if (!fits(challenge.length)) throw refusal('DLMS_CHALLENGE_LENGTH')
  if (readsLikeRequest(challenge)) throw refusal('DLMS_CHALLENGE_IS_APDU')
}

const fits = (length: number) => length >= challengeLengths.least && length <= challengeLengths.most

/**
 * By its first octets only, whatever follows: a get-, set- or action-request of any choice, on a class below 256 (with
 * lists a count stands before the class); or an initiateRequest. Of random challenges one in some 470,000 reads so, and
 * costs one more association.
 */
function readsLikeRequest(challenge: Bytes): boolean {
  const [tag = 0, choice = 0, , fourth, fifth] = challenge
  if (tag === 0xc0 || tag === 0xc1 || tag === 0xc3) {
    return choice >= 1 && choice <= 6 && (fourth === 0 || fifth === 0)
  }
  return tag === 0x01 && (isInitiate(challenge, 2) || (choice === 0x01 && isInitiate(challenge, 3 + 16)))
}

/** 00 00 06 5F 1F: response-allowed at its default, no quality of service, version 6, the tag of the conformance. */
function isInitiate(challenge: Bytes, at: number): boolean {
  return equal(challenge.subarray(at, at + 5), initiateMiddle)
}

const initiateMiddle = Buffer.from('0000065f1f', 'hex')
