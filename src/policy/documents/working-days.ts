/** Working Days: no Saturday, Sunday or bank holiday in England and Wales (register GOV-A01, ASSUMED(H)). */

import { type Day, plusDays } from './day.ts'

/** A Working Day was asked of a year whose holidays are not in the table: the table is to be continued, not guessed. */
export class YearWithoutHolidays extends Error {
  override readonly name = 'YearWithoutHolidays'
  constructor(year: string) {
    super(`the bank holidays of ${year} are not in the table`)
  }
}

/**
 * Bank holidays by year, with substitute and one-off days, as announced by the government (gov.uk/bank-holidays);
 * Christmas Day and Good Friday among them.
 */
export const bankHolidays: Readonly<Record<string, readonly string[]>> = {
  2021: ['01-01', '04-02', '04-05', '05-03', '05-31', '08-30', '12-27', '12-28'],
  2022: ['01-03', '04-15', '04-18', '05-02', '06-02', '06-03', '08-29', '09-19', '12-26', '12-27'],
  2023: ['01-02', '04-07', '04-10', '05-01', '05-08', '05-29', '08-28', '12-25', '12-26'],
  2024: ['01-01', '03-29', '04-01', '05-06', '05-27', '08-26', '12-25', '12-26'],
  2025: ['01-01', '04-18', '04-21', '05-05', '05-26', '08-25', '12-25', '12-26'],
  2026: ['01-01', '04-03', '04-06', '05-04', '05-25', '08-31', '12-25', '12-28'],
  2027: ['01-01', '03-26', '03-29', '05-03', '05-31', '08-30', '12-27', '12-28'],
  2028: ['01-03', '04-14', '04-17', '05-01', '05-29', '08-28', '12-25', '12-26'],
}

/** @throws YearWithoutHolidays */
export function isWorkingDay(day: Day): boolean {
  const holidays = bankHolidays[day.slice(0, 4)]
  if (!holidays) throw new YearWithoutHolidays(day.slice(0, 4))
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return weekday !== 0 && weekday !== 6 && !holidays.includes(day.slice(5))
}

/** The day that lies so many Working Days after another; before it when negative. The day itself counts as none. */
export function plusWorkingDays(day: Day, count: number): Day {
  const step = Math.sign(count)
  let at = day
  for (let left = Math.abs(count); left > 0; ) {
    at = plusDays(at, step)
    if (isWorkingDay(at)) left--
  }
  return at
}

/** The n-th Working Day of a month (`2025-12`), counted from its first day. */
export function workingDayOf(month: string, n: number): Day {
  return plusWorkingDays(plusDays(`${month}-01`, -1), n)
}
