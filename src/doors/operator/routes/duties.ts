/** What is due about revocation: certificates that must be revoked (section 6.2), and the lists that must be lodged. */

import { z } from 'zod'
import { dutiesToRevoke, openDuties } from '../../../rooms/revocation/duty.ts'
import { listWatch } from '../../../rooms/revocation/watch.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { given, id, inPath, opened, when } from '../shapes.ts'
import { certificateRef } from './revocations.ts'

export const duties: Group = {
  name: 'duties',
  says: 'certificates that must be revoked, and lists that must be lodged',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'GET',
      path: '/duties',
      says: 'Parties that are no Authorised Subscribers any more and still have good Organisation Certificates (6.2)',
      answer: z.strictObject({
        duties: z.array(
          z.strictObject({
            party: id,
            name: z.string(),
            standing: z.string(),
            certificates: z.array(certificateRef),
            inCases: z.int(),
          }),
        ),
      }),
      async run({ caller }) {
        mustBeCentral(caller)
        return { duties: await dutiesToRevoke(store, door.clock(), door.revocation) }
      },
    })

    add({
      method: 'POST',
      path: '/organisations/:party/duties',
      says: 'open a case for each certificate that it is a duty to revoke, two hundred at a time',
      status: 201,
      params: z.object({ party: inPath }),
      body: z.strictObject(given),
      answer: z.strictObject({ cases: z.array(z.strictObject({ case: id, ...opened, deferral: id.optional() })) }),
      async run({ by, params, body }) {
        const all = await openDuties(door, by(), params.party, body)
        return { cases: all.map(({ deferral, ...one }) => ({ ...one, deferral: deferral?.id })) }
      },
    })

    add({
      method: 'GET',
      path: '/lists',
      says: 'every list that there should be: how old, how much is left, what waits for the next, and whether that is right',
      answer: z.strictObject({
        lists: z.array(
          z.strictObject({
            authority: id,
            part: z.string(),
            name: z.string(),
            number: z.string(),
            thisUpdate: when.optional(),
            nextUpdate: when.optional(),
            ageSeconds: z.int(),
            marginSeconds: z.int(),
            waiting: z.int(),
            dueBy: when,
            state: z.enum(['ok', 'due', 'late', 'waiting revocations']),
          }),
        ),
      }),
      async run() {
        const all = await listWatch(store, door.clock(), door.schedules)
        return {
          lists: all.map(({ age, margin, number, ...one }) => ({
            ...one,
            number: String(number),
            ageSeconds: Math.floor(age / 1000),
            marginSeconds: Math.floor(margin / 1000),
          })),
        }
      },
    })
  },
}
