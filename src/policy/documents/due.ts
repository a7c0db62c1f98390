/** What is due for review, and when: documents by their own period, symmetric keys every five years (SEED-002, CKMP b(iii)). */

import type { Clock } from '../../ground/clock.ts'
import { type Day, dayOf, plusMonths } from './day.ts'

/** "periodic risk reviews, at no more than 5 year intervals, of all symmetric key use and controls at the DCO and S1SPs". */
export const longestRiskInterval = 60

/** Months before the day on which a review is due, from which it is asked for (governance-performance.md 8). */
export const alarmMonths = 6

export interface ReviewSubject {
  /** `document:<ref>`, `risk:DCO`, `risk:S1SP FOC`, … */
  readonly subject: string
  /** Months from one review to the next. */
  readonly everyMonths: number
  /** The last review; before the first one, the day from which the period counts. */
  readonly lastOn: Day
}

export interface Due {
  readonly subject: string
  readonly lastOn: Day
  readonly dueOn: Day
  /** `soon` from the alarm on, `overdue` from the day after it was due. */
  readonly state: 'in time' | 'soon' | 'overdue'
}

/** The soonest first. A risk review is never due later than five years after the last, whatever its record says. */
export function dueReviews(subjects: readonly ReviewSubject[], clock: Clock): Due[] {
  const today = dayOf(clock())
  return subjects
    .map(({ subject, everyMonths, lastOn }) => {
      const every = subject.startsWith('risk:') ? Math.min(everyMonths, longestRiskInterval) : everyMonths
      const dueOn = plusMonths(lastOn, every)
      const state = today > dueOn ? 'overdue' : today >= plusMonths(dueOn, -alarmMonths) ? 'soon' : 'in time'
      return { subject, lastOn, dueOn, state } as const
    })
    .toSorted((a, b) => (a.dueOn < b.dueOn ? -1 : a.dueOn > b.dueOn ? 1 : a.subject < b.subject ? -1 : 1))
}
