/** The messages of the SMKI Repository Web Service, as Smart DCC's client knows them (repository 3). */

import { type Bytes, view } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { expectAttributes, readTree, textsOf, type XmlElement } from '../../ground/xml/tree.ts'
import { NotValid, Unreadable } from '../../ground/xml/unreadable.ts'
import { collapse } from '../../ground/xml/values.ts'
import { declaration, element } from '../../ground/xml/write.ts'

/** Refused requests are answered with HTTP 401: the client's word for "invalid search parameters". */
export const refusals = {
  INVALID_SEARCH: { status: 401, says: 'the request is not a valid search of the Repository' },
} as const satisfies Record<string, { status: number; says: string }>

export interface CertificateSearch {
  readonly subject: 'ORGANISATION' | 'DEVICE'
  /** Hyphenated, upper case, whatever case was sent. */
  readonly eui64: string
}

/** A CertificateSearchRequest. @throws Refusal INVALID_SEARCH */
export function readSearchRequest(octets: Bytes): CertificateSearch {
  return reading(octets, 'CertificateSearchRequest', root => {
    const name = root.children[0]?.name === organisation ? organisation : device
    const eui64 = value(root, name, /^[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){7}$/).toUpperCase()
    return { subject: name === organisation ? 'ORGANISATION' : 'DEVICE', eui64 }
  })
}

/**
 * The serial number that a CertificateDataRequest asks for: an integer, because the client sends it in lower case,
 * without leading zeros, and with an odd number of digits.
 * @throws Refusal INVALID_SEARCH
 */
export function readDataRequest(octets: Bytes): bigint {
  return reading(octets, 'CertificateDataRequest', root =>
    // 20 octets are the most that a serial number has (RFC 5280 4.1.2.2).
    BigInt(`0x${value(root, 'CertificateSerial', /^[0-9A-Fa-f]{1,40}$/)}`),
  )
}

const organisation = 'CertificateSubjectName'
const device = 'CertificateSubjectAltName'

function reading<T>(octets: Bytes, name: string, read: (root: XmlElement) => T): T {
  try {
    const root = readTree(octets)
    if (root.name !== name) throw new NotValid(`the root is not ${name}`, root.position)
    expectAttributes(root)
    return read(root)
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause
    const details = { kind: cause.name, position: cause.position }
    throw new Refusal('INVALID_SEARCH', `${refusals.INVALID_SEARCH.says}: ${cause.message}`, { details, cause })
  }
}

/** The text of the only child. White space around it is a matter of layout. */
function value(root: XmlElement, name: string, form: RegExp): string {
  const text = collapse(textsOf(root, [name])[0]!)
  if (!form.test(text)) throw new NotValid(`the ${name} is malformed`, root.children[0]!.position)
  return text
}

/** A certificate as the Repository tells of it. */
export interface Found {
  readonly serial: bigint
  /** Hyphenated, upper case. */
  readonly eui64: string
  /** Pending, In use, Not in use, Expired, Revoked. */
  readonly status: 'P' | 'I' | 'N' | 'E' | 'R'
  /** The Remote Party Role of an organisation's certificate; undefined makes it a Device's. */
  readonly role: number | undefined
  readonly usage: 'DS' | 'KA'
  readonly manufacturingFlag: boolean
}

interface Answer {
  /** Unique per request, and logged. */
  readonly auditReference: string
}

/** CertificateSearchResponse, with every certificate of the EUI-64: the client filters. */
export function writeSearchResponse(answer: Answer & { readonly results: readonly Found[] }): string {
  return document('CertificateSearchResponse', 200, answer, answer.results.map(result).join(''))
}

/** CertificateDataResponse. `body` is the certificate in DER. */
export function writeDataResponse(answer: Answer & { readonly found: Found; readonly body: Bytes }): string {
  return document('CertificateDataResponse', 200, answer, certificate(answer.found, answer.body))
}

/** The body that goes with HTTP 402 (nothing found) and 401 (invalid search); the client does not read it. */
export function writeNothing(
  answer: Answer & { readonly to: 'search' | 'retrieve'; readonly code: 401 | 402 },
): string {
  return document(
    answer.to === 'search' ? 'CertificateSearchResponse' : 'CertificateDataResponse',
    answer.code,
    answer,
  )
}

const messages = { 200: 'Success', 401: 'Invalid search parameters', 402: 'No certificate found' } as const

function document(name: string, code: keyof typeof messages, { auditReference }: Answer, content = ''): string {
  return (
    `${declaration}<${name}>` +
    element('ResponseCode', String(code)) +
    element('ResponseMessage', messages[code]) +
    element('AuditReference', auditReference) +
    `${content}</${name}>\n`
  )
}

function result(found: Found): string {
  const children = serial(found) + subject(found) + status(found) + role(found) + usage(found) + flag(found)
  return `<Result>${children}</Result>`
}

/** In the order of the table, which is not that of a Result. */
function certificate(found: Found, body: Bytes): string {
  const children = subject(found) + serial(found) + status(found) + usage(found) + flag(found) + role(found)
  const der = element('CertificateBody', view(body).toString('base64'))
  return `<CertificateResponse>${children}${der}</CertificateResponse>`
}

const subject = (found: Found) => element(found.role === undefined ? device : organisation, found.eui64)
const status = (found: Found) => element('CertificateStatus', found.status)
const role = (found: Found) => (found.role === undefined ? '' : element('CertificateRole', String(found.role)))
const usage = (found: Found) => element('CertificateUsage', found.usage)
const flag = (found: Found) => element('ManufacturingFlag', String(found.manufacturingFlag))

/** 32 digits, leading zeros kept; a longer one in whole octets. */
function serial(found: Found): string {
  const digits = found.serial.toString(16).toUpperCase()
  return element('CertificateSerial', digits.padStart(Math.max(32, digits.length + (digits.length % 2)), '0'))
}
