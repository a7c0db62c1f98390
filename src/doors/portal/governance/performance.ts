/** Performance against the Target Response Times, with charts; what missed them and why. */

import { isAtLeast } from '../../../policy/performance/percent.ts'
import { measures } from '../../../policy/performance/targets.ts'
import type { PanelReport } from '../../../rooms/governance/performance/report.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { heading, inset, link, paragraph, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { atTime, figure } from '../frame/words.ts'
import { capital, namesOf } from '../registration/names.ts'
import { barChart } from './chart.ts'
import { monthAsked, monthChoice, monthName, panelReport } from './month.ts'
import { central } from './who.ts'

const mostBreaches = 100

export const performance = page({
  path: '/governance/performance',
  title: 'Performance',
  who: central,
  section: 'governance',
  says: 'response times against their targets, month by month',
  async show(visit) {
    const month = monthAsked(visit)
    const { report, kept } = await panelReport(visit, month)
    const { targetPercent, minimumPercent } = visit.door.settings.performance
    const shares = report.measures
      .filter(one => one.measured > 0)
      .map(one => ({
        name: capital(measures[one.measure].says),
        value: Math.floor((100 * one.within) / one.measured),
        against: targetPercent,
      }))
    return html`${heading(`Performance, ${monthName(month)}`, 'Governance')}${monthChoice(visit, '/governance/performance')}${kept ? paragraph(`As reported to the SEC Panel, version ${report.version}. `, link(`/governance/panel-report?month=${month}`, 'The whole report')) : inset('These are the figures so far: the report of the month is not made yet.')}${
      report.relief ? inset('Demand was above what was forecast by so much that no failure is counted.') : ''
    }${table(
      'Code Performance Measures',
      [
        'Measure',
        { name: 'Requests', numeric: true },
        { name: 'In time', numeric: true },
        'Per cent',
        'Service level',
      ],
      report.performance.map(one => [
        `Measure ${one.number}`,
        figure(one.measured),
        figure(one.within),
        one.percent,
        level(one.level),
      ]),
      '',
    )}${paragraph(`Target ${targetPercent} %, minimum ${minimumPercent} %.`)}${barChart('Requests answered in time, per cent', shares, { bars: 'answered in time', line: 'the target' }, 100)}${table(
      'Response times',
      [
        'Request',
        'Target',
        { name: 'Requests', numeric: true },
        { name: 'In time', numeric: true },
        'Per cent',
        { name: 'Excluded', numeric: true },
      ],
      report.measures.map(one => [
        capital(one.says),
        one.target,
        figure(one.measured),
        figure(one.within),
        html`${one.percent} ${one.measured > 0 ? against(one, targetPercent) : ''}`,
        figure(one.excluded),
      ]),
      '',
    )}${await breaches(visit, report)}${table(
      'Not counted',
      ['Why', 'From', 'Until', 'Reference'],
      report.exclusions.map(one => [
        one.kind,
        atTime(new Date(one.from)),
        atTime(new Date(one.until)),
        one.reference,
      ]),
      'Nothing of this month is excluded.',
    )}`
  },
})

const levels: Readonly<Record<PanelReport['performance'][number]['level'], Html>> = {
  'target met': tag('Target met', 'green'),
  'minimum met': tag('Minimum met', 'yellow'),
  'below minimum': tag('Below minimum', 'red'),
  none: tag('No requests', 'grey'),
  relieved: tag('Relieved', 'grey'),
}

const level = (of: PanelReport['performance'][number]['level']): Html => levels[of]

function against({ within, measured }: { within: number; measured: number }, target: number): Html {
  return isAtLeast(within, target, measured) ? tag('Target met', 'green') : tag('Target missed', 'red')
}

async function breaches({ door }: Visit, { breaches: all }: PanelReport): Promise<Html> {
  const names = await namesOf(door.store)
  return html`${table(
    'Requests beyond their target',
    ['Received', 'Request', 'Party', 'Sent', 'Cause'],
    all
      .slice(0, mostBreaches)
      .map((one): Part[] => [
        atTime(new Date(one.receivedAt)),
        capital(measures[one.measure].says),
        one.party === null ? 'a test key' : names.link(one.party),
        one.sentAt ? atTime(new Date(one.sentAt)) : 'not yet',
        one.cause,
      ]),
    'Every request was answered in time.',
  )}${all.length > mostBreaches ? paragraph(`${figure(all.length - mostBreaches)} more stand in the report.`) : ''}`
}
