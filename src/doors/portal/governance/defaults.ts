/** Events of Default (L2.5): on record, each with the step that is due; the finding of a new one; and the next step. */

import { offices } from '../../../policy/registration/offices.ts'
import type { DefaultStep } from '../../../policy/revocation/default.ts'
import {
  type EventOfDefault,
  eventOf,
  eventsOfDefault,
  recordFinding,
  takeDefaultStep,
} from '../../../rooms/revocation/default.ts'
import { hidden, input, select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttonLink,
  buttons,
  form as formHtml,
  heading,
  link,
  paragraph,
  subheading,
  tag,
} from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { evidenceList, givenFields, readGiven } from '../registration/given.ts'
import { capital, namesOf, numberIn } from '../registration/names.ts'
import { central } from './who.ts'

/** Whoever may take some step; which step is for whom, the flow says and the room holds. */
const takers = ['PMA_MEMBER', 'RA_MANAGER'] as const

export const defaults = page({
  path: '/governance/defaults',
  title: 'Events of Default',
  who: central,
  section: 'governance',
  says: 'material breaches of the SMKI Document Set, from finding to outcome',
  async show({ door, visitor }) {
    const [all, names] = await Promise.all([eventsOfDefault(door.store), namesOf(door.store)])
    const [first] = door.revocation.defaultFlow
    return html`${heading('Events of Default', 'Governance')}${mayTake(first, visitor) ? buttonLink('/governance/defaults/new', 'Record a finding') : ''}${table(
      'On record, newest first',
      ['Event', 'Party', 'Provision', 'Found', 'Next'],
      all
        .toReversed()
        .map((one): Part[] => [
          link(`/governance/defaults/${one.id}`, `Event ${one.id}`),
          names.link(one.party),
          one.provision,
          atTime(one.foundAt),
          one.due ? tag(capital(one.due), 'yellow') : tag('Closed', 'grey'),
        ]),
      'No Event of Default is on record.',
    )}`
  },
})

export const newDefault = page({
  path: '/governance/defaults/new',
  title: 'Record a finding',
  who: takers,
  section: 'governance',
  async show(visit) {
    const names = await namesOf(visit.door.store)
    const { defaultFlow } = visit.door.revocation
    return html`${heading('Record a finding', 'Events of Default (L2.5)')}${paragraph(
      `The SMKI PMA finds a material breach. After it come: ${defaultFlow
        .slice(1)
        .map(one => one.step)
        .join(', ')}.`,
    )}${formHtml(
      visit,
      html`${select(visit, {
        name: 'party',
        label: 'Party in breach',
        value: '',
        choices: [
          { value: '', text: 'Choose' },
          ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
        ],
      })}${input(visit, { name: 'provision', label: 'Provision that was broken', hint: 'For example Appendix D, 5.2' })}${decisionField(visit, defaultFlow[0])}${givenFields(visit, [])}${buttons({ text: 'Record the finding', kind: 'warning' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, ...takers)
    const faults: Fault[] = []
    const party = numberIn(form.text('party'))
    if (party === undefined) faults.push({ field: 'party', says: 'Choose the Party' })
    const provision = form.text('provision')
    if (provision === '') faults.push({ field: 'provision', says: 'Enter the provision' })
    const [first] = door.revocation.defaultFlow
    const decision = form.text('decision')
    if (decision === '' && first?.decision) faults.push({ field: 'decision', says: 'Enter the decision' })
    if (faults.length > 0) throw new Faulty(faults)
    const taken = { ...readGiven(form, []), ...(decision !== '' && { decision }) }
    const { id } = await recordFinding(door, by, { party: party!, provision }, taken)
    return { to: `/governance/defaults/${id}`, says: `Event of Default ${id} is on record.` }
  },
})

export const eventOfDefault = page({
  path: '/governance/defaults/:event',
  title: 'Event of Default',
  who: central,
  section: 'governance',
  async show(visit) {
    const { door } = visit
    const one = await asked(visit)
    const names = await namesOf(door.store)
    const title = `Event of Default ${one.id}`
    const body = html`${heading(title, 'Events of Default (L2.5)')}${facts([
      ['Party', names.link(one.party)],
      ['Provision', one.provision],
      ['Found', atTime(one.foundAt)],
      ['Closed', one.closedAt && atTime(one.closedAt)],
    ])}${table(
      'Steps',
      ['Step', 'When', 'By', 'Decision', 'Words and evidence'],
      one.flow.map((rule, i): Part[] => {
        const taken = one.steps[i]
        if (!taken)
          return [capital(rule.step), rule.step === one.due ? tag('Due', 'yellow') : '–', titles(rule), '–', '–']
        return [
          capital(taken.step),
          atTime(taken.at),
          taken.person,
          taken.decision
            ? link(`/governance/decisions/${encodeURIComponent(taken.decision)}`, taken.decision)
            : '–',
          html`${taken.words || '–'}${evidenceList(taken.evidence)}`,
        ]
      }),
      '',
    )}${next(visit, one)}`
    return { title, body }
  },
  async act(visit, form) {
    const { door, visitor, path } = visit
    const one = await asked(visit)
    const step = form.text('step')
    // Somebody else may have taken it meanwhile: the room says which one comes next.
    const rule = one.flow.find(of => of.step === step)
    if (!rule) throw refuse('FORM_UNFIT')
    const decision = form.text('decision')
    if (decision === '' && rule.decision) throw new Faulty([{ field: 'decision', says: 'Enter the decision' }])
    const by = officerAs(visitor, ...rule.by)
    const taken = { ...readGiven(form, []), ...(decision !== '' && { decision }) }
    const { due } = await takeDefaultStep(door, by, one.id, step, taken)
    return { to: path, says: due ? `Recorded. Next: ${due}.` : `Recorded. Event of Default ${one.id} is closed.` }
  },
})

function next(visit: Visit, one: EventOfDefault): Html | undefined {
  const rule = one.flow[one.steps.length]
  if (!rule) return undefined
  if (!mayTake(rule, visit.visitor)) return paragraph(`The next step, ${rule.step}, is for ${titles(rule)}.`)
  return html`${subheading(`Next: ${rule.step}`)}${formHtml(
    visit,
    html`${hidden('step', rule.step)}${decisionField(visit, rule)}${givenFields(visit, [])}${buttons({ text: `Record the ${rule.step}` })}`,
  )}`
}

const mayTake = (rule: DefaultStep | undefined, visitor: Visit['visitor']): boolean =>
  rule?.by.some(as => visitor?.callers.some(one => one.offices.includes(as))) ?? false

const titles = ({ by }: DefaultStep) => by.map(one => offices[one].title).join(' or ')

function decisionField(visit: Visit, rule: DefaultStep | undefined): Html {
  const label = `Decision of the SMKI PMA${rule?.decision ? '' : ' (optional)'}`
  return input(visit, {
    name: 'decision',
    label,
    hint: 'Its reference: it is of an event of default, and names this Party',
    width: 20,
  })
}

/** @throws Refusal NOTHING_THERE, DEFAULT_UNKNOWN */
async function asked({ door, params }: Visit): Promise<EventOfDefault> {
  const id = numberIn(params.event)
  if (id === undefined) throw refuse('NOTHING_THERE')
  return eventOf(door.store, id)
}
