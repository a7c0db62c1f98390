/** Calendar days, as documents give them: `2021-10-22` in data, `22 October 2021` in prose. They have no time of day. */

/** `YYYY-MM-DD`, a day that exists. Days compare as text does. */
export type Day = string

export const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

export function isDay(text: unknown): text is Day {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const instant = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text)
}

/** The day of that instant in London (register GOV-A01: times of day are London's). */
export function dayOf(instant: Date): Day {
  return london.format(instant)
}

// en-CA writes a date as ISO 8601 does.
const london = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Europe/London',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})

/** `22 October 2021`. */
export function inWords(day: Day): string {
  const [year, month, date] = day.split('-')
  return `${Number(date)} ${months[Number(month) - 1]} ${year}`
}

/** `22 Oct 2021`, `22 October 2021`, `22nd of October, 2021`; undefined for a day that does not exist. */
export function fromWords(text: string): Day | undefined {
  const [, date, name, year] = /^(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([A-Z][a-z]+),? (\d{4})$/.exec(text) ?? []
  const month = name === undefined ? -1 : months.findIndex(one => one === name || one.slice(0, 3) === name)
  const day = `${year}-${String(month + 1).padStart(2, '0')}-${date?.padStart(2, '0')}`
  return month >= 0 && isDay(day) ? day : undefined
}

/** So many days later; earlier when negative. */
export function plusDays(day: Day, days: number): Day {
  const instant = new Date(`${day}T00:00:00Z`)
  instant.setUTCDate(instant.getUTCDate() + days)
  return instant.toISOString().slice(0, 10)
}

/** The same date so many months later, or the last of that month when it has no such date. */
export function plusMonths(day: Day, count: number): Day {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + count, Math.min(date, last))).toISOString().slice(0, 10)
}
