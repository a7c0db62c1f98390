/** Whom a task waits for: the step that is due, what it asks for, and everybody in office who may take it. */

import type { Store } from '../../ground/store/store.ts'
import { isOfOrganisation, type Office } from '../../policy/registration/offices.ts'
import type { Procedure, StepName } from '../../policy/registration/procedure.ts'
import { type CountedStep, dueStep, whyNot } from '../../rooms/registration/dual.ts'
import { credentialRecords } from '../../rooms/registration/life.ts'
import { appointmentsOf } from '../../rooms/registration/nominations.ts'
import type { Task } from '../../rooms/registration/task.ts'
import type { Caller } from './caller.ts'

/** Somebody in office. */
export interface Candidate {
  readonly person: string
  readonly office: Office
  readonly party: number | undefined
}

export interface Due {
  readonly step: StepName
  readonly by: readonly Office[]
  /** Kinds of evidence that the step names a reference of. */
  readonly evidence: readonly string[]
  /** At which level the identity of the person is verified. */
  readonly level: number | undefined
}

/** The step that comes next; undefined when the task is decided. */
export function dueOf(procedure: Procedure, task: Task): Due | undefined {
  const step =
    task.state === 'open'
      ? dueStep(
          procedure,
          counted(task, () => 0),
        )
      : undefined
  if (!step) return undefined
  const { by, evidence } = procedure[step]
  return { step, by, evidence, level: step === 'verify' ? procedure.identityLevel : undefined }
}

/** Those of the candidates who may take that step, by the rules of dual control. Pure. */
export function whoMay(
  procedure: Procedure,
  task: Task,
  step: StepName,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const numbers = new Map<string, number>()
  // The rules compare people; who is who is all that they need.
  const number = (reference: string) => {
    if (!numbers.has(reference)) numbers.set(reference, numbers.size + 1)
    return numbers.get(reference)!
  }
  const matter = { party: task.party, people: task.about.map(number), steps: counted(task, number) }
  return candidates.filter(({ person, office, party }) => {
    const by = { person: number(person), through: undefined, as: office, party }
    return whyNot(procedure, matter, step, by) === undefined
  })
}

/** Everybody in office who could be waited for in these tasks. */
export async function candidatesFor(
  store: Pick<Store, 'query'>,
  tasks: readonly { readonly task: Task; readonly due: Due | undefined }[],
): Promise<Candidate[]> {
  const parties = tasks.flatMap(({ task, due }) => (due?.by.some(isOfOrganisation) ? [task.party] : []))
  const of = await Promise.all([undefined, ...new Set(parties)].map(party => appointmentsOf(store, party)))
  return of.flat().filter(({ state }) => state === 'appointed')
}

/** What the Registration Authority's own credentials call their holders: a word for people who read references. */
export async function callNames(store: Pick<Store, 'query'>, caller: Caller): Promise<ReadonlyMap<string, string>> {
  if (caller.party !== undefined) return new Map()
  const records = await credentialRecords(store, caller.credential.party)
  const inUse = records.filter(one => one.kind === 'RA_STAFF' && one.state === 'active' && one.person !== undefined)
  return new Map(inUse.map(one => [one.person!, one.systemName]))
}

function counted(task: Task, number: (reference: string) => number): CountedStep[] {
  return task.steps.flatMap(({ step, person, through, void: gone }) => {
    if (gone || step === 'refuse' || step === 'withdraw') return []
    return [{ step, people: [person, ...(through === undefined ? [] : [through])].map(number) }]
  })
}
