/** People: entered, amended, consulted, erased. Elsewhere a person is a reference. */

import { z } from 'zod'
import { amendPerson, consultPerson, enterPerson, erasePerson } from '../../../rooms/registration/people.ts'
import { people } from '../../../rooms/registration/person.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { given, id, office, reference, when } from '../shapes.ts'

const data = z.strictObject({
  name: z.string().max(400),
  email: z.string().max(400).optional(),
  telephone: z.string().max(400).optional(),
  questions: z
    .array(z.strictObject({ question: z.string().max(400), answer: z.string().max(400) }))
    .max(20)
    .optional()
    .meta({ description: 'what the Service Desk asks, to know an ARO by telephone (ARO Nomination Form)' }),
})

const person = z.object({ person: reference })
const done = z.strictObject({})

export const persons: Group = {
  name: 'persons',
  says: 'what the Registration Authority knows of people; everything else names them by reference',
  add({ door, add }) {
    add({
      method: 'GET',
      path: '/persons',
      says: 'everybody, by reference, with the offices held or nominated for',
      answer: z.strictObject({
        persons: z.array(
          z.strictObject({
            person: reference,
            entered: when,
            erased: z.boolean(),
            offices: z.array(z.strictObject({ office, party: id.optional(), state: z.string() })),
          }),
        ),
      }),
      async run({ caller }) {
        mustBeCentral(caller)
        const all = await people(door.store)
        return {
          persons: all.map(({ reference: of, enteredAt, erased, offices }) => ({
            person: of,
            entered: enteredAt,
            erased,
            offices,
          })),
        }
      },
    })

    add({
      method: 'POST',
      path: '/persons',
      says: 'enter a person; the answer is the reference',
      status: 201,
      body: z.strictObject({ data, ...given }),
      answer: z.strictObject({ person: reference }),
      run: async ({ by, body }) => ({ person: await enterPerson(door, by(), body.data, body) }),
    })

    add({
      method: 'PUT',
      path: '/persons/:person',
      says: 'replace what is known; nominations verified on the former data are verified again',
      params: person,
      body: z.strictObject({ data, ...given }),
      answer: done,
      run: async ({ by, params, body }) => amendPerson(door, by(), params.person, body.data, body),
    })

    add({
      method: 'POST',
      path: '/persons/:person/consultation',
      says: 'what is known of the person; that you looked is journalled',
      params: person,
      body: z.strictObject(given),
      answer: data,
      run: async ({ by, params, body }) => consultPerson(door, by(), params.person, body),
    })

    add({
      method: 'POST',
      path: '/persons/:person/erasure',
      says: 'erase what is personal; the reference stays',
      params: person,
      body: z.strictObject(given),
      answer: done,
      run: async ({ by, params, body }) => erasePerson(door, by(), params.person, body),
    })
  },
}
