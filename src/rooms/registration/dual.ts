/** Who may take which step of a task: the rules of dual control, pure. */

import type { Refusal } from '../../ground/refusal.ts'
import { isOfOrganisation, type Office } from '../../policy/registration/offices.ts'
import { type Procedure, type StepName, stepOrder } from '../../policy/registration/procedure.ts'
import { no, type RegistrationCode } from './refusals.ts'

/** A step that counts. Whoever recorded it for somebody else has had a hand in it too. */
export interface CountedStep {
  readonly step: StepName
  readonly people: readonly number[]
}

export interface Matter {
  readonly party: number | undefined
  /** Whom it concerns. */
  readonly people: readonly number[]
  readonly steps: readonly CountedStep[]
}

export interface Candidate {
  readonly person: number
  readonly through: number | undefined
  readonly as: Office
  readonly party: number | undefined
}

/** The step that comes next; undefined when every step was taken by as many people as the procedure asks for. */
export function dueStep(procedure: Procedure, steps: readonly CountedStep[]): StepName | undefined {
  return stepOrder.find(name => steps.filter(({ step }) => step === name).length < procedure[name].count)
}

/** Why that officer may not take that step now; undefined when he may. To refuse is of those who verify or approve. */
export function whyNot(
  procedure: Procedure,
  matter: Matter,
  step: StepName | 'refuse' | 'withdraw',
  by: Candidate,
): Refusal<RegistrationCode> | undefined {
  const allowed = officesFor(procedure, step)
  if (!allowed.includes(by.as)) return no('NOT_FOR_THIS_OFFICE', `it belongs to ${allowed.join(', ')}`)
  if (isOfOrganisation(by.as) && by.party !== matter.party) return no('OTHER_ORGANISATION')
  // What an officer of an organisation signed may be recorded; who verifies or approves does it himself.
  const recordable = step === 'request' || step === 'withdraw'
  if (by.through !== undefined && !recordable) return no('IN_PERSON')

  const hands = by.through === undefined ? [by.person] : [by.person, by.through]
  const mayAskForOneself = procedure.ownRequest === true && (step === 'request' || step === 'withdraw')
  if (!mayAskForOneself && hands.some(person => matter.people.includes(person))) return no('OWN_AFFAIRS')
  if (step === 'refuse' || step === 'withdraw') return undefined

  const due = dueStep(procedure, matter.steps)
  if (due !== step) return no('STEP_NOT_DUE', due === undefined ? 'none is left' : `${due} is due`)
  const clash = matter.steps.find(
    taken => isApart(procedure, taken.step, step) && taken.people.some(person => hands.includes(person)),
  )
  if (!clash) return undefined
  const rule =
    clash.step === step ? `${procedure[step].count} people ${step}` : `REG-A01, ${clash.step} and ${step}`
  return no('TWO_PERSON_RULE', rule, { rule: 'REG-A01', steps: [clash.step, step] })
}

function officesFor(procedure: Procedure, step: StepName | 'refuse' | 'withdraw'): readonly Office[] {
  if (step === 'withdraw') return procedure.request.by
  if (step === 'refuse') return [...new Set([...procedure.verify.by, ...procedure.approve.by])]
  return procedure[step].by
}

function isApart(procedure: Procedure, a: StepName, b: StepName): boolean {
  return a === b || procedure.apart.some(([x, y]) => (x === a && y === b) || (x === b && y === a))
}
