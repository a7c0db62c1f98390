/** The Registration Authority's first page: what waits, the most urgent first. */

import { input, select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttons, form as formOf, heading, link, paragraph, searchForm, tag } from '../frame/pieces.ts'
import { pagination, partAsked, table } from '../frame/tables.ts'
import { atTime, count } from '../frame/words.ts'
import { bulk, tick } from './bulk.ts'
import { csv } from './csv.ts'
import { dueWords, titles } from './may.ts'
import { type Names, namesOf, numberIn } from './names.ts'
import { type Listed, listTasks, type TaskFilter } from './task-list.ts'
import { span, urgencies } from './urgency.ts'
import { allKinds, central } from './who.ts'

const perPage = 50

function filterOf({ query }: Visit): TaskFilter {
  return {
    yours: query.for === 'me',
    kind: query.kind || undefined,
    party: numberIn(query.party),
    text: query.text?.slice(0, 100),
  }
}

/** The same list, at another part of it or as a file. */
function address(path: string, { query }: Visit, more: Record<string, string> = {}): string {
  const kept = Object.entries(query).filter(
    ([name, value]) => ['for', 'kind', 'party', 'text'].includes(name) && value !== '',
  )
  const all = new URLSearchParams([...kept, ...Object.entries(more)])
  return all.size === 0 ? path : `${path}?${all}`
}

export const tasks = page({
  path: '/registration/tasks',
  title: 'Tasks',
  who: central,
  section: 'registration',
  says: 'what waits for a decision, the most urgent first',
  async show(visit) {
    const [found, names] = await Promise.all([listTasks(visit, filterOf(visit)), namesOf(visit.door.store)])
    const part = partAsked(visit.query)
    const shown = found.slice((part - 1) * perPage, part * perPage)
    const more = found.length > part * perPage
    const list = table(
      'Open tasks',
      ['Task', 'Urgency', 'Organisation', 'Due', 'Waits since', 'Choose'],
      shown.map(one => row(one, names, visit)),
      'No task waits here. What is decided already is on the page of each organisation.',
    )
    return html`${heading('Tasks', 'Registration Authority')}${search(visit, names)}${paragraph(count(found.length, 'task waits', 'tasks wait'), found.length > perPage ? `, of which ${shown.length} are shown` : '', '. ', link(address('/registration/tasks.csv', visit), 'Export them all as CSV'))}${
      shown.length > 0 && canDecide(visit)
        ? formOf(
            visit,
            html`${list}${bulk(visit)}${buttons({ text: 'Verify the chosen', does: 'verify', kind: 'secondary' }, { text: 'Approve the chosen', does: 'approve' })}`,
            { to: '/registration/bulk' },
          )
        : list
    }${pagination(part, more, to => address('/registration/tasks', visit, { part: String(to) }))}`
  },
})

/** An auditor looks: he is offered no button. */
const canDecide = ({ visitor }: Visit): boolean => (visitor?.callers.length ?? 0) > 0

function row(one: Listed, names: Names, { at }: Visit): Part[] {
  const { task, due, urgency } = one
  const { says, colour } = urgencies[urgency]
  return [
    html`${link(`/registration/tasks/${task.id}`, `${task.id}: ${task.kind}`)}<br><span class="govuk-!-font-weight-regular">${one.says}</span>`,
    html`${tag(says, colour)}${one.deferred ? html` ${tag('Deferred', 'yellow')}` : ''}`,
    names.link(task.party) ?? '–',
    html`${dueWords[due.step]} by ${titles(due.by)}${one.yours ? html` ${tag('You can do this', 'green')}` : ''}`,
    html`${atTime(task.openedAt)} (${span(at.getTime() - task.openedAt.getTime())})`,
    one.yours ? tick(task.id, task.digest, `${task.id}: ${task.kind}`) : '–',
  ]
}

function search(visit: Visit, names: Names): Html {
  const { query, door } = visit
  const given = { given: query, faults: [] }
  return searchForm(
    '/registration/tasks',
    html`${input(given, { name: 'text', label: 'Search', hint: 'In the number, the kind, the subject and the words', type: 'search' })}<div class="govuk-grid-row"><div class="govuk-grid-column-one-third">${select(
      given,
      {
        name: 'for',
        label: 'Waiting for',
        choices: [
          { value: 'everyone', text: 'Everybody' },
          { value: 'me', text: 'Me' },
        ],
      },
    )}</div><div class="govuk-grid-column-one-third">${select(given, {
      name: 'kind',
      label: 'Kind',
      choices: [
        { value: '', text: 'Every kind' },
        ...Object.keys(allKinds(door)).map(kind => ({ value: kind, text: kind })),
      ],
    })}</div><div class="govuk-grid-column-one-third">${select(given, {
      name: 'party',
      label: 'Organisation',
      choices: [
        { value: '', text: 'Every organisation' },
        ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
      ],
    })}</div></div>${buttons({ text: 'Search', kind: 'secondary' })}`,
  )
}

export const tasksCsv = page({
  path: '/registration/tasks.csv',
  title: 'Tasks as CSV',
  who: central,
  async show(visit) {
    const [found, names] = await Promise.all([listTasks(visit, filterOf(visit)), namesOf(visit.door.store)])
    return csv(
      'tasks.csv',
      ['task', 'kind', 'urgency', 'party', 'organisation', 'due', 'by', 'opened', 'digest'],
      found.map(({ task, urgency, due }) => [
        task.id,
        task.kind,
        urgency,
        task.party,
        names.party(task.party),
        due.step,
        due.by.join(' '),
        task.openedAt,
        task.digest,
      ]),
    )
  },
})
