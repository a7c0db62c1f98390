/** HLS mechanism 5: the answer to a challenge, a GMAC over it (dlms.md section 4). */

import type { Bytes } from '../bytes.ts'
import type { DlmsCipher, Opened } from '../keystore/dlms-cipher.ts'
import { Refusal } from '../refusal.ts'
import { checkAnswerable } from './challenge.ts'
import { controlOf } from './control.ts'
import type { TakenCounter } from './counter.ts'
import { Cursor } from './cursor.ts'
import { checkCounter, type Floor } from './floor.ts'
import { refusal } from './refusals.ts'
import { ivOf } from './remove.ts'

/** HLS uses the GUEK, never a Dedicated Key: the type says so. */
export interface HlsKeys {
  readonly cipher: DlmsCipher
  readonly key: Opened<'GUEK'>
  readonly ak: Opened<'AK'>
}

/** Security control, invocation counter, GMAC. */
export const answerLength = 17

/**
 * f(challenge), 17 octets, under the title that the counter was taken for. It is the tag of an APDU that is
 * authenticated only, so it leaves the DCO inside a ciphered APDU and in no other way.
 * @throws Refusal DLMS_CHALLENGE_LENGTH, DLMS_CHALLENGE_IS_APDU
 */
export function answerChallenge(keys: HlsKeys, counter: TakenCounter, challenge: Bytes): Buffer {
  checkAnswerable(challenge)
  const { cipher, key, ak } = keys
  const control = controlOf.authenticated
  const tag = cipher.authenticate(key, ak, counter, control, challenge)
  const answer = Buffer.alloc(answerLength)
  answer[0] = control
  answer.writeUInt32BE(counter.value, 1)
  answer.set(tag, 5)
  return answer
}

/**
 * Checks f(challenge) as a peer gave it. A right answer to a fresh challenge proves GUEK and AK together.
 * @param from.title the peer's
 * @param from.floor as it stood before the APDU that carries the answer: peers use one counter for both (dlms.md 4)
 * @returns the counter in it; above the outer one, it is what the floor is raised by
 * @throws Refusal DLMS_LENGTH, DLMS_HLS, DLMS_COUNTER
 */
export function checkAnswer(
  keys: HlsKeys,
  answer: Bytes,
  challenge: Bytes,
  from: { title: Bytes; floor: Floor },
): number {
  const cursor = new Cursor(answer)
  if (answer.length !== answerLength) cursor.fail('DLMS_LENGTH', `an answer of ${answer.length} octets`)
  cursor.expect(controlOf.authenticated, 'the security control of the answer', 'DLMS_HLS')
  const counter = cursor.number(4, 'the invocation counter of the answer')
  checkCounter(from.floor, counter)
  const tag = cursor.take(12, 'the GMAC')
  try {
    const { cipher, key, ak } = keys
    cipher.verify(key, ak, ivOf(from.title, counter), controlOf.authenticated, challenge, tag)
  } catch (cause) {
    if (!isWrongTag(cause)) throw cause
    throw refusal('DLMS_HLS', undefined, { cause })
  }
  return counter
}

function isWrongTag(cause: unknown): boolean {
  return cause instanceof Refusal && cause.code === 'DLMS_TAG'
}
