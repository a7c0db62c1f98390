/** `smki lint`: measures certificates, requests and lists in files and folders, without a server. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { NotDer } from '../../ground/der/read.ts'
import { NotPem } from '../../ground/x509/pem.ts'
import { lintFile } from '../../policy/lint/file.ts'
import {
  certificateKinds,
  type Kind,
  type KnownKind,
  kinds,
  knownKinds,
  listKinds,
  requestKinds,
} from '../../policy/lint/kind.ts'
import type { LintOptions, Report } from '../../policy/lint/lint.ts'
import { oneLine, type Rule, type Severity, severityFor } from '../../policy/lint/rule.ts'
import { rules } from '../../policy/lint/rules.ts'
import { defaultSettings } from '../../policy/lint/settings.ts'
import { readSigner } from '../../policy/lint/signer.ts'
import { progress } from './progress.ts'

/** Where a command writes, text with its line ends, and how it says how it went. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly exit: (code: number) => void
}

interface Flags {
  readonly as?: string
  readonly issuer?: string
  readonly policy?: readonly string[]
  readonly json?: true
  readonly rules?: true
}

/** Exit codes: 0 no errors (warnings may stand), 1 errors, 2 something could not be read or the usage is wrong. */
export function addLint(program: Command, io: Io): void {
  program
    .command('lint')
    .description('measure certificates, requests and lists by the profiles of the SMKI, DCCKI and S1SPKI')
    .argument('[file...]', 'PEM (several blocks are allowed) or DER; a folder is read with all that is in it')
    .option('--as <kind>', `measure by this profile: ${knownKinds.join(', ')}`)
    .option('--issuer <file>', 'certificate or public key to check signatures, issuers and key identifiers with')
    .option('--policy <oid>', 'a policy OID that is known too; may be repeated', collect)
    .option('--json', 'one JSON object')
    .option('--rules', 'print the table of rules instead')
    .action((files: string[], flags: Flags) => io.exit(lint(files, flags, io)))
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

function lint(files: readonly string[], flags: Flags, io: Io): number {
  if (flags.rules) return printRules(flags, io)
  if (files.length === 0) return refuse(io, 'name a file or a folder')
  const options = optionsOf(flags)
  if (typeof options === 'string') return refuse(io, options)
  const result = lintAll(files, options)
  if (flags.json) io.out(`${JSON.stringify(asJson(result), undefined, 2)}\n`)
  else print(result, io)
  return result.unreadable.length > 0 ? 2 : count(result, 'error') > 0 ? 1 : 0
}

function refuse(io: Io, sentence: string): number {
  io.err(`smki lint: ${sentence}\n`)
  return 2
}

/** What the flags ask for, or a sentence that says what is wrong with them. */
function optionsOf(flags: Flags): LintOptions | string {
  const as = knownKinds.find((kind): kind is KnownKind => kind === flags.as)
  if (flags.as !== undefined && !as) return `--as is one of ${knownKinds.join(', ')}`
  const settings = { policies: [...defaultSettings.policies, ...(flags.policy ?? [])] }
  if (flags.issuer === undefined) return { settings, ...(as && { as }) }
  try {
    return { settings, ...(as && { as }), issuer: readSigner(readFileSync(flags.issuer)) }
  } catch (cause) {
    if (cause instanceof NotDer || cause instanceof NotPem || isFileError(cause))
      return `the issuer cannot be read: ${cause.message}`
    throw cause
  }
}

interface Result {
  readonly files: { readonly file: string; readonly reports: readonly Report[] }[]
  readonly unreadable: { readonly file: string; readonly why: string }[]
  /** Files in folders that are something else. */
  passedOver: number
}

function lintAll(named: readonly string[], options: LintOptions): Result {
  const result: Result = { files: [], unreadable: [], passedOver: 0 }
  const found = named.flatMap(name => [...walk(name, false, result)])
  const bar = progress('measuring', found.length)
  for (const [done, { file, inFolder }] of found.entries()) {
    bar.at(done)
    const octets = attempt(file, result, () => readFileSync(file))
    if (!octets) continue
    const { reports, unreadable } = lintFile(octets, options)
    if (unreadable === undefined) result.files.push({ file, reports })
    // In a folder, only what calls itself a certificate, request or list must be readable.
    else if (inFolder && !boundary.test(octets.toString('latin1'))) result.passedOver++
    else result.unreadable.push({ file, why: unreadable })
  }
  bar.end()
  return result
}

const boundary = /-----BEGIN (X509 |NEW )?(CERTIFICATE|CERTIFICATE REQUEST|CRL)-----/

/** Longer than any list that anyone has seen; what is longer is no certificate, and would fill the memory. */
const longest = 1 << 29

/** The files under a name, folders in the order of their names. A link to a folder is not followed: it may go round. */
function* walk(name: string, inFolder: boolean, result: Result): Generator<{ file: string; inFolder: boolean }> {
  const found = attempt(name, result, () => statSync(name))
  if (found?.isDirectory()) {
    const entries = attempt(name, result, () => readdirSync(name, { withFileTypes: true })) ?? []
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(name, entry.name)
      if (!entry.isSymbolicLink() || statSync(path, { throwIfNoEntry: false })?.isFile())
        yield* walk(path, true, result)
    }
  } else if (found && found.size > longest) result.unreadable.push({ file: name, why: 'longer than 512 MiB' })
  else if (found?.isFile() || (found && !inFolder)) yield { file: name, inFolder }
}

function attempt<T>(file: string, result: Result, read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if (!isFileError(cause)) throw cause
    result.unreadable.push({ file, why: cause.message })
    return undefined
  }
}

/** The file system said no; everything else is a fault of ours. */
function isFileError(cause: unknown): cause is Error {
  return cause instanceof Error && 'syscall' in cause
}

function count(result: Result, severity: Severity): number {
  const findings = result.files.flatMap(({ reports }) => reports.flatMap(report => report.findings))
  return findings.filter(finding => finding.severity === severity).length
}

function print(result: Result, io: Io): void {
  for (const { file, reports } of result.files) {
    for (const [i, { kind, findings }] of reports.entries()) {
      const which = reports.length > 1 ? ` (${i + 1})` : ''
      io.out(`${path(file)}${which}: ${kind}\n`)
      for (const { severity, rule, found, says, clause } of findings) {
        io.out(`  ${severity.padEnd(7)}  ${rule}: ${found}\n           ${says} (${clause})\n`)
      }
    }
  }
  for (const { file, why } of result.unreadable) io.err(`${path(file)}: cannot be read: ${oneLine(why)}\n`)
  const { reports, passedOver, ...counts } = summary(result)
  const also = passedOver > 0 ? `; ${passedOver} other files passed over` : ''
  const said = Object.entries(counts).map(([what, number]) => `${number} ${what}`)
  io.out(`${reports} measured: ${said.join(', ')}${also}\n`)
}

/** A name of a file must not forge a line either. */
const path = (file: string) => oneLine(file, Number.POSITIVE_INFINITY)

function summary(result: Result) {
  return {
    reports: result.files.reduce((sum, { reports }) => sum + reports.length, 0),
    errors: count(result, 'error'),
    warnings: count(result, 'warning'),
    notices: count(result, 'notice'),
    unreadable: result.unreadable.length,
    passedOver: result.passedOver,
  }
}

function asJson(result: Result): object {
  const shown = ({ form, kind, findings }: Report) => ({ form, kind, findings })
  return {
    files: result.files.map(({ file, reports }) => ({ file, reports: reports.map(shown) })),
    unreadable: result.unreadable,
    summary: summary(result),
  }
}

/** The table as Markdown, so that a page can be made of it. */
function printRules(flags: Flags, io: Io): number {
  if (flags.json) {
    const shown = ({ id, severity, clause, says, kinds: measures }: Rule) => ({
      id,
      severity,
      clause,
      says,
      measures,
    })
    io.out(
      `${JSON.stringify(
        rules.map(rule => ({ ...shown(rule), warns: warnsFor(rule) })),
        undefined,
        2,
      )}\n`,
    )
    return 0
  }
  io.out('| rule | severity | measures | clause | says |\n|---|---|---|---|---|\n')
  for (const rule of rules) {
    const warns = warnsFor(rule)
    const severity =
      warns.length > 0 ? `${rule.severity}; warning, being ASSUMED: ${grouped(warns)}` : rule.severity
    io.out(`| ${rule.id} | ${severity} | ${grouped(rule.kinds)} | ${rule.clause} | ${rule.says} |\n`)
  }
  return 0
}

/** `certificates` for all kinds of certificate, and so on; the rest by name. */
function grouped(measures: readonly Kind[]): string {
  if (measures.length === kinds.length) return 'all'
  const groups: [string, readonly Kind[]][] = [
    ['certificates', certificateKinds],
    ['requests', requestKinds],
    ['lists', listKinds],
  ]
  const whole = groups.filter(([, group]) => group.every(kind => measures.includes(kind)))
  const rest = measures.filter(kind => !whole.some(([, group]) => group.includes(kind)))
  return [...whole.map(([title]) => title), ...rest].join(', ')
}

/** The kinds where an error is only a warning, since nobody has told us the rule. */
function warnsFor(rule: Rule): readonly Kind[] {
  return rule.severity === 'error' ? rule.kinds.filter(kind => severityFor(rule, kind) === 'warning') : []
}
