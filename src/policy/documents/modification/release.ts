/** In which SEC Release a modification is implemented: the earliest whose cut-off a decision still met. */

import { plusWorkingDays } from '../../performance/working-days.ts'
import type { Day } from '../day.ts'

/** Both pairs of MP173 fit 10 Working Days; ASSUMED(M), register GOV-A05, set in `governance.releaseCutOffWorkingDays`. */
export const defaultCutOff = 10

/** The last day on which a decision is in time for that release. @throws YearWithoutHolidays */
export function cutOffOf(release: Day, workingDays = defaultCutOff): Day {
  return plusWorkingDays(release, -workingDays)
}

export interface AgreedRelease {
  readonly on: Day
  readonly decidedBy: Day
}

/** @returns undefined when the decision came too late for every release */
export function releaseFor(decidedOn: Day, releases: readonly AgreedRelease[]): AgreedRelease | undefined {
  return releases.toSorted((a, b) => (a.on < b.on ? -1 : 1)).find(({ decidedBy }) => decidedOn <= decidedBy)
}
