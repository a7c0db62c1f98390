/** How often, and how soon, a program that ended is started again. */

/** Restarts of one program within so long are counted. */
const withinMs = 10 * 60_000

/**
 * How long to wait before a program that ended is started again: not at all at first, then longer each time, so that a
 * store that is away for some seconds is waited for. Instants and pauses are milliseconds.
 * @returns undefined when it ended more often than `atMost` lately: it is not started again
 */
export function restarting(atMost: number): (name: string, now: number) => number | undefined {
  const ended = new Map<string, number[]>()
  return (name, now) => {
    const lately = (ended.get(name) ?? []).filter(at => now - at < withinMs)
    if (lately.length >= atMost) return undefined
    ended.set(name, [...lately, now])
    return lately.length === 0 ? 0 : 500 * 2 ** Math.min(lately.length, 5)
  }
}
