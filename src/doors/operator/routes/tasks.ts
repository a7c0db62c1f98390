/** Tasks: what waits for whom, exactly what is asked, and the steps that are taken on it. */

import { z } from 'zod'
import type { Procedure } from '../../../policy/registration/procedure.ts'
import { openTasks, type Task, taskOf, tasksOfParty } from '../../../rooms/registration/task.ts'
import { approve, lookAt, refuse, verify, withdraw } from '../../../rooms/registration/tasks.ts'
import type { Caller } from '../caller.ts'
import { allKinds } from '../kinds.ts'
import { mustSee } from '../officer.ts'
import { refuse as refuseRequest } from '../refusals.ts'
import type { Group } from '../route.ts'
import { digest, evidence, given, id, inPath, office, recorded, reference, when } from '../shapes.ts'
import { callNames, candidatesFor, dueOf, whoMay } from '../waiting.ts'

const step = z.enum(['request', 'verify', 'approve'])
const taken = z.strictObject({
  step: z.enum(['request', 'verify', 'approve', 'refuse', 'withdraw']),
  person: reference,
  known: z.string().optional(),
  through: reference.optional().meta({ description: 'who of the Registration Authority recorded it' }),
  office,
  at: when,
  words: z.string(),
  evidence,
  digest,
  void: z.boolean().meta({ description: 'what it was taken on has changed since: it counts no more' }),
})

const task = {
  task: id,
  kind: z.string(),
  says: z.string(),
  where: z.string().meta({ description: 'the clause' }),
  subject: z.string(),
  party: id.optional(),
  about: z.array(reference).meta({ description: 'whom it concerns: none of them takes a step' }),
  digest,
  state: z.enum(['open', 'approved', 'refused', 'withdrawn', 'void']),
  opened: when,
  decided: when.optional(),
  due: z
    .strictObject({ step, by: z.array(office), evidence: z.array(z.string()), level: z.int().optional() })
    .optional(),
  waitsFor: z.array(z.strictObject({ person: reference, known: z.string().optional(), as: office })),
  yours: office.optional().meta({ description: 'the office in which you may take the step that is due' }),
  steps: z.array(taken),
}

const oneTask = z.object({ task: inPath })
const onDigest = { digest, ...given }

export const tasks: Group = {
  name: 'tasks',
  says: 'what several people decide together: requested, verified, approved, each on the same digest',
  add({ door, add }) {
    const { store } = door
    const kinds = allKinds(door)

    async function shown(caller: Caller, found: readonly Task[]) {
      const known = found.flatMap(one => {
        const procedure: Procedure | undefined = kinds[one.kind]?.procedure
        return procedure ? [{ task: one, procedure, due: dueOf(procedure, one) }] : []
      })
      const inOffice = await candidatesFor(store, known)
      const names = await callNames(store, caller)
      const own = caller.offices.map(of => ({ person: caller.person, office: of, party: caller.party }))
      return known.map(({ task: one, procedure, due }) => {
        const may = (all: typeof inOffice) => (due ? whoMay(procedure, one, due.step, all) : [])
        const { id: number, openedAt, decidedAt, steps, ...rest } = one
        return {
          task: number,
          ...rest,
          says: procedure.says,
          where: procedure.where,
          opened: openedAt,
          decided: decidedAt,
          due,
          waitsFor: may(inOffice).map(({ person, office: as }) => ({ person, known: names.get(person), as })),
          yours: may(own)[0]?.office,
          steps: steps.map(({ number: _, ...of }) => ({ ...of, known: names.get(of.person) })),
        }
      })
    }

    add({
      method: 'GET',
      path: '/tasks',
      says: 'open tasks: those that wait for you, or all of them',
      query: z.strictObject({
        for: z.enum(['me', 'everyone']).optional(),
        party: inPath.optional().meta({ description: 'all tasks of that Party, decided ones too' }),
      }),
      answer: z.strictObject({ tasks: z.array(z.strictObject(task)) }),
      async run({ caller, query }) {
        const party = query.party ?? caller.party
        if (query.party !== undefined) mustSee(caller, party)
        const all = query.party === undefined ? await openTasks(store) : await tasksOfParty(store, query.party)
        const seen = await shown(
          caller,
          all.filter(one => caller.party === undefined || one.party === caller.party),
        )
        const every = query.for === 'everyone' || (query.for === undefined && query.party !== undefined)
        return { tasks: every ? seen : seen.filter(one => one.yours !== undefined) }
      },
    })

    add({
      method: 'GET',
      path: '/tasks/:task',
      says: 'one task, with exactly what is asked: every step is taken on the digest of that',
      params: oneTask,
      answer: z.strictObject({ ...task, asked: z.record(z.string(), z.unknown()) }),
      async run({ caller, params }) {
        const { party } = await taskOf(store, params.task)
        mustSee(caller, party)
        const { task: one, subject } = await lookAt(door, kinds, params.task)
        const [seen] = await shown(caller, [one])
        if (!seen) throw refuseRequest('NOTHING_THERE')
        return { ...seen, asked: subject }
      },
    })

    const answer = z.strictObject({ ...task, outcome: z.unknown().optional() })

    add({
      method: 'POST',
      path: '/tasks/:task/verification',
      says: 'you have verified what is asked',
      params: oneTask,
      body: z.strictObject({
        ...onDigest,
        level: z.int().min(1).max(4).optional().meta({ description: 'at which the identity was verified' }),
      }),
      answer,
      async run({ caller, by, params, body }) {
        const [seen] = await shown(caller, [await verify(door, kinds, by(), params.task, body)])
        return seen
      },
    })

    add({
      method: 'POST',
      path: '/tasks/:task/approval',
      says: 'you approve what is asked; the last approval has the effect, which the outcome says',
      params: oneTask,
      body: z.strictObject(onDigest),
      answer,
      async run({ caller, by, params, body }) {
        const approved = await approve(door, kinds, by(), params.task, body)
        const [seen] = await shown(caller, [approved.task])
        return { ...seen, outcome: approved.outcome }
      },
    })

    add({
      method: 'POST',
      path: '/tasks/:task/refusal',
      says: 'you decide that it shall not be; that needs no second person',
      params: oneTask,
      body: z.strictObject(given),
      answer,
      async run({ caller, by, params, body }) {
        const [seen] = await shown(caller, [await refuse(door, kinds, by(), params.task, body)])
        return seen
      },
    })

    add({
      method: 'POST',
      path: '/tasks/:task/withdrawal',
      says: 'whoever may request it takes the request back',
      params: oneTask,
      body: z.strictObject(recorded),
      answer,
      async run({ caller, by, params, body }) {
        const [seen] = await shown(caller, [await withdraw(door, kinds, by(), params.task, body)])
        return seen
      },
    })
  },
}
