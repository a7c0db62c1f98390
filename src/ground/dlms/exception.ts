/** exception-response: unprotected, and so a hint and never proof of anything (dlms.md section 2). */

import type { Bytes } from '../bytes.ts'
import { Cursor } from './cursor.ts'
import { octet } from './request.ts'
import { otherTags } from './services.ts'

export interface ExceptionResponse {
  readonly service: 'exception-response'
  readonly stateError: number
  /** By `serviceErrors`. */
  readonly serviceError: number
  /** With service-error 6 the counter that the peer says it wants; some send it, some do not [ASSUMED(M) DLMS-A01]. */
  readonly expectedCounter?: number
}

export const serviceErrors: Readonly<Record<number, string>> = {
  1: 'operation not possible',
  2: 'not supported',
  3: 'other reason',
  4: 'PDU too long',
  5: 'deciphering error',
  6: 'invocation counter error',
}

export function writeException({ stateError, serviceError, expectedCounter }: ExceptionResponse): Buffer {
  const out = Buffer.alloc(expectedCounter === undefined ? 3 : 7)
  out.set([otherTags.exceptionResponse, octet(stateError), octet(serviceError)])
  if (expectedCounter !== undefined) out.writeUInt32BE(expectedCounter, 3)
  return out
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_NOT_USED for a service-error that is not in the table */
export function readException(octets: Bytes): ExceptionResponse {
  const cursor = new Cursor(octets)
  cursor.expect(otherTags.exceptionResponse, 'the tag of an exception-response', 'DLMS_FRAMING')
  const stateError = cursor.octet('the state-error')
  const serviceError = cursor.octet('the service-error')
  if (!(serviceError in serviceErrors)) cursor.fail('DLMS_NOT_USED', `service-error ${serviceError}`, -1)
  const carriesCounter = serviceError === 6 && cursor.left > 0
  const counter = carriesCounter ? { expectedCounter: cursor.number(4, 'the expected counter') } : {}
  cursor.finish('the exception-response')
  return { service: 'exception-response', stateError, serviceError, ...counter }
}
