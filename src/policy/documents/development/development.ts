/** A development as its events tell it: where it stands, what may come next, and what has come of it so far. */

import type { DevelopmentEvent, EventOf } from './events.ts'

/** governance-performance.md section 3; the names are ours. */
export const states = [
  'drafted',
  'pmaReview',
  'consultation',
  'analysis',
  'changes',
  'pmaConfirmed',
  'concluded',
  'submitted',
  'designated',
] as const

export type State = (typeof states)[number]

/** One consultation and what followed; a material change begins another. */
export interface Round {
  readonly consultation: EventOf<'consult'>
  readonly closed?: EventOf<'close'> | undefined
  readonly responses: readonly EventOf<'respond'>[]
  readonly assurances: readonly EventOf<'assure'>[]
  readonly analysis?: EventOf<'analyse'> | undefined
  readonly changes?: EventOf<'change'> | undefined
}

export interface Development {
  readonly state: State
  readonly draft: EventOf<'draft'>
  readonly reviews: readonly EventOf<'review'>[]
  readonly rounds: readonly Round[]
  readonly confirmed?: EventOf<'confirm'> | undefined
  readonly concluded?: EventOf<'conclude'> | undefined
  readonly submitted?: EventOf<'submit'> | undefined
  readonly designated?: EventOf<'designate'> | undefined
}

type Step = DevelopmentEvent['step']

/** From which states a step is taken, and to which it leads. The draft comes first and only once. */
const steps: Readonly<Record<Exclude<Step, 'draft'>, { from: readonly State[]; to: State }>> = {
  review: { from: ['drafted', 'pmaReview'], to: 'pmaReview' },
  consult: { from: ['pmaReview', 'changes'], to: 'consultation' },
  respond: { from: ['consultation'], to: 'consultation' },
  close: { from: ['consultation'], to: 'analysis' },
  assure: { from: ['analysis'], to: 'analysis' },
  analyse: { from: ['analysis'], to: 'analysis' },
  change: { from: ['analysis'], to: 'changes' },
  confirm: { from: ['changes'], to: 'pmaConfirmed' },
  conclude: { from: ['pmaConfirmed'], to: 'concluded' },
  submit: { from: ['concluded'], to: 'submitted' },
  designate: { from: ['submitted'], to: 'designated' },
}

/** Why that event may not come now, in a sentence, or undefined when it may. */
export function whyNot(development: Development | undefined, event: DevelopmentEvent): string | undefined {
  if (event.step === 'draft') return development && 'the draft comes first and once'
  if (!development) return 'it begins with a draft'
  const { from } = steps[event.step]
  if (!from.includes(development.state))
    return `${event.step} follows ${from.join(' or ')}, not ${development.state}`
  return obstacle(development, event)
}

/** What the order of states does not say yet. */
function obstacle({ state, reviews, rounds }: Development, event: DevelopmentEvent): string | undefined {
  const round = rounds.at(-1)
  const changed = round?.changes?.changes ?? []
  switch (event.step) {
    case 'review':
      if (event.outcome === 'satisfied' && event.decision === undefined)
        return 'the SMKI PMA is satisfied by a decision'
      return undefined
    case 'consult': {
      if (state === 'pmaReview' && reviews.at(-1)?.outcome !== 'satisfied')
        return 'the SMKI PMA is not satisfied yet'
      if (state === 'changes' && !changed.some(one => one.class === 'material')) {
        return 'only a material change is consulted on again'
      }
      const twice = event.questions.find((one, i) => event.questions.findIndex(({ id }) => id === one.id) < i)
      return twice && `question ${twice.id} stands there twice`
    }
    case 'respond': {
      const asked = round!.consultation.questions.map(({ id }) => id)
      const stranger = event.answers.find(({ question }) => !asked.includes(question))
      if (stranger) return `question ${stranger.question} was not asked`
      if (round!.responses.some(one => one.respondent === event.respondent)) return 'that respondent has responded'
      return undefined
    }
    case 'analyse': {
      if (round!.analysis) return 'the responses were analysed already'
      const concluded = event.conclusions.map(({ question }) => question).toSorted()
      const asked = round!.consultation.questions.map(({ id }) => id).toSorted()
      return JSON.stringify(concluded) === JSON.stringify(asked) ? undefined : 'each question has one conclusion'
    }
    case 'change': {
      if (!round!.analysis) return 'the responses were not analysed yet'
      const unexplained = event.changes.find(one => one.class === 'clarification' && one.reason === undefined)
      return unexplained && `that the change of ${unexplained.where} is not material has a reason`
    }
    case 'confirm':
      return changed.some(one => one.class === 'material') ? 'a material change is consulted on first' : undefined
    default:
      return undefined
  }
}

/** @throws Error for events that do not follow one another: `whyNot` is asked before an event is kept */
export function developmentOf(events: readonly DevelopmentEvent[]): Development | undefined {
  return events.reduce<Development | undefined>(after, undefined)
}

export function after(development: Development | undefined, event: DevelopmentEvent): Development {
  const reason = whyNot(development, event)
  if (reason !== undefined) throw new Error(reason)
  if (event.step === 'draft') return { state: 'drafted', draft: event, reviews: [], rounds: [] }
  const next = { ...development!, state: steps[event.step].to }
  const inRound = (what: Partial<Round>) => ({
    ...next,
    rounds: next.rounds.with(-1, { ...next.rounds.at(-1)!, ...what }),
  })
  switch (event.step) {
    case 'review':
      return { ...next, reviews: [...next.reviews, event] }
    case 'consult':
      return { ...next, rounds: [...next.rounds, { consultation: event, responses: [], assurances: [] }] }
    case 'respond':
      return inRound({ responses: [...next.rounds.at(-1)!.responses, event] })
    case 'close':
      return inRound({ closed: event })
    case 'assure':
      return inRound({ assurances: [...next.rounds.at(-1)!.assurances, event] })
    case 'analyse':
      return inRound({ analysis: event })
    case 'change':
      return inRound({ changes: event })
    case 'confirm':
      return { ...next, confirmed: event }
    case 'conclude':
      return { ...next, concluded: event }
    case 'submit':
      return { ...next, submitted: event }
    case 'designate':
      return { ...next, designated: event }
  }
}
