/** What an S1SP hands over of its symmetric keys: the summary that it makes of its own store, read strictly. */

import { z } from 'zod'
import type { Summary } from '../../../rooms/symmetric/s1sp/summary.ts'

const when = z.coerce.date()
const text = z.string().max(2000)
const device = z.string().max(64)
const n = z.int().min(0)

export const smets1Schema = z.strictObject({
  at: when,
  campaigns: z
    .array(
      z.strictObject({
        campaign: text,
        decision: text,
        state: text,
        by: when,
        whyPaused: text.nullable(),
        devices: n,
        waiting: n,
        done: n,
        unresolved: n,
        unreachable: n,
        cannot: n,
        open: n,
      }),
    )
    .max(10_000),
  models: z
    .array(
      z.strictObject({
        model: text,
        devices: n,
        rotated: n,
        unresolved: n,
        unreachable: n,
        cannot: n,
        open: n,
        inherited: n,
        nextDue: when.nullable(),
      }),
    )
    .max(10_000),
  overdue: z
    .array(
      z.strictObject({
        device,
        due: when,
        state: text,
        attempts: z.array(z.strictObject({ at: when, code: text })).max(10_000),
      }),
    )
    .max(100_000),
  cannot: z.array(z.strictObject({ device, says: text })).max(100_000),
  exceptions: z.array(z.strictObject({ device, what: text, says: text })).max(100_000),
  review: z.strictObject({
    last: when.nullable(),
    due: when.nullable(),
    state: z.enum(['current', 'warned', 'overdue', 'none']),
  }),
})

/** @returns undefined for what is no such report */
export function readSmets1Report(octets: Buffer): Summary | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets))
  } catch {
    return undefined
  }
  const parsed = smets1Schema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

/** The report of one S1SP as it was read last. */
export interface LiveReport {
  /** Of the S1SP. */
  readonly name: string
  /** Undefined until it was read once. */
  readonly report: Summary | undefined
  readonly readAt: Date | undefined
  /** Why it could not be read the last time. */
  readonly fault: string | undefined
}

/** It is asked for each minute: so old, something is wrong. */
const staleMs = 15 * 60_000

export function isStale({ report }: Pick<LiveReport, 'report'>, at: Date): boolean {
  return report === undefined || at.getTime() - report.at.getTime() > staleMs
}
