/** Days and times as people enter them, in London. */

import { isDay } from '../../../policy/documents/day.ts'
import { instantAt } from '../../../policy/performance/zone.ts'
import type { Form } from './form.ts'
import type { Fault } from './page.ts'

export const instantHint = 'Day and time in London, for example 2026-11-20 14:30'

/**
 * A day with or without a time of the day.
 * @param zone `performance.zone` of the settings
 * @param faults is told what is wrong. @returns undefined then, and for an empty field that may be empty
 */
export function readInstant(
  form: Pick<Form, 'text'>,
  field: string,
  label: string,
  needed: boolean,
  zone: string,
  faults: Fault[],
): Date | undefined {
  const text = form.text(field)
  if (text === '' && !needed) return undefined
  const [, day, time = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?$/.exec(text) ?? []
  const found = isDay(day) && /^([01]\d|2[0-3]):[0-5]\d$/.test(time) ? instantAt(day, time, zone) : undefined
  if (found === undefined) {
    faults.push({ field, says: `${label}: enter a day and a time, such as 2026-11-20 14:30` })
    return undefined
  }
  return found
}
