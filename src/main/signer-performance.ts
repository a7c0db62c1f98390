/** What the signer's program does about performance and demand: deadlines by the hour, and the limit of a night. */

import type { Logger } from 'pino'
import type { PerformanceSettings } from '../policy/performance/settings.ts'
import type { Hands } from '../rooms/governance/act.ts'
import { performanceTurn } from '../rooms/issuance/performance.ts'
import { portalDemand } from '../rooms/issuance/portal-demand.ts'
import { batchedSince, nightOf } from '../rooms/issuance/queue.ts'

type Log = Pick<Logger, 'info' | 'warn'>

/** Forecasts and reports: what has become due is done, and said. */
export async function performanceTask(hands: Hands, settings: PerformanceSettings, log: Log): Promise<void> {
  const { flagged, months } = await performanceTurn(hands, settings)
  for (const { party, round, dueOn, flag } of flagged)
    log.info({ party, round, dueOn, flag }, 'a forecast was flagged')
  for (const month of months) log.info({ month }, 'performance reports were made')
  for (const one of await portalDemand(hands.store, settings, hands.clock())) {
    if (one.csrs <= one.most) continue
    log.warn({ ...one }, 'a Party sent more by the Portal in 24 hours than the Code of Connection allows')
  }
}

/** How often the CSRs of a night are counted. */
const everyMs = 2000

/**
 * Whether batches may go on tonight. Above the limit of a night they go on and that is said, or they wait for the next
 * night, which loses nothing: a batch that waits is paused.
 */
export function nightGuard(
  hands: Hands,
  settings: PerformanceSettings,
  log: Pick<Logger, 'warn'>,
): () => Promise<boolean> {
  const { nightFrom, nightCsrs, nightOver, zone } = settings
  let counted = Number.NEGATIVE_INFINITY
  let over = false
  let told: number | undefined
  return async () => {
    const at = hands.clock()
    if (Math.abs(at.getTime() - counted) >= everyMs) {
      counted = at.getTime()
      const night = nightOf(at, nightFrom, zone)
      const csrs = await batchedSince(hands.store, night)
      over = csrs >= nightCsrs
      if (over && told !== night.getTime()) {
        told = night.getTime()
        const says = nightOver === 'queue' ? 'what is left waits for the next' : 'they go on'
        log.warn({ csrs, limit: nightCsrs, since: night }, `the batched CSRs of a night are used up: ${says}`)
      }
    }
    return !over || nightOver === 'tell'
  }
}
