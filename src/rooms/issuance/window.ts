/** The processing window of batches (APPN: 20:00 to 08:00), by the clock on a British wall. */

export interface Window {
  /** `HH:MM`, included. */
  readonly from: string
  /** `HH:MM`, not included. */
  readonly until: string
  readonly zone: string
}

/** Whether batches are processed at that instant; without a window they always are. */
export function isOpen(window: Window | null, instant: Date): boolean {
  if (!window) return true
  const now = wallClock(instant, window.zone)
  return window.from <= window.until
    ? window.from <= now && now < window.until
    : window.from <= now || now < window.until
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** `HH:MM` in that zone, through both changes of the clock. */
export function wallClock(instant: Date, zone: string): string {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  formats.set(zone, format)
  return format.format(instant)
}
