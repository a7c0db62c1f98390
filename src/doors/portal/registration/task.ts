/** One task: what was asked beside what would be recorded or signed, who has taken which step, and the next one. */

import { type Office, offices } from '../../../policy/registration/offices.ts'
import type { Procedure } from '../../../policy/registration/procedure.ts'
import type { Task } from '../../../rooms/registration/task.ts'
import { approve, lookAt, refuse as refuseTask, verify, withdraw } from '../../../rooms/registration/tasks.ts'
import { hidden, input } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formOf, heading, inset, link, paragraph, subheading } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { compared } from './asked.ts'
import { sideBySide } from './both.ts'
import { evidenceList, givenFields, readGiven } from './given.ts'
import { dueOf, dueWords, mayTake, stepWords, titles } from './may.ts'
import { callNames, capital, namesOf, numberIn, person, taskTag } from './names.ts'
import { openable } from './openable.ts'
import { allKinds, central } from './who.ts'

export const task = page({
  path: '/registration/tasks/:task',
  title: 'Task',
  who: central,
  section: 'registration',
  async show(visit) {
    const { door } = visit
    const { id, one, subject, procedure } = await found(visit)
    const names = await namesOf(door.store)
    const [called, compare] = await Promise.all([callNames(door.store, names.all), compared(door, one, subject)])
    const due = dueOf(procedure, one)
    const title = `Task ${id}: ${one.kind}`
    const body = html`${heading(title, 'Registration Authority')}${paragraph(taskTag(one.state), ' ', capital(procedure.says), '.')}${facts(
      [
        ['Organisation', names.link(one.party)],
        [
          'Concerns',
          one.about.length > 0 && one.about.map((who, i) => html`${i > 0 ? ', ' : ''}${person(who, called)}`),
        ],
        ['Rests on', procedure.where],
        ['Opened', atTime(one.openedAt)],
        ['Decided', one.decidedAt && atTime(one.decidedAt)],
        ['Due now', due && `${dueWords[due.step]} by ${titles(due.by)}`],
      ],
    )}${compare.alike ? sideBySide('What was asked, and what would be recorded', compare.heads, compare.left, compare.right) : twoLists(compare)}${inset(html`${compare.follows}<br>SHA-256 of exactly this: ${code(one.digest)}`)}${steps(one, called)}${actions(visit, one, procedure)}`
    return { title, body }
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const kinds = allKinds(door)
    const { id, one, procedure } = await found(visit)
    const does = form.text('do')
    if (does === 'refuse' || does === 'withdraw') {
      const words = form.text('why')
      if (words === '') throw new Faulty([{ field: 'why', says: 'Say why, in a sentence' }])
      const by = officerAs(visitor, ...asOf(visit, one, procedure, does))
      await (does === 'refuse' ? refuseTask : withdraw)(door, kinds, by, id, { words })
      return { to: visit.path, says: `Task ${id} is ${does === 'refuse' ? 'refused' : 'withdrawn'}.` }
    }
    if (does !== 'verify' && does !== 'approve') throw refuse('FORM_UNFIT')
    const { evidence: kindsOfEvidence } = procedure[does]
    const given = {
      ...readGiven(form, kindsOfEvidence),
      digest: form.text('digest'),
      ...levelOf(form.text('level')),
    }
    const by = officerAs(visitor, ...asOf(visit, one, procedure, does))
    if (does === 'verify') await verify(door, kinds, by, id, given)
    else await approve(door, kinds, by, id, given)
    return {
      to: visit.path,
      says: `Your ${does === 'verify' ? 'verification' : 'approval'} of task ${id} is recorded.`,
    }
  },
})

async function found({ door, params }: Visit) {
  const id = numberIn(params.task)
  if (id === undefined) throw refuse('NOTHING_THERE')
  const kinds = allKinds(door)
  const { task: one, subject } = await lookAt(door, kinds, id)
  return { id, one, subject, procedure: kinds[one.kind]!.procedure }
}

/** The office in which he may; else those that the step belongs to, for the room to say no in its own words. */
function asOf(
  { visitor }: Visit,
  one: Task,
  procedure: Procedure,
  step: 'verify' | 'approve' | 'refuse' | 'withdraw',
): readonly Office[] {
  const may = mayTake(procedure, one, step, visitor)
  if ('as' in may) return [may.as]
  if (step === 'withdraw') return procedure.request.by
  return step === 'refuse' ? [...procedure.verify.by, ...procedure.approve.by] : procedure[step].by
}

function levelOf(text: string): { level?: number } {
  if (text === '') return {}
  if (!/^[1-4]$/.test(text))
    throw new Faulty([{ field: 'level', says: 'Enter the level of verification, from 1 to 4' }])
  return { level: Number(text) }
}

/** Lines that do not speak of the same things stand in two lists, side by side where there is room. */
function twoLists({ heads, left, right }: Awaited<ReturnType<typeof compared>>): Html {
  const column = (head: string, rows: typeof left) =>
    html`<div class="govuk-grid-column-one-half">${subheading(head)}${rows.length === 0 ? paragraph('Nothing.') : facts(rows.map(one => [one.name, one.value]))}</div>`
  return html`<div class="govuk-grid-row">${column(heads[0], left)}${column(heads[1], right)}</div>`
}

function steps(one: Task, called: ReadonlyMap<string, string>): Html {
  return table(
    'Steps taken',
    ['Step', 'By', 'When', 'Words', 'Evidence'],
    one.steps.map((step): Part[] => [
      html`${step.number}. ${stepWords[step.step]}${step.void ? html` <strong>(counts no more: what it was taken on has changed)</strong>` : ''}`,
      html`${person(step.person, called)}, ${offices[step.office].title}${step.through ? html`, recorded by ${person(step.through, called)}` : ''}`,
      atTime(step.at),
      step.words === '' ? '–' : step.words,
      evidenceList(step.evidence) ?? '–',
    ]),
    'No step has been taken.',
  )
}

function actions(visit: Visit, one: Task, procedure: Procedure): Html | undefined {
  const { visitor } = visit
  if (one.state !== 'open' || (visitor?.callers.length ?? 0) === 0) return undefined
  const due = dueOf(procedure, one)!
  const step = due.step === 'request' ? undefined : due.step
  const may = step && mayTake(procedure, one, step, visitor)
  const ends = (['refuse', 'withdraw'] as const).filter(end => 'as' in mayTake(procedure, one, end, visitor))
  return html`${step && may && 'as' in may ? stepForm(visit, one, step, due) : paragraph('You cannot take the next step: ', may && 'not' in may ? may.not : 'it is not due', '.')}${ends.length > 0 ? openable(visit, 'Refuse or withdraw this task', ['why'], formOf(visit, html`${input(visit, { name: 'why', label: 'Why', hint: 'It stands in the journal for good: name no person.' })}${buttons(...ends.map(end => (end === 'refuse' ? { text: 'Refuse', does: end, kind: 'warning' as const } : { text: 'Withdraw', does: end, kind: 'secondary' as const })))}`)) : ''}`
}

function stepForm(
  visit: Visit,
  one: Task,
  step: 'verify' | 'approve',
  { evidence, level }: { readonly evidence: readonly string[]; readonly level: number | undefined },
): Html {
  const asks = step === 'verify' ? 'I have verified what is asked' : 'I approve exactly what is shown above'
  return html`${subheading(step === 'verify' ? 'Verify' : 'Approve')}${formOf(
    visit,
    // The digest of what this page shows, never of what an older page showed.
    html`${hidden('digest', one.digest)}${level === undefined ? '' : input(visit, { name: 'level', label: 'Level at which the identity was verified', hint: `At least ${level}`, width: 2, inputmode: 'numeric' })}${givenFields(visit, evidence)}${buttons({ text: asks, does: step })}`,
  )}${paragraph(link('/registration/tasks', 'Go back to the tasks'))}`
}
