/** Lints a file as it comes: PEM with one block or several, or DER; certificates, requests and lists. */

import { type Bytes, view } from '../../ground/bytes.ts'
import { NotPem, type PemBlock, readPem } from '../../ground/x509/pem.ts'
import type { Form } from './kind.ts'
import { examine, type LintOptions, type Report } from './lint.ts'

export interface FileReport {
  /** In the order of the file. Empty when there is nothing in it that a linter measures. */
  readonly reports: readonly Report[]
  /** Why nothing could be read; undefined otherwise. */
  readonly unreadable: string | undefined
}

/** Everything in the file that is a certificate, a request or a list. Never throws, whatever the octets. */
export function lintFile(octets: Bytes, options: LintOptions = {}): FileReport {
  if (isDer(octets)) return { reports: [examine(formOfDer(octets), octets, options)], unreadable: undefined }
  let blocks: PemBlock[]
  try {
    blocks = readPem(view(octets).toString('latin1'))
  } catch (cause) {
    if (cause instanceof NotPem) return { reports: [], unreadable: cause.message }
    throw cause
  }
  const found = blocks.flatMap(({ label, der }) => {
    const form = Object.hasOwn(labels, label) ? labels[label] : undefined
    return form ? [examine(form, der, options)] : []
  })
  const nothing = 'neither DER nor PEM of a certificate, a request or a list'
  return { reports: found, unreadable: found.length === 0 ? nothing : undefined }
}

const labels: Readonly<Record<string, Form>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'CERTIFICATE REQUEST': 'request',
  'NEW CERTIFICATE REQUEST': 'request',
  'X509 CRL': 'list',
}

/** A SEQUENCE of more than 127 octets, as all three are: no text begins so, not even one with the digit 0. */
function isDer(octets: Bytes): boolean {
  return octets[0] === 0x30 && octets.length > 1 && octets[1]! >= 0x80
}

const sequence = 0x30
const integer = 0x02
const isTime = (tag: number | undefined) => tag === 0x17 || tag === 0x18

/** By the first tags inside what was signed; a certificate where they say nothing. */
export function formOfDer(octets: Bytes): Form {
  const tags = innerTags(octets)
  const from = tags[0] === integer ? 1 : 0
  const [first, second, third] = tags.slice(from)
  // A list: [version] algorithm, issuer, time. No certificate or request has a time there.
  if (first === sequence && second === sequence && isTime(third)) return 'list'
  // A request: version, subject, key, [0] attributes. A certificate of version 1 goes on with three more SEQUENCEs.
  if (from === 1 && first === sequence && second === sequence && third !== sequence) return 'request'
  return 'certificate'
}

/** The tags of the first elements two levels down, as far as lengths can be followed, in DER or in BER. */
function innerTags(octets: Bytes): number[] {
  const outer = header(octets, 0)
  const inner = outer && header(octets, outer.content)
  const tags: number[] = []
  for (let at = inner?.content; at !== undefined && at < octets.length && tags.length < 5; ) {
    const element = header(octets, at)
    tags.push(octets[at]!)
    at = element?.length === undefined ? undefined : element.content + element.length
  }
  return tags
}

function header(octets: Bytes, at: number): { content: number; length: number | undefined } | undefined {
  const first = octets[at + 1]
  if (first === undefined) return undefined
  if (first < 0x80) return { content: at + 2, length: first }
  const count = first & 0x7f
  // BER's indefinite form: the content begins here, where it ends is not said.
  if (count === 0) return { content: at + 2, length: undefined }
  const length = octets.subarray(at + 2, at + 2 + count).reduce((value, octet) => value * 256 + octet, 0)
  return { content: at + 2 + count, length }
}
