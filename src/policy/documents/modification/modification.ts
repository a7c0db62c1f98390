/** A modification as its events tell it: where it stands, and what may come next. */

import type { ModificationEvent, ModificationEventOf } from './events.ts'

export const modificationStates = [
  'Draft Proposal',
  'Modification Proposal',
  'report approved',
  'report consultation',
  'approved',
  'rejected',
  'released',
] as const

export type ModificationState = (typeof modificationStates)[number]

export interface Modification {
  readonly state: ModificationState
  readonly raised: ModificationEventOf<'raise'>
  readonly presented?: ModificationEventOf<'present'> | undefined
  readonly solution?: ModificationEventOf<'solve'> | undefined
  readonly impact?: ModificationEventOf<'assessImpact'> | undefined
  /** The latest of each, in the order in which they were first made. */
  readonly observations: readonly ModificationEventOf<'observe'>[]
  readonly textConsultation?: ModificationEventOf<'consultText'> | undefined
  readonly responses: readonly ModificationEventOf<'respond'>[]
  readonly assessment?: ModificationEventOf<'assess'> | undefined
  readonly converted?: ModificationEventOf<'convert'> | undefined
  readonly report?: ModificationEventOf<'approveReport'> | undefined
  readonly reportConsultation?: ModificationEventOf<'consultReport'> | undefined
  readonly vote?: ModificationEventOf<'vote'> | undefined
  readonly released?: ModificationEventOf<'release'> | undefined
}

type Step = Exclude<ModificationEvent['step'], 'raise'>

const drafting: readonly ModificationState[] = ['Draft Proposal', 'Modification Proposal']

/** When a step is taken, and to which state it leads, if to another. */
const steps: Readonly<Record<Step, { from: readonly ModificationState[]; to?: ModificationState }>> = {
  present: { from: ['Draft Proposal'] },
  solve: { from: drafting },
  assessImpact: { from: drafting },
  observe: { from: modificationStates },
  consultText: { from: drafting },
  respond: { from: [...drafting, 'report consultation'] },
  assess: { from: drafting },
  convert: { from: ['Draft Proposal'], to: 'Modification Proposal' },
  approveReport: { from: ['Modification Proposal'], to: 'report approved' },
  consultReport: { from: ['report approved'], to: 'report consultation' },
  vote: { from: ['report consultation'] },
  release: { from: ['approved'], to: 'released' },
}

/** Why that event may not come now, in a sentence, or undefined when it may. */
export function whyNotNow(modification: Modification | undefined, event: ModificationEvent): string | undefined {
  if (event.step === 'raise') return modification && 'it is raised once'
  if (!modification) return 'it begins as a Draft Proposal that is raised'
  const { from } = steps[event.step]
  if (!from.includes(modification.state)) {
    return `${event.step} follows ${from.join(' or ')}, not ${modification.state}`
  }
  const { solution, impact, assessment, textConsultation } = modification
  if (event.step === 'convert' && !modification.presented) return 'it is presented for initial comment first'
  if (event.step === 'approveReport') {
    const missing = [!solution && 'solution', !impact && 'impacts', !assessment && 'assessment'].filter(Boolean)
    if (missing.length > 0) return `the Modification Report lacks its ${missing.join(', ')}`
  }
  if (event.step === 'respond' && event.to === 'legal text' && !textConsultation)
    return 'the legal text was not shown'
  const inReport = modification.state === 'report consultation'
  if (event.step === 'respond' && (event.to === 'report') !== inReport)
    return `the ${event.to} is not consulted on now`
  return undefined
}

/** @throws Error for events that do not follow one another */
export function modificationOf(events: readonly ModificationEvent[]): Modification | undefined {
  return events.reduce<Modification | undefined>(afterEvent, undefined)
}

function afterEvent(before: Modification | undefined, event: ModificationEvent): Modification {
  const reason = whyNotNow(before, event)
  if (reason !== undefined) throw new Error(reason)
  if (event.step === 'raise') return { state: 'Draft Proposal', raised: event, observations: [], responses: [] }
  const next: Modification = { ...before!, state: steps[event.step].to ?? before!.state }
  switch (event.step) {
    case 'present':
      return { ...next, presented: event }
    case 'solve':
      return { ...next, solution: event }
    case 'assessImpact':
      return { ...next, impact: event }
    case 'observe': {
      const at = next.observations.findIndex(({ id }) => id === event.id)
      return { ...next, observations: at < 0 ? [...next.observations, event] : next.observations.with(at, event) }
    }
    case 'consultText':
      return { ...next, textConsultation: event }
    case 'respond':
      return { ...next, responses: [...next.responses, event] }
    case 'assess':
      return { ...next, assessment: event }
    case 'convert':
      return { ...next, converted: event }
    case 'approveReport':
      return { ...next, report: event }
    case 'consultReport':
      return { ...next, reportConsultation: event }
    case 'vote':
      return { ...next, vote: event, state: event.outcome }
    case 'release':
      return { ...next, released: event }
  }
}
