/** What AARQ and AARE have in common: BER elements in their one short form, context and mechanism (dlms.md section 4). */

import type { Bytes } from '../bytes.ts'
import { oidContent, readOid } from '../der/oid.ts'
import { Der, NotDer, tag } from '../der/read.ts'
import { element, octetString, oid } from '../der/write.ts'
import { refusal } from './refusals.ts'
import { titleLength } from './title.ts'

/** By logical names, unprotected (the Public client) or with ciphering. */
export type ApplicationContext = 'plain' | 'ciphered'

/** How a side authenticates: 0 not at all, 1 password, 5 HLS with GMAC. Only 5 is ever opened by us. */
export interface Authentication {
  readonly mechanism: number
  /** A challenge, or with mechanism 1 the password: 0 to 64 octets. */
  readonly value: Bytes
}

const contexts = { plain: '2.16.756.5.8.1.1', ciphered: '2.16.756.5.8.1.3' } as const
const mechanisms = '2.16.756.5.8.2.'
/** ACSE requirements: one bit, authentication. */
const requirements = Buffer.of(0x07, 0x80)

export function writeContext(context: ApplicationContext): Buffer {
  return element(0xa1, oid(contexts[context]))
}

export function readContext(der: Der): ApplicationContext {
  const outer = der.enter(0xa1, 'the application context')
  const name = readOid(outer, 'the application context')
  outer.finish('the application context')
  if (name === contexts.plain) return 'plain'
  if (name === contexts.ciphered) return 'ciphered'
  throw refusal('DLMS_NOT_USED', `the application context ${name}`)
}

/** A system title, in its element with that tag. @throws RangeError */
export function writeTitle(tagOctet: number, title: Bytes): Buffer {
  if (title.length !== titleLength) throw new RangeError('a system title is 8 octets')
  return element(tagOctet, octetString(title))
}

/** The next element if it carries that tag. */
export function readTitle(der: Der, tagOctet: number): Bytes | undefined {
  if (der.peek() !== tagOctet) return undefined
  const title = onlyOctets(der.enter(tagOctet, 'a system title'), tag.octetString, 'a system title')
  if (title.length !== titleLength) throw refusal('DLMS_LENGTH', 'a system title')
  return title
}

/** The tags of requirements, mechanism and value: 8A 8B AC from the client, 88 89 AA from the server. */
export type AuthenticationTags = readonly [number, number, number]

/** @throws RangeError for a mechanism or a value that does not fit */
export function writeAuthentication(tags: AuthenticationTags, { mechanism, value }: Authentication): Buffer {
  if (!isMechanism(mechanism)) throw new RangeError('not a mechanism')
  if (value.length > longestValue) throw new RangeError('an authentication value is at most 64 octets')
  return Buffer.concat([
    element(tags[0], requirements),
    element(tags[1], oidContent(`${mechanisms}${mechanism}`)),
    element(tags[2], element(0x80, value)),
  ])
}

/** All three elements or none. */
export function readAuthentication(der: Der, tags: AuthenticationTags): Authentication | undefined {
  if (der.peek() !== tags[0]) return undefined
  if (!requirements.equals(der.content(tags[0], 'the ACSE requirements'))) {
    throw refusal('DLMS_ENCODING', 'ACSE requirements other than authentication')
  }
  const name = readOid(der, 'the mechanism', tags[1])
  const mechanism = name.startsWith(mechanisms) ? Number(name.slice(mechanisms.length)) : Number.NaN
  if (!isMechanism(mechanism)) throw refusal('DLMS_NOT_USED', `the mechanism ${name}`)
  const value = onlyOctets(der.enter(tags[2], 'the authentication value'), 0x80, 'the authentication value')
  if (value.length > longestValue) throw refusal('DLMS_LENGTH', 'the authentication value')
  return { mechanism, value }
}

export function writeUserInformation(octets: Bytes): Buffer {
  return element(0xbe, octetString(octets))
}

/** The octets of the initiate service in it, protected or plain. */
export function readUserInformation(der: Der): Bytes | undefined {
  if (der.peek() !== 0xbe) return undefined
  return onlyOctets(der.enter(0xbe, 'the user information'), tag.octetString, 'the user information')
}

/**
 * Reads the whole of `octets` as one element with that tag. Lengths are definite and in their shortest form, which BER
 * would not ask for: what is written otherwise, nobody we know writes.
 * @throws Refusal DLMS_FRAMING, DLMS_LENGTH, DLMS_ENCODING
 */
export function readAcse<T>(octets: Bytes, tagOctet: number, what: string, read: (content: Der) => T): T {
  const whole = new Der(octets)
  if (whole.peek() !== tagOctet) throw refusal('DLMS_FRAMING', `not ${what}`)
  try {
    const content = whole.enter(tagOctet, what)
    whole.finish(what)
    const result = read(content)
    content.finish(`the fields of ${what} that are used here`)
    return result
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
    const code = lengthFaults.has(cause.fault) ? 'DLMS_LENGTH' : 'DLMS_ENCODING'
    throw refusal(code, cause.message, { details: { offset: cause.offset }, cause })
  }
}

const lengthFaults: ReadonlySet<string> = new Set(['truncated', 'trailing', 'length'])
const longestValue = 64

const isMechanism = (mechanism: number) => Number.isInteger(mechanism) && mechanism >= 0 && mechanism <= 7

/** The content of the one element in `outer`. */
function onlyOctets(outer: Der, tagOctet: number, what: string): Bytes {
  const octets = outer.content(tagOctet, what)
  outer.finish(what)
  return octets
}
