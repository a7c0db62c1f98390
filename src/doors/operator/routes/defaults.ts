/** Events of Default (L2.5): from the finding of the SMKI PMA to the outcome. */

import { z } from 'zod'
import {
  type EventOfDefault,
  eventsOfDefault,
  recordFinding,
  takeDefaultStep,
} from '../../../rooms/revocation/default.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { evidence, given, id, inPath, when } from '../shapes.ts'

const decision = z.string().min(1).max(100).meta({ description: 'reference of the decision of the SMKI PMA' })

const event = z.strictObject({
  event: id,
  party: id,
  provision: z.string(),
  steps: z.array(
    z.strictObject({
      step: z.string(),
      person: z.string(),
      decision: z.string().optional(),
      words: z.string(),
      evidence,
      at: when,
    }),
  ),
  due: z.string().optional(),
  found: when,
  closed: when.optional(),
})

function shownEvent({ id: number, flow, foundAt, closedAt, ...rest }: EventOfDefault) {
  return { event: number, ...rest, found: foundAt, closed: closedAt }
}

export const defaults: Group = {
  name: 'defaults',
  says: 'Events of Default (L2.5)',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'GET',
      path: '/defaults',
      says: 'Events of Default on record, oldest first, each with the step that is due',
      answer: z.strictObject({ events: z.array(event) }),
      async run({ caller }) {
        mustBeCentral(caller)
        return { events: (await eventsOfDefault(store)).map(shownEvent) }
      },
    })

    add({
      method: 'POST',
      path: '/defaults',
      says: 'the SMKI PMA finds a material breach of the SMKI Document Set',
      status: 201,
      body: z.strictObject({
        party: id,
        provision: z.string().max(400).meta({ description: 'the provision that was broken' }),
        decision: decision.optional(),
        ...given,
      }),
      answer: event,
      run: async ({ by, body }) => shownEvent(await recordFinding(door, by(), body, body)),
    })

    add({
      method: 'POST',
      path: '/defaults/:event/steps',
      says: 'take the step that is due',
      status: 201,
      params: z.object({ event: inPath }),
      body: z.strictObject({ step: z.string().max(64), decision: decision.optional(), ...given }),
      answer: event,
      run: async ({ by, params, body }) =>
        shownEvent(await takeDefaultStep(door, by(), params.event, body.step, body)),
    })
  },
}
