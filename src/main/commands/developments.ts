/** `smki development` and `smki modification`: what happened, step by step, entered from files, and what it has come to. */

import type { Command } from 'commander'
import { type Io, table } from './context.ts'
import { writeNew } from './document-versions.ts'
import { asOfficer, jsonFile, type OfficerFlags, speaking } from './officer.ts'

interface Shown {
  readonly ref: string
  readonly title: string
  readonly state: string
  readonly documents: readonly string[]
  readonly dates: readonly { readonly what: string; readonly on: string }[]
  readonly findings: readonly string[]
  readonly report?: string
}

export function addDevelopments(program: Command, io: Io): void {
  addKind(program, io, 'development', 'how a document comes about: draft, consultation, conclusions, designation')
  addKind(program, io, 'modification', 'modifications of the Code: proposal, report, vote, release')
}

function addKind(program: Command, io: Io, one: 'development' | 'modification', says: string): void {
  const group = program.command(one).description(says)
  const path = (ref: string) => `/${one}s/${encodeURIComponent(ref)}`

  asOfficer(group.command('list'))
    .description('all of them, the latest begun first')
    .action(async (flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<Record<string, Shown[]>>(`/${one}s`)
        const rows = answer[`${one}s`]!.map(of => [of.ref, of.state, String(of.findings.length), of.title])
        await speak.tell(answer, () => table([['REFERENCE', 'STATE', 'FINDINGS', 'TITLE'], ...rows]))
      })
    })

  asOfficer(group.command('show'))
    .description('where it stands, its dates, and what does not add up')
    .argument('<ref>', 'its reference')
    .action(async (ref: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.get<Shown>(path(ref))
        await speak.tell(answer, () => inWords(answer))
      })
    })

  asOfficer(group.command('begin'))
    .description('begin one with its first step')
    .argument('<ref>', 'a reference of its own')
    .argument('<file>', 'one step as JSON (docs/formats/governance.md)')
    .action(async (ref: string, file: string, flags: OfficerFlags, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const answer = await speak.act<Shown>('POST', `/${one}s`, { ref, event: jsonFile(file) })
        await speak.tell(answer, () => inWords(answer))
      })
    })

  asOfficer(group.command('enter'))
    .description('enter what happened next; it is never changed')
    .argument('<ref>', 'its reference')
    .argument('<file>', 'one step as JSON, or a list of steps in their order (docs/formats/governance.md)')
    .action(async (ref: string, file: string, flags: OfficerFlags, command: Command) => {
      const given = jsonFile(file)
      await speaking(io, command, flags, async speak => {
        let answer: Shown | undefined
        for (const event of Array.isArray(given) ? given : [given])
          answer = await speak.act<Shown>('POST', `${path(ref)}/events`, { event })
        await speak.tell(answer ?? {}, () => (answer ? inWords(answer) : 'The list has no step.\n'))
      })
    })

  asOfficer(group.command('report'))
    .description('the report on it, as it was kept when it was made')
    .argument('<ref>', 'its reference')
    .option('--out <file>', 'where to, never over an existing file (default: to the terminal)')
    .action(async (ref: string, flags: OfficerFlags & { out?: string }, command: Command) => {
      await speaking(io, command, flags, async speak => {
        const { sha256, octets } = await speak.files.fetch(`${path(ref)}/report`)
        if (flags.out === undefined) return speak.tell({ sha256, text: octets.toString() }, () => octets.toString())
        writeNew(flags.out, octets)
        return speak.tell({ file: flags.out, sha256 }, () => `${flags.out}: SHA-256 ${sha256}\n`)
      })
    })
}

function inWords({ ref, title, state, documents, dates, findings, report }: Shown): string {
  return [
    `${ref}: ${title}\n`,
    `State: ${state}\nDocuments: ${documents.join(', ')}\n`,
    table(dates.map(({ what, on }) => [`  ${on}`, what])),
    ...(report === undefined ? [] : [`Report: ${report} (smki documents show '${report}')\n`]),
    findings.length === 0 ? 'No findings.\n' : `Findings:\n${findings.map(one => `  ${one}\n`).join('')}`,
  ].join('')
}
