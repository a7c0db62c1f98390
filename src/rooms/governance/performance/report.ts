/** Monthly reports: to each Authorised Subscriber its own numbers, to the SEC Panel the whole (L8, governance-performance.md 6). */

import type { Day } from '../../../policy/documents/day.ts'
import { isAbove, isAtLeast, percentOf } from '../../../policy/performance/percent.ts'
import type { PerformanceSettings } from '../../../policy/performance/settings.ts'
import { type Channel, type Measure, measures } from '../../../policy/performance/targets.ts'
import type { Month } from '../../../policy/performance/zone.ts'
import type { Exclusion } from './exclusions.ts'
import type { Subscriber } from './facts.ts'
import type { MostRecent, RoundStanding } from './forecasts.ts'
import { type Level, levelOf, type Measured } from './measured.ts'
import { type Sent, sentNothing } from './numbers.ts'

/** "greater than or equal to 110% of the Authorised Subscribers most recent monthly forecast" (SEED-004). */
const listedFrom = 110
/** The rule that MP160 proposes. */
const averagePercent = 150

/** What was sent beside what was forecast; percentages are of the forecast. */
export interface Comparison {
  readonly sent: Sent
  readonly forecast: (Sent & { readonly submittedAt: string }) | 'none'
  readonly ofForecast: { readonly single: string; readonly batch: string; readonly total: string }
}

/** One month of a chart. */
export interface Past {
  readonly month: Month
  readonly sent: number
  readonly forecast: number | 'none'
}

interface Head {
  readonly month: Month
  readonly recipient: string
  readonly version: number
  /** ISO 8601, UTC. */
  readonly madeAt: string
  readonly dueOn: Day
  /** Made after the day on which it was due. */
  readonly late: boolean
}

export interface OwnReport extends Head, Comparison {
  readonly report: 'own'
  readonly party: number
  readonly name: string
  /** At or above 110 % of its forecast: the Panel is told. */
  readonly listed: boolean
  /** Up to twelve months, the oldest first, this one last. */
  readonly history: readonly Past[]
}

export interface Listed {
  readonly party: number
  readonly name: string
  readonly sent: number
  readonly forecast: number | 'none'
  readonly ofForecast: string
}

export interface ReportedMeasure {
  readonly measure: Measure
  readonly says: string
  readonly target: string
  readonly measured: number
  readonly within: number
  readonly excluded: number
  readonly percent: string
}

export interface ReportedBreach {
  readonly measure: Measure
  readonly channel: Channel
  readonly party: number | null
  readonly receivedAt: string
  readonly sentAt: string | null
  readonly cause: string
}

/** Code Performance Measures 7 (SMKI CSRs) and 8 (Repository), SVC-A12. */
export interface PerformanceMeasure {
  readonly number: 7 | 8
  readonly measured: number
  readonly within: number
  readonly percent: string
  readonly level: Level | 'relieved'
}

export interface PanelReport extends Head {
  readonly report: 'panel'
  readonly total: Comparison
  /** At or above 110 %, and those who sent without a forecast, most first. */
  readonly listed: readonly Listed[]
  readonly forecasts: readonly {
    party: number
    name: string
    round: Month
    dueOn: Day
    state: 'late' | 'missing'
  }[]
  /** Only where the setting `averageMonthNotice` is on: forecasts above 150 % of the average month. */
  readonly aboveAverage?: readonly Listed[]
  readonly performance: readonly PerformanceMeasure[]
  /** No failure is counted: demand was above so many per cent of what was forecast (SVC-A13). */
  readonly relief: boolean
  readonly measures: readonly ReportedMeasure[]
  readonly breaches: readonly ReportedBreach[]
  readonly exclusions: readonly { kind: string; from: string; until: string; reference: string }[]
  readonly history: readonly Past[]
}

/** Everything that the reports of a month are made of. */
export interface Material {
  readonly month: Month
  readonly at: Date
  readonly dueOn: Day
  readonly late: boolean
  readonly subscribers: readonly Subscriber[]
  readonly sent: ReadonlyMap<number, Sent>
  readonly forecasts: ReadonlyMap<number, MostRecent>
  /** What was forecast for the month after: for the notice of `averageMonthNotice`. */
  readonly nextForecasts: ReadonlyMap<number, MostRecent>
  readonly standings: readonly RoundStanding[]
  readonly measured: Readonly<Record<Measure, Measured>>
  readonly exclusions: readonly Exclusion[]
  /** Months before this one, the oldest first, by recipient. */
  readonly history: (recipient: string) => readonly Past[]
}

/** Pure: the same material, the same report. */
export function ownReport(material: Material, { party, name }: Subscriber, version: number): OwnReport {
  const recipient = `party ${party}`
  const sent = material.sent.get(party) ?? sentNothing
  const comparison = compared(sent, material.forecasts.get(party))
  return {
    report: 'own',
    ...headOf(material, recipient, version),
    party,
    name,
    ...comparison,
    listed: isListed(comparison),
    history: [...material.history(recipient), pastOf(material.month, comparison)],
  }
}

export function panelReport(material: Material, settings: PerformanceSettings, version: number): PanelReport {
  const { subscribers, sent, forecasts, measured, history, month } = material
  const each = everybody(material).map(({ party, name }) => ({
    party,
    name,
    ...compared(sent.get(party) ?? sentNothing, forecasts.get(party)),
  }))
  const total = compared(
    each.reduce((sum, one) => plus(sum, one.sent), sentNothing),
    sumOf(subscribers.flatMap(({ party }) => forecasts.get(party) ?? [])),
  )
  const relief =
    settings.exclusions.includes('demand') &&
    total.forecast !== 'none' &&
    isAbove(total.sent.total, settings.reliefPercent, total.forecast.total)
  const names = new Map(subscribers.map(one => [one.party, one.name]))
  return {
    report: 'panel',
    ...headOf(material, 'SEC Panel', version),
    total,
    listed: each
      .filter(isListed)
      .map(listing)
      .sort((a, b) => b.sent - a.sent || a.party - b.party),
    forecasts: material.standings.flatMap(({ party, round, dueOn, state }) =>
      state === 'late' || state === 'missing' ? [{ party, name: names.get(party) ?? '', round, dueOn, state }] : [],
    ),
    ...(settings.averageMonthNotice && { aboveAverage: aboveAverage(material) }),
    performance: [
      performanceOf(7, [measured.single, measured.batch], settings, relief),
      performanceOf(8, [measured.repository], settings, false),
    ],
    relief,
    measures: Object.values(measured).map(({ measure, breaches: _, ...counts }) => ({
      measure,
      says: measures[measure].says,
      target: measures[measure].target,
      ...counts,
    })),
    breaches: Object.values(measured).flatMap(({ measure, breaches }) =>
      breaches.map(({ channel, party, receivedAt, sentAt, cause }) => ({
        measure,
        channel,
        party: party ?? null,
        receivedAt: receivedAt.toISOString(),
        sentAt: sentAt?.toISOString() ?? null,
        cause,
      })),
    ),
    exclusions: material.exclusions.map(({ kind, from, until, reference }) => ({
      kind,
      from: from.toISOString(),
      until: until.toISOString(),
      reference,
    })),
    history: [...history('SEC Panel'), pastOf(month, total)],
  }
}

/** Subscribers, and whoever sent without being one any more. */
function everybody({ subscribers, sent }: Material): readonly Pick<Subscriber, 'party' | 'name'>[] {
  const known = new Set(subscribers.map(one => one.party))
  const others = [...sent.keys()]
    .filter(party => !known.has(party))
    .map(party => ({ party, name: `party ${party}` }))
  return [...subscribers, ...others]
}

function headOf({ month, at, dueOn, late }: Material, recipient: string, version: number): Head {
  return { month, recipient, version, madeAt: at.toISOString(), dueOn, late }
}

function compared(
  sent: Sent,
  forecast: Pick<MostRecent, 'single' | 'batch' | 'submittedAt'> | undefined,
): Comparison {
  if (!forecast) return { sent, forecast: 'none', ofForecast: { single: 'none', batch: 'none', total: 'none' } }
  const { single, batch, submittedAt } = forecast
  const of = { single, batch, total: single + batch }
  return {
    sent,
    forecast: { ...of, submittedAt: submittedAt.toISOString() },
    ofForecast: {
      single: percentOf(sent.single, of.single),
      batch: percentOf(sent.batch, of.batch),
      total: percentOf(sent.total, of.total),
    },
  }
}

/** By the total; forecast 0 and more than nothing sent is listed, and so is what was sent without a forecast. */
function isListed({ sent, forecast }: Comparison): boolean {
  if (sent.total === 0) return false
  return forecast === 'none' || isAtLeast(sent.total, listedFrom, forecast.total)
}

function listing({
  party,
  name,
  sent,
  forecast,
  ofForecast,
}: Comparison & Pick<Subscriber, 'party' | 'name'>): Listed {
  return {
    party,
    name,
    sent: sent.total,
    forecast: forecast === 'none' ? 'none' : forecast.total,
    ofForecast: ofForecast.total,
  }
}

/** The latest of their dates stands for all. */
function sumOf(all: readonly MostRecent[]): Pick<MostRecent, 'single' | 'batch' | 'submittedAt'> | undefined {
  if (all.length === 0) return undefined
  return all.reduce((sum, one) => ({
    ...one,
    single: sum.single + one.single,
    batch: sum.batch + one.batch,
    submittedAt: new Date(Math.max(one.submittedAt.getTime(), sum.submittedAt.getTime())),
  }))
}

function plus(a: Sent, b: Sent): Sent {
  return { single: a.single + b.single, batch: a.batch + b.batch, total: a.total + b.total }
}

function pastOf(month: Month, { sent, forecast }: Comparison): Past {
  return { month, sent: sent.total, forecast: forecast === 'none' ? 'none' : forecast.total }
}

function aboveAverage({ subscribers, sent, nextForecasts, history }: Material): Listed[] {
  return subscribers.flatMap(({ party, name }) => {
    const next = nextForecasts.get(party)
    const months = [...history(`party ${party}`).map(one => one.sent), (sent.get(party) ?? sentNothing).total]
    const all = months.reduce((sum, one) => sum + one, 0)
    if (!next || !isAbove((next.single + next.batch) * months.length, averagePercent, all)) return []
    const average = Math.floor(all / months.length)
    const expected = next.single + next.batch
    return [{ party, name, sent: average, forecast: expected, ofForecast: percentOf(expected, average) }]
  })
}

function performanceOf(
  number: 7 | 8,
  of: readonly Measured[],
  settings: PerformanceSettings,
  relief: boolean,
): PerformanceMeasure {
  const sum = (key: 'measured' | 'within') => of.reduce((total, one) => total + one[key], 0)
  const [measured, within] = [sum('measured'), sum('within')]
  const level = levelOf(measured, within, settings)
  return {
    number,
    measured,
    within,
    percent: percentOf(within, measured),
    level: relief && level !== 'none' && level !== 'target met' ? 'relieved' : level,
  }
}
