/** What a form sent: text by field, and files held in memory. A private key in any of it is refused before anything else. */

import { refuse } from '../refusals.ts'

export interface UploadedFile {
  readonly field: string
  /** As the browser named it: to be shown, never to be opened. */
  readonly name: string
  readonly octets: Buffer
}

export interface Form {
  /** Of a field, white space around it taken away; '' when it was not sent. */
  text(field: string): string
  /** As it was typed: white space may be part of a password. */
  secret(field: string): string
  /** Every value of a field that may be ticked several times. */
  all(field: string): readonly string[]
  readonly file: UploadedFile | undefined
  /** As it was sent, for the page that is shown once more. */
  readonly given: Readonly<Record<string, string>>
}

/** The longest form without a file: a CSR has some 1,000 characters, an Organisation Information Form some 20,000. */
export const formOctets = 131_072

export function formOf(fields: URLSearchParams, file?: UploadedFile): Form {
  return {
    text: field => (fields.get(field) ?? '').trim(),
    secret: field => fields.get(field) ?? '',
    all: field => fields.getAll(field),
    file,
    given: Object.fromEntries(fields),
  }
}

/** application/x-www-form-urlencoded in UTF-8. @throws Refusal FORM_UNFIT, PRIVATE_KEY */
export function readForm(octets: Buffer): Form {
  const fields = new URLSearchParams(asText(octets))
  for (const value of fields.values()) requireNoKey(value)
  return formOf(fields)
}

/** @throws Refusal FORM_UNFIT for what is no UTF-8 */
export function asText(octets: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch (cause) {
    if (cause instanceof TypeError) throw refuse('FORM_UNFIT', 'it is not UTF-8')
    throw cause
  }
}

/** Boundary lines of RFC 7468, of OpenSSL and of OpenSSH, however they are broken over lines. */
const keyLines = /-----\s*BEGIN\s[A-Z0-9 ]{0,40}PRIVATE\s+KEY/

/** @throws Refusal PRIVATE_KEY; what was sent stands in no answer, no log and no row */
export function requireNoKey(text: string): void {
  if (keyLines.test(text) || isBareKey(text)) throw refuse('PRIVATE_KEY')
}

/**
 * Base64 of PKCS#8 or SEC 1 without boundary lines: a SEQUENCE that begins with the version 0 or 1 (RFC 5958, RFC 5915,
 * RFC 8017). A PKCS#10 and a certificate begin with a SEQUENCE instead.
 */
function isBareKey(text: string): boolean {
  if (!/^[A-Za-z0-9+/\s]{40,}={0,2}\s*$/.test(text)) return false
  const head = Buffer.from(text.slice(0, 200), 'base64')
  const length = head[1] ?? 0
  const at = length < 0x80 ? 2 : 2 + (length & 0x7f)
  return head[0] === 0x30 && head[at] === 0x02 && head[at + 1] === 0x01 && (head[at + 2] ?? 9) <= 1
}
