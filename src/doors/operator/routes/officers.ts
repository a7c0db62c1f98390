/** People in offices: who holds which, nominations, and cessation. */

import { z } from 'zod'
import { cease } from '../../../rooms/registration/cease.ts'
import { type Appointment, appointmentsOf, nominate } from '../../../rooms/registration/nominations.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { id, inPath, office, opened, policy, recorded, reference, when } from '../shapes.ts'
import { callNames } from '../waiting.ts'
import { credentialShape, shownCredential } from './credential-shape.ts'
import { standingShape } from './standing.ts'

const appointments = z.strictObject({
  officers: z.array(
    z.strictObject({
      appointment: id,
      person: reference,
      known: z
        .string()
        .optional()
        .meta({ description: 'what his credential of the Registration Authority is called' }),
      office,
      party: id.optional(),
      policies: z.array(policy),
      state: z.enum(['nominated', 'appointed', 'refused', 'ceased']),
      appointed: when.optional(),
      ceased: when.optional(),
    }),
  ),
})

const shown = (all: readonly Appointment[], names: ReadonlyMap<string, string>) => ({
  officers: all.map(({ id: appointment, appointedAt, ceasedAt, ...rest }) => ({
    appointment,
    known: names.get(rest.person),
    ...rest,
    appointed: appointedAt,
    ceased: ceasedAt,
  })),
})

export const officers: Group = {
  name: 'officers',
  says: 'nominated by one, verified by another, appointed by a third',
  add({ door, add }) {
    add({
      method: 'GET',
      path: '/officers',
      says: 'of the Registration Authority and the SMKI PMA, past ones too',
      answer: appointments,
      run: async ({ caller }) =>
        shown(await appointmentsOf(door.store, undefined), await callNames(door.store, caller)),
    })

    add({
      method: 'GET',
      path: '/organisations/:party/officers',
      says: 'of one organisation, past ones too',
      params: z.object({ party: inPath }),
      answer: appointments,
      run: async ({ caller, params }) => {
        mustSee(caller, params.party)
        return shown(await appointmentsOf(door.store, params.party), await callNames(door.store, caller))
      },
    })

    add({
      method: 'POST',
      path: '/nominations',
      says: "nominate a person; whoever verifies the person's identity is waited for then",
      status: 201,
      body: z.strictObject({
        person: reference,
        office,
        party: id.optional().meta({ description: 'the organisation, of NO, SRO and ARO' }),
        policies: z.array(policy).max(8).optional().meta({ description: 'what an ARO is to be authorised for' }),
        ...recorded,
      }),
      answer: z.strictObject({ appointment: id, ...opened }),
      run: async ({ by, body }) => nominate(door, by(), body, body),
    })

    add({
      method: 'POST',
      path: '/cessations',
      says: 'an officer ceases, at once; the credentials that he held in that office end with it',
      body: z.strictObject({ person: reference, office, party: id.optional(), ...recorded }),
      answer: z.strictObject({ ended: z.array(credentialShape), standing: standingShape.optional() }),
      async run({ by, body }) {
        const { ended, standing } = await cease(door, by(), body, body)
        return { ended: ended.map(shownCredential), standing }
      },
    })
  },
}
