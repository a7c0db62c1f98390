/** SMETS1 symmetric keys: instructions of the SMKI PMA to rotate them, and an S1SP's report of campaigns, deadlines and meters. */

import { decisions } from '../../../rooms/governance/decisions.ts'
import type { Summary } from '../../../rooms/symmetric/s1sp/summary.ts'
import { fileUpload } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttons,
  type Colour,
  form as formHtml,
  heading,
  link,
  paragraph,
  subheading,
  tag,
  warning,
} from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, figure, onDay } from '../frame/words.ts'
import { forceTag } from '../governance/decisions.ts'
import { span } from '../registration/urgency.ts'
import { readSmets1Report } from './smets1-report.ts'
import { central } from './who.ts'

const mostShown = 200

/**
 * An S1SP is another organisation with a store of its own (spec: nothing of it is reached from here), so its report comes
 * as a file. It is shown, and kept nowhere.
 */
export const smets1 = page({
  path: '/operations/smets1',
  title: 'SMETS1 keys',
  who: central,
  section: 'operations',
  says: 'rotation campaigns, deadlines, and meters that are unresolved',
  upload: true,
  async show(visit) {
    return html`${heading('SMETS1 symmetric keys', 'Operations')}${await instructions(visit)}${upload(visit)}`
  },
  async act(visit, form) {
    const { file } = form
    if (!file || file.octets.length === 0) throw new Faulty([{ field: 'report', says: 'Choose the report file' }])
    const report = readSmets1Report(file.octets)
    if (!report) throw new Faulty([{ field: 'report', says: 'Choose a report as an S1SP writes it, in JSON' }])
    return html`${heading('SMETS1 symmetric keys', 'Operations')}${shown(visit, report)}${await instructions(visit)}${upload(visit)}`
  },
})

function upload(visit: Visit): Html {
  return html`${subheading('Report of an S1SP')}${paragraph('Each S1SP keeps its own records. Choose the report that it handed over to see its campaigns, deadlines and unresolved meters; it is kept nowhere.')}${formHtml(
    visit,
    html`${fileUpload(visit, { name: 'report', label: 'Report file', hint: 'JSON', accept: '.json,application/json' })}${buttons({ text: 'Show the report', kind: 'secondary' })}`,
    { upload: true },
  )}`
}

async function instructions({ door, at }: Visit): Promise<Html> {
  const all = await decisions(door.store, { act: 'rotate symmetric keys' })
  return table(
    'Instructions to rotate, latest first',
    ['Decision', 'Decided', 'State', 'Covers'],
    all.map((one): Part[] => [
      link(`/governance/decisions/${encodeURIComponent(one.reference)}`, one.reference),
      atTime(one.decidedAt),
      forceTag(one, at),
      one.subjects.join(', '),
    ]),
    'The SMKI PMA has given no instruction to rotate symmetric keys.',
  )
}

const states: Readonly<Record<string, Colour>> = {
  entered: 'blue',
  running: 'turquoise',
  paused: 'yellow',
  finished: 'green',
}
const reviews: Readonly<Record<Summary['review']['state'], { says: string; colour: Colour }>> = {
  current: { says: 'In time', colour: 'green' },
  warned: { says: 'Due soon', colour: 'yellow' },
  overdue: { says: 'Overdue', colour: 'red' },
  none: { says: 'None on record', colour: 'red' },
}

function shown({ at }: Visit, report: Summary): Html {
  const late = report.overdue.filter(one => one.due <= at)
  const total = (key: 'devices' | 'rotated' | 'unresolved' | 'unreachable' | 'cannot') =>
    report.models.reduce((sum, one) => sum + one[key], 0)
  return html`${late.length > 0 ? warning(`${count(late.length, 'meter is', 'meters are')} past the seven days after commissioning`) : ''}${facts(
    [
      ['Report of', atTime(report.at)],
      ['Devices', `${figure(total('devices'))}, of which ${figure(total('rotated'))} are rotated`],
      ['Unresolved', figure(total('unresolved'))],
      ['Not reached', figure(total('unreachable'))],
      ['With exceptions', figure(total('cannot'))],
      [
        'Review of the risk',
        html`${tag(reviews[report.review.state].says, reviews[report.review.state].colour)}${report.review.due ? ` due ${onDay(report.review.due)}` : ''}`,
      ],
    ],
  )}${table(
    'Campaigns',
    [
      'Campaign',
      'Decision',
      'State',
      'To be done by',
      { name: 'Devices', numeric: true },
      { name: 'Done', numeric: true },
      { name: 'Unresolved', numeric: true },
      { name: 'Not reached', numeric: true },
      { name: 'Cannot', numeric: true },
    ],
    report.campaigns.map((one): Part[] => [
      `Campaign ${one.campaign}`,
      link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision),
      html`${tag(one.state, states[one.state])}${one.whyPaused ? ` ${one.whyPaused}` : ''}`,
      html`${atTime(one.by)}${one.by < at && one.state !== 'finished' ? html` ${tag('Overdue', 'red')}` : ''}`,
      figure(one.devices),
      figure(one.done),
      figure(one.unresolved),
      figure(one.unreachable),
      figure(one.cannot),
    ]),
    'There is no campaign.',
  )}${table(
    'By model',
    [
      'Model',
      { name: 'Devices', numeric: true },
      { name: 'Rotated', numeric: true },
      { name: 'Unresolved', numeric: true },
      { name: 'Not reached', numeric: true },
      'Nearest deadline',
    ],
    report.models.map((one): Part[] => [
      one.model,
      figure(one.devices),
      figure(one.rotated),
      figure(one.unresolved),
      figure(one.unreachable),
      one.nextDue ? atTime(one.nextDue) : '–',
    ]),
    'No Device is taken on.',
  )}${table(
    `Deadlines that are over or near${report.overdue.length > mostShown ? `, the first ${mostShown} of ${figure(report.overdue.length)}` : ''}`,
    ['Device', 'Deadline', 'State', { name: 'Attempts', numeric: true }, 'Last attempt'],
    report.overdue.slice(0, mostShown).map((one): Part[] => {
      const last = one.attempts.at(-1)
      return [
        one.device,
        html`${atTime(one.due)} ${one.due <= at ? html`${tag('Overdue', 'red')} by ${span(at.getTime() - one.due.getTime())}` : tag('Near', 'yellow')}`,
        one.state,
        figure(one.attempts.length),
        last ? `${atTime(last.at)}: ${last.code}` : 'none',
      ]
    }),
    'No deadline is over or near.',
  )}${table(
    'What cannot be done',
    ['Device', 'What', 'Why'],
    [
      ...report.cannot.map(one => [one.device, 'be re-keyed', one.says]),
      ...report.exceptions.map(one => [one.device, one.what, one.says]),
    ].slice(0, mostShown),
    'Everything could be done.',
  )}`
}
