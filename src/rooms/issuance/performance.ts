/** Forecasts and monthly reports as a whole: what issuance and registration know is handed to governance, on schedule. */

import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { PerformanceSettings } from '../../policy/performance/settings.ts'
import { holidaysWith, workingDayOf } from '../../policy/performance/working-days.ts'
import { boundsOf, dayIn, isMonth, type Month, monthIn, plusMonths } from '../../policy/performance/zone.ts'
import type { Hands } from '../governance/act.ts'
import type { BatchFact, Facts, Subscriber } from '../governance/performance/facts.ts'
import { type Flagged, raiseFlags } from '../governance/performance/flags.ts'
import { type ForecastMonth, submitForecast } from '../governance/performance/forecasts.ts'
import { joinGroups, removeOldSamples } from '../governance/performance/keep.ts'
import { no } from '../governance/performance/refusals.ts'
import type { OwnReport, PanelReport } from '../governance/performance/report.ts'
import { draftReports, type Known, makeReports, reportsKept } from '../governance/performance/reports.ts'
import { notify } from '../registration/notices.ts'
import { parties } from '../registration/parties.ts'
import { organisations } from '../registration/party.ts'
import { singleMark, zipMark } from './batch.ts'

type Reports = readonly (OwnReport | PanelReport)[]

/** Authorised Subscribers under the Device Certificate Policy: those who forecast (L8). */
export async function deviceSubscribers(store: Pick<Store, 'query'>): Promise<Subscriber[]> {
  const registered = new Map((await organisations(store)).map(one => [one.id, one.registeredAt]))
  return (await parties(store))
    .filter(one => one.deviceSubscriber)
    .map(one => ({ party: one.id, name: one.tradingName, since: registered.get(one.id)! }))
}

/**
 * A forecast of a Party, by an officer of it or by whoever enters what it sent.
 * @throws Refusal NOT_A_SUBSCRIBER, FORECAST_UNFIT
 */
export async function forecast(
  hands: Hands,
  settings: PerformanceSettings,
  by: string,
  given: { readonly party: number; readonly months: readonly ForecastMonth[] },
): Promise<number> {
  const known = (await deviceSubscribers(hands.store)).some(one => one.party === given.party)
  if (!known) throw no('NOT_A_SUBSCRIBER', `party ${given.party}`)
  return submitForecast(hands, settings, by, given)
}

/** The reports of a month as they would be made now. @throws Refusal MONTH_UNFIT, HOLIDAYS_UNKNOWN */
export async function draftMonth(hands: Hands, settings: PerformanceSettings, month: Month): Promise<Reports> {
  const known = await knownOf(hands.store, settings, month)
  return draftReports(hands.store, settings, month, known, hands.clock())
}

/**
 * Makes, keeps and announces the reports of a month that is over; none when that was done, unless it is a correction.
 * @throws Refusal MONTH_UNFIT, MONTH_NOT_OVER, HOLIDAYS_UNKNOWN
 */
export async function reportMonth(
  hands: Hands,
  settings: PerformanceSettings,
  by: string,
  month: Month,
  correct = false,
): Promise<Reports> {
  const known = await knownOf(hands.store, settings, month)
  return makeReports(hands, settings, by, month, known, {
    correct,
    also: ({ client, at }, { recipient, version, late }) =>
      tell(client, at, recipient, 'a performance report is ready', { month, version, late }),
  })
}

const dayMs = 86_400_000

/** What a turn of the schedule did. */
export interface Turn {
  readonly flagged: readonly Flagged[]
  readonly months: readonly Month[]
}

/**
 * Does what has become due: reminds of forecasts, flags those that are late or missing, makes the reports of the months
 * that are over. It may run at any time and twice; what was missed while nobody ran it is made up for.
 * @throws Refusal HOLIDAYS_UNKNOWN
 */
export async function performanceTurn(hands: Hands, settings: PerformanceSettings): Promise<Turn> {
  const at = hands.clock()
  const subscribers = await deviceSubscribers(hands.store)
  const flagged = await hands.store.transaction(async client => {
    const raised = await raiseFlags(client, settings, subscribers, at)
    for (const one of raised) await tellOf(client, at, one)
    return raised
  })
  const months: Month[] = []
  for (const month of await monthsDue(hands.store, settings, at)) {
    if ((await reportMonth(hands, settings, 'schedule', month)).length > 0) months.push(month)
  }
  await joinGroups(hands.store, new Date(at.getTime() - dayMs))
  const oldest = plusMonths(monthIn(at, settings.zone), -settings.sampleMonths)
  await removeOldSamples(hands.store, boundsOf(oldest, settings.zone).from)
  return { flagged, months }
}

/** Reports that nobody made for longer are not made up for. */
const monthsBack = 12

/** Months that are over without reports, the oldest first: from the last one reported on, or from when there were Parties. */
async function monthsDue(store: Store, settings: PerformanceSettings, at: Date): Promise<Month[]> {
  const { zone } = settings
  const present = monthIn(at, zone)
  const made = (await reportsKept(store, 'SEC Panel'))[0]?.month
  const registered = (await organisations(store)).map(one => one.registeredAt.getTime())
  if (made === undefined && registered.length === 0) return []
  const first = made === undefined ? monthIn(new Date(Math.min(...registered)), zone) : plusMonths(made, 1)
  const oldest = plusMonths(present, -monthsBack)
  const due: Month[] = []
  const from = [first, oldest].toSorted().at(-1)!
  for (let month = from; month < present; month = plusMonths(month, 1)) {
    const on = workingDayOf(plusMonths(month, 1), settings.reportWorkingDay, holidaysWith(settings.bankHolidays))
    if (dayIn(at, zone) >= on) due.push(month)
  }
  return due
}

async function tellOf(client: Client, at: Date, { party, round, dueOn, flag }: Flagged): Promise<void> {
  const says = {
    reminded: 'a forecast is due',
    missing: 'a forecast is missing',
    late: 'a forecast came late',
  } as const
  const about = { party, round, dueOn }
  await append(client, entry('flag forecast', at, { ...about, flag, by: 'schedule' }))
  await tell(client, at, `party ${party}`, says[flag], about)
  if (flag !== 'reminded') await tell(client, at, 'Registration Authority', says[flag], about)
}

async function tell(
  client: Client,
  at: Date,
  recipient: string,
  subject: string,
  about: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const note = async (act: string, body: Parameters<typeof entry>[2]) =>
    void (await append(client, entry(act, at, { ...body, by: 'schedule' })))
  await notify({ client, at, note }, recipient, subject, about)
}

async function knownOf(store: Store, settings: PerformanceSettings, month: Month): Promise<Known> {
  return { facts: await factsOf(store, settings, month), subscribers: await deviceSubscribers(store) }
}

/** Batches and Organisation CSRs that were received in that month. */
async function factsOf(store: Store, settings: PerformanceSettings, month: Month): Promise<Facts> {
  if (!isMonth(month)) throw no('MONTH_UNFIT')
  const { from, until } = boundsOf(month, settings.zone)
  const span = [from, until]
  const batches = await store.query<{
    id: bigint
    party: number
    reference: string
    count: number
    received_at: Date
    decided_at: Date | null
    queued_at: Date | null
    completed_at: Date | null
    state: string
  }>(
    `SELECT id, party, reference, count, received_at, decided_at, queued_at, completed_at, state FROM batch
      WHERE received_at >= $1 AND received_at < $2 ORDER BY id`,
    span,
  )
  const organisation = await store.query<{ party: number; approved_at: Date; answered_at: Date | null }>(
    `SELECT party, approved_at, answered_at FROM organisation_csr
      WHERE approved_at >= $1 AND approved_at < $2 ORDER BY id`,
    span,
  )
  return {
    batches: batches.rows.map(row => ({
      id: row.id,
      channel: channelOf(row.reference),
      party: row.party,
      count: row.count,
      receivedAt: row.received_at,
      decidedAt: row.decided_at ?? undefined,
      queuedAt: row.queued_at ?? undefined,
      completedAt: row.completed_at ?? undefined,
      refused: row.state === 'REJECTED' || row.state === 'TAMPERED',
    })),
    organisation: organisation.rows.map(row => ({
      party: row.party,
      receivedAt: row.approved_at,
      sentAt: row.answered_at ?? undefined,
    })),
  }
}

/** Where a batch came in: the Portal marks its own, and what came singly by it is a batch of one. */
function channelOf(reference: string): BatchFact['channel'] {
  if (reference.startsWith(singleMark)) return 'PORTAL_DEVICE'
  return reference.startsWith(zipMark) ? 'PORTAL_BATCH' : 'BATCH_WS'
}
