/** Working Days: no Saturday, Sunday or bank holiday of England and Wales (register GOV-A01, ASSUMED(H)). */

import { Refusal } from '../../ground/refusal.ts'
import { type Day, plusDays } from '../documents/day.ts'
import { bankHolidays } from './bank-holidays.ts'
import type { Month } from './zone.ts'

/** Holidays by year: those of the table, but for years that were configured. */
export type Holidays = Readonly<Record<string, readonly string[]>>

/** @param configured setting `performance.bankHolidays`: whole years, each in place of that of the table */
export function holidaysWith(configured: Holidays): Holidays {
  return { ...bankHolidays, ...configured }
}

/**
 * The n-th Working Day of a month, counted from its first day, inclusive.
 * @throws Refusal HOLIDAYS_UNKNOWN for a year without holidays: they are never guessed
 */
export function workingDayOf(month: Month, n: number, holidays: Holidays = bankHolidays): Day {
  return plusWorkingDays(plusDays(`${month}-01`, -1), n, holidays)
}

/** So many Working Days later; earlier when negative. The day itself counts as none. @throws Refusal HOLIDAYS_UNKNOWN */
export function plusWorkingDays(day: Day, count: number, holidays: Holidays = bankHolidays): Day {
  let at = day
  for (let left = Math.abs(count); left > 0; ) {
    at = plusDays(at, Math.sign(count))
    if (isWorkingDay(at, holidays)) left--
  }
  return at
}

/** @throws Refusal HOLIDAYS_UNKNOWN */
export function isWorkingDay(day: Day, holidays: Holidays = bankHolidays): boolean {
  const year = day.slice(0, 4)
  const days = Object.hasOwn(holidays, year) ? holidays[year] : undefined
  if (!days) {
    throw new Refusal(
      'HOLIDAYS_UNKNOWN',
      `the bank holidays of ${year} are not known: enter that year in the setting performance.bankHolidays`,
    )
  }
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return weekday !== 0 && weekday !== 6 && !days.includes(day.slice(5))
}
