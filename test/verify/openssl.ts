/** Asks the `openssl verify` command the questions that we answer, many targets of one setting in one process. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bytes, equal } from '../../src/ground/bytes.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { open } from '../../src/ground/x509/path/opened.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { type Case, moment } from './scene.ts'

export interface Answer {
  /** `0`: yes. Else the number of the first error; `-1` where there is none, as for a file that was not read. */
  readonly error: number
  /** Of the certificate that the error is about; 0 is the target. */
  readonly depth: number
}

/** What a setting shares: everything of a case but its target. */
export type Setting = Omit<Case, 'target' | 'says' | 'expect'>

/**
 * The answers for all targets. As strict as OpenSSL can be: -x509_strict, -check_ss_sig, policies checked (it takes no
 * policies to mean none, so any is said).
 */
export function opensslVerify(setting: Setting, targets: readonly Bytes[]): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-verify-'))
  try {
    const put = (name: string, label: string, all: readonly Bytes[]) => {
      writeFileSync(join(folder, name), all.map(der => toPem(label, der)).join(''))
      return name
    }
    const options = ['-no-CAfile', '-no-CApath', '-no-CAstore', '-x509_strict', '-check_ss_sig']
    options.push('-trusted', put('trust', 'CERTIFICATE', setting.trust))
    // OpenSSL ends a path at what is self-signed, unless it is told otherwise.
    if (setting.trust.some(der => !endsPath(der))) options.push('-partial_chain')
    if (setting.untrusted?.length) options.push('-untrusted', put('untrusted', 'CERTIFICATE', setting.untrusted))
    if (setting.lists) options.push('-crl_check_all', '-CRLfile', put('lists', 'X509 CRL', setting.lists))
    if (setting.at === 'ignore') options.push('-no_check_time')
    else options.push('-attime', String(Date.parse(setting.at ?? moment) / 1000))
    if (setting.policies) options.push('-explicit_policy')
    for (const policy of setting.policies ?? [anyPolicy]) options.push('-policy', policy)
    const files = targets.map((der, i) => put(`t${i}`, 'CERTIFICATE', [der]))
    const { stdout, stderr } = spawnSync('openssl', ['verify', ...options, ...files], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    return answers(files, stdout, stderr)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const anyPolicy = '2.5.29.32.0'

const unread: Answer = { error: -1, depth: 0 }

function answers(files: readonly string[], stdout: string, stderr: string): Answer[] {
  const good = new Set(stdout.split('\n').flatMap(line => /^(t\d+): OK$/.exec(line)?.[1] ?? []))
  const bad = new Map<string, Answer>()
  let first: Answer | undefined
  for (const line of stderr.split('\n')) {
    const [, error, depth] = /^error (\d+) at (\d+) depth lookup/.exec(line) ?? []
    if (error) first ??= { error: Number(error), depth: Number(depth) }
    const file = /^error (t\d+): verification failed/.exec(line)?.[1]
    if (file) {
      bad.set(file, first ?? unread)
      first = undefined
    }
  }
  return files.map(file => (good.has(file) ? { error: 0, depth: 0 } : (bad.get(file) ?? unread)))
}

/** Self-issued, and not by another key as far as it says. */
function endsPath(der: Bytes): boolean {
  const { selfIssued, authority, subjectKeyIdentifier } = open(readCertificate(der))
  const by = authority?.keyIdentifier
  return selfIssued && (!by || equal(by, subjectKeyIdentifier ?? by))
}
