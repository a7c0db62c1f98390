/** When a Repository portal account is locked (repository.md section 6; SEC Appendix P). */

/** Wrong passwords within one hour that lock the account. */
export const wrongPasswords = 5
const hourMs = 3_600_000

/**
 * When the lock ends, or undefined when there is none at that instant. Failures at t1 to t5 of which the last is at most
 * an hour after the first lock until one hour after t1, so a lock may last only moments; older failures do not count.
 * Nothing is counted during a lock, and a right password does not take earlier failures back: the text speaks of five
 * wrong passwords within one hour, not of five in a row.
 * @param failures since the last unlocking or reset, in the order of time
 */
export function lockedUntil(failures: readonly Date[], at: Date): Date | undefined {
  for (let last = failures.length - 1; last >= wrongPasswords - 1; last--) {
    const first = failures[last - wrongPasswords + 1]!
    const end = new Date(first.getTime() + hourMs)
    if (failures[last]! <= end && at < end) return end
  }
  return undefined
}

/** Those that may still count at that instant: what need not be kept is not. */
export function stillCounting(failures: readonly Date[], at: Date): Date[] {
  return failures.filter(failure => at.getTime() - failure.getTime() <= hourMs)
}
