/** `smki documents`: reviews documents of the Code in files, as a careful reader would, without a server. */

import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { NotReadable } from '../../policy/documents/review/not-readable.ts'
import { longestDocument } from '../../policy/documents/review/read.ts'
import { openSource, type Reviewed, review } from '../../policy/documents/review/review.ts'
import { reviewRules } from '../../policy/documents/review/rules.ts'
import type { Source } from '../../policy/documents/review/source.ts'
import { registerDate, type Standard, standards } from '../../policy/documents/review/standards-register.ts'
import { oneLine, type Severity } from '../../policy/lint/rule.ts'

/** Where a command writes, text with its line ends, and how it says how it went. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly exit: (code: number) => void
}

interface Flags {
  readonly beside?: readonly string[]
  readonly json?: true
  readonly rules?: true
  readonly standards?: true
}

/**
 * Exit codes: 0 no errors (warnings may stand), 1 errors, 2 something could not be read or the usage is wrong.
 * @param registerOf the register of standards for that command: an environment may have its own
 * @returns the group `documents`, for what needs a service
 */
export function addDocuments(
  program: Command,
  io: Io,
  registerOf: (command: Command) => readonly Standard[] = () => standards,
): Command {
  const group = program.command('documents').description('documents of the Code: their versions, files and reviews')
  group
    .command('review')
    .description('look through documents for what a careful reader would find')
    .argument('[file...]', 'Markdown (.md), DOCX, or plain text in UTF-8')
    .option('--beside <file>', 'its headings and definitions count too; may be repeated', collect)
    .option('--json', 'one JSON object')
    .option('--rules', 'print the table of rules instead')
    .option('--standards', 'print the register of standards instead')
    .action(async (files: string[], flags: Flags, command: Command) =>
      io.exit(await run(files, flags, io, registerOf(command))),
    )
  return group
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

async function run(files: readonly string[], flags: Flags, io: Io, register: readonly Standard[]): Promise<number> {
  if (flags.rules) return printRules(flags, io)
  if (flags.standards) return printStandards(flags, io, register)
  if (files.length === 0) {
    io.err('smki documents review: name a document\n')
    return 2
  }
  const unreadable: { file: string; why: string }[] = []
  const beside = await openAll(flags.beside ?? [], unreadable)
  const reviewed = (await openAll(files, unreadable)).map(source => review(source, { beside, standards: register }))
  if (flags.json)
    io.out(`${JSON.stringify({ documents: reviewed, unreadable, summary: summary(reviewed) }, null, 2)}\n`)
  else print(reviewed, io)
  for (const { file, why } of flags.json ? [] : unreadable)
    io.err(`${path(file)}: cannot be read: ${oneLine(why)}\n`)
  return unreadable.length > 0 ? 2 : count(reviewed, 'error') > 0 ? 1 : 0
}

async function openAll(files: readonly string[], unreadable: { file: string; why: string }[]): Promise<Source[]> {
  const sources: Source[] = []
  for (const file of files) {
    try {
      // Asked first, so that a file that is too long is not even loaded.
      if (statSync(file).size > longestDocument) throw new NotReadable(`longer than ${longestDocument >> 20} MiB`)
      sources.push(await openSource(file, readFileSync(file)))
    } catch (cause) {
      if (!(cause instanceof NotReadable) && !(cause instanceof Error && 'syscall' in cause)) throw cause
      unreadable.push({ file, why: cause.message })
    }
  }
  return sources
}

function print(reviewed: readonly Reviewed[], io: Io): void {
  for (const { file, unit, lines, headings, definitions, findings } of reviewed) {
    const of = unit === 'line' ? 'lines' : 'paragraphs'
    io.out(`${path(file)}: ${lines} ${of}, ${headings} headings, ${definitions} definitions\n`)
    // What a rule says is printed once in a document, with its first finding.
    const said = new Set<string>()
    for (const { line, severity, rule, found, says, where } of findings) {
      io.out(`  ${String(line).padStart(5)}  ${severity.padEnd(7)}  ${rule}: ${oneLine(found, 200)}\n`)
      if (!said.has(rule)) io.out(`                  ${says} (${where})\n`)
      said.add(rule)
    }
  }
  const { documents, errors, warnings, notices } = summary(reviewed)
  io.out(`${documents} reviewed: ${errors} errors, ${warnings} warnings, ${notices} notices\n`)
}

/** A name of a file must not forge a line. */
const path = (file: string) => oneLine(file, Number.POSITIVE_INFINITY)

function count(reviewed: readonly Reviewed[], severity: Severity): number {
  return reviewed.flatMap(one => one.findings).filter(one => one.severity === severity).length
}

function summary(reviewed: readonly Reviewed[]) {
  return {
    documents: reviewed.length,
    errors: count(reviewed, 'error'),
    warnings: count(reviewed, 'warning'),
    notices: count(reviewed, 'notice'),
  }
}

/** The tables as Markdown, so that a page can be made of them. */
function printRules(flags: Flags, io: Io): number {
  const rows = reviewRules.map(({ id, severity, says, where }) => ({ id, severity, says, where }))
  if (flags.json) io.out(`${JSON.stringify(rows, null, 2)}\n`)
  else {
    io.out('| rule | severity | says | where |\n|---|---|---|---|\n')
    for (const { id, severity, says, where } of rows) io.out(`| ${id} | ${severity} | ${says} | ${where} |\n`)
  }
  return 0
}

function printStandards(flags: Flags, io: Io, register: readonly Standard[]): number {
  const rows = register.map(({ id, status, replacedBy }) => ({ id, status, replacedBy: replacedBy ?? null }))
  if (flags.json) io.out(`${JSON.stringify({ date: registerDate, standards: rows }, null, 2)}\n`)
  else {
    io.out(`As of ${registerDate}.\n\n| standard | status | cite instead |\n|---|---|---|\n`)
    for (const { id, status, replacedBy } of rows) io.out(`| ${id} | ${status} | ${replacedBy ?? ''} |\n`)
  }
  return 0
}
