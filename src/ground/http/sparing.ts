/** What may happen a thousand times a second is told some times a minute, so that nobody can fill the log. */

/** @returns a teller that passes on the first `most` of each minute; the rest it counts, and says the number of at the next. */
export function sparing(
  tell: (fault: string, from: string) => void,
  most = 60,
  now: () => number = () => performance.now(),
): (fault: string, from: string) => void {
  let [began, told, kept] = [Number.NEGATIVE_INFINITY, 0, 0]
  return (fault, from) => {
    if (now() - began >= 60_000) {
      if (kept > 0) tell(`${kept} more like those before were not told`, '')
      ;[began, told, kept] = [now(), 0, 0]
    }
    if (told < most) {
      told++
      tell(fault, from)
    } else kept++
  }
}
