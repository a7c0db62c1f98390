/** The post-recovery report: what happened to whom and when, gathered from what is on record. */

import { toHex } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Counts, countsOf } from './campaign.ts'
import { directionsOf } from './direction.ts'
import { eventOf, procedureIn, type Reader, type RecoveryEvent } from './event.ts'
import { type RecoveryStep, recoverySteps } from './steps.ts'

export interface RecoveryReport {
  readonly event: RecoveryEvent
  readonly says: string
  readonly counts: Counts
  /** Devices by kind. */
  readonly kinds: readonly { readonly kind: string; readonly devices: number; readonly proven: number }[]
  /** Why Devices are listed, the most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly devices: number }[]
  /** How many Devices were proven by when: at most 200 points, ascending. */
  readonly curve: readonly { readonly at: Date; readonly proven: number }[]
  readonly firstProven: Date | undefined
  readonly lastProven: Date | undefined
  readonly commands: { readonly updates: number; readonly questions: number; readonly answered: number }
  readonly steps: readonly RecoveryStep[]
  readonly directions: readonly {
    readonly decision: string
    readonly kind: string
    readonly key: string
    readonly used: number
    readonly maximum: number
  }[]
  readonly ceremonies: readonly {
    readonly thing: string
    readonly custodians: number
    readonly openedAt: Date
    readonly closedAt: Date | undefined
    readonly signatures: number
    readonly refused: number
  }[]
  /** Answers that were not believed, by code. */
  readonly refused: Readonly<Record<string, number>>
}

export async function reportOf(store: Reader, reference: string): Promise<RecoveryReport> {
  const client = store as Client
  const event = await eventOf(store, reference)
  const kinds = await client.query<{ kind: string; devices: bigint; proven: bigint }>(
    `SELECT kind, count(*) AS devices, count(*) FILTER (WHERE state = 'proven') AS proven
       FROM recovery_device WHERE event = $1 GROUP BY kind ORDER BY kind`,
    [reference],
  )
  const reasons = await client.query<{ reason: string; devices: bigint }>(
    `SELECT reason, count(*) AS devices FROM recovery_device WHERE event = $1 AND state = 'listed'
      GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 50`,
    [reference],
  )
  const curve = await client.query<{ at: Date; proven: bigint }>(
    `SELECT proven_at AS at, sum(count(*)) OVER (ORDER BY proven_at)::bigint AS proven
       FROM recovery_device WHERE event = $1 AND proven_at IS NOT NULL GROUP BY proven_at ORDER BY proven_at`,
    [reference],
  )
  const commands = await client.query<{ updates: bigint; questions: bigint; answered: bigint }>(
    `SELECT count(*) FILTER (WHERE kind = 'update' AND sent_at IS NOT NULL) AS updates,
            count(*) FILTER (WHERE kind = 'question' AND sent_at IS NOT NULL) AS questions,
            count(*) FILTER (WHERE state = 'answered') AS answered FROM recovery_command WHERE event = $1`,
    [reference],
  )
  const ceremonies = await client.query<{
    thing: string
    custodians: string[]
    opened_at: Date
    closed_at: Date | null
    signatures: number | null
    refused: number | null
  }>('SELECT * FROM recovery_ceremony WHERE event = $1 ORDER BY id', [reference])
  const refused = await client.query<{ code: string; answers: bigint }>(
    'SELECT code, answers FROM recovery_refused WHERE event = $1 ORDER BY code',
    [reference],
  )
  const points = curve.rows.map(row => ({ at: row.at, proven: Number(row.proven) }))
  const { updates, questions, answered } = commands.rows[0]!
  return {
    event,
    says: procedureIn(event)?.says ?? '',
    counts: await countsOf(store, reference),
    kinds: kinds.rows.map(row => ({ kind: row.kind, devices: Number(row.devices), proven: Number(row.proven) })),
    reasons: reasons.rows.map(row => ({ reason: row.reason, devices: Number(row.devices) })),
    curve: thinned(points, 200),
    firstProven: points[0]?.at,
    lastProven: points.at(-1)?.at,
    commands: { updates: Number(updates), questions: Number(questions), answered: Number(answered) },
    steps: await recoverySteps(store, reference),
    directions: (await directionsOf(store, reference)).map(one => ({
      decision: one.decision,
      kind: one.kind,
      key: toHex(one.key),
      used: one.used,
      maximum: one.maximum,
    })),
    ceremonies: ceremonies.rows.map(row => ({
      thing: row.thing,
      custodians: row.custodians.length,
      openedAt: row.opened_at,
      closedAt: row.closed_at ?? undefined,
      signatures: row.signatures ?? 0,
      refused: row.refused ?? 0,
    })),
    refused: Object.fromEntries(refused.rows.map(row => [row.code, Number(row.answers)])),
  }
}

/** At most so many, the first and the last among them. */
function thinned<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all]
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!)
}

/** `2 h 05 min`; of days, `3 d 4 h`. */
export function howLong(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60)]
  if (days > 0) return `${days} d ${hours - days * 24} h`
  return hours > 0 ? `${hours} h ${String(minutes - hours * 60).padStart(2, '0')} min` : `${minutes} min`
}

/** From the notification to the last Device that was recovered; undefined when none was. */
export function clockOf({ event, lastProven }: RecoveryReport): number | undefined {
  return lastProven && lastProven.getTime() - event.notifiedAt.getTime()
}
