/** What several people decide together: a task goes from step to step, and every step is taken on the same thing. */

import { hash } from 'node:crypto'
import { fromHex } from '../../ground/bytes.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import type { Client } from '../../ground/store/store.ts'
import type { Procedure, StepName } from '../../policy/registration/procedure.ts'
import { type Acting, type Actor, act, type Evidence, type Given, type Hands, readGiven } from './act.ts'
import { dueStep, whyNot } from './dual.ts'
import { no } from './refusals.ts'
import { countedSteps, peopleOf, type TakenStep, type Task, type TaskState, taskOf } from './task.ts'

/** A kind of task: its procedure, and what the room that owns it does with it. */
export interface Kind {
  readonly procedure: Procedure
  /** What is to be approved, whole, as it stands now: every step is taken on its digest. */
  describe(client: Client, subject: string): Promise<Readonly<Record<string, JsonValue>>>
  /** Beside the step that completes verification. */
  verified?(acting: Acting, task: Task): Promise<void>
  /** The effect, in the transaction of the last approval. What it returns is told to whoever approved. */
  approved(acting: Acting, task: Task): Promise<JsonValue>
  /** When the task ended otherwise; or when its verification counts no more (`open`). */
  otherwise?(acting: Acting, task: Task, state: Exclude<TaskState, 'approved'>): Promise<void>
}

/** By the name that stands on the tasks. Several rooms may put theirs together. */
export type Kinds = Readonly<Record<string, Kind>>

export interface StepGiven extends Given {
  /** The digest, hexadecimal, of what the person has looked at. */
  readonly digest: string
  /** At which level the identity of a person was verified, where the procedure asks for one. */
  readonly level?: number | undefined
}

/**
 * Opens a task with its first step, the request, by whoever acts. One task is open for a subject at a time.
 * @throws Refusal EVIDENCE_MISSING, WORDS_UNFIT and those of dual control
 */
export async function openTask(
  acting: Acting,
  kinds: Kinds,
  name: string,
  about: { readonly subject: string; readonly party?: number | undefined; readonly people?: readonly number[] },
  given: Given,
): Promise<{ task: number; digest: string }> {
  const { client, at, by } = acting
  const { procedure, describe } = kindOf(kinds, name)
  const people = about.people ?? []
  const reason = whyNot(procedure, { party: about.party, people, steps: [] }, 'request', by)
  if (reason) throw reason
  const digest = digestOf(name, at, await describe(client, about.subject))
  const { rows } = await client.query<{ id: number }>(
    'INSERT INTO task (kind, subject, party, about, digest, opened_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id',
    [name, about.subject, about.party ?? null, people, fromHex(digest), at],
  )
  const { id } = rows[0]!
  await keepStep(acting, procedure, await taskOf(client, id), 'request', given)
  return { task: id, digest }
}

/** A task with what is to be approved in full, for whoever takes a step on its digest. @throws Refusal TASK_UNKNOWN */
export async function lookAt(
  { store }: Pick<Hands, 'store'>,
  kinds: Kinds,
  id: number,
): Promise<{ task: Task; subject: Readonly<Record<string, JsonValue>> }> {
  return store.transaction(async client => {
    const task = await taskOf(client, id)
    return { task, subject: await kindOf(kinds, task.kind).describe(client, task.subject) }
  })
}

/** One person verifies. @throws Refusal TASK_UNKNOWN, TASK_DECIDED, TASK_CHANGED, STEP_NOT_DUE, EVIDENCE_MISSING, … */
export async function verify(hands: Hands, kinds: Kinds, by: Actor, id: number, given: StepGiven): Promise<Task> {
  return (await take(hands, kinds, by, id, 'verify', given)).task
}

/**
 * One person approves; the last approval has the effect, in its transaction. Of two at once one wins, and the other is
 * told TASK_DECIDED.
 * @throws Refusal as `verify`, and those of the effect: nothing is kept of the step then
 */
export function approve(
  hands: Hands,
  kinds: Kinds,
  by: Actor,
  id: number,
  given: StepGiven,
): Promise<{ task: Task; outcome: JsonValue }> {
  return take(hands, kinds, by, id, 'approve', given)
}

/** One person who may verify or approve decides that it shall not be. It needs no second. */
export function refuse(hands: Hands, kinds: Kinds, by: Actor, id: number, given: Given): Promise<Task> {
  return end(hands, kinds, by, id, 'refuse', given)
}

/** Somebody who may request it takes the request back. */
export function withdraw(hands: Hands, kinds: Kinds, by: Actor, id: number, given: Given = {}): Promise<Task> {
  return end(hands, kinds, by, id, 'withdraw', given)
}

/** Ends the open task of a subject, if there is one, because what it was about is there no more. */
export async function voidTask(acting: Acting, kinds: Kinds, kind: string, subject: string): Promise<void> {
  const task = await openTaskOf(acting.client, kind, subject)
  if (!task) return
  await become(acting, task, 'void')
  await acting.note('void', says(task))
  await kindOf(kinds, kind).otherwise?.(acting, task, 'void')
}

/** To be called when a subject may have changed: what was verified or approved on its former state counts no more. */
export async function changed(acting: Acting, kinds: Kinds, kind: string, subject: string): Promise<void> {
  const task = await openTaskOf(acting.client, kind, subject)
  if (!task) return
  const { describe, otherwise } = kindOf(kinds, kind)
  const digest = digestOf(kind, task.openedAt, await describe(acting.client, subject))
  if (digest === task.digest) return
  await acting.client.query('UPDATE task SET digest = $2 WHERE id = $1', [task.id, fromHex(digest)])
  await acting.client.query("UPDATE task_step SET void = true WHERE task = $1 AND step <> 'request'", [task.id])
  await acting.note('changed', { ...says(task), digest, before: task.digest })
  await otherwise?.(acting, task, 'open')
}

async function take(
  hands: Hands,
  kinds: Kinds,
  actor: Actor,
  id: number,
  step: 'verify' | 'approve',
  given: StepGiven,
): Promise<{ task: Task; outcome: JsonValue }> {
  return act(hands, actor, { act: step, says: { task: id } }, async acting => {
    const { client } = acting
    // 1. Wait for whoever decides at this moment, then look at what is left to decide.
    const task = await hold(client, id)
    const kind = kindOf(kinds, task.kind)
    await mayTake(acting, kind.procedure, task, step)

    // 2. Everybody decides on one thing: what stands now is what was requested, and what this person has looked at.
    const now = digestOf(task.kind, task.openedAt, await kind.describe(client, task.subject))
    if (now !== task.digest || given.digest.toLowerCase() !== task.digest) throw no('TASK_CHANGED')
    const { identityLevel } = kind.procedure
    if (step === 'verify' && identityLevel !== undefined && (given.level ?? 0) < identityLevel) {
      throw no('IDENTITY_LEVEL', `level ${identityLevel}`)
    }

    // 3. Keep the step, in the store and in the journal.
    await keepStep(acting, kind.procedure, task, step, given)

    // 4. What follows from it, in the same transaction.
    const due = dueStep(kind.procedure, await countedSteps(client, await taskOf(client, id)))
    if (step === 'verify' && due !== 'verify') await kind.verified?.(acting, task)
    let outcome: JsonValue = null
    if (due === undefined) {
      await become(acting, task, 'approved')
      outcome = await kind.approved(acting, task)
    }
    return { task: await taskOf(client, id), outcome }
  })
}

async function end(
  hands: Hands,
  kinds: Kinds,
  actor: Actor,
  id: number,
  step: 'refuse' | 'withdraw',
  given: Given,
): Promise<Task> {
  return act(hands, actor, { act: step, says: { task: id } }, async acting => {
    const task = await hold(acting.client, id)
    const kind = kindOf(kinds, task.kind)
    await mayTake(acting, kind.procedure, task, step)
    await keepStep(acting, kind.procedure, task, step, given)
    const state = step === 'refuse' ? 'refused' : 'withdrawn'
    await become(acting, task, state)
    await kind.otherwise?.(acting, task, state)
    return taskOf(acting.client, id)
  })
}

async function mayTake(acting: Acting, procedure: Procedure, task: Task, step: TakenStep['step']): Promise<void> {
  const { client, by } = acting
  const people = await peopleOf(client, task)
  const reason = whyNot(procedure, { party: task.party, people, steps: await countedSteps(client, task) }, step, by)
  if (reason) throw reason
}

async function keepStep(
  acting: Acting,
  procedure: Procedure,
  task: Task,
  step: TakenStep['step'],
  given: Given & { readonly level?: number | undefined },
): Promise<void> {
  const { client, at, by } = acting
  const { words, evidence } = readGiven(given)
  if (step !== 'refuse' && step !== 'withdraw') requireEvidence(procedure, step, evidence)
  if (by.through !== undefined && evidence.length === 0) throw no('EVIDENCE_MISSING', 'what was signed')
  await client.query(
    `INSERT INTO task_step (task, number, step, person, office, through, at, words, evidence, digest)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      task.id,
      task.steps.length + 1,
      step,
      by.person,
      by.as,
      by.through ?? null,
      at,
      words,
      JSON.stringify(evidence),
      fromHex(task.digest),
    ],
  )
  const level = given.level === undefined ? {} : { level: given.level }
  await acting.note(step, { ...says(task), words, evidence, ...level })
}

function requireEvidence(procedure: Procedure, step: StepName, evidence: readonly Evidence[]): void {
  const missing = procedure[step].evidence.filter(kind => !evidence.some(one => one.kind === kind))
  if (missing.length > 0) throw no('EVIDENCE_MISSING', missing.join(', '), { missing })
}

/** What journal entries say of a task. */
function says({ id, kind, subject, party, digest }: Task): Record<string, JsonValue> {
  return { task: id, kind, subject, digest, ...(party !== undefined && { party }) }
}

/** The task, held until the end of the transaction; before it its Party, as in every act on a Party. */
async function hold(client: Client, id: number): Promise<Task> {
  const { party } = await taskOf(client, id)
  if (party !== undefined) await client.query('SELECT FROM party WHERE id = $1 FOR NO KEY UPDATE', [party])
  await client.query('SELECT FROM task WHERE id = $1 FOR UPDATE', [id])
  const task = await taskOf(client, id)
  if (task.state === 'open') return task
  throw no('TASK_DECIDED', task.state, { state: task.state, at: task.decidedAt?.toISOString() })
}

async function openTaskOf(client: Client, kind: string, subject: string): Promise<Task | undefined> {
  const { rows } = await client.query<{ id: number }>(
    "SELECT id FROM task WHERE kind = $1 AND subject = $2 AND state = 'open' FOR UPDATE",
    [kind, subject],
  )
  return rows[0] && taskOf(client, rows[0].id)
}

async function become({ client, at }: Acting, task: Task, state: TaskState): Promise<void> {
  await client.query('UPDATE task SET state = $2, decided_at = $3 WHERE id = $1', [task.id, state, at])
}

/**
 * SHA-256 of a journal entry that says what is to be approved: its canonical form makes one text of one content
 * (docs/formats/journal.md). The instant is that of the request.
 */
function digestOf(kind: string, openedAt: Date, body: Readonly<Record<string, JsonValue>>): string {
  return hash('sha256', entry(kind, openedAt, body), 'hex')
}

function kindOf(kinds: Kinds, name: string): Kind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (!kind) throw new Error(`no room has taken tasks of the kind ${name}`)
  return kind
}
