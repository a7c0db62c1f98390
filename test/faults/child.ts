/** A program of its own that acts in a scenario, and is killed at one point of it. */

import { appendFileSync } from 'node:fs'
import { toHex } from '../../src/ground/bytes.ts'
import { Points, type When } from './points.ts'
import { scenarios } from './scenarios.ts'
import { actIn, type Place } from './stage.ts'

export interface ChildOrder {
  readonly place: Place
  readonly scenario: string
  readonly given: unknown
  readonly nth: number
  readonly when: When
  /** Where it notes what it signed, each at once. */
  readonly noted: string
}

process.once('message', async ({ place, scenario, given, nth, when, noted }: ChildOrder) => {
  process.on('disconnect', () => process.exit(0))
  const points = new Points(nth, when, 'kill')
  try {
    const acting = await actIn(place, points, octets => appendFileSync(noted, `${toHex(octets)}\n`))
    await scenarios.find(one => one.name === scenario)!.act(acting, given)
    process.send!({ passed: points.passed.length }, () => process.exit(0))
  } catch (cause) {
    process.send!({ fault: (cause as Error).stack }, () => process.exit(1))
  }
})
process.send!('ready')
