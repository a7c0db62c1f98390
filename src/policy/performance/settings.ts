/** The group `performance` of the settings: targets, forecasts, reports, limits of demand, and the listener for metrics. */

import { z } from 'zod'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

const says = (text: string) => ({ says: text })
const percent = z.int().min(1).max(1000)
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)
const port = z.int().min(0).max(65535)

/** A zone that the runtime knows. */
function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone }) !== undefined
  } catch {
    return false
  }
}

/** What response times may be excluded for (GOV-A09). */
export const exclusionKinds = ['planned maintenance', 'demand', 'emergency suspension'] as const

export const performanceSettings = (assumed: Assumed) =>
  z
    .strictObject({
      zone: assumed(
        'GOV-A01',
        'M',
        z.string().refine(isZone, 'a time zone'),
        'Europe/London',
        'zone of times of day, days and months',
      ),
      bankHolidays: assumed(
        'GOV-A01',
        'H',
        z.record(z.string().regex(/^\d{4}$/), z.array(z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/))),
        {},
        'bank holidays, MM-DD by year, of years that are not in the table or differ from it',
      ),
      forecastMonths: assumed('GOV-A07', 'M', z.int().min(1).max(60), 8, 'months that a forecast has'),
      forecastFrom: assumed(
        'GOV-A07',
        'M',
        z.enum(['next month', 'this month']),
        'next month',
        'the first month of a forecast, seen from when it is submitted',
      ),
      mostRecentForecast: assumed(
        'GOV-A08',
        'M',
        z.enum(['before the month', 'latest']),
        'before the month',
        'which forecast a month is compared with: the latest submitted before it began, or the latest of all',
      ),
      exclusions: assumed(
        'GOV-A09',
        'M',
        z.array(z.enum(exclusionKinds)),
        [...exclusionKinds],
        'what response times are excluded for',
      ),
      targetPercent: assumed('SVC-A12', 'H', z.int().min(1).max(100), 99, 'target service level, per cent'),
      minimumPercent: assumed('SVC-A12', 'H', z.int().min(1).max(100), 96, 'minimum service level, per cent'),
      reliefPercent: assumed(
        'SVC-A13',
        'H',
        percent,
        110,
        'no failure counts in a month whose demand is above so many per cent of what was forecast',
      ),
      averageMonthNotice: z
        .boolean()
        .default(false)
        .meta(says('whether the Panel is told of forecasts above 150 % of the average month (MP160, proposed)')),
      reminderWorkingDays: z
        .int()
        .min(0)
        .max(14)
        .default(5)
        .meta(says('Working Days before a forecast is due on which its Party is reminded; 0 reminds nobody')),
      reportWorkingDay: z
        .int()
        .min(2)
        .max(10)
        .default(5)
        .meta(says('Working Day of the month on which reports of the month before are made; due is the tenth')),
      sampleMonths: z
        .int()
        .min(2)
        .max(120)
        .default(25)
        .meta(says('months for which the response time of each request is kept')),
      adHocOver: assumed(
        'SVC-A11',
        'M',
        z.enum(['tell', 'queue', 'refuse']),
        'tell',
        'what happens to an ad hoc request above the pace: it is told of, it waits for its turn, or HTTP 429',
      ),
      adHocCoreMs: z
        .int()
        .min(1)
        .default(800)
        .meta(says('milliseconds for each ad hoc request in core hours (APPN)')),
      adHocOtherMs: z.int().min(1).default(4000).meta(says('the same in other hours (APPN)')),
      coreFrom: time.default('07:00').meta(says('core hours begin (APPN)')),
      coreUntil: time.default('20:00').meta(says('core hours end (APPN)')),
      adHocBurst: z
        .int()
        .min(1)
        .default(75)
        .meta(says('ad hoc requests that a Party may send at once before the pace is held against it')),
      adHocPatienceSeconds: z
        .int()
        .min(1)
        .max(25)
        .default(20)
        .meta(says('a request that is queued for the pace waits so long at most')),
      portalAdHocDay: z
        .int()
        .min(1)
        .default(150)
        .meta(says('single CSRs of a Party by the portal in 24 hours (APPN)')),
      portalBatchDay: z
        .int()
        .min(1)
        .default(50_000)
        .meta(says('CSRs of a Party in batches by the portal in 24 hours (APPN)')),
      nightFrom: time.default('20:00').meta(says('when the count of batched CSRs of a night begins (APPN)')),
      nightCsrs: z.int().min(1).default(375_000).meta(says('batched CSRs of all Parties in a night (APPN)')),
      nightOver: assumed(
        'SVC-A11',
        'M',
        z.enum(['tell', 'queue']),
        'tell',
        'what happens to batched CSRs above those of a night: it is told, or they wait for the next night',
      ),
      metricsHost: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .meta(says('address of the listener for metrics and health')),
      metricsPort: port
        .nullable()
        .default(null)
        .meta(says('port of `/metrics` and `/health`, plain HTTP without secrets; null is off')),
    })
    .refine(one => one.minimumPercent <= one.targetPercent, 'minimumPercent is no more than targetPercent')

export type PerformanceSettings = z.output<ReturnType<typeof performanceSettings>>
