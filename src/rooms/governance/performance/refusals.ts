/** The codes with which performance and demand say no. None is ever renamed or given another meaning. */

import { Refusal } from '../../../ground/refusal.ts'

export const performanceRefusals = {
  FORECAST_UNFIT: { status: 400, says: 'the forecast is not whole' },
  NOT_A_SUBSCRIBER: {
    status: 403,
    says: 'only an Authorised Subscriber under the Device Certificate Policy forecasts',
  },
  EXCLUSION_UNFIT: { status: 400, says: 'the exclusion is not whole' },
  EXCLUSION_UNKNOWN: { status: 404, says: 'there is no such exclusion' },
  MONTH_UNFIT: { status: 400, says: 'a month is written like 2026-10' },
  MONTH_NOT_OVER: { status: 409, says: 'that month is not over yet' },
  REPORT_UNKNOWN: { status: 404, says: 'there is no such report' },
} as const satisfies Record<string, { status: number; says: string }>

export type PerformanceCode = keyof typeof performanceRefusals

/** The sentence of the code, and after it what is particular. */
export function no(code: PerformanceCode, particular?: string): Refusal<PerformanceCode> {
  const { says } = performanceRefusals[code]
  return new Refusal(code, particular === undefined ? says : `${says}: ${particular}`)
}
