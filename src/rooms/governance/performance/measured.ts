/** Response times of a month against their targets: how many, how many within, and each that was not, with its cause. */

import type { Client, Store } from '../../../ground/store/store.ts'
import { isAtLeast, percentOf } from '../../../policy/performance/percent.ts'
import type { PerformanceSettings } from '../../../policy/performance/settings.ts'
import {
  type Channel,
  channelNumbered,
  channels,
  dueBy,
  type Measure,
} from '../../../policy/performance/targets.ts'
import { boundsOf, type Month } from '../../../policy/performance/zone.ts'
import { type Exclusion, exclusionsWithin } from './exclusions.ts'
import type { BatchFact, Facts } from './facts.ts'
import { judged, unpack } from './sample.ts'

export interface Breach {
  readonly channel: Channel
  /** Undefined where a test key asked. */
  readonly party: number | undefined
  readonly receivedAt: Date
  /** Undefined while nothing was sent. */
  readonly sentAt: Date | undefined
  readonly cause: string
}

export interface Measured {
  readonly measure: Measure
  readonly measured: number
  readonly within: number
  /** Received in the month, and not counted because of an exclusion. */
  readonly excluded: number
  readonly percent: string
  readonly breaches: readonly Breach[]
}

/** More breaches than these are counted, and not listed: a list nobody reads helps nobody. */
export const breachesAtMost = 1000

type Reader = Pick<Store, 'query'> | Client

/** Requests that were received in that month; what is still without an answer at `at` has missed once it is overdue. */
export async function measuredIn(
  store: Reader,
  settings: PerformanceSettings,
  month: Month,
  facts: Facts,
  at: Date,
): Promise<Record<Measure, Measured>> {
  const { from, until } = boundsOf(month, settings.zone)
  // A batch of the month's last day may be under way for a day more.
  const exclusions = (await exclusionsWithin(store, from, new Date(until.getTime() + 2 * 86_400_000))).filter(one =>
    settings.exclusions.includes(one.kind),
  )
  const kept = await keptGroups(store, settings.zone, { from, until }, exclusions)
  const direct = [
    ...facts.batches.flatMap(batch => ofBatch(batch, settings.zone, at) ?? []),
    ...facts.organisation.flatMap(one => ofOrganisation(one, settings.zone, at) ?? []),
  ].filter(one => one.receivedAt >= from && one.receivedAt < until)
  const breaches = await keptBreaches(store, { from, until }, exclusions)

  const of = (measure: Measure): Measured => {
    const groups = kept.filter(one => channels[one.channel].measure === measure)
    const own = direct.filter(one => channels[one.channel].measure === measure)
    const counted = own.filter(one => !isExcluded(exclusions, one.receivedAt, one.sentAt ?? at))
    const sum = (key: 'measured' | 'within' | 'excluded') => groups.reduce((total, one) => total + one[key], 0)
    const measured = sum('measured') + counted.length
    const within = sum('within') + counted.filter(one => one.within).length
    const missed = [
      ...breaches.filter(one => channels[one.channel].measure === measure),
      ...counted.filter(one => !one.within).map(({ within: _, ...breach }) => breach),
    ].sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime())
    return {
      measure,
      measured,
      within,
      excluded: sum('excluded') + own.length - counted.length,
      percent: percentOf(within, measured),
      breaches: missed.slice(0, breachesAtMost),
    }
  }
  return { single: of('single'), batch: of('batch'), repository: of('repository') }
}

export type Level = 'target met' | 'minimum met' | 'below minimum' | 'none'

/** SVC-A12, in whole numbers. */
export function levelOf(measured: number, within: number, settings: PerformanceSettings): Level {
  if (measured === 0) return 'none'
  if (isAtLeast(within, settings.targetPercent, measured)) return 'target met'
  return isAtLeast(within, settings.minimumPercent, measured) ? 'minimum met' : 'below minimum'
}

interface Counted {
  readonly channel: Channel
  readonly measured: number
  readonly within: number
  readonly excluded: number
}

interface Span {
  readonly from: Date
  readonly until: Date
}

/** Sums stand on each group; only the groups that an exclusion touches are read sample by sample. */
async function keptGroups(
  store: Reader,
  zone: string,
  { from, until }: Span,
  exclusions: readonly Exclusion[],
): Promise<Counted[]> {
  const begins = exclusions.map(one => one.from)
  const ends = exclusions.map(one => one.until)
  const touched = `EXISTS (SELECT FROM unnest($3::timestamptz[], $4::timestamptz[]) AS x (begins, ends)
    WHERE g.first_at < x.ends AND g.last_at >= x.begins)`
  const values = [from, until, begins, ends]
  const { rows } = await (store as Client).query<{ channel: number; measured: bigint; within: bigint }>(
    `SELECT channel, sum(measured) AS measured, sum(within) AS within FROM response_group g
      WHERE hour >= $1 AND hour < $2 AND NOT ${touched} GROUP BY channel`,
    values,
  )
  const whole = rows.map(row => ({
    channel: channelNumbered(row.channel),
    measured: Number(row.measured),
    within: Number(row.within),
    excluded: 0,
  }))
  if (exclusions.length === 0) return whole
  const parts = await (store as Client).query<{ channel: number; hour: Date; samples: Buffer }>(
    `SELECT channel, hour, samples FROM response_group g WHERE hour >= $1 AND hour < $2 AND ${touched}`,
    values,
  )
  return [
    ...whole,
    ...parts.rows.map(row => {
      const channel = channelNumbered(row.channel)
      const verdicts = unpack(row.samples, row.hour.getTime()).map(sample => ({
        ...judged({ ...sample, channel }, zone),
        excluded: isExcluded(exclusions, new Date(sample.received), new Date(sample.sent)),
      }))
      const measured = verdicts.filter(one => one.measured)
      return {
        channel,
        measured: measured.filter(one => !one.excluded).length,
        within: measured.filter(one => !one.excluded && one.within).length,
        excluded: measured.filter(one => one.excluded).length,
      }
    }),
  ]
}

async function keptBreaches(
  store: Reader,
  { from, until }: Span,
  exclusions: readonly Exclusion[],
): Promise<Breach[]> {
  const { rows } = await (store as Client).query<{
    channel: number
    party: number | null
    received_at: Date
    sent_at: Date
    cause: string
  }>(
    `SELECT channel, party, received_at, sent_at, cause FROM response_breach
      WHERE received_at >= $1 AND received_at < $2
        AND NOT EXISTS (SELECT FROM unnest($3::timestamptz[], $4::timestamptz[]) AS x (begins, ends)
                         WHERE received_at < x.ends AND sent_at >= x.begins)
      ORDER BY received_at, id LIMIT $5`,
    [from, until, exclusions.map(one => one.from), exclusions.map(one => one.until), 3 * breachesAtMost],
  )
  return rows.map(row => ({
    channel: channelNumbered(row.channel),
    party: row.party ?? undefined,
    receivedAt: row.received_at,
    sentAt: row.sent_at,
    cause: row.cause,
  }))
}

/** Whether an exclusion lies anywhere between receipt and sending. */
function isExcluded(exclusions: readonly Exclusion[], receivedAt: Date, sentAt: Date): boolean {
  return exclusions.some(one => receivedAt < one.until && sentAt >= one.from)
}

type Judged = Breach & { readonly within: boolean }

function ofBatch(batch: BatchFact, zone: string, at: Date): Judged | undefined {
  const { channel, party, receivedAt, completedAt, refused } = batch
  const due = dueBy(channels[channel].measure, receivedAt, zone)
  // One that was refused has no answer to wait for; one that may still be in time is not judged yet.
  if (refused || (!completedAt && at <= due)) return undefined
  const within = completedAt !== undefined && completedAt <= due
  return { channel, party, receivedAt, sentAt: completedAt, within, cause: slowestStep(batch, at) }
}

/** The step that took longest. */
function slowestStep({ id, receivedAt, decidedAt, queuedAt, completedAt }: BatchFact, at: Date): string {
  const steps = [
    ['the Registration Authority decided late', receivedAt, decidedAt],
    ['it was read late', decidedAt, queuedAt],
    ['it waited, or was issued slowly', queuedAt, completedAt],
  ] as const
  const lengths = steps.map(([says, begun, done]) => ({
    says: done ? says : `${says}: not yet done`,
    ms: begun ? (done ?? at).getTime() - begun.getTime() : 0,
  }))
  return `batch ${id}: ${lengths.reduce((a, b) => (b.ms > a.ms ? b : a)).says}`
}

function ofOrganisation(
  { party, receivedAt, sentAt }: Facts['organisation'][number],
  zone: string,
  at: Date,
): Judged | undefined {
  const due = dueBy('single', receivedAt, zone)
  if (!sentAt && at <= due) return undefined
  const within = sentAt !== undefined && sentAt <= due
  const cause = sentAt ? 'the answer came late' : 'no answer yet'
  return { channel: 'PORTAL_ORG', party, receivedAt, sentAt, within, cause }
}
