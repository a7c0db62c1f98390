/** The linter: measures certificates, requests and lists by every rule of their kind. It never throws on octets. */

import type { Bytes } from '../../ground/bytes.ts'
import { NotDer } from '../../ground/der/read.ts'
import { type Certificate, readCertificate } from '../../ground/x509/certificate.ts'
import { type RevocationList, readList } from '../../ground/x509/list.ts'
import { type CertificationRequest, readRequest } from '../../ground/x509/request.ts'
import { ruleOfFault } from './der-rules.ts'
import type { Form, Kind } from './kind.ts'
import { profiles } from './profiles.ts'
import { recognise } from './recognise.ts'
import { clauseFor, type Finding, oneLine, type Rule, severityFor } from './rule.ts'
import { rules } from './rules.ts'
import { defaultSettings, type LintSettings } from './settings.ts'
import { type Opened, open, type Signer, type View } from './view.ts'

export interface LintOptions {
  /** Measure by this profile, instead of the one that fits. */
  readonly as?: Kind
  /** Check signature, issuer and authority key identifier against it. */
  readonly issuer?: Signer
  readonly settings?: Partial<LintSettings>
}

/** What was found in one certificate, request or list. */
export interface Report {
  readonly form: Form
  readonly kind: Kind
  /** What could be read; undefined where the whole of it could not. */
  readonly opened: Opened | undefined
  /** Errors first, then in the order of the rules. */
  readonly findings: readonly Finding[]
}

export function lintCertificate(it: Bytes | Certificate, options: LintOptions = {}): Finding[] {
  return [...examine('certificate', it, options).findings]
}

export function lintRequest(it: Bytes | CertificationRequest, options: LintOptions = {}): Finding[] {
  return [...examine('request', it, options).findings]
}

export function lintList(it: Bytes | RevocationList, options: LintOptions = {}): Finding[] {
  return [...examine('list', it, options).findings]
}

const readers = { certificate: readCertificate, request: readRequest, list: readList }

/** As the three above, and says which kind it was measured as. */
export function examine(
  form: Form,
  it: Bytes | Certificate | CertificationRequest | RevocationList,
  options: LintOptions = {},
): Report {
  try {
    const opened = open(it instanceof Uint8Array ? readers[form](it) : it)
    const kind = options.as ?? recognise(opened)
    return { form, kind, opened, findings: measure(opened, kind, options) }
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
    const rule = ruleOfFault(cause.fault)
    const kind = options.as ?? 'unknown'
    return { form, kind, opened: undefined, findings: [finding(rule, kind, oneLine(cause.message))] }
  }
}

/** Every rule of the kind, whether it holds, does not, or had nothing to look at. For tests of the rules themselves. */
export function judge(opened: Opened, kind: Kind, options: LintOptions = {}): Map<Rule, ReturnType<Rule['judge']>> {
  const settings = { ...defaultSettings, ...options.settings }
  const profile = { ...profiles[kind], ...settings.profiles[kind] }
  const view: View = { ...opened, kind, profile, settings, signer: options.issuer }
  return new Map(rules.filter(rule => rule.kinds.includes(kind)).map(rule => [rule, rule.judge(view)]))
}

function measure(opened: Opened, kind: Kind, options: LintOptions): Finding[] {
  const findings: Finding[] = []
  for (const [rule, answer] of judge(opened, kind, options)) {
    if (answer !== undefined && answer !== true) findings.push(finding(rule, kind, answer.found))
  }
  return findings.toSorted((a, b) => weight[a.severity] - weight[b.severity])
}

const weight = { error: 0, warning: 1, notice: 2 }

function finding(rule: Rule, kind: Kind, found: string): Finding {
  const { id, says } = rule
  return { rule: id, severity: severityFor(rule, kind), says, found, clause: clauseFor(rule, kind) }
}
