/** Any plain APDU of the services that are used here: by its tag to the file that knows it. */

import type { Bytes } from '../bytes.ts'
import type { Text } from '../keystore/dlms-cipher.ts'
import {
  type ActionRequest,
  type ActionResponse,
  readActionRequest,
  readActionResponse,
  writeActionRequest,
  writeActionResponse,
} from './action.ts'
import { hex } from './cursor.ts'
import { type ExceptionResponse, readException, writeException } from './exception.ts'
import {
  type GetRequest,
  type GetResponse,
  readGetRequest,
  readGetResponse,
  writeGetRequest,
  writeGetResponse,
} from './get.ts'
import {
  type InitiateRequest,
  type InitiateResponse,
  readInitiateRequest,
  readInitiateResponse,
  writeInitiateRequest,
  writeInitiateResponse,
} from './initiate.ts'
import { refusal } from './refusals.ts'
import {
  readSetRequest,
  readSetResponse,
  type SetRequest,
  type SetResponse,
  writeSetRequest,
  writeSetResponse,
} from './set.ts'

export type Plain =
  | InitiateRequest
  | InitiateResponse
  | GetRequest
  | GetResponse
  | SetRequest
  | SetResponse
  | ActionRequest
  | ActionResponse
  | ExceptionResponse

/**
 * Reads one whole plain APDU. event-notification and confirmedServiceError can be protected, but are not read.
 * @throws Refusal DLMS_NOT_USED for a tag that is not known here; what the reader of that APDU throws
 */
export function readPlain(octets: Bytes): Plain {
  const tag = octets[0]
  const read = tag === undefined ? undefined : readers.get(tag)
  if (read === undefined) {
    throw refusal('DLMS_NOT_USED', tag === undefined ? 'no octets' : `the plain tag ${hex(tag)}`)
  }
  return read(octets)
}

/** What `readPlain` reads back. @throws RangeError for numbers that do not fit */
export function writePlain(apdu: Plain): Text {
  switch (apdu.service) {
    case 'initiateRequest':
      return writeInitiateRequest(apdu)
    case 'initiateResponse':
      return writeInitiateResponse(apdu)
    case 'get-request':
      return writeGetRequest(apdu)
    case 'get-response':
      return writeGetResponse(apdu)
    case 'set-request':
      return writeSetRequest(apdu)
    case 'set-response':
      return writeSetResponse(apdu)
    case 'action-request':
      return writeActionRequest(apdu)
    case 'action-response':
      return writeActionResponse(apdu)
    case 'exception-response':
      return writeException(apdu)
  }
}

const readers: ReadonlyMap<number, (octets: Bytes) => Plain> = new Map<number, (octets: Bytes) => Plain>([
  [0x01, readInitiateRequest],
  [0x08, readInitiateResponse],
  [0xc0, readGetRequest],
  [0xc4, readGetResponse],
  [0xc1, readSetRequest],
  [0xc5, readSetResponse],
  [0xc3, readActionRequest],
  [0xc7, readActionResponse],
  [0xd8, readException],
])
