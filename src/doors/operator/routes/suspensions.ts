/** Emergency suspension by direction of the SMKI PMA (L2.14). */

import { z } from 'zod'
import {
  interfaceNames,
  suspendedThings,
  suspensionGrounds,
  suspensionScopes,
} from '../../../policy/revocation/suspension.ts'
import { type Suspension, suspensionRecords } from '../../../rooms/revocation/suspended.ts'
import { recordInformed, resume, suspend } from '../../../rooms/revocation/suspension.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { given, id, inPath, reference, when } from '../shapes.ts'
import { certificateRef } from './revocations.ts'

const decision = z.string().min(1).max(100).meta({ description: 'reference of the direction of the SMKI PMA' })
const through = z.enum(interfaceNames)

const of = z.discriminatedUnion('scope', [
  z.strictObject({ scope: z.literal('service') }),
  z.strictObject({ scope: z.literal('interface'), interface: through }),
  z.strictObject({ scope: z.literal('authority'), authority: id }),
  z.strictObject({ scope: z.literal('party'), party: id }),
  z.strictObject({ scope: z.literal('certificates'), certificates: z.array(certificateRef).min(1).max(10_000) }),
])

const suspension = {
  suspension: id,
  decision: z.string(),
  scope: z.enum(suspensionScopes),
  interface: through.optional(),
  authority: id.optional(),
  party: id.optional(),
  stops: z.enum(suspendedThings),
  ground: z.string(),
  goesOn: z.array(through),
  started: when,
  ended: when.optional(),
  endDecision: z.string().optional(),
  forGood: z.boolean(),
}

function shown({ id: number, startedAt, endedAt, ...rest }: Suspension) {
  return { suspension: number, ...rest, started: startedAt, ended: endedAt }
}

export const suspensions: Group = {
  name: 'suspensions',
  says: 'emergency suspension by direction of the SMKI PMA (L2.14)',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'GET',
      path: '/suspensions',
      says: 'on record, ended ones too, with who was informed',
      answer: z.strictObject({
        suspensions: z.array(
          z.strictObject({
            ...suspension,
            certificates: z.array(certificateRef),
            informed: z.array(z.strictObject({ who: z.string(), how: z.string(), at: when })),
          }),
        ),
      }),
      async run({ caller }) {
        mustBeCentral(caller)
        const all = await suspensionRecords(store)
        return {
          suspensions: all.map(({ certificates, informed, ...one }) => ({ ...shown(one), certificates, informed })),
        }
      },
    })

    add({
      method: 'POST',
      path: '/suspensions',
      says: 'suspend at once, under a direction to `suspend` that names the scope',
      status: 201,
      body: z.strictObject({
        decision,
        of,
        stops: z.enum(suspendedThings),
        ground: z
          .enum(suspensionGrounds)
          .meta({ description: 'what is in immediate danger of material compromise' }),
        named: z
          .array(through)
          .max(32)
          .optional()
          .meta({ description: 'interfaces that would go on under it, and shall not' }),
        ...given,
      }),
      answer: z.strictObject(suspension),
      run: async ({ by, body }) => shown(await suspend(door, by(), body, body)),
    })

    add({
      method: 'POST',
      path: '/suspensions/:suspension/end',
      says: 'resume, by a later direction to `resume`',
      params: z.object({ suspension: inPath }),
      body: z.strictObject({ decision, ...given }),
      answer: z.strictObject(suspension),
      run: async ({ by, params, body }) => shown(await resume(door, by(), params.suspension, body.decision, body)),
    })

    add({
      method: 'POST',
      path: '/suspensions/:suspension/informed',
      says: 'who else was told, and how',
      status: 201,
      params: z.object({ suspension: inPath }),
      body: z.strictObject({
        who: z
          .string()
          .max(200)
          .meta({ description: `\`SEC Panel\`, \`party 3\`, or a reference (${reference.meta()?.description})` }),
        how: z.string().max(400),
      }),
      answer: z.strictObject({}),
      run: async ({ by, params, body }) => recordInformed(door, by(), params.suspension, body),
    })
  },
}
