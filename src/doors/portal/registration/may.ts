/** What is due of a task, and whether this visitor may do it: by the rules of dual control, which the room holds anyway. */

import { type Office, offices } from '../../../policy/registration/offices.ts'
import type { Procedure, StepName } from '../../../policy/registration/procedure.ts'
import { type CountedStep, dueStep, whyNot } from '../../../rooms/registration/dual.ts'
import type { Task } from '../../../rooms/registration/task.ts'
import type { Visitor } from '../frame/visitor.ts'

export interface Due {
  readonly step: StepName
  readonly by: readonly Office[]
  /** Kinds of evidence that the step names a reference of. */
  readonly evidence: readonly string[]
  /** At which level a person's identity is verified, where the step asks for it. */
  readonly level: number | undefined
}

/** The step that comes next; undefined when the task is decided. */
export function dueOf(procedure: Procedure, task: Task): Due | undefined {
  if (task.state !== 'open') return undefined
  const step = dueStep(procedure, counted(task, numbering()))
  if (!step) return undefined
  const { by, evidence } = procedure[step]
  return { step, by, evidence, level: step === 'verify' ? procedure.identityLevel : undefined }
}

/** The office in which the visitor may take that step, or in words why he may not. */
export function mayTake(
  procedure: Procedure,
  task: Task,
  step: StepName | 'refuse' | 'withdraw',
  visitor: Visitor | undefined,
): { readonly as: Office } | { readonly not: string } {
  const number = numbering()
  const matter = { party: task.party, people: task.about.map(number), steps: counted(task, number) }
  let not = 'it is not for your role'
  for (const caller of visitor?.callers ?? []) {
    for (const as of caller.offices) {
      const by = { person: number(caller.person), through: undefined, as, party: caller.party }
      const reason = whyNot(procedure, matter, step, by)
      if (!reason) return { as }
      // What is in the way of the person says more than that an office of his is another one.
      if (reason.code !== 'NOT_FOR_THIS_OFFICE') not = reason.message
    }
  }
  return { not }
}

export const stepWords: Readonly<Record<StepName | 'refuse' | 'withdraw', string>> = {
  request: 'Requested',
  verify: 'Verified',
  approve: 'Approved',
  refuse: 'Refused',
  withdraw: 'Withdrawn',
}

export const dueWords: Readonly<Record<StepName, string>> = {
  request: 'Request',
  verify: 'Verification',
  approve: 'Approval',
}

export function titles(all: readonly Office[]): string {
  return all.map(one => offices[one].title).join(' or ')
}

/** The rules compare people; who is who is all that they need. */
function numbering(): (reference: string) => number {
  const known = new Map<string, number>()
  return reference => {
    if (!known.has(reference)) known.set(reference, known.size + 1)
    return known.get(reference)!
  }
}

function counted(task: Task, number: (reference: string) => number): CountedStep[] {
  return task.steps.flatMap(({ step, person, through, void: gone }) => {
    if (gone || step === 'refuse' || step === 'withdraw') return []
    return [{ step, people: [person, ...(through === undefined ? [] : [through])].map(number) }]
  })
}
