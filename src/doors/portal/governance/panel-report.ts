/** The monthly report to the SEC Panel: on a page, and as the files that it is handed over in. */

import { hash } from 'node:crypto'
import { contentTypes, formats, rendered } from '../../../rooms/governance/performance/render.ts'
import { reportOf, reportsKept } from '../../../rooms/governance/performance/reports.ts'
import { tablesOf } from '../../../rooms/governance/performance/tables.ts'
import { html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { code, heading, inset, link, paragraph, tag } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, figure } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { barChart } from './chart.ts'
import { day } from './documents.ts'
import { monthAsked, monthChoice, monthName, panelReport as reportFor } from './month.ts'
import { central } from './who.ts'

export const panelReport = page({
  path: '/governance/panel-report',
  title: 'Panel report',
  who: central,
  section: 'governance',
  says: 'the monthly report to the SEC Panel, and the files of it',
  async show(visit) {
    const month = monthAsked(visit)
    const [{ report, kept, content }, all] = await Promise.all([
      reportFor(visit, month),
      reportsKept(visit.door.store, 'SEC Panel'),
    ])
    const late = report.late && kept
    const bars = report.history.map(one => ({
      name: one.month.slice(2),
      value: one.sent,
      against: one.forecast === 'none' ? undefined : one.forecast,
    }))
    return html`${heading(`Report to the SEC Panel, ${monthName(month)}`, 'Governance')}${monthChoice(visit, '/governance/panel-report')}${
      kept
        ? facts([
            ['Version', `${report.version}`],
            [
              'Made',
              html`${atTime(new Date(report.madeAt))} ${late ? tag('Late', 'red') : tag('In time', 'green')}`,
            ],
            ['Due', day(report.dueOn)],
            ['SHA-256 of the JSON, which stands in the journal', code(hash('sha256', content!, 'hex'))],
            [
              'Files',
              html`${formats.map((format, i) => html`${i > 0 ? ', ' : ''}${link(`/governance/panel-report/${month}/${format}`, format.toUpperCase())}`)}`,
            ],
          ])
        : inset(`It is not made yet: this is what there is so far. It is due by ${day(report.dueOn)}.`)
    }${barChart('CSRs for Device Certificates, month by month', bars, { bars: 'sent', line: 'forecast' })}${tablesOf(
      report,
    ).map(of =>
      table(
        of.title,
        of.head.map(name => (name === '' ? 'Kind' : name)),
        of.rows.map((row): Part[] => row.map(cell => (typeof cell === 'number' ? figure(cell) : cell))),
        html`<strong>${of.title}</strong>: none.`,
      ),
    )}${table(
      'Reports kept',
      ['Month', 'Version', 'Made'],
      all.map(one => [
        link(`/governance/panel-report?month=${one.month}`, monthName(one.month)),
        one.version,
        atTime(one.madeAt),
      ]),
      'No report was made yet.',
    )}${paragraph('Each Authorised Subscriber has a report of its own.')}`
  },
})

export const panelReportFile = page({
  path: '/governance/panel-report/:month/:format',
  title: 'Panel report as a file',
  who: central,
  async show({ door, params }) {
    const format = formats.find(one => one === params.format)
    if (!format) throw refuse('NOTHING_THERE')
    const { content, month } = await reportOf(door.store, params.month ?? '', 'SEC Panel')
    return {
      name: `panel-report-${month}.${format}`,
      type: contentTypes[format],
      octets: rendered(content, format),
    }
  },
})
