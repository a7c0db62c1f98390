/** AARE: a server's answer to the AARQ (dlms.md section 4, transcript T frame 2). */

import type { Bytes } from '../bytes.ts'
import { type Der, tag } from '../der/read.ts'
import { element, integer } from '../der/write.ts'
import {
  type ApplicationContext,
  type Authentication,
  readAcse,
  readAuthentication,
  readContext,
  readTitle,
  readUserInformation,
  writeAuthentication,
  writeContext,
  writeTitle,
  writeUserInformation,
} from './acse.ts'
import { refusal } from './refusals.ts'
import { octet } from './request.ts'
import { otherTags } from './services.ts'

/** Nothing in it is authenticated but what the user information protects. */
export interface Aare {
  readonly context: ApplicationContext
  /** 0 accepted, 1 rejected for good, 2 rejected for now. */
  readonly result: number
  /** Why, and who says so. From the service user 14 is: authentication required, the good answer for HLS. */
  readonly diagnostic: { readonly source: 'user' | 'provider'; readonly value: number }
  /** The server's system title. */
  readonly title?: Bytes
  /** Mechanism, and the server's challenge. */
  readonly authentication?: Authentication
  /** The initiateResponse, glo-ciphered or plain; or the plain confirmedServiceError of one that is rejected. */
  readonly userInformation?: Bytes
}

export const authenticationRequired = 14

/** @throws RangeError for what does not fit */
export function writeAare(aare: Aare): Buffer {
  const { context, result, diagnostic, title, authentication, userInformation } = aare
  const source = diagnostic.source === 'user' ? tags.user : tags.provider
  return element(
    otherTags.aare,
    writeContext(context),
    element(tags.result, integer(octet(result))),
    element(tags.diagnostic, element(source, integer(octet(diagnostic.value)))),
    ...(title ? [writeTitle(tags.title, title)] : []),
    ...(authentication ? [writeAuthentication(tags.authentication, authentication)] : []),
    ...(userInformation ? [writeUserInformation(userInformation)] : []),
  )
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING, DLMS_NOT_USED */
export function readAare(octets: Bytes): Aare {
  return readAcse(octets, otherTags.aare, 'the AARE', der => {
    const context = readContext(der)
    const result = readNumber(der.enter(tags.result, 'the result'), 'the result')
    if (result > 2) throw refusal('DLMS_ENCODING', `the result ${result}`)
    const diagnostic = readDiagnostic(der.enter(tags.diagnostic, 'the diagnostic'))
    const title = readTitle(der, tags.title)
    const authentication = readAuthentication(der, tags.authentication)
    const userInformation = readUserInformation(der)
    return {
      context,
      result,
      diagnostic,
      ...(title && { title }),
      ...(authentication && { authentication }),
      ...(userInformation && { userInformation }),
    }
  })
}

const tags = {
  result: 0xa2,
  diagnostic: 0xa3,
  user: 0xa1,
  provider: 0xa2,
  title: 0xa4,
  authentication: [0x88, 0x89, 0xaa],
} as const

function readDiagnostic(der: Der): Aare['diagnostic'] {
  const source = der.peek() === tags.provider ? 'provider' : 'user'
  const inner = der.enter(source === 'user' ? tags.user : tags.provider, 'the source of the diagnostic')
  der.finish('the diagnostic')
  return { source, value: readNumber(inner, 'the diagnostic') }
}

function readNumber(der: Der, what: string): number {
  const value = der.small(what, tag.integer)
  der.finish(what)
  if (value > 0xff) throw refusal('DLMS_ENCODING', `${what} ${value}`)
  return value
}
