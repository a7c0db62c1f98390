/** A small PKI to spoil: a root, an issuing CA, an end entity, their lists, and the shape of a case. */

import type { Bytes } from '../../src/ground/bytes.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readList } from '../../src/ground/x509/list.ts'
import type { ProfileName, Reliance, Verdict } from '../../src/ground/x509/path.ts'
import { type PathCode, validate } from '../../src/ground/x509/path.ts'
import {
  type CertificateParts,
  cn,
  extensions as ext,
  forgeCertificate,
  forgeList,
  type ListParts,
  type Pair,
  p256,
} from './forge.ts'

export interface Authority {
  readonly subject: Buffer
  readonly key: Pair
  readonly der: Buffer
}

/** What differs from the ordinary; `null` leaves an extension out. */
export interface Change extends Partial<CertificateParts> {
  pathLength?: number
  constraints?: Bytes | null
  usage?: Bytes | null
  ski?: Bytes | null
  aki?: Bytes | null
  extra?: readonly Bytes[]
}

/** A CA by `by`, or by itself. */
export function ca(text: string, key: Pair, by?: Authority, change: Change = {}): Authority {
  const subject = Buffer.from(change.subject ?? cn(text))
  const maker = by ?? { subject, key }
  const { pathLength, constraints, usage, ski, aki, extra = [], ...parts } = change
  const der = forgeCertificate({
    issuer: maker.subject,
    spki: key.spki,
    by: maker.key,
    extensions: [
      or(usage, ext.usage('keyCertSign', 'cRLSign')),
      or(constraints, ext.constraints(true, pathLength)),
      ...extra,
      or(ski, ext.ski(key.id)),
      or(aki, by ? ext.aki(maker.key.id) : null),
    ].filter(one => one !== null),
    ...parts,
    subject,
  })
  return { subject, key: parts.by && !by ? parts.by : key, der }
}

export function leaf(key: Pair, by: Authority, change: Change = {}): Buffer {
  const { pathLength: _, constraints = null, usage, ski, aki, extra = [], ...parts } = change
  return forgeCertificate({
    subject: cn('leaf'),
    issuer: by.subject,
    spki: key.spki,
    by: by.key,
    extensions: [
      or(usage, ext.usage('digitalSignature')),
      constraints,
      or(ski, ext.ski(key.id)),
      ...extra,
      or(aki, ext.aki(by.key.id)),
    ].filter(one => one !== null),
    ...parts,
  })
}

export function list(by: Authority, change: Partial<ListParts> = {}): Buffer {
  return forgeList({ issuer: by.subject, by: by.key, ...change })
}

function or(given: Bytes | null | undefined, ordinary: Bytes | null): Bytes | null {
  return given === undefined ? ordinary : given
}

export interface Case {
  /** A sentence about what is asked. */
  readonly says: string
  /** `valid`, or the codes of the refusals, in their order and each once. */
  readonly expect: 'valid' | readonly PathCode[]
  readonly target: Bytes
  readonly trust: readonly Bytes[]
  readonly untrusted?: readonly Bytes[]
  readonly lists?: readonly Bytes[]
  /** `ignore`, or a moment; else 2025-06-01. */
  readonly at?: string
  readonly policies?: readonly string[]
  readonly usage?: Reliance['usage']
  readonly purpose?: string
  /** `rfc5280` unless said. */
  readonly profile?: ProfileName
  /** Where OpenSSL says no and we say yes: the name of the rule that explains it. */
  readonly yesAgainstOpenssl?: string
  /** OpenSSL cannot be asked this question. */
  readonly notForOpenssl?: true
}

export const moment = '2025-06-01T00:00:00Z'

export function ask(one: Case): Verdict {
  return validate({
    target: one.target,
    trust: one.trust.map(readCertificate),
    untrusted: (one.untrusted ?? []).map(readCertificate),
    lists: one.lists?.map(readList),
    at: one.at === 'ignore' ? 'ignore' : new Date(one.at ?? moment),
    profile: one.profile ?? 'rfc5280',
    acceptedPolicies: one.policies,
    usage: one.usage,
    purpose: one.purpose,
  })
}

export function codes(verdict: Verdict): PathCode[] {
  return [...new Set(verdict.refusals.map(({ code }) => code))]
}

/** The ordinary ones. */
export const keys = { root: p256(), ica: p256(), sub: p256(), leaf: p256(), other: p256() }
export const root = ca('Root', keys.root)
export const ica = ca('Issuing', keys.ica, root, { pathLength: 0 })

/** root → ica → leaf, with a change to the leaf. */
export function ofLeaf(
  change: Change,
  parts: Partial<CertificateParts> = {},
): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  return { target: leaf(keys.leaf, ica, { ...change, ...parts }), trust: [root.der], untrusted: [ica.der] }
}

/** The same with a change to the issuing CA. */
export function ofIca(change: Change): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const changed = ca('Issuing', keys.ica, root, change)
  return { target: leaf(keys.leaf, changed), trust: [root.der], untrusted: [changed.der] }
}

/** The same with a change to the root. */
export function ofRoot(change: Change): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const changed = ca('Root', keys.root, undefined, change)
  const below = ca('Issuing', keys.ica, changed)
  return { target: leaf(keys.leaf, below), trust: [changed.der], untrusted: [below.der] }
}
