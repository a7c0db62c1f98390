/** What a development is checked for: the order of its dates, the tolerance of the designation, completeness (DESIGN). */

import { type Dated, outOfOrder } from '../chronology.ts'
import { type Day, inWords, plusMonths } from '../day.ts'
import type { Development } from './development.ts'

/** A finding is not an error: the dates are kept as they were given, and somebody looks. */
export interface DevelopmentFinding {
  readonly check: 'chronology' | 'tolerance' | 'completeness'
  readonly says: string
}

export function findingsOf(development: Development): DevelopmentFinding[] {
  return [
    ...outOfOrder(datesOf(development)).map(({ says }) => ({ check: 'chronology' as const, says })),
    ...tolerance(development),
    ...completeness(development),
  ]
}

/** Every date that is known, in the order in which the steps are taken. */
export function datesOf({
  draft,
  reviews,
  rounds,
  confirmed,
  concluded,
  submitted,
  designated,
}: Development): Dated[] {
  const dates: (Omit<Dated, 'on'> & { on: Day | undefined })[] = [
    { what: 'drafted', on: draft.on },
    ...reviews.map(({ on, outcome }) => ({
      what: outcome === 'satisfied' ? 'the SMKI PMA approved for consultation' : 'the SMKI PMA commented',
      on,
    })),
    ...rounds.flatMap(({ consultation, closed, analysis, changes }) => [
      { what: 'the consultation opened', on: consultation.on },
      { what: 'the consultation closed', on: closed?.on ?? consultation.closesOn, strictly: true },
      { what: 'the responses were analysed', on: analysis?.on },
      { what: 'changes were settled', on: changes?.on },
    ]),
    { what: 'the SMKI PMA confirmed', on: confirmed?.on },
    { what: 'the conclusions were published', on: concluded?.on },
    { what: 'it was submitted to the Secretary of State', on: submitted?.on ?? concluded?.submissionOn },
    { what: 'it was designated', on: designated?.on ?? concluded?.designationOn },
  ]
  return dates.flatMap(({ on, ...rest }) => (on === undefined ? [] : [{ ...rest, on }]))
}

/** "on or shortly after": not before the day that was proposed, and not later than the tolerance that was consulted on. */
function tolerance({ rounds, concluded, designated }: Development): DevelopmentFinding[] {
  const consulted = rounds.at(-1)?.consultation
  const on = designated?.on ?? concluded?.designationOn
  if (!consulted || on === undefined || designated?.explanation !== undefined) return []
  const { designationOn, toleranceMonths } = consulted
  const latest = plusMonths(designationOn, toleranceMonths)
  if (on >= designationOn && on <= latest) return []
  const says = `designation on ${inWords(on)} was consulted on as ${inWords(designationOn)} or by ${inWords(latest)}, and nothing explains it`
  return [{ check: 'tolerance', says }]
}

function completeness({ rounds }: Development): DevelopmentFinding[] {
  const says: string[] = []
  for (const { consultation, closed, responses, analysis } of rounds) {
    if (closed && closed.on !== consultation.closesOn) {
      says.push(
        `it closed on ${inWords(closed.on)} and was announced to close on ${inWords(consultation.closesOn)}`,
      )
    }
    for (const { respondent, answers } of responses) {
      if (answers.length === 0) says.push(`the response of ${respondent} is linked to no question`)
    }
    if (!closed) continue
    if (!analysis) says.push('the responses are not analysed')
    if (responses.length === 0) says.push('nobody responded')
  }
  return says.map(one => ({ check: 'completeness', says: one }))
}
