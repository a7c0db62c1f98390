/** Supplier of Last Resort (L16): revocations that wait by decision of the SMKI PMA. */

import { z } from 'zod'
import {
  certificatesOfDeferral,
  type Deferral,
  deferralOf,
  deferrals as everyDeferral,
} from '../../../rooms/revocation/covering.ts'
import { beginDeferral, endDeferral, extendDeferral, releaseCase } from '../../../rooms/revocation/deferral.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { given, id, inPath, instant, when } from '../shapes.ts'
import { caseShape, certificateRef, shownCase } from './revocations.ts'

const decision = z.string().min(1).max(100).meta({ description: 'reference of the decision of the SMKI PMA' })
const identifiers = z.array(z.string().min(1).max(64)).max(1000)

const shape = z.strictObject({
  deferral: id,
  decision,
  party: id,
  userIds: z.array(z.string()),
  mpids: z.array(z.string()),
  whole: z.boolean().meta({ description: 'every certificate of the supplier, later ones too; else those listed' }),
  started: when,
  review: when,
  ends: when.optional(),
  ended: when.optional(),
  endDecision: z.string().optional(),
  extensions: z.array(z.strictObject({ decision: z.string(), review: when, ends: when.optional(), at: when })),
})

function shown({ id: deferral, startedAt, reviewAt, endsAt, endedAt, extensions, ...rest }: Deferral) {
  return {
    deferral,
    ...rest,
    started: startedAt,
    review: reviewAt,
    ends: endsAt,
    ended: endedAt,
    extensions: extensions.map(one => ({
      decision: one.decision,
      review: one.reviewAt,
      ends: one.endsAt,
      at: one.at,
    })),
  }
}

const one = z.object({ deferral: inPath })

export const deferrals: Group = {
  name: 'deferrals',
  says: 'deferred revocations of a failed supplier (L16)',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'GET',
      path: '/deferrals',
      says: 'on record, ended ones too; an officer of an organisation sees its own',
      query: z.strictObject({ open: z.enum(['true', 'false']).optional() }),
      answer: z.strictObject({ deferrals: z.array(shape) }),
      async run({ caller: { party }, query }) {
        const filter = {
          ...(party !== undefined && { party }),
          ...(query.open === 'true' && { open: true as const }),
        }
        return { deferrals: (await everyDeferral(store, filter)).map(shown) }
      },
    })

    add({
      method: 'GET',
      path: '/deferrals/:deferral',
      says: 'one deferral, with the certificates that the supplier held when it began',
      params: one,
      answer: z.strictObject({ ...shape.shape, certificates: z.array(certificateRef) }),
      async run({ caller, params }) {
        const found = await deferralOf(store, params.deferral)
        mustSee(caller, found.party)
        return { ...shown(found), certificates: await certificatesOfDeferral(store, params.deferral) }
      },
    })

    add({
      method: 'POST',
      path: '/deferrals',
      says: 'begin a deferral under a decision to `defer revocation` of `party:<number>`',
      status: 201,
      body: z.strictObject({
        decision,
        party: id,
        userIds: identifiers,
        mpids: identifiers,
        certificates: z
          .array(certificateRef)
          .max(10_000)
          .optional()
          .meta({ description: 'those alone; absent: every certificate of the supplier, later ones too' }),
        review: instant,
        ends: instant.optional(),
        ...given,
      }),
      answer: shape,
      async run({ by, body }) {
        const { review: reviewAt, ends: endsAt, ...asked } = body
        return shown(await beginDeferral(door, by(), { ...asked, reviewAt, endsAt }, body))
      },
    })

    add({
      method: 'POST',
      path: '/deferrals/:deferral/extension',
      says: 'extend it, by a decision of its own',
      params: one,
      body: z.strictObject({ decision, review: instant, ends: instant.optional(), ...given }),
      answer: shape,
      async run({ by, params, body }) {
        const asked = { decision: body.decision, reviewAt: body.review, endsAt: body.ends }
        return shown(await extendDeferral(door, by(), params.deferral, asked, body))
      },
    })

    add({
      method: 'POST',
      path: '/deferrals/:deferral/end',
      says: 'end it: what waited is revoked at once, but for the cases that the SMKI PMA decided otherwise about',
      params: one,
      body: z.strictObject({ decision, cancel: z.array(id).max(10_000).optional(), ...given }),
      answer: z.strictObject({ deferral: shape, revoked: z.array(caseShape), cancelled: z.array(caseShape) }),
      async run({ by, params, body }) {
        const ended = await endDeferral(door, by(), params.deferral, body, body)
        return {
          deferral: shown(ended.deferral),
          revoked: ended.revoked.map(shownCase),
          cancelled: ended.cancelled.map(shownCase),
        }
      },
    })

    add({
      method: 'POST',
      path: '/revocations/:case/release',
      says: 'revoke one deferred certificate although the deferral goes on, by a decision about it',
      params: z.object({ case: inPath }),
      body: z.strictObject({ decision, ...given }),
      answer: caseShape,
      run: async ({ by, params, body }) =>
        shownCase(await releaseCase(door, by(), params.case, body.decision, body)),
    })
  },
}
