/** Drills: recorded with their reports and lessons; and when the next one is due (REC-A06). */

import { hash } from 'node:crypto'
import { toHex } from '../../ground/bytes.ts'
import type { ProcedureName } from '../../policy/recovery/cases.ts'
import type { Reader } from './event.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export interface Drill {
  readonly id: number
  readonly procedure: ProcedureName
  readonly devices: number
  readonly proven: number
  readonly listed: number
  /** Simulated, from the notification to the last recovered Device. */
  readonly seconds: number
  readonly at: Date
  /** SHA-256 of the report, hexadecimal. */
  readonly report: string
  readonly lessons: string
}

/** @param report the text of the report, as it was handed over */
export function recordDrill(
  hands: Pick<RecoveryHands, 'store' | 'clock'>,
  drill: Omit<Drill, 'id' | 'at' | 'report' | 'lessons'>,
  report: string,
): Promise<Drill> {
  return byService(hands, 'record drill', { procedure: drill.procedure }, async ({ client, at, note }) => {
    const sha256 = hash('sha256', report, 'buffer')
    const { procedure, devices, proven, listed, seconds } = drill
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO recovery_drill (procedure, devices, proven, listed, seconds, at, report)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
      [procedure, devices, proven, listed, seconds, at, sha256],
    )
    await note('recovery drill', { ...drill, drill: rows[0]!.id, report: toHex(sha256) })
    return { ...drill, id: rows[0]!.id, at, report: toHex(sha256), lessons: '' }
  })
}

/** Writes down what was learnt, once the people have met; it may be written anew. @throws Refusal EVENT_UNKNOWN */
export function writeLessons(
  hands: Pick<RecoveryHands, 'store' | 'clock'>,
  drill: number,
  lessons: string,
): Promise<void> {
  return byService(hands, 'write lessons', { drill }, async ({ client, note }) => {
    const { rowCount } = await client.query('UPDATE recovery_drill SET lessons = $2 WHERE id = $1', [
      drill,
      lessons,
    ])
    if (rowCount === 0) throw no('EVENT_UNKNOWN', `drill ${drill}`)
    await note('lessons of a drill', { drill, sha256: hash('sha256', lessons, 'hex') })
  })
}

/** Latest first. */
export async function drills(store: Reader): Promise<Drill[]> {
  const { rows } = await (store as Pick<RecoveryHands['store'], 'query'>).query<
    Omit<Drill, 'report'> & { report: Buffer }
  >('SELECT * FROM recovery_drill ORDER BY at DESC, id DESC')
  return rows.map(row => ({ ...row, report: toHex(row.report) }))
}

/**
 * When the next test of each procedure is due: so many months after its last, and at once when there was none.
 * @param of the procedures
 */
export function dueDrills(
  held: readonly Pick<Drill, 'procedure' | 'at'>[],
  of: readonly ProcedureName[],
  months: number,
  now: Date,
): { readonly procedure: ProcedureName; readonly due: Date; readonly isDue: boolean }[] {
  return of.map(procedure => {
    const last = held
      .filter(one => one.procedure === procedure)
      .map(one => one.at.getTime())
      .toSorted((a, b) => b - a)[0]
    const due = last === undefined ? now : plusMonths(new Date(last), months)
    return { procedure, due, isDue: due <= now }
  })
}

/** The same day so many months later, or the last of that month where there is no such day. */
function plusMonths(at: Date, months: number): Date {
  const later = new Date(at)
  later.setUTCMonth(at.getUTCMonth() + months)
  if (later.getUTCDate() !== at.getUTCDate()) later.setUTCDate(0)
  return later
}
