/** The codes with which the operator API itself says no; those of the rooms pass through it as they are. */

import { type Refusals, refusing } from '../../ground/refusal.ts'

export const operatorRefusals = {
  // Who may come in.
  CREDENTIAL_NOT_KNOWN: { status: 403, says: 'the client certificate is no credential that is on record here' },
  CREDENTIAL_OTHER_DOOR: { status: 403, says: 'a credential of that kind does not open the operator API' },
  CREDENTIAL_NOT_IN_USE: { status: 403, says: 'the credential is not in use' },
  OFFICE_UNCLEAR: { status: 400, says: 'you hold several offices: say which you act in, in the header Acting-As' },
  NOT_YOURS_TO_SEE: { status: 403, says: 'that is not for your office to look at' },
  // What may be sent.
  REQUEST_UNFIT: { status: 400, says: 'the request is not as the description of this interface has it' },
  REQUEST_TOO_LONG: { status: 413, says: 'the body of the request is too long' },
  REQUEST_NOT_JSON: { status: 415, says: 'the body of a request is JSON' },
  FILE_TOO_LONG: { status: 413, says: 'the file is longer than this interface takes' },
  UPLOADS_BUSY: { status: 503, says: 'many files are being taken in just now: try again in a minute' },
  NOTHING_THERE: { status: 404, says: 'there is nothing under that address' },
  RETRY_KEY_REUSED: { status: 409, says: 'that Idempotency-Key was used for another request' },
  API_KEY_UNKNOWN: { status: 404, says: 'that is no API key in use; upper and lower case differ' },
} as const satisfies Refusals<string>

export type OperatorCode = keyof typeof operatorRefusals

/** The sentence of the code, and after it what is particular. */
export const refuse = refusing(operatorRefusals)
