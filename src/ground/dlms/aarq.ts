/** AARQ: a client asks for an association (dlms.md section 4, transcript T frame 1). */

import type { Bytes } from '../bytes.ts'
import { element } from '../der/write.ts'
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
import { otherTags } from './services.ts'

export interface Aarq {
  readonly context: ApplicationContext
  /** The client's system title; the Public client has none. */
  readonly title?: Bytes
  /** Mechanism, and challenge or password; the Public client has none. */
  readonly authentication?: Authentication
  /** The initiateRequest: glo-ciphered, or of the Public client plain. */
  readonly userInformation: Bytes
}

/** @throws RangeError for a title, mechanism or challenge that does not fit */
export function writeAarq({ context, title, authentication, userInformation }: Aarq): Buffer {
  return element(
    otherTags.aarq,
    writeContext(context),
    ...(title ? [writeTitle(tags.title, title)] : []),
    ...(authentication ? [writeAuthentication(tags.authentication, authentication)] : []),
    writeUserInformation(userInformation),
  )
}

/** @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING, DLMS_NOT_USED */
export function readAarq(octets: Bytes): Aarq {
  return readAcse(octets, otherTags.aarq, 'the AARQ', der => {
    const context = readContext(der)
    const title = readTitle(der, tags.title)
    const authentication = readAuthentication(der, tags.authentication)
    const userInformation = readUserInformation(der)
    if (userInformation === undefined) throw refusal('DLMS_ENCODING', 'an AARQ without initiateRequest')
    return { context, ...(title && { title }), ...(authentication && { authentication }), userInformation }
  })
}

const tags = { title: 0xa6, authentication: [0x8a, 0x8b, 0xac] } as const
