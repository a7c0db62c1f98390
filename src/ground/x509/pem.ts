/** PEM (RFC 7468): text around DER, written at 64 columns and read strictly within its boundaries. */

import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'

export type PemLabel =
  | 'CERTIFICATE'
  | 'CERTIFICATE REQUEST'
  | 'NEW CERTIFICATE REQUEST'
  | 'X509 CRL'
  | 'PUBLIC KEY'
  | string

export function toPem(label: PemLabel, der: Bytes): string {
  const lines =
    view(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export interface PemBlock {
  readonly label: string
  readonly der: Buffer
}

/** The text has a boundary that is not closed, or base64 that is not base64. */
export class NotPem extends Error {
  override name = 'NotPem'
}

/** Every block of the text, in order; what stands between blocks is commentary. @throws NotPem */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  const begin = /^-----BEGIN ([^\r\n-]+(?:-[^\r\n-]+)*)-----[ \t]*\r?$/gm
  for (let found = begin.exec(text); found; found = begin.exec(text)) {
    const label = found[1]!
    const end = text.indexOf(`-----END ${label}-----`, begin.lastIndex)
    if (end < 0) throw new NotPem(`the ${label} block has no end`)
    blocks.push({ label, der: fromBase64(text.slice(begin.lastIndex, end)) })
    begin.lastIndex = end
  }
  return blocks
}

/** Strict base64, white space apart. @throws NotPem */
export function fromBase64(text: string): Buffer {
  const bare = text.replace(/[ \t\r\n]+/g, '')
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) throw new NotPem('not base64')
  const octets = Buffer.from(bare, 'base64')
  // Bits beyond the last octet must be zero (RFC 4648 3.5): re-encoding shows it.
  if (octets.toString('base64') !== bare) throw new NotPem('not canonical base64')
  return octets
}

/** DER of a file that holds either PEM blocks of one of these labels, or bare DER. @throws NotPem */
export function readPemOrDer(octets: Bytes, labels: readonly string[]): Buffer[] {
  const buffer = view(octets)
  // DER of everything we read begins with a SEQUENCE; a PEM file is text, where 0x30 would be the digit 0. What comes
  // next tells them apart: a length of more than one octet is 80 to 84, which no text has behind a digit. So a
  // certificate that carries the text of another inside is read as itself.
  const long = buffer.length > 1 && buffer[1]! >= 0x80 && buffer[1]! <= 0x84
  if (buffer[0] === 0x30 && (long || !buffer.includes('-----BEGIN '))) return [buffer]
  const blocks = readPem(buffer.toString('latin1')).filter(block => labels.includes(block.label))
  if (blocks.length === 0) throw new NotPem(`neither DER nor PEM with ${labels.join(' or ')}`)
  return blocks.map(block => block.der)
}
