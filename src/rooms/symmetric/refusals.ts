/** Every "no" between an S1SP and a DCO, with its sentence. Codes are never renamed or reused. */

import { Refusal } from '../../ground/refusal.ts'

export const symmetricRefusals = {
  // The message itself.
  MESSAGE_UNREADABLE: 'the octets are not a message that is known here',
  MESSAGE_UNSIGNED: 'the signature over the message does not hold for the organisation that it names',
  MESSAGE_STALE: 'the time in the message is too far from ours: it was sent too long ago, or a clock is wrong',
  MESSAGE_ID_REUSED: 'another message was sent under this id',
  SENDER_UNKNOWN: 'the DCO does not know an S1SP of that name, or the connection is not its own',
  ANSWER_UNREADABLE: 'the octets are not an answer to the message that was sent',
  ANSWER_UNSIGNED: 'the signature over the answer is not that of the DCO',
  // Records.
  RECORD_UNREADABLE: 'the octets are not a key record',
  RECORD_CORRUPT: 'the seal of the key record does not hold: the record is corrupt, and is not opened',
  RECORD_WRONG_TYPE: 'the key record holds a key of another type than the one that is due there',
  RECORD_WRONG_HSM_KEY: 'the package in the key record is under another HSM Key than keys of its type are',
  RECORD_WRONG_DEVICE: 'the key record belongs to another Device, or another client, than the message speaks of',
  RECORD_WRONG_GENERATION: 'the key record is not of the generation that is due there',
  RECORD_NOT_KNOWN: 'the key record was not made by this DCO, or was replaced by another that it made',
  RECORD_MISSING: 'a key record is missing that the act needs',
  // Devices and their keys.
  DEVICE_UNKNOWN: 'the DCO has taken on no Device with that identifier',
  DEVICE_NOT_YOURS: 'the Device was taken on for another S1SP',
  DEVICE_KNOWN: 'the keys of the Device were taken on before',
  MODEL_UNKNOWN: 'the DCO has no Device model of that name',
  MODEL_CANNOT: 'Devices of that model cannot do that',
  KEYS_EQUAL: 'two keys of one Device are equal, or two Devices have one key',
  KEY_UNRESOLVED: 'another key of the Device is made or offered, and its fate is not known yet',
  KEY_STAGE: 'the key is not in the stage in which that can be done',
  GROUND_SPENT: 'the key was replaced on that ground before: there is no periodic rotation',
  GROUND_UNKNOWN: 'the ground refers to a decision that the DCO has no record of',
  // Associations and commands.
  ASSOCIATION_UNKNOWN: 'there is no such association, or it was closed',
  ASSOCIATION_STATE: 'the association is not at the point at which that can be done',
  INSTRUCTION_UNREADABLE: 'the instruction is not one',
  INSTRUCTION_UNSIGNED: 'the instruction has no signature of a countersigner that the DCO knows',
  INSTRUCTION_LATE: 'the instruction is no longer valid',
  INSTRUCTION_OTHER: 'the command is not what the instruction asks for, for that Device and client',
  INSTRUCTION_SPENT: 'that command of the instruction was protected before',
  COMMAND_NOT_TAKEN: 'the APDU is not a get, set or action that the DCO takes from outside',
  COMMAND_IS_DCO_OWN:
    'association, key transfer and whatever else is on class 15 or 64 the DCO makes itself, and takes from nobody',
  TOO_MANY_COMMANDS: 'there are more commands than the threshold allows; somebody should look why',
  COUNTER_JUMP: 'the counter that was read lies further ahead than is believed without a person looking at it',
  // Files and HSM Keys.
  FILE_UNREADABLE: 'the octets are not a file of inherited keys',
  FILE_UNSIGNED: 'the signature over the file does not hold for the holder that it names',
  FILE_NOT_FOR_US: 'the file was made for another recipient',
  FILE_SEEN: 'the file was taken in before',
  PACKAGE_UNREADABLE: 'the octets are not a signed package of an HSM Key',
  PACKAGE_UNSIGNED: 'the signature over the package is not that of the DCO that it names',
  PACKAGE_NOT_FOR_US: 'the package was made for another recipient, or another transport key',
  PACKAGE_SEEN: 'an HSM Key of that name was taken in before',
  RECIPIENT_NOT_ALLOWED: 'that kind of HSM Key is not given to that recipient',
  HSM_KEY_UNKNOWN: 'the DCO has no HSM Key of that name for that S1SP',
  HSM_KEY_NOT_PROVEN: 'the proof does not show that the recipient has the HSM Key',
  RENEWAL_NOT_OPEN: 'no renewal of that HSM Key is open',
  // People and programs.
  PERSON_NOT_ALLOWED: 'the act needs other people: nominated, enough of them, and different ones',
  REASON_MISSING: 'the act needs a reason and a ticket',
  DCO_EXISTS: 'a DCO was set up there before',
  DCO_MISSING: 'there is no DCO there: make one with `smki dco init`',
  SOFTWARE_KEYS_REFUSED: 'in production the keys are in a module: a software key store is for tests',
} as const

export type SymmetricCode = keyof typeof symmetricRefusals

/** The Refusal of that code. `about` says what is concerned; never a key, a challenge answer or a plaintext. */
export function no(
  code: SymmetricCode,
  about?: string,
  more: { details?: Record<string, unknown>; cause?: unknown } = {},
): Refusal<SymmetricCode> {
  return new Refusal(
    code,
    about === undefined ? symmetricRefusals[code] : `${symmetricRefusals[code]}: ${about}`,
    more,
  )
}
