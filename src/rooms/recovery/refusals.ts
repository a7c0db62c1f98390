/** The codes with which recovery says no. None is ever renamed or given another meaning. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const recoveryRefusals = {
  // Events.
  EVENT_UNFIT: { status: 400, says: 'the notification is not whole' },
  EVENT_UNKNOWN: { status: 404, says: 'no Compromise was notified under that reference' },
  EVENT_EXISTS: { status: 409, says: 'a Compromise was notified under that reference already' },
  EVENT_STATE: { status: 409, says: 'that is not the state in which this can be done' },
  MAY_NOT_NOTIFY: { status: 403, says: 'the Compromise of that key is for others to notify' },
  KEY_NOT_RELEVANT: { status: 409, says: 'that is no Relevant Private Key' },
  MEANS_NOT_PERMITTED: { status: 400, says: 'a notification is not confirmed by those means' },
  CONFIRMED_BY_NOTIFIER: { status: 409, says: 'whoever notified does not confirm' },
  PROCEDURE_UNFIT: { status: 409, says: 'that procedure does not cure the Compromise of that key' },
  STEP_NOT_DONE: { status: 409, says: 'what is on record says that this step was not done' },
  STEP_ORDER: { status: 409, says: 'another step comes first' },
  DEVICES_FROZEN: { status: 409, says: 'the Relevant Devices of that event are frozen' },
  DEVICES_NOT_FROZEN: { status: 409, says: 'the Relevant Devices of that event are not frozen yet' },
  DEVICES_NONE: { status: 409, says: 'no Device in the inventory is a Relevant Device' },
  INVENTORY_UNREADABLE: { status: 400, says: 'the inventory is not in its format' },
  // Directions.
  DIRECTION_NEEDED: { status: 409, says: 'that key is used by direction of the SMKI PMA alone' },
  DIRECTION_UNFIT: { status: 409, says: 'the decision does not say what a direction says' },
  DIRECTION_OTHER_KEY: { status: 409, says: 'the direction is for another key' },
  DIRECTION_OTHER_DEVICES: { status: 409, says: 'the direction is for another set of Devices' },
  DIRECTION_OTHER_EVENT: { status: 409, says: 'the direction is for another event' },
  DIRECTION_NOT_IN_FORCE: { status: 409, says: 'the direction is not in force at this time' },
  DIRECTION_DEVICE_OUTSIDE: { status: 409, says: 'the direction does not cover that Device' },
  DIRECTION_CELL_OUTSIDE: { status: 409, says: 'the direction does not cover that cell' },
  DIRECTION_USED_UP: { status: 409, says: 'the direction allows no more commands' },
  DIRECTION_EXISTS: { status: 409, says: 'that decision was made a direction already' },
  // Keys and their custodians.
  CUSTODY_UNKNOWN: { status: 409, says: 'nobody keeps shares of that' },
  CUSTODIANS_COUNT: { status: 409, says: 'there are not as many Key Custodians as there are to be' },
  CUSTODIAN_OF_BOTH: {
    status: 409,
    says: 'the Contingency Private Key and the Symmetric Key are in different hands',
  },
  KEY_ASLEEP: { status: 409, says: 'that key wakes for a ceremony alone' },
  KEY_NOT_DIRECTED: { status: 409, says: 'that key signs nothing but what was written down under a direction' },
  // Commands and answers.
  SIGNER_MISSING: { status: 409, says: 'nobody is here who can sign for that originator' },
  NOTHING_TO_REPLACE: { status: 409, says: 'no certificate is there for a cell of that Device' },
  ANOTHER_PARTYS: { status: 409, says: 'the certificate belongs to another party than the cell' },
  NOT_UNDER_ROOT: { status: 409, says: 'the path of that certificate ends in another root' },
  SYMMETRIC_KEY_WRONG: {
    status: 409,
    says: 'the Symmetric Key does not open the contingency key of the root that Devices hold',
  },
  ANSWER_UNREADABLE: { status: 400, says: 'that is no answer of a Device' },
  ANSWER_UNASKED: { status: 409, says: 'no command has that Device and that counter' },
  ANSWER_NOT_ITS_OWN: { status: 409, says: 'the answer is not signed by the Device that it names' },
  ANSWER_REPLAYED: { status: 409, says: 'that command was answered before' },
  ANSWER_TO_ANOTHER: { status: 409, says: 'the answer does not fit the command that it names' },
  ANSWER_COUNTER: { status: 409, says: 'the counter in the answer is not that of the command' },
  // Files.
  FILE_UNKNOWN: { status: 404, says: 'no such file of that recovery is kept' },
  FILE_UNFIT: { status: 400, says: 'the file is not in the format of recovery files' },
  FILE_SEQUENCE: { status: 409, says: 'the file is not the next of its sequence' },
  FILE_SIGNATURE: { status: 409, says: 'the signature of the file does not hold' },
} as const satisfies Refusals<string>

export type RecoveryCode = keyof typeof recoveryRefusals

/** The sentence of the code, and after it what is particular. */
export const no = refusing(recoveryRefusals)
