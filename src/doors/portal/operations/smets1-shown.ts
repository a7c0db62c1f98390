/** An S1SP's report of its symmetric keys on a page: campaigns, deadlines, and meters that are unresolved. */

import type { Summary } from '../../../rooms/symmetric/s1sp/summary.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import type { Visit } from '../frame/page.ts'
import { type Colour, link, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, figure, onDay } from '../frame/words.ts'
import { span } from '../registration/urgency.ts'

const mostShown = 200

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

/** @param of the S1SP whose report it is, where that is known */
export function reportShown({ at }: Pick<Visit, 'at'>, report: Summary, of?: string): Html {
  const named = of === undefined ? '' : ` of ${of}`
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
    `Campaigns${named}`,
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
    `By model${named}`,
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
    `Deadlines${named} that are over or near${report.overdue.length > mostShown ? `, the first ${mostShown} of ${figure(report.overdue.length)}` : ''}`,
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
    `What cannot be done${named}`,
    ['Device', 'What', 'Why'],
    [
      ...report.cannot.map(one => [one.device, 'be re-keyed', one.says]),
      ...report.exceptions.map(one => [one.device, one.what, one.says]),
    ].slice(0, mostShown),
    'Everything could be done.',
  )}`
}
