/** Time and chance: handed in from `main/`, never taken. */

import type { Bytes } from './bytes.ts'

/** The present instant. The serving programs hand in the system's clock, tests one that they turn themselves. */
export type Clock = () => Date

/** `length` octets that nobody can foresee. */
export type Chance = (length: number) => Bytes

/** The instant without its milliseconds: certificates and lists know whole seconds only. */
export function wholeSecond(instant: Date): Date {
  return new Date(Math.floor(instant.getTime() / 1000) * 1000)
}

export class ClockWentBack extends Error {
  constructor(seconds: number) {
    super(`the clock went back by ${seconds.toFixed(3)} s: issuing stops until it is right again`)
    this.name = 'ClockWentBack'
  }
}

/**
 * A clock that never goes back. A step of up to `toleranceMs` is held at the latest instant seen (NTP slews); a
 * larger one throws, so that no certificate is backdated (lessons, row 12).
 * @param seen an instant that has certainly passed: that of the last certificate in the register
 */
export function forwardClock(clock: Clock, toleranceMs = 1000, seen?: Date): Clock {
  let latest = seen?.getTime() ?? Number.NEGATIVE_INFINITY
  return () => {
    const now = clock().getTime()
    if (Number.isNaN(now)) throw new RangeError('the clock does not tell the time')
    if (latest - now > toleranceMs) throw new ClockWentBack((latest - now) / 1000)
    latest = Math.max(latest, now)
    return new Date(latest)
  }
}
