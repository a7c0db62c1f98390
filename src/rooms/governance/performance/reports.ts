/** Reports as they are kept: made once a month, octet for octet the same ever after, their digests in the journal. */

import { hash } from 'node:crypto'
import type { Client, Store } from '../../../ground/store/store.ts'
import { reportDue } from '../../../policy/performance/rounds.ts'
import type { PerformanceSettings } from '../../../policy/performance/settings.ts'
import { holidaysWith } from '../../../policy/performance/working-days.ts'
import { boundsOf, dayIn, isMonth, type Month, plusMonths } from '../../../policy/performance/zone.ts'
import { type Acting, act, type Hands } from '../act.ts'
import { exclusionsWithin } from './exclusions.ts'
import type { Facts, Subscriber } from './facts.ts'
import { mostRecentFor, roundStandings } from './forecasts.ts'
import { measuredIn } from './measured.ts'
import { sentIn } from './numbers.ts'
import { no } from './refusals.ts'
import { type Material, type OwnReport, ownReport, type PanelReport, type Past, panelReport } from './report.ts'

export type Report = OwnReport | PanelReport

export interface KeptReport {
  readonly month: Month
  readonly recipient: string
  readonly version: number
  readonly madeAt: Date
  /** JSON, as it was made. */
  readonly content: string
}

type Reader = Pick<Store, 'query'> | Client

/** What rooms above know: facts from the beginning of the month on, and who is an Authorised Subscriber. */
export interface Known {
  readonly facts: Facts
  readonly subscribers: readonly Subscriber[]
}

/**
 * All reports of a month as they would be made now, none of them kept; of a month that is not over, what there is so far.
 * @throws Refusal MONTH_UNFIT, HOLIDAYS_UNKNOWN
 */
export async function draftReports(
  store: Reader,
  settings: PerformanceSettings,
  month: Month,
  known: Known,
  at: Date,
): Promise<Report[]> {
  if (!isMonth(month)) throw no('MONTH_UNFIT')
  const material = await materialOf(store, settings, month, known, at)
  const versions = await versionsOf(store, month)
  const next = (recipient: string) => (versions.get(recipient) ?? 0) + 1
  return [
    ...known.subscribers.map(one => ownReport(material, one, next(`party ${one.party}`))),
    panelReport(material, settings, next('SEC Panel')),
  ]
}

/**
 * Makes and keeps the reports of a month that is over.
 * @param also runs in the same transaction, for each report: who is told of it
 * @returns none when they were made before, unless it is a correction
 * @throws Refusal MONTH_UNFIT, MONTH_NOT_OVER, HOLIDAYS_UNKNOWN
 */
export function makeReports(
  hands: Hands,
  settings: PerformanceSettings,
  by: string,
  month: Month,
  known: Known,
  {
    correct = false,
    also,
  }: { correct?: boolean; also?: ((acting: Acting, report: Report) => Promise<void>) | undefined } = {},
): Promise<Report[]> {
  return act(hands, by, 'make performance report', month, async acting => {
    const { client, at, note } = acting
    if (!isMonth(month)) throw no('MONTH_UNFIT')
    if (at < boundsOf(month, settings.zone).until) throw no('MONTH_NOT_OVER', month)
    // One at a time: two schedulers make them once.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('opensmki performance report'))")
    if (!correct && (await versionsOf(client, month)).size > 0) return []
    const reports = await draftReports(client, settings, month, known, at)
    for (const report of reports) {
      const content = JSON.stringify(report)
      const { recipient, version, late } = report
      await client.query(
        'INSERT INTO performance_report (month, recipient, version, made_at, content) VALUES ($1, $2, $3, $4, $5)',
        [month, recipient, version, at, content],
      )
      await note({ month, recipient, version, late, sha256: hash('sha256', content, 'hex') })
      await also?.(acting, report)
    }
    return reports
  })
}

/** The latest version. @throws Refusal REPORT_UNKNOWN */
export async function reportOf(store: Reader, month: Month, recipient: string): Promise<KeptReport> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT month, recipient, version, made_at, content FROM performance_report
      WHERE month = $1 AND recipient = $2 ORDER BY version DESC LIMIT 1`,
    [month, recipient],
  )
  if (!rows[0]) throw no('REPORT_UNKNOWN', `${month} to ${recipient}`)
  const { made_at, ...row } = rows[0]
  return { ...row, madeAt: made_at }
}

/** Which there are, latest month first; without what they say. */
export async function reportsKept(store: Reader, recipient?: string): Promise<Omit<KeptReport, 'content'>[]> {
  const { rows } = await (store as Client).query<Omit<Row, 'content'>>(
    `SELECT month, recipient, version, made_at FROM performance_report
      WHERE $1::text IS NULL OR recipient = $1 ORDER BY month DESC, recipient, version DESC`,
    [recipient ?? null],
  )
  return rows.map(({ made_at, ...row }) => ({ ...row, madeAt: made_at }))
}

interface Row {
  month: Month
  recipient: string
  version: number
  made_at: Date
  content: string
}

const monthsOfHistory = 11

async function materialOf(
  store: Reader,
  settings: PerformanceSettings,
  month: Month,
  { facts, subscribers }: Known,
  at: Date,
): Promise<Material> {
  const { zone } = settings
  const { from, until } = boundsOf(month, zone)
  const dueOn = reportDue(month, holidaysWith(settings.bankHolidays))
  const history = await historyBefore(store, month)
  return {
    month,
    at,
    dueOn,
    late: dayIn(at, zone) > dueOn,
    subscribers,
    sent: await sentIn(store, month, facts.batches, zone),
    forecasts: await mostRecentFor(store, month, settings),
    nextForecasts: await mostRecentFor(store, plusMonths(month, 1), settings),
    standings: await roundStandings(store, settings, subscribers, at),
    measured: await measuredIn(store, settings, month, facts, at),
    exclusions: await exclusionsWithin(store, from, until),
    history: recipient => history.get(recipient) ?? [],
  }
}

/** As the reports of those months said it. */
async function historyBefore(store: Reader, month: Month): Promise<Map<string, Past[]>> {
  const { rows } = await (store as Client).query<{ recipient: string; content: string }>(
    `SELECT DISTINCT ON (recipient, month) recipient, content FROM performance_report
      WHERE month >= $1 AND month < $2 ORDER BY recipient, month, version DESC`,
    [plusMonths(month, -monthsOfHistory), month],
  )
  const past = rows.map(({ recipient, content }) => {
    const { history } = JSON.parse(content) as Report
    return { recipient, past: history.at(-1)! }
  })
  return new Map(
    [...Map.groupBy(past, one => one.recipient)].map(([name, all]) => [name, all.map(one => one.past)]),
  )
}

async function versionsOf(store: Reader, month: Month): Promise<Map<string, number>> {
  const { rows } = await (store as Client).query<{ recipient: string; version: number }>(
    'SELECT recipient, max(version) AS version FROM performance_report WHERE month = $1 GROUP BY recipient',
    [month],
  )
  return new Map(rows.map(row => [row.recipient, row.version]))
}
