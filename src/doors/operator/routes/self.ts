/** Who the caller is taken for: the first thing to ask when something is refused. */

import { z } from 'zod'
import type { Group } from '../route.ts'
import { id, office, reference, when } from '../shapes.ts'

export const self: Group = {
  name: 'self',
  says: 'who you are here',
  add({ door, add }) {
    add({
      method: 'GET',
      path: '/self',
      says: 'who you are, by which credential, in which offices',
      answer: z.strictObject({
        environment: z.string(),
        person: reference,
        offices: z.array(office),
        party: id.optional(),
        credential: z.strictObject({
          number: id.optional(),
          kind: z.string(),
          systemName: z.string(),
          party: z.string(),
          until: when,
        }),
      }),
      async run({ caller: { person, offices, party, credential, notAfter } }) {
        const { life: number, kind, systemName, partyName } = credential
        return {
          environment: door.settings.environment,
          person,
          offices,
          party,
          credential: { number, kind, systemName, party: partyName, until: notAfter },
        }
      },
    })
  },
}
