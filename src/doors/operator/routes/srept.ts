/** SREPT: the plan, what was shown, the request for completion. */

import { z } from 'zod'
import { sreptInterfaces } from '../../../policy/registration/srept.ts'
import { no } from '../../../rooms/registration/refusals.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../../../rooms/registration/srept.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { evidence, inPath, opened, recorded, when } from '../shapes.ts'

const party = z.object({ party: inPath })
const done = z.strictObject({})
const path = '/organisations/:party/srept'

export const srept: Group = {
  name: 'srept',
  says: 'the SMKI and Repository Entry Process Tests (L7)',
  add({ door, add }) {
    add({
      method: 'GET',
      path,
      says: 'the plan, with the latest result of each scenario',
      params: party,
      answer: z.strictObject({
        interfaces: z.array(z.enum(sreptInterfaces)),
        planned: when,
        completed: when.optional(),
        scenarios: z.array(
          z.strictObject({
            id: z.string(),
            says: z.string(),
            passed: z.boolean().optional(),
            automatic: z.boolean().optional(),
            at: when.optional(),
            words: z.string().optional(),
            evidence,
          }),
        ),
      }),
      async run({ caller, params }) {
        mustSee(caller, params.party)
        const plan = await planOf(door.store, params.party)
        if (!plan) throw no('SREPT_NOT_PLANNED')
        const { interfaces, plannedAt, completedAt, scenarios } = plan
        return { interfaces, planned: plannedAt, completed: completedAt, scenarios }
      },
    })

    add({
      method: 'PUT',
      path,
      says: 'set which interfaces it is going to use, and so which scenarios it runs',
      params: party,
      body: z.strictObject({ interfaces: z.array(z.enum(sreptInterfaces)).max(32), ...recorded }),
      answer: done,
      run: async ({ by, params, body }) => planSrept(door, by(), params.party, body.interfaces, body),
    })

    add({
      method: 'POST',
      path: `${path}/results`,
      says: 'record the result of a scenario, with where its evidence is',
      status: 201,
      params: party,
      body: z.strictObject({
        scenario: z.string().max(64),
        passed: z.boolean(),
        automatic: z.boolean().optional().meta({ description: 'produced by a program that ran it' }),
        ...recorded,
      }),
      answer: done,
      run: async ({ by, params, body }) => recordResult(door, by(), params.party, body),
    })

    add({
      method: 'POST',
      path: `${path}/completion`,
      says: 'ask that the completion be confirmed; the Panel is told when it is',
      status: 201,
      params: party,
      body: z.strictObject(recorded),
      answer: z.strictObject(opened),
      run: async ({ by, params, body }) => requestCompletion(door, by(), params.party, body),
    })
  },
}
