/** Every "no" of the S1SP, with its sentence. Codes are never renamed or reused. */

import { Refusal } from '../../../ground/refusal.ts'

export const s1spRefusals = {
  DEVICE_UNREACHABLE: 'the Device cannot be reached',
  DEVICE_UNADDRESSED: 'it is not known where the Device is reached',
  DEVICE_NOT_TAKEN_ON: 'the S1SP has no Device with that identifier',
  DEVICE_UNRESOLVED: 'the Device answers under none of the keys that it may hold',
  DEVICE_WANTS_GAP: 'the Device wants a counter whose APDU it cannot be sent again',
  KEY_LOST: 'a key record is missing or corrupt that is needed',
  MASTER_KEY_LOST: 'the record of the Master Key is missing or corrupt: the Device can never be re-keyed',
  ROTATION_EXISTS: 'that ground has opened a rotation of the Device before',
  DCO_UNREACHABLE: 'the DCO cannot be reached',
  ANSWER_NOT_BELIEVED: 'the answer of the DCO is not one that its message can have',
  CAMPAIGN_UNKNOWN: 'there is no such campaign',
  CAMPAIGN_STATE: 'the campaign is not at the point at which that can be done',
  CAMPAIGN_EMPTY: 'no Device is in the scope',
  CAMPAIGN_EXISTS: 'that decision was entered before',
  TWO_PERSONS: 'who enters a decision does not approve it',
  NOT_PRIVILEGED: 'only an S1SP Privileged Person may do that, and support is the only reason',
  REASON_MISSING: 'the act needs a reason and a ticket',
  RECORD_REMOVED: 'the record was removed from the store',
  S1SP_EXISTS: 'an S1SP was set up there before',
  S1SP_MISSING: 'there is no S1SP there: make one with `smki s1sp init`',
} as const

export type S1spCode = keyof typeof s1spRefusals

/** The Refusal of that code. */
export function no(code: S1spCode, about?: string, more: { cause?: unknown } = {}): Refusal<S1spCode> {
  return new Refusal(code, about === undefined ? s1spRefusals[code] : `${s1spRefusals[code]}: ${about}`, more)
}
