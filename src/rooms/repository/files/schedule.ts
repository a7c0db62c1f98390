/** When files are made: the delta each day, the full file on its weekdays; by the wall in London (register REP-A08). */

import { dayIn, instantAt } from '../../../policy/performance/zone.ts'
import { type Weekday, weekdays } from '../../../policy/settings.ts'
import { type Making, makeFile, type RepositoryFile } from './make.ts'
import { type Kept, removeOld } from './remove.ts'

export interface FileSchedule {
  /** `HH:MM` at which files of the day before are made. */
  readonly at: string
  /** On which the full file is made; on none of them, never. */
  readonly fullOn: readonly Weekday[]
  readonly zone: string
  readonly kept: Kept
}

/**
 * How far the files reach that should be there at that instant: to the midnight before the day on which they are due,
 * so that a full file and the deltas up to the same midnight say the same.
 */
export function due({ at, fullOn, zone }: FileSchedule, now: Date): { DELTA: Date; FULL: Date | undefined } {
  const today = dayIn(now, zone)
  const begun = instantAt(today, at, zone) <= now ? 0 : 1
  const midnight = (daysAgo: number) => instantAt(daysBefore(today, daysAgo), '00:00', zone)
  const last = [0, 1, 2, 3, 4, 5, 6]
    .map(ago => ago + begun)
    .find(ago => fullOn.includes(weekdays[new Date(daysBefore(today, ago)).getUTCDay()]!))
  return { DELTA: midnight(begun), FULL: last === undefined ? undefined : midnight(last) }
}

/** `YYYY-MM-DD`, and so many days before it: days of a calendar, however long the clock makes them. */
function daysBefore(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - count * 86_400_000).toISOString().slice(0, 10)
}

/** What is due and not there is made, and what was kept long enough is taken away. Any number may do so at once. */
export async function filesTurn(
  making: Making,
  schedule: FileSchedule,
): Promise<{ made: RepositoryFile[]; removed: string[] }> {
  const until = due(schedule, making.clock())
  const made: RepositoryFile[] = []
  for (const kind of ['DELTA', 'FULL'] as const) {
    const file = until[kind] && (await makeFile(making, kind, until[kind]))
    if (file) made.push(file)
  }
  return { made, removed: await removeOld(making, schedule.kept) }
}
