/** `smki report`: monthly reports of demand and performance, and the times that do not count. */

import { writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { Refusal } from '../../ground/refusal.ts'
import { isMonth } from '../../policy/performance/zone.ts'
import {
  type ExclusionKind,
  exclusionsWithin,
  recordExclusion,
  withdrawExclusion,
} from '../../rooms/governance/performance/exclusions.ts'
import { type Format, formats, rendered } from '../../rooms/governance/performance/render.ts'
import { reportOf, reportsKept } from '../../rooms/governance/performance/reports.ts'
import { draftMonth, reportMonth } from '../../rooms/issuance/performance.ts'
import { type Io, json, type Opened, table, wholeNumber, withStore } from './context.ts'
import { person } from './person-reference.ts'

export function addReport(program: Command, io: Io): void {
  const group = program.command('report').description('monthly reports of demand and performance')

  group
    .command('month')
    .description(
      'the report of a month to the SEC Panel or to a Party: as it was made, or a draft as it would be now',
    )
    .requiredOption('--month <month>', 'like 2026-10', month)
    .option('--party <n>', 'the report to that Party', wholeNumber)
    .option('--format <format>', `${formats.join(', ')}`, format, 'json')
    .option('--out <file>', 'into a file')
    .action(async (flags: MonthFlags, command: Command) => {
      await withStore(command, async opened => {
        const { content, draft } = await found(opened, flags)
        const text = rendered(content, flags.format)
        if (flags.out === undefined) io.out(text)
        else writeFileSync(flags.out, text)
        if (draft) io.err('This is a draft: the report of that month is not made yet.\n')
      })
    })

  group
    .command('make')
    .description('make and keep the reports of a month that is over, before the schedule does or as a correction')
    .requiredOption('--month <month>', 'like 2026-10', month)
    .requiredOption('--by <person>', 'reference of the person who asks for it', person)
    .option('--correct', 'once more, as the next version')
    .action(async (flags: { month: string; by: string; correct?: true }, command: Command) => {
      await withStore(command, async ({ hands, settings }) => {
        const correct = flags.correct === true
        const made = await reportMonth(hands, settings.performance, flags.by, flags.month, correct)
        if (made.length === 0)
          throw new Refusal('REPORT_MADE', 'those reports are made: --correct makes another version')
        io.out(table([['TO', 'VERSION'], ...made.map(one => [one.recipient, String(one.version)])]))
      })
    })

  group
    .command('list')
    .description('the reports that were made')
    .option('--party <n>', 'those to that Party', wholeNumber)
    .option('--json', 'one JSON object')
    .action(async (flags: { party?: number; json?: true }, command: Command) => {
      await withStore(command, async ({ store }) => {
        const reports = await reportsKept(store, flags.party === undefined ? undefined : `party ${flags.party}`)
        if (flags.json) return json(io, { reports })
        const rows = reports.map(one => [one.month, one.recipient, String(one.version), one.madeAt.toISOString()])
        io.out(table([['MONTH', 'TO', 'VERSION', 'MADE'], ...rows]))
        return undefined
      })
    })

  group
    .command('exclude')
    .description('a time in which response times do not count')
    .requiredOption('--kind <kind>', "'planned maintenance' or 'emergency suspension'")
    .requiredOption('--from <instant>', 'like 2026-10-04T22:00:00Z', instant)
    .requiredOption('--until <instant>', 'the first instant after it', instant)
    .requiredOption('--reference <text>', 'the notice or direction that it rests on')
    .requiredOption('--by <person>', 'reference of the person who records it', person)
    .action(async (flags: ExcludeFlags, command: Command) => {
      await withStore(command, async ({ hands }) => {
        const id = await recordExclusion(hands, flags.by, flags)
        io.out(`Exclusion ${id} is recorded.\n`)
      })
    })

  group
    .command('exclusions')
    .description('the times that do not count, from one instant to another')
    .requiredOption('--from <instant>', 'like 2026-10-01T00:00:00Z', instant)
    .requiredOption('--until <instant>', 'the first instant after it', instant)
    .action(async (flags: { from: Date; until: Date }, command: Command) => {
      await withStore(command, async ({ store }) => {
        const rows = (await exclusionsWithin(store, flags.from, flags.until)).map(one => [
          String(one.id),
          one.kind,
          one.from.toISOString(),
          one.until.toISOString(),
          one.reference,
        ])
        io.out(table([['EXCLUSION', 'WHY', 'FROM', 'UNTIL', 'REFERENCE'], ...rows]))
      })
    })

  group
    .command('count-again')
    .description('withdraw an exclusion: that time counts')
    .argument('<id>', 'number of the exclusion', wholeNumber)
    .requiredOption('--by <person>', 'reference of the person who withdraws it', person)
    .action(async (id: number, flags: { by: string }, command: Command) => {
      await withStore(command, async ({ hands }) => {
        await withdrawExclusion(hands, flags.by, id)
        io.out(`Exclusion ${id} is withdrawn. Reports that were made stay as they are.\n`)
      })
    })
}

interface MonthFlags {
  readonly month: string
  readonly party?: number
  readonly format: Format
  readonly out?: string
}

interface ExcludeFlags {
  readonly kind: ExclusionKind
  readonly from: Date
  readonly until: Date
  readonly reference: string
  readonly by: string
}

/** As it was made; else a draft. @throws Refusal REPORT_UNKNOWN for a Party that is no Authorised Subscriber */
async function found(
  { store, hands, settings }: Opened,
  { month, party }: MonthFlags,
): Promise<{ content: string; draft: boolean }> {
  const recipient = party === undefined ? 'SEC Panel' : `party ${party}`
  try {
    return { content: (await reportOf(store, month, recipient)).content, draft: false }
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'REPORT_UNKNOWN') throw cause
    const drafts = await draftMonth(hands, settings.performance, month)
    const draft = drafts.find(one => one.recipient === recipient)
    if (!draft) throw cause
    return { content: JSON.stringify(draft), draft: true }
  }
}

function month(text: string): string {
  if (!isMonth(text)) throw new InvalidArgumentError('A month is written like 2026-10.')
  return text
}

function format(text: string): Format {
  const known = formats.find(one => one === text)
  if (!known) throw new InvalidArgumentError(`It is none of ${formats.join(', ')}.`)
  return known
}

function instant(text: string): Date {
  const at = new Date(text)
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError('An instant is written like 2026-10-04T22:00:00Z.')
  }
  return at
}
