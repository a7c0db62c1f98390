/** Pace of single requests by the Code of Connection: one for so many milliseconds, by the hour (service-interface.md 8). */

import type { Clock } from '../../ground/clock.ts'
import type { PerformanceSettings } from './settings.ts'
import { wallTime } from './zone.ts'

export type PaceSettings = Pick<
  PerformanceSettings,
  'zone' | 'adHocCoreMs' | 'adHocOtherMs' | 'coreFrom' | 'coreUntil' | 'adHocBurst'
>

export interface Pace {
  /**
   * Counts a request of that Party.
   * @returns milliseconds until it would be in turn; 0 when it is now
   */
  count(party: number): number
  /** Takes the last request of that Party out of the count: it was refused. */
  uncount(party: number): void
}

/**
 * A Party may be `adHocBurst` requests ahead of the pace. One number for each Party is all that is remembered: when its
 * next request would be in turn.
 */
export function pace(clock: Clock, settings: PaceSettings): Pace {
  const turns = new Map<number, number>()
  let interval = settings.adHocOtherMs
  let looked = Number.NEGATIVE_INFINITY
  /** The hour is looked at once a second: reading a wall clock costs more than all the rest. */
  const intervalAt = (now: number) => {
    if (Math.abs(now - looked) < 1000) return interval
    looked = now
    const time = wallTime(new Date(now), settings.zone).slice(11, 16)
    const core = settings.coreFrom <= time && time < settings.coreUntil
    interval = core ? settings.adHocCoreMs : settings.adHocOtherMs
    return interval
  }
  return {
    count(party) {
      const now = clock().getTime()
      const each = intervalAt(now)
      const turn = Math.max(now, turns.get(party) ?? now) + each
      turns.set(party, turn)
      return Math.max(0, turn - now - settings.adHocBurst * each)
    },
    uncount(party) {
      const turn = turns.get(party)
      if (turn !== undefined) turns.set(party, turn - interval)
    },
  }
}
