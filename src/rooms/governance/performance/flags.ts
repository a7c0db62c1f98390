/** Who is to be reminded of a forecast, and whose is late or missing: each is said once a round. */

import type { Client } from '../../../ground/store/store.ts'
import type { PerformanceSettings } from '../../../policy/performance/settings.ts'
import { holidaysWith, plusWorkingDays } from '../../../policy/performance/working-days.ts'
import { dayIn } from '../../../policy/performance/zone.ts'
import type { Subscriber } from './facts.ts'
import { type RoundStanding, roundStandings } from './forecasts.ts'

/** `reminded`: it is not there, and due soon; `missing`: it was due; `late`: it came after that. */
export type Flag = 'reminded' | 'missing' | 'late'

export interface Flagged extends RoundStanding {
  readonly flag: Flag
}

/**
 * Notes which flags these Parties have come to since the last time. What is to be told of them is told in the same
 * transaction.
 * @throws Refusal HOLIDAYS_UNKNOWN
 */
export async function raiseFlags(
  client: Client,
  settings: PerformanceSettings,
  subscribers: readonly Subscriber[],
  at: Date,
): Promise<Flagged[]> {
  const raised: Flagged[] = []
  for (const standing of await roundStandings(client, settings, subscribers, at)) {
    const flag = flagOf(standing, settings, at)
    if (!flag) continue
    const { rowCount } = await client.query(
      'INSERT INTO forecast_flag (party, round, flag, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [standing.party, standing.round, flag, at],
    )
    if (rowCount === 1) raised.push({ ...standing, flag })
  }
  return raised
}

function flagOf({ state, dueOn }: RoundStanding, settings: PerformanceSettings, at: Date): Flag | undefined {
  if (state === 'missing' || state === 'late') return state
  if (state === 'in time' || settings.reminderWorkingDays === 0) return undefined
  const from = plusWorkingDays(dueOn, -settings.reminderWorkingDays, holidaysWith(settings.bankHolidays))
  return dayIn(at, settings.zone) >= from ? 'reminded' : undefined
}
