/** Every "no" of the DLMS layer, with its sentence. */

import { Refusal } from '../refusal.ts'

export const dlmsRefusals = {
  DLMS_LENGTH: 'a length does not fit the octets that are there, or is not in its shortest form',
  DLMS_TOO_LONG: 'that is longer than the framing can say, or than was agreed',
  DLMS_WRAPPER: 'the octets are not the wrapper of a TCP connection, version 1',
  DLMS_FRAMING: 'the octets do not begin like what was due',
  DLMS_DIRECTION: 'the APDU is one that the other side sends: one of our own may have come back',
  DLMS_NOT_USED: 'that APDU, service, option or data type is not used here',
  DLMS_ENCODING: 'the octets are not an encoding of that APDU',
  DLMS_DEPTH: 'the data are nested more deeply than any that are used here',
  DLMS_SUITE: 'the security suite is not 0',
  DLMS_COMPRESSION: 'the APDU says that it is compressed',
  DLMS_KEY_SET: 'the APDU says that it is under the broadcast key',
  DLMS_PROTECTION_TOO_WEAK: 'the APDU is protected less than was expected',
  DLMS_TITLE: 'the system title is not that of the peer',
  DLMS_COUNTER: 'the invocation counter is not one that may come now',
  DLMS_TAG: 'the authentication tag is wrong: changed octets, another key, title or counter',
  DLMS_SERVICE_MISMATCH: 'the deciphered APDU is not of the service that its outside names, or that was due',
  DLMS_GUEK_ONLY: 'initiateRequest and initiateResponse are protected under the GUEK, never under a Dedicated Key',
  DLMS_COUNTER_USED_UP: 'the invocation counter is at its maximum: the key is used up',
  DLMS_WRAP: 'the wrapped key does not open: another Master Key, or the wrap was changed',
  DLMS_ASSOCIATION_REJECTED: 'the peer did not accept the association',
  DLMS_MECHANISM: 'the association is not one with ciphering under HLS mechanism 5',
  DLMS_OWN_TITLE: 'the peer gave our own system title as its own',
  DLMS_CHALLENGE_LENGTH: 'a challenge is 8 to 64 octets',
  DLMS_CHALLENGE_REFLECTED: 'the challenge of the peer is our own',
  DLMS_CHALLENGE_IS_APDU: 'the challenge of the peer reads as an APDU',
  DLMS_HLS: 'the answer to our challenge is wrong',
  DLMS_RESULT: 'the peer answered with another result than success',
} as const

export type DlmsCode = keyof typeof dlmsRefusals

/** The Refusal of that code. `about` says what is concerned; never a key, a challenge answer or a plaintext. */
export function refusal(
  code: DlmsCode,
  about?: string,
  more: { details?: Record<string, unknown>; cause?: unknown } = {},
): Refusal<DlmsCode> {
  return new Refusal(code, about === undefined ? dlmsRefusals[code] : `${dlmsRefusals[code]}: ${about}`, more)
}
