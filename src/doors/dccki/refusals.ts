/** The codes with which the DCCKI door itself says no; those of the rooms pass through it as they are. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const dcckiRefusals = {
  CREDENTIAL_NOT_KNOWN: { status: 403, says: 'the client certificate is no credential that opens this door' },
  SIGNATURE_MISSING: { status: 400, says: 'a message of a system carries a detached signature in DCCKI-Signature' },
  SIGNATURE_UNFIT: {
    status: 400,
    says: 'DCCKI-Signature is no detached CMS signature of the form that is taken here',
  },
  SIGNATURE_WRONG: {
    status: 403,
    says: 'the signature is not that of a FILE_SIGN credential in use over this message',
  },
  MESSAGE_UNFIT: { status: 400, says: 'the message is not as the DCCKI Service Interface has it' },
  MESSAGE_TOO_LONG: { status: 413, says: 'the message is too long' },
  MESSAGE_TYPE: { status: 415, says: 'a message of that type is not taken here' },
  NOT_YOURS_TO_SEE: { status: 403, says: 'that is not for you to look at' },
  NOTHING_THERE: { status: 404, says: 'there is nothing under that address' },
  PLANNED_MAINTENANCE: {
    status: 503,
    says: 'the DCCKI interfaces are under Planned Maintenance (H8.3): ask again later',
  },
} as const satisfies Refusals<string>

export type DcckiCode = keyof typeof dcckiRefusals

/** The sentence of the code, and after it what is particular. */
export const refuse = refusing(dcckiRefusals)
