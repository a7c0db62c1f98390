/** What a door's program measures: kept in groups four times a second, and at the end; shown to whoever scrapes. */

import { toHex } from '../ground/bytes.ts'
import type { Store } from '../ground/store/store.ts'
import type { PerformanceSettings } from '../policy/performance/settings.ts'
import { type Collector, collector, type Measure } from '../rooms/governance/performance/collect.ts'
import type { Sample } from '../rooms/governance/performance/sample.ts'
import { systemChance } from './world.ts'

export interface Measuring {
  readonly measure: Measure
  /** Keeps what is left. */
  close(): Promise<void>
}

interface Log {
  error(about: object, says: string): void
}

/** How much a door that is killed loses of its measurements; and no request waits long while thousands are gone through. */
const everyMs = 250

/** Is given what was kept. */
export type Shown = (samples: readonly Sample[]) => void

export function measuring(
  store: Store,
  { zone }: PerformanceSettings,
  log: Log,
  shown: Shown = () => {},
): Measuring {
  const collected: Collector = collector(store, toHex(systemChance(8)), zone)
  const flush = async () => {
    try {
      const { kept, dropped } = await collected.flush()
      shown(kept)
      if (dropped > 0) log.error({ dropped }, 'the store did not take measurements: some are lost')
    } catch (cause) {
      // They wait, and are tried again.
      log.error({ fault: (cause as Error).message }, 'measurements could not be kept yet')
    }
  }
  const timer = setInterval(flush, everyMs).unref()
  return {
    measure: collected.measure,
    async close() {
      clearInterval(timer)
      // What a failed one left pending, and what came since.
      await flush()
      await flush()
    },
  }
}
