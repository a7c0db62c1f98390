/** The pace that the Code of Connection asks of ad hoc clients: a duty of theirs, told of here, held only where that is set. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../ground/clock.ts'
import { pace } from '../../policy/performance/pace.ts'
import type { PerformanceSettings } from '../../policy/performance/settings.ts'

/** One line in the log for a Party in so long: it is told, and does not fill the log. */
const quietMs = 60_000

export interface PaceGuard {
  /** Counts a request. Waits for its turn where that is set, for as long as patience lasts; nothing is ever lost by it. */
  admit(party: number): Promise<'go on' | 'refuse'>
}

/** @param wait how a request waits for its turn */
export function paceGuard(
  clock: Clock,
  settings: PerformanceSettings,
  log: Pick<Logger, 'warn'>,
  wait: (ms: number) => Promise<unknown> = ms => sleep(ms),
): PaceGuard {
  const paced = pace(clock, settings)
  const told = new Map<number, number>()
  return {
    async admit(party) {
      const early = paced.count(party)
      if (early === 0) return 'go on'
      const now = clock().getTime()
      if (now - (told.get(party) ?? Number.NEGATIVE_INFINITY) >= quietMs) {
        told.set(party, now)
        log.warn({ party, milliseconds: early }, 'a Party asks faster than the Code of Connection allows')
      }
      if (settings.adHocOver === 'refuse') {
        paced.uncount(party)
        return 'refuse'
      }
      if (settings.adHocOver === 'queue') await wait(Math.min(early, settings.adHocPatienceSeconds * 1000))
      return 'go on'
    },
  }
}
