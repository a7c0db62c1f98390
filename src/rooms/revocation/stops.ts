/** What is suspended, known without asking the store: a snapshot that renews itself, for doors on the hot path. */

import type { Clock } from '../../ground/clock.ts'
import type { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import { coveringSuspension, suspended, suspensions, type Used } from './suspended.ts'

export interface Stops {
  /** `WF:SUSP` when it may not go on, at most `freshMs` after the direction was recorded. */
  stopped(used: Used): Refusal<'WF:SUSP'> | undefined
  close(): void
}

/** At once, as far as people can tell (L2.14). */
export const freshMs = 1000

/** @param onFault told when the store does not answer; what was known last holds until it does */
export async function watchStops(
  store: Pick<Store, 'query'>,
  clock: Clock,
  onFault: (fault: string) => void,
): Promise<Stops> {
  let inForce = await suspensions(store as Store)
  let closed = false
  let timer: NodeJS.Timeout
  const renew = async () => {
    try {
      inForce = await suspensions(store as Store)
    } catch (cause) {
      if (!closed) onFault((cause as Error).message)
    }
    if (!closed) timer = setTimeout(renew, freshMs).unref()
  }
  timer = setTimeout(renew, freshMs).unref()
  return {
    stopped(used) {
      if (inForce.length === 0) return undefined
      const found = coveringSuspension(inForce, used, clock())
      return found && suspended(found)
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
