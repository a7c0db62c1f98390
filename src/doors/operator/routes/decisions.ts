/** Decisions and directions of the SMKI PMA: recorded once, cited by what is done under them. */

import { z } from 'zod'
import {
  type Decision,
  decidedActs,
  decisionOf,
  decisions as everyDecision,
  notInForce,
  recordDecision,
  withdrawDecision,
} from '../../../rooms/governance/decisions.ts'
import { no as unknown } from '../../../rooms/governance/refusals.ts'
import type { Officer } from '../../../rooms/registration/act.ts'
import { decisionRecorders, requireMembers } from '../../../rooms/registration/pma.ts'
import { no } from '../../../rooms/registration/refusals.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { id, instant, reference, when } from '../shapes.ts'

const act = z.enum(decidedActs)
const text = z.string().min(1).max(200)

const sent = {
  reference: z.string().min(1).max(100).meta({ description: "the SMKI PMA's own; used once, for ever" }),
  acts: z.array(act).min(1).max(20),
  subjects: z.array(text).min(1).max(500).meta({
    description: '`party:7`, `certificate:<authority>:<serial>`, `interface:ADHOC_WS`, `service`; `*` is all',
  }),
  meeting: text,
  text: z.string().min(1).max(20_000).meta({ description: 'what was decided; names no person' }),
  members: z.array(reference).max(50).meta({ description: 'who decided' }),
  limit: id.optional().meta({ description: 'how many times it may be cited' }),
  details: z.json().optional().meta({
    description:
      'of a decision that a key of recovery is used: `direction` (docs/operations/recovery.md); stands in the journal',
  }),
}

const shape = z.strictObject({
  ...sent,
  decidedAt: when,
  from: when,
  until: when.optional(),
  uses: z.int(),
  recordedAt: when,
  recordedBy: z.string(),
  withdrawn: z.strictObject({ at: when, by: z.string(), words: z.string() }).optional(),
  notInForce: z.string().optional().meta({ description: 'why not, if it is not in force now' }),
})

export const decisions: Group = {
  name: 'decisions',
  says: 'decisions and directions of the SMKI PMA',
  add({ door, add }) {
    const { store } = door
    const shown = (one: Decision) => ({ ...one, notInForce: notInForce(one, door.clock()) })
    const recorder = ({ person, as, through }: Officer) => {
      if (through || !decisionRecorders.includes(as))
        throw no('NOT_FOR_THIS_OFFICE', `it belongs to ${decisionRecorders.join(', ')}`)
      return person
    }

    add({
      method: 'GET',
      path: '/decisions',
      says: 'all of them, latest first, or those about an act or a subject',
      query: z.strictObject({ act: act.optional(), subject: text.optional() }),
      answer: z.strictObject({ decisions: z.array(shape) }),
      async run({ caller, query }) {
        mustBeCentral(caller)
        return { decisions: (await everyDecision(store, query)).map(shown) }
      },
    })

    add({
      method: 'GET',
      path: '/decisions/:reference',
      says: 'one decision, and how often it was cited',
      params: z.object({ reference: z.string().min(1).max(100) }),
      answer: shape,
      async run({ caller, params }) {
        mustBeCentral(caller)
        const found = await decisionOf(store, params.reference)
        if (!found) throw unknown('DECISION_UNKNOWN')
        return shown(found)
      },
    })

    add({
      method: 'POST',
      path: '/decisions',
      says: 'record a decision; its members were SMKI PMA Members when they took it',
      status: 201,
      body: z.strictObject({ ...sent, decidedAt: instant, from: instant, until: instant.optional() }),
      answer: shape,
      run: async ({ by, body }) => shown(await recordDecision(door, recorder(by()), body, requireMembers)),
    })

    add({
      method: 'POST',
      path: '/decisions/:reference/withdrawal',
      says: 'from now on nothing is done under it; what was done stays done',
      params: z.object({ reference: z.string().min(1).max(100) }),
      body: z.strictObject({ words: z.string().min(1).max(2000) }),
      answer: shape,
      async run({ by, params, body }) {
        await withdrawDecision(door, recorder(by()), params.reference, body.words)
        return shown((await decisionOf(store, params.reference))!)
      },
    })
  },
}
