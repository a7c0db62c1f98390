/** Whether dates stand in the order in which things are done, and which of them cannot be right when they do not. */

import { type Day, inWords } from './day.ts'

export interface Dated {
  readonly what: string
  readonly on: Day
  /** It lies after what comes before it, and not on the same day. */
  readonly strictly?: boolean | undefined
}

export interface OutOfOrder {
  /** The one that fits least: without it and its like all others are in order. */
  readonly at: Dated
  /** One with which it cannot be reconciled. */
  readonly against: Dated
  readonly says: string
}

/**
 * Looks at events given in the order in which they must have happened. As many dates as possible are taken to be right;
 * the others are named.
 */
export function outOfOrder(events: readonly Dated[]): OutOfOrder[] {
  const fits = (earlier: Dated, later: Dated) => (later.strictly ? earlier.on < later.on : earlier.on <= later.on)
  // The longest run that is in order, ending at each event: the last of the longest ones wins, so that a date that was
  // only planned early on is doubted before one that came to pass.
  const best: { length: number; before: number }[] = []
  for (const [i, event] of events.entries()) {
    let run = { length: 1, before: -1 }
    for (let j = 0; j < i; j++) {
      if (fits(events[j]!, event) && best[j]!.length >= run.length) run = { length: best[j]!.length + 1, before: j }
    }
    best.push(run)
  }
  let last = best.reduce((top, run, i) => (run.length >= (best[top]?.length ?? 0) ? i : top), -1)
  const right = new Set<number>()
  for (; last >= 0; last = best[last]!.before) right.add(last)

  return events.flatMap((at, i) => {
    if (right.has(i)) return []
    const conflicts = (j: number) => (j < i ? !fits(events[j]!, at) : !fits(at, events[j]!))
    const other = [...right].toSorted((a, b) => Math.abs(a - i) - Math.abs(b - i)).find(conflicts)
    if (other === undefined) return []
    const against = events[other]!
    const order = other > i ? 'which comes after it' : 'which comes before it'
    const says = `${at.what} on ${inWords(at.on)}, but ${against.what}, ${order}, on ${inWords(against.on)}`
    return [{ at, against, says }]
  })
}
