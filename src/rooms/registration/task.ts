/** Tasks as they stand, and who is waited for. */

import { toHex } from '../../ground/bytes.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import type { Office } from '../../policy/registration/offices.ts'
import type { Procedure, StepName } from '../../policy/registration/procedure.ts'
import type { Evidence } from './act.ts'
import { type CountedStep, dueStep, whyNot } from './dual.ts'
import { no } from './refusals.ts'

export type TaskState = 'open' | 'approved' | 'refused' | 'withdrawn' | 'void'

export interface TakenStep {
  readonly number: number
  readonly step: StepName | 'refuse' | 'withdraw'
  /** References. */
  readonly person: string
  readonly through: string | undefined
  readonly office: Office
  readonly at: Date
  readonly words: string
  readonly evidence: readonly Evidence[]
  /** Hexadecimal. */
  readonly digest: string
  /** What it was taken on has changed since, and it counts no more. */
  readonly void: boolean
}

export interface Task {
  readonly id: number
  readonly kind: string
  readonly subject: string
  readonly party: number | undefined
  /** References of the people whom it concerns. */
  readonly about: readonly string[]
  /** SHA-256, hexadecimal, of what is to be approved. */
  readonly digest: string
  readonly state: TaskState
  readonly openedAt: Date
  readonly decidedAt: Date | undefined
  readonly steps: readonly TakenStep[]
}

/** A task that a person may take the next step of, and in which office. */
export interface Waiting {
  readonly task: Task
  readonly step: StepName
  readonly as: Office
  readonly party: number | undefined
}

type Reader = Pick<Store, 'query'> | Client

/** @throws Refusal TASK_UNKNOWN */
export async function taskOf(store: Reader, id: number): Promise<Task> {
  const [task] = await read(store, 'WHERE t.id = $1', [id])
  if (!task) throw no('TASK_UNKNOWN', String(id))
  return task
}

export function openTasks(store: Reader): Promise<Task[]> {
  return read(store, "WHERE t.state = 'open'", [])
}

/** All tasks of a Party, decided or not, oldest first. */
export function tasksOfParty(store: Reader, party: number): Promise<Task[]> {
  return read(store, 'WHERE t.party = $1', [party])
}

/** What waits for that person at that instant: every open task that the person may take the next step of, oldest first. */
export async function waitingFor(
  store: Reader,
  kinds: Readonly<Record<string, { readonly procedure: Procedure }>>,
  person: string,
  at: Date,
): Promise<Waiting[]> {
  const held = await ask<{ person: number; office: Office; party: number | null }>(
    store,
    `SELECT a.person, a.office, a.party FROM appointment a JOIN person p ON p.id = a.person
      WHERE p.reference = $1 AND a.state = 'appointed' AND a.appointed_at <= $2 ORDER BY a.id`,
    [person, at],
  )
  if (held.length === 0) return []
  const tasks = await openTasks(store)
  const numbers = await numbersOf(store, tasks)
  return tasks.flatMap(task => {
    const procedure = kinds[task.kind]?.procedure
    const matter = { ...task, people: task.about.map(one => numbers.get(one)!), steps: counted(task, numbers) }
    const step = procedure && dueStep(procedure, matter.steps)
    if (!step) return []
    const office = held.find(one => {
      const candidate = { person: one.person, through: undefined, as: one.office, party: one.party ?? undefined }
      return whyNot(procedure, matter, step, candidate) === undefined
    })
    return office ? [{ task, step, as: office.office, party: office.party ?? undefined }] : []
  })
}

/** The steps that count, and the numbers of who took them. */
export async function countedSteps(store: Reader, task: Task): Promise<CountedStep[]> {
  return counted(task, await numbersOf(store, [task]))
}

/** The numbers of the people whom it concerns. */
export async function peopleOf(store: Reader, task: Task): Promise<number[]> {
  const numbers = await numbersOf(store, [task])
  return task.about.map(reference => numbers.get(reference)!)
}

function counted(task: Task, numbers: ReadonlyMap<string, number>): CountedStep[] {
  return task.steps.flatMap(({ step, person, through, void: gone }) => {
    if (gone || step === 'refuse' || step === 'withdraw') return []
    return [{ step, people: [person, through].flatMap(one => (one === undefined ? [] : [numbers.get(one)!])) }]
  })
}

async function numbersOf(store: Reader, tasks: readonly Task[]): Promise<Map<string, number>> {
  const references = tasks.flatMap(task => [
    ...task.about,
    ...task.steps.flatMap(step => [step.person, step.through ?? step.person]),
  ])
  const rows = await ask<{ id: number; reference: string }>(
    store,
    'SELECT id, reference FROM person WHERE reference = ANY($1)',
    [references],
  )
  return new Map(rows.map(row => [row.reference, row.id]))
}

interface Row {
  id: number
  kind: string
  subject: string
  party: number | null
  about: string[]
  digest: Buffer
  state: TaskState
  opened_at: Date
  decided_at: Date | null
  steps: (Omit<TakenStep, 'at' | 'through'> & { at: string; through: string | null })[]
}

async function read(store: Reader, where: string, values: unknown[]): Promise<Task[]> {
  const rows = await ask<Row>(
    store,
    `SELECT t.id, t.kind, t.subject, t.party, t.digest, t.state, t.opened_at, t.decided_at,
            ARRAY(SELECT reference FROM person WHERE id = ANY(t.about) ORDER BY id) AS about,
            (SELECT coalesce(json_agg(json_build_object('number', s.number, 'step', s.step, 'person', p.reference,
                'through', r.reference, 'office', s.office, 'at', s.at, 'words', s.words, 'evidence', s.evidence,
                'digest', encode(s.digest, 'hex'), 'void', s.void) ORDER BY s.number), '[]')
               FROM task_step s JOIN person p ON p.id = s.person LEFT JOIN person r ON r.id = s.through
              WHERE s.task = t.id) AS steps
       FROM task t ${where} ORDER BY t.id`,
    values,
  )
  return rows.map(row => ({
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    party: row.party ?? undefined,
    about: row.about,
    digest: toHex(row.digest),
    state: row.state,
    openedAt: row.opened_at,
    decidedAt: row.decided_at ?? undefined,
    steps: row.steps.map(step => ({ ...step, through: step.through ?? undefined, at: new Date(step.at) })),
  }))
}

async function ask<R extends object>(store: Reader, text: string, values: unknown[]): Promise<R[]> {
  const { rows } = await (store as Pick<Store, 'query'>).query<R & Record<string, unknown>>(text, values)
  return rows
}
