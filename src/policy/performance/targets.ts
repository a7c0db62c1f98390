/** Target Response Times (L8.1, service-interface.md section 9): what is measured, and by when an answer is due. */

import { plusDays } from '../documents/day.ts'
import { instantAt, wallTime } from './zone.ts'

/** Interfaces as their response times are measured. */
export type Measure = 'single' | 'batch' | 'repository'

export const measures = {
  single: { says: 'one CSR', target: '30 seconds', performanceMeasure: 7, where: 'L8.1, SEED-004' },
  batch: {
    says: 'Batched CSR',
    target: 'by 08:00 of the following day if received from 08:00 to 20:00, else within 24 hours',
    performanceMeasure: 7,
    where: 'L8.1, SEED-004',
  },
  repository: { says: 'Repository request', target: '3 seconds', performanceMeasure: 8, where: 'L8.1, SEED-004' },
} as const satisfies Record<Measure, object>

/** Where requests come in. Numbers stand in the store, and none is ever given another meaning. */
export const channels = {
  ADHOC_WS: { number: 1, measure: 'single', device: true },
  PORTAL_DEVICE: { number: 2, measure: 'single', device: true },
  PORTAL_ORG: { number: 3, measure: 'single', device: false },
  BATCH_WS: { number: 4, measure: 'batch', device: true },
  REPOSITORY: { number: 5, measure: 'repository', device: false },
  PORTAL_BATCH: { number: 6, measure: 'batch', device: true },
} as const satisfies Record<string, { number: number; measure: Measure; device: boolean }>

export type Channel = keyof typeof channels

export function channelNumbered(number: number): Channel {
  const found = (Object.keys(channels) as Channel[]).find(name => channels[name].number === number)
  if (!found) throw new RangeError(`no channel has the number ${number}`)
  return found
}

/** Milliseconds; those of a batch depend on the hour (`dueBy`). */
const lengths = { single: 30_000, repository: 3_000, batchOtherwise: 24 * 3_600_000 } as const

/** The last instant at which an answer is in time. */
export function dueBy(measure: Measure, received: Date, zone: string): Date {
  if (measure !== 'batch') return new Date(received.getTime() + lengths[measure])
  const [day, time] = wallTime(received, zone).split('T') as [string, string]
  // 08:00:00 ≤ t < 20:00:00 is "between 08:00 and 20:00" (service-interface.md section 9).
  if (time >= '08:00:00' && time < '20:00:00') return instantAt(plusDays(day, 1), '08:00', zone)
  return new Date(received.getTime() + lengths.batchOtherwise)
}
