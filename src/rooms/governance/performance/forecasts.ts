/** Forecasts of demand (L8): what each Authorised Subscriber says it will send, and which forecast a month is held against. */

import type { Client, Store } from '../../../ground/store/store.ts'
import { forecastDue, horizonOf, roundOf } from '../../../policy/performance/rounds.ts'
import type { PerformanceSettings } from '../../../policy/performance/settings.ts'
import { holidaysWith } from '../../../policy/performance/working-days.ts'
import { boundsOf, dayIn, type Month, monthIn, plusMonths } from '../../../policy/performance/zone.ts'
import { act, type Hands } from '../act.ts'
import type { Subscriber } from './facts.ts'
import { no } from './refusals.ts'

/** CSRs for Device Certificates that are to be sent in that month. */
export interface ForecastMonth {
  readonly month: Month
  readonly single: number
  readonly batch: number
}

export interface Forecast {
  readonly id: number
  readonly party: number
  readonly submittedAt: Date
  readonly months: readonly ForecastMonth[]
}

type Reader = Pick<Store, 'query'> | Client

/**
 * Enters a forecast. Whether the Party is one that forecasts is known to the caller.
 * @param forecast a pair of figures for each month of the horizon (`horizonOf`)
 * @throws Refusal FORECAST_UNFIT
 */
export function submitForecast(
  hands: Hands,
  settings: PerformanceSettings,
  by: string,
  forecast: { readonly party: number; readonly months: readonly ForecastMonth[] },
): Promise<number> {
  const { party, months } = forecast
  return act(hands, by, 'submit forecast', `party:${party}`, async ({ client, at, note }) => {
    const wanted = horizonOf(monthIn(at, settings.zone), settings.forecastMonths, settings.forecastFrom)
    const fits = months.length === wanted.length && wanted.every((month, i) => months[i]!.month === month)
    if (!fits) throw no('FORECAST_UNFIT', `it has the months ${wanted[0]} to ${wanted.at(-1)}, in order`)
    if (!months.every(({ single, batch }) => isCount(single) && isCount(batch))) {
      throw no('FORECAST_UNFIT', 'numbers of CSRs are whole, from 0 to 1,000,000,000')
    }
    const { rows } = await client.query<{ id: number }>(
      'INSERT INTO forecast (party, submitted_at, submitted_by) VALUES ($1, $2, $3) RETURNING id',
      [party, at, by],
    )
    const { id } = rows[0]!
    await client.query(
      `INSERT INTO forecast_month (forecast, month, single, batch)
       SELECT $1::int, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])`,
      [id, months.map(one => one.month), months.map(one => one.single), months.map(one => one.batch)],
    )
    await note({
      forecast: id,
      party,
      months: months.map(({ month, single, batch }) => ({ month, single, batch })),
    })
    return id
  })
}

/** Latest first. */
export async function forecastsOf(store: Reader, party: number, atMost = 20): Promise<Forecast[]> {
  const { rows } = await (store as Client).query<ForecastRow>(
    `SELECT f.id, f.party, f.submitted_at, m.month, m.single, m.batch FROM forecast_month m
       JOIN (SELECT * FROM forecast WHERE party = $1 ORDER BY submitted_at DESC, id DESC LIMIT $2) f ON f.id = m.forecast
      ORDER BY f.submitted_at DESC, f.id DESC, m.month`,
    [party, atMost],
  )
  return [...Map.groupBy(rows, row => row.id).values()].map(of => ({
    id: of[0]!.id,
    party,
    submittedAt: of[0]!.submitted_at,
    months: of.map(({ month, single, batch }) => ({ month, single: Number(single), batch: Number(batch) })),
  }))
}

export interface MostRecent extends ForecastMonth {
  readonly party: number
  readonly submittedAt: Date
}

/** What each Party most recently forecast for a month, by Party: the latest before it began that covers it (GOV-A08). */
export async function mostRecentFor(
  store: Reader,
  month: Month,
  settings: PerformanceSettings,
): Promise<Map<number, MostRecent>> {
  const before = settings.mostRecentForecast === 'latest' ? null : boundsOf(month, settings.zone).from
  const { rows } = await (store as Client).query<ForecastRow>(
    `SELECT DISTINCT ON (f.party) f.id, f.party, f.submitted_at, m.month, m.single, m.batch
       FROM forecast f JOIN forecast_month m ON m.forecast = f.id AND m.month = $1
      WHERE $2::timestamptz IS NULL OR f.submitted_at < $2
      ORDER BY f.party, f.submitted_at DESC, f.id DESC`,
    [month, before],
  )
  return new Map(
    rows.map(({ party, submitted_at, single, batch }) => [
      party,
      { party, month, submittedAt: submitted_at, single: Number(single), batch: Number(batch) },
    ]),
  )
}

/** `open`: it is not there yet, and not due before that day is over. */
export type RoundState = 'in time' | 'late' | 'open' | 'missing'

export interface RoundStanding {
  readonly party: number
  readonly round: Month
  /** The last day in time. */
  readonly dueOn: string
  readonly state: RoundState
  readonly submittedAt: Date | undefined
}

/**
 * How each of these Parties stands in the round of that instant, which lasts until the next one's month begins; but for
 * those that were not registered yet when it was due.
 * @throws Refusal HOLIDAYS_UNKNOWN
 */
export async function roundStandings(
  store: Reader,
  settings: PerformanceSettings,
  subscribers: readonly Subscriber[],
  at: Date,
): Promise<RoundStanding[]> {
  const { zone } = settings
  const round = roundOf(monthIn(at, zone))
  const dueOn = forecastDue(round, holidaysWith(settings.bankHolidays))
  const until = boundsOf(plusMonths(round, 2), zone).until
  const parties = subscribers.filter(one => dayIn(one.since, zone) <= dueOn).map(one => one.party)
  const { rows } = await (store as Client).query<{ party: number; first: Date }>(
    `SELECT party, min(submitted_at) AS first FROM forecast
      WHERE party = ANY($1) AND submitted_at >= $2 AND submitted_at < $3 GROUP BY party`,
    [parties, boundsOf(round, zone).from, until],
  )
  const first = new Map(rows.map(row => [row.party, row.first]))
  const over = dayIn(at, zone) > dueOn
  return parties.map(party => {
    const submittedAt = first.get(party)
    const late = submittedAt !== undefined && dayIn(submittedAt, zone) > dueOn
    const state = submittedAt ? (late ? 'late' : 'in time') : over ? 'missing' : 'open'
    return { party, round, dueOn, state, submittedAt }
  })
}

interface ForecastRow {
  id: number
  party: number
  submitted_at: Date
  month: Month
  single: bigint
  batch: bigint
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 1_000_000_000
}
