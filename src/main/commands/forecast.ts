/** `smki forecast`: what Authorised Subscribers expect to send, entered and looked at. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { Refusal } from '../../ground/refusal.ts'
import { type ForecastMonth, forecastsOf, roundStandings } from '../../rooms/governance/performance/forecasts.ts'
import { deviceSubscribers, forecast } from '../../rooms/issuance/performance.ts'
import { type Io, json, table, wholeNumber, withStore } from './context.ts'
import { person } from './person-reference.ts'

export function addForecast(program: Command, io: Io): void {
  const group = program.command('forecast').description('forecasts of CSRs for Device Certificates')

  group
    .command('submit')
    .description('enter the forecast of a Party: months, single CSRs, CSRs in batches')
    .argument(
      '<file>',
      'JSON list of { month, single, batch }, or CSV with these columns (docs/operations/performance.md)',
    )
    .requiredOption('--party <n>', 'whose', wholeNumber)
    .requiredOption('--by <person>', 'reference of the person who enters it', person)
    .option('--json', 'one JSON object')
    .action(async (file: string, flags: { party: number; by: string; json?: true }, command: Command) => {
      const months = monthsFrom(file)
      await withStore(command, async ({ hands, settings }) => {
        const id = await forecast(hands, settings.performance, flags.by, { party: flags.party, months })
        if (flags.json) json(io, { forecast: id, party: flags.party })
        else io.out(`Forecast ${id} of party ${flags.party}: ${months[0]!.month} to ${months.at(-1)!.month}.\n`)
      })
    })

  group
    .command('show')
    .description('the forecasts of a Party, the latest first')
    .requiredOption('--party <n>', 'whose', wholeNumber)
    .option('--json', 'one JSON object')
    .action(async (flags: { party: number; json?: true }, command: Command) => {
      await withStore(command, async ({ store }) => {
        const forecasts = await forecastsOf(store, flags.party)
        if (flags.json) return json(io, { forecasts })
        if (forecasts.length === 0) io.out(`Party ${flags.party} has no forecast.\n`)
        for (const { id, submittedAt, months } of forecasts) {
          io.out(`Forecast ${id}, submitted ${submittedAt.toISOString()}\n`)
          const rows = months.map(({ month, single, batch }) => [
            month,
            ...[single, batch, single + batch].map(String),
          ])
          io.out(`${table([['MONTH', 'SINGLE', 'IN BATCHES', 'TOTAL'], ...rows])}\n`)
        }
        return undefined
      })
    })

  group
    .command('due')
    .description('who has forecast in this round, who is late, and who is missing')
    .option('--json', 'one JSON object')
    .action(async (flags: { json?: true }, command: Command) => {
      await withStore(command, async ({ store, settings }) => {
        const subscribers = await deviceSubscribers(store)
        const names = new Map(subscribers.map(one => [one.party, one.name]))
        const standings = await roundStandings(store, settings.performance, subscribers, io.clock())
        if (flags.json) return json(io, { forecasts: standings })
        const rows = standings.map(({ party, round, dueOn, state, submittedAt }) => [
          String(party),
          names.get(party)!,
          round,
          dueOn,
          state,
          submittedAt?.toISOString() ?? '',
        ])
        io.out(table([['PARTY', 'NAME', 'ROUND', 'DUE', 'STATE', 'SUBMITTED'], ...rows]))
        return undefined
      })
    })
}

const monthsSchema = z.array(z.strictObject({ month: z.string(), single: z.int(), batch: z.int() })).min(1)

function monthsFrom(file: string): ForecastMonth[] {
  const text = readFileSync(file, 'utf8')
  const parsed = monthsSchema.safeParse(/^\s*\[/.test(text) ? fromJson(text) : fromCsv(text))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new Refusal('FORECAST_UNFIT', `${file}: ${path.join('.') || 'it'}: ${message}`)
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fromCsv(text: string): unknown {
  const [head, ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map(line => line.split(',').map(one => one.trim()))
  if (head?.join() !== 'month,single,batch') return undefined
  const count = (cell: string | undefined) => (/^\d+$/.test(cell ?? '') ? Number(cell) : cell)
  return rows.map(([month, single, batch]) => ({ month, single: count(single), batch: count(batch) }))
}
