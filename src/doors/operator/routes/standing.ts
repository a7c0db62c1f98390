/** Becoming, being and ceasing to be an Authorised Subscriber (section 5.1). */

import { z } from 'zod'
import { applyAsSubscriber } from '../../../rooms/registration/applications.ts'
import { ceaseOrganisation, withdrawCondition } from '../../../rooms/registration/cease.ts'
import { type Condition, conditions, standingOf } from '../../../rooms/registration/standing.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { given, id, inPath, opened, policy, recorded } from '../shapes.ts'
import { credentialShape, shownCredential } from './credential-shape.ts'

const condition = z.enum(Object.keys(conditions) as [Condition, ...Condition[]])
const under = z.strictObject({ authorised: z.boolean(), missing: z.array(condition) })

export const standingShape = z.strictObject({
  state: z.enum([
    'applicant',
    'identityVerified',
    'officersInPlace',
    'sreptComplete',
    'authorised',
    'suspended',
    'ceased',
  ]),
  missing: z.array(condition),
  policies: z.strictObject({ 'smki-organisation': under, 'smki-device': under, dccki: under }),
})

const party = z.object({ party: inPath })

export const standing: Group = {
  name: 'standing',
  says: 'whether a Party is an Authorised Subscriber, and how it becomes or ceases to be one',
  add({ door, add }) {
    add({
      method: 'GET',
      path: '/organisations/:party/standing',
      says: 'whether it is an Authorised Subscriber, and which conditions it lacks',
      params: party,
      answer: standingShape,
      run: async ({ caller, params }) => {
        mustSee(caller, params.party)
        return standingOf(door.store, params.party)
      },
    })

    add({
      method: 'POST',
      path: '/organisations/:party/applications',
      says: 'apply under a Certificate Policy; not before SREPT is completed',
      status: 201,
      params: party,
      body: z.strictObject({ policy, ...recorded }),
      answer: z.strictObject({ application: id, ...opened }),
      run: async ({ by, params, body }) => applyAsSubscriber(door, by(), params.party, body.policy, body),
    })

    add({
      method: 'POST',
      path: '/organisations/:party/withdrawals',
      says: 'a condition is found to hold no more: the Party is suspended until it is met anew',
      params: party,
      body: z.strictObject({
        condition: z.enum(['identity', 'SREPT', 'application']),
        policy: policy.optional().meta({ description: 'of an application' }),
        ...given,
      }),
      answer: standingShape,
      async run({ by, params, body }) {
        const { condition: what, policy: of } = body
        // The room refuses an application without its policy.
        const withdrawn = what === 'application' ? { condition: what, policy: of! } : { condition: what }
        return withdrawCondition(door, by(), params.party, withdrawn, body)
      },
    })

    add({
      method: 'POST',
      path: '/organisations/:party/cessation',
      says: 'the organisation ends: its officers cease, its credentials end, what waited for it is void',
      params: party,
      body: z.strictObject(given),
      answer: z.strictObject({ ended: z.array(credentialShape), standing: standingShape.optional() }),
      async run({ by, params, body }) {
        const { ended, standing: after } = await ceaseOrganisation(door, by(), params.party, body)
        return { ended: ended.map(shownCredential), standing: after }
      },
    })
  },
}
