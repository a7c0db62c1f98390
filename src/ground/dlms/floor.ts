/** Which invocation counter may come next: the receiving side of replay protection (dlms.md section 3). */

import { hex } from './cursor.ts'
import { refusal } from './refusals.ts'

/** By model [ASSUMED(M) DLMS-A02]: `greater`, which allows gaps, or `strictly-next`. */
export type CounterRule = 'greater' | 'strictly-next'

/**
 * What may come under one key from one title. A value: whoever keeps it stores the raised one, durably, and only after
 * the tag was verified. Raised before, anybody could push it up.
 */
export interface Floor {
  /** 0 to 2^32; at 2^32 nothing may come any more. */
  readonly lowest: number
  readonly rule: CounterRule
}

/** A key that was just established: its counters are at 0. */
export const newFloor = (rule: CounterRule = 'greater'): Floor => ({ lowest: 0, rule })

/** @throws Refusal DLMS_COUNTER, with both values in its details: they are no secret */
export function checkCounter(floor: Floor, counter: number): void {
  const { lowest, rule } = floor
  if (counter < lowest || (rule === 'strictly-next' && counter > lowest)) {
    const about = `${hex(counter)} came, and ${hex(lowest)} ${rule === 'greater' ? 'is the lowest' : 'was due'}`
    throw refusal('DLMS_COUNTER', about, { details: { counter, lowest, rule } })
  }
}

/** The floor after an APDU with this counter was verified. It never sinks. */
export function raise(floor: Floor, counter: number): Floor {
  return { ...floor, lowest: Math.max(floor.lowest, counter + 1) }
}
