/** Percentages in whole numbers: what is written is never above what was counted. */

/** `99.98 %`, cut off after two places, so that nothing is rounded up to a target; `none` of nothing. */
export function percentOf(part: number, whole: number): string {
  if (whole === 0) return 'none'
  const hundredths = (BigInt(part) * 10_000n) / BigInt(whole)
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')} %`
}

/** Whether the part is at least so many percent of the whole. */
export function isAtLeast(part: number, percent: number, whole: number): boolean {
  return BigInt(part) * 100n >= BigInt(whole) * BigInt(percent)
}

/** Whether it is more than that. */
export function isAbove(part: number, percent: number, whole: number): boolean {
  return BigInt(part) * 100n > BigInt(whole) * BigInt(percent)
}
