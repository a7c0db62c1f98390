/** A report as a page, as a spreadsheet, or as it was made: JSON. */

import { hash } from 'node:crypto'
import { months } from '../../../policy/documents/day.ts'
import type { Month } from '../../../policy/performance/zone.ts'
import { chart } from './chart.ts'
import { cell, escaped } from './escape.ts'
import type { OwnReport, PanelReport } from './report.ts'
import { type Table, tablesOf } from './tables.ts'

export const formats = ['html', 'csv', 'json'] as const
export type Format = (typeof formats)[number]

export const contentTypes: Readonly<Record<Format, string>> = {
  html: 'text/html; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
}

/** @param content of a report, as it was kept */
export function rendered(content: string, format: Format): string {
  const report = JSON.parse(content) as OwnReport | PanelReport
  return format === 'json' ? `${content}\n` : format === 'csv' ? csvOf(report) : pageOf(report, content)
}

/** Each table after the other, its title before it and an empty line behind; CRLF (RFC 4180). */
function csvOf(report: OwnReport | PanelReport): string {
  const head = [
    ['Month', report.month],
    ['To', report.recipient],
    ['Version', report.version],
    ['Made', report.madeAt],
  ]
  const lines = [...head, ...tablesOf(report).flatMap(({ title, head, rows }) => [[], [title], head, ...rows])]
  return lines.map(cells => `${cells.map(cell).join(',')}\r\n`).join('')
}

/** One file that needs nothing else, and may be printed. */
function pageOf(report: OwnReport | PanelReport, content: string): string {
  const title = `${report.report === 'own' ? 'CSRs sent and forecast' : 'SMKI demand and performance'}, ${inWords(report.month)}`
  const to = report.report === 'own' ? report.name : 'SEC Panel'
  const late = report.late ? '<p><strong>Made after the day on which it was due.</strong></p>' : ''
  const listed =
    report.report === 'own' && report.listed
      ? '<p><strong>At or above 110 % of the most recent forecast, or sent without one: the SEC Panel is told.</strong></p>'
      : ''
  const relief =
    report.report === 'panel' && report.relief
      ? '<p>Demand was above what was forecast by so much that no failure is counted.</p>'
      : ''
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
body { font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #0b0c0c }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem }
caption { text-align: left; font-weight: bold; padding: .5rem 0 }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #b1b4b6; vertical-align: top }
td { font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto }
</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>To: ${escaped(to)}. Made ${escaped(report.madeAt)}, due ${escaped(report.dueOn)}, version ${report.version}.</p>
${late}${listed}${relief}
${chart('CSRs for Device Certificates, month by month', report.history)}
${tablesOf(report).map(tableHtml).join('\n')}
<p>SHA-256 of this report in JSON: <code>${hash('sha256', content, 'hex')}</code></p>
</main>
</body>
</html>
`
}

function tableHtml({ title, head, rows }: Table): string {
  if (rows.length === 0) return `<h2>${escaped(title)}</h2>\n<p>None.</p>`
  const names = head.map(name => (name === '' ? '<td></td>' : `<th scope="col">${escaped(name)}</th>`)).join('')
  const body = rows
    .map(row => `<tr>${row.map(value => `<td>${escaped(String(value))}</td>`).join('')}</tr>`)
    .join('\n')
  return `<table>\n<caption>${escaped(title)}</caption>\n<thead><tr>${names}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`
}

function inWords(month: Month): string {
  const [year, number] = month.split('-')
  return `${months[Number(number) - 1]} ${year}`
}
