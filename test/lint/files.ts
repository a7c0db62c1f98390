/** Files that are good or wrong in one part, made for the tests of the rules. */

import { bitString, oid, printableString, sequence, utf8String } from '../../src/ground/der/write.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readList } from '../../src/ground/x509/list.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { readRequest } from '../../src/ground/x509/request.ts'
import type { Form, Kind, KnownKind } from '../../src/policy/lint/kind.ts'
import { examine, judge, type LintOptions } from '../../src/policy/lint/lint.ts'
import { readSigner } from '../../src/policy/lint/signer.ts'
import { open } from '../../src/policy/lint/view.ts'
import {
  asks,
  type CertificateTemplate,
  certificate,
  certificates,
  extension,
  ids,
  keys,
  type ListTemplate,
  list,
  lists,
  name,
  type RequestTemplate,
  rdn,
  request,
  requests,
  swap,
  uid,
  validity,
} from './forge.ts'

export interface File {
  readonly form: Form
  readonly octets: Buffer
  readonly options?: LintOptions
}

export type CertificateKind = keyof typeof certificates
export type Change<T> = (template: T) => T
export const cert = (kind: CertificateKind, change: Change<CertificateTemplate>, options?: LintOptions): File => ({
  form: 'certificate',
  octets: certificate(change(certificates[kind]())),
  ...(options && { options }),
})
export const csr = (kind: keyof typeof requests, change: Change<RequestTemplate>): File => ({
  form: 'request',
  octets: request(change(requests[kind]())),
})
export const crl = (kind: keyof typeof lists, change: Change<ListTemplate>): File => ({
  form: 'list',
  octets: list(change(lists[kind]())),
})

/** The good file of a kind. */
export function good(kind: KnownKind): File {
  if (kind in certificates) return cert(kind as CertificateKind, same => same)
  return kind in requests
    ? csr(kind as keyof typeof requests, same => same)
    : crl(kind as keyof typeof lists, same => same)
}

export const signer = () => readSigner(Buffer.from(toPem('PUBLIC KEY', keys.authority().spki)))
/** A certificate of the key that signs the templates, under the name that they carry as their issuer, or another. */
export const issuerOf = (subject: Buffer) =>
  readSigner(certificate({ ...certificates['issuing-oca'](), subject, spki: keys.authority().spki }))

export const p = printableString
export const u = utf8String
export const hex = (text: string) => Buffer.from(text, 'hex')
export const organisation = (...rdns: Buffer[]) => cert('organisation', t => ({ ...t, subject: name(...rdns) }))
export const period = (from: Buffer, to: Buffer) =>
  cert('organisation', t => ({ ...t, validity: validity(from, to) }))
export const extended = (kind: CertificateKind, type: string, ...by: Buffer[]) =>
  cert(kind, t => swap(t, type, ...by))
export const added = (kind: CertificateKind, ...by: Buffer[]) =>
  cert(kind, t => ({ ...t, extensions: [...t.extensions, ...by] }))
export const asking = (kind: keyof typeof requests, ...by: Buffer[]) =>
  csr(kind, t => ({ ...t, attributes: [asks(...by)] }))
export const entries = (...by: Buffer[]) => crl('organisation-crl', t => ({ ...t, entries: by }))
export const algorithms = (der: Buffer) => (t: CertificateTemplate) => ({ ...t, inner: der, outer: der })
export const keyed = (kind: CertificateKind, spki: Buffer, change: Change<CertificateTemplate> = t => t) =>
  cert(kind, t => change({ ...t, spki }))
/** The point of the subject's key in another form, or with one octet changed. */
export const withPoint = (change: (point: Buffer) => Buffer) =>
  sequence(
    sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')),
    bitString(change(Buffer.from(keys.subject().spki.subarray(26)))),
  )
export const compressed = (point: Buffer) => Buffer.concat([Buffer.of(2 + (point[64]! & 1)), point.subarray(1, 33)])
export const offCurve = (point: Buffer) => Buffer.concat([point.subarray(0, 64), Buffer.of(point[64]! ^ 1)])
export const boxedIssuer = name(rdn(ids.ou, u('04')), uid)
export const signedAs = (...content: Buffer[]) => cert('device', t => ({ ...t, signature: sequence(...content) }))
export const oddKeyUsage = (text: string) =>
  extended('organisation', ids.keyUsage, extension(ids.keyUsage, true, hex(text)))

export const idsOf = ({ form, octets, options }: File) =>
  examine(form, octets, options ?? {}).findings.map(finding => finding.rule)

/** As `judge`, of a file that can be read. */
export function judged({ form, octets, options }: File, kind: Kind) {
  const it =
    form === 'certificate' ? readCertificate(octets) : form === 'request' ? readRequest(octets) : readList(octets)
  return judge(open(it), kind, options)
}

/** By rule: a file that breaks it, and which other rules that breaks. */
export type Broken = Record<string, [make: () => File, ...also: string[]]>
