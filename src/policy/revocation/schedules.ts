/** When each authority's list is made anew: from the hierarchies, for whoever publishes or watches lists. */

import { hierarchies } from '../hierarchies.ts'
import type { ListSchedule } from '../profile.ts'
import type { Settings } from '../settings.ts'

/** The schedule of an authority's list; undefined where it signs none (CERT-A14). */
export type Schedules = (authority: { readonly pki: string; readonly level: string }) => ListSchedule | undefined

export function listSchedules(settings: Settings): Schedules {
  const known = hierarchies(settings)
  return ({ pki, level }) => known[pki as keyof typeof known]?.[level as 'root' | 'issuing'].list
}
