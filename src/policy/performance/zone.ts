/** Days, months and times of day on a wall in Great Britain, through both changes of the clock (register GOV-A01). */

import type { Day } from '../documents/day.ts'

/** `YYYY-MM`, a calendar month. Months compare as text does. */
export type Month = string

export function isMonth(text: unknown): text is Month {
  return typeof text === 'string' && /^\d{4}-(0[1-9]|1[0-2])$/.test(text)
}

/** So many months later; earlier when negative. */
export function plusMonths(month: Month, count: number): Month {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7)
}

/** `2026-10-25T01:30:00` as the wall has it at that instant. */
export function wallTime(instant: Date, zone: string): string {
  const part = Object.fromEntries(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  )
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}`
}

export function dayIn(instant: Date, zone: string): Day {
  return wallTime(instant, zone).slice(0, 10)
}

export function monthIn(instant: Date, zone: string): Month {
  return wallTime(instant, zone).slice(0, 7)
}

/**
 * The instant at which the wall has that time of that day: the second where it has it twice, and where it has it never
 * the one that lies as far behind the change.
 * @param time `HH:MM`
 */
export function instantAt(day: Day, time: string, zone: string): Date {
  const asUtc = Date.parse(`${day}T${time}:00Z`)
  const ahead = (at: number) => Date.parse(`${wallTime(new Date(at), zone)}Z`) - at
  // What the zone is ahead just then is known only near that instant; asked twice, it is near enough.
  const near = asUtc - ahead(asUtc)
  return new Date(asUtc - ahead(near))
}

/** The first instant of the month, and of the next. */
export function boundsOf(month: Month, zone: string): { readonly from: Date; readonly until: Date } {
  const first = (one: Month) => instantAt(`${one}-01`, '00:00', zone)
  return { from: first(month), until: first(plusMonths(month, 1)) }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const two = '2-digit'
  const made = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: two,
    day: two,
    hour: two,
    minute: two,
    second: two,
    hourCycle: 'h23',
  })
  formats.set(zone, made)
  return made
}
