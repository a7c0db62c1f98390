/** When forecasts and reports are due: rounds of forecasts, and days of the month after (L8, governance-performance.md 6). */

import type { Day } from '../documents/day.ts'
import type { PerformanceSettings } from './settings.ts'
import { type Holidays, workingDayOf } from './working-days.ts'
import { type Month, plusMonths } from './zone.ts'

/** A round is its month: forecasts are due by the 15th Working Day of December, March, June and September (SEED-004). */
const roundMonths = ['12', '03', '06', '09']
const forecastWorkingDay = 15
const reportWorkingDay = 10

/** The round that a forecast submitted in that month belongs to: it lasts until the next round's month begins. */
export function roundOf(month: Month): Month {
  for (let at = month; ; at = plusMonths(at, -1)) if (roundMonths.includes(at.slice(5))) return at
}

/** The last day on which the forecast of a round is in time. @throws Refusal HOLIDAYS_UNKNOWN */
export function forecastDue(round: Month, holidays: Holidays): Day {
  return workingDayOf(round, forecastWorkingDay, holidays)
}

/** The last day on which the reports of a month are in time: the 10th Working Day after its end. @throws Refusal HOLIDAYS_UNKNOWN */
export function reportDue(month: Month, holidays: Holidays): Day {
  return workingDayOf(plusMonths(month, 1), reportWorkingDay, holidays)
}

/** So many months of a forecast that is submitted in that month (GOV-A07). */
export function horizonOf(
  month: Month,
  count: number,
  from: PerformanceSettings['forecastFrom'] = 'next month',
): Month[] {
  const first = from === 'next month' ? 1 : 0
  return Array.from({ length: count }, (_, i) => plusMonths(month, i + first))
}
