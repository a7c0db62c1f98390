/** The report for the SMKI PMA as Markdown, and as one HTML page that stands by itself. */

import type { KeyKind } from '../../policy/recovery/cases.ts'
import { chartOf } from './chart.ts'
import { clockOf, howLong, type RecoveryReport } from './report.ts'

/** What people are asked to write when a drill or a recovery is over. */
export const lessonsAsked = [
  'What went as the procedure has it',
  'What did not, and why',
  'Which step took longer than it should, and what would shorten it',
  'What is to change: in the procedure, in the software, in the training of people; by whom, until when',
] as const

export interface Heading {
  /** Whether nothing was Compromised and all of it was simulated. */
  readonly drill: boolean
  readonly environment: string
  readonly madeAt: Date
}

type Table = {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly none: string
}
type Part =
  | { readonly heading: string; readonly text?: string; readonly table?: Table; readonly chart?: true }
  | { readonly lessons: readonly string[] }

const number = (value: number) => value.toLocaleString('en-GB')
const instant = (at: Date | undefined) => (at ? `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '')
const total = ({ counts }: RecoveryReport) => Object.values(counts).reduce((a, b) => a + b, 0)

const keyWords: Readonly<Record<KeyKind, string>> = {
  organisation: 'a private key of a Subscriber',
  root: 'the private key of the Root OCA',
  contingency: 'the Contingency Private Key',
  symmetric: 'the Symmetric Key of the contingency',
  recovery: 'the Recovery Private Key',
  issuing: 'the private key of the Issuing OCA',
}

/** What the words that Devices answer with mean (GBCS StatusCode). */
const statusWords: Readonly<Record<string, string>> = {
  badCertificate: 'it does not take the certificate',
  noTrustAnchor: 'it finds no path to its root',
  insufficientMemory: 'it has no memory left',
  trustAnchorNotFound: 'it has no such cell',
  resourcesBusy: 'it is busy',
}

const explained = (reason: string) => {
  const known = Object.keys(statusWords).find(one => reason.includes(one))
  return known === undefined ? reason : `${reason} (${statusWords[known]})`
}

/** One sentence that is the whole of it. */
export function verdict(report: RecoveryReport): string {
  const { counts } = report
  const clock = clockOf(report)
  const share = total(report) === 0 ? 0 : Math.floor((counts.proven * 1000) / total(report)) / 10
  const open = total(report) - counts.proven - counts.listed
  return (
    `${number(counts.proven)} of ${number(total(report))} Relevant Devices (${share} %) are recovered, and each has shown ` +
    `that it is; ${number(counts.listed)} are listed with the reason why they are not` +
    `${open > 0 ? `, and ${number(open)} are still under way` : ''}.` +
    `${clock === undefined ? '' : ` From the notification to the last recovered Device it took ${howLong(clock)}.`}`
  )
}

function parts(report: RecoveryReport): Part[] {
  const { event, kinds, reasons, steps, directions, ceremonies, commands, refused } = report
  const asked = Object.entries(refused).sort(([, a], [, b]) => b - a)
  return [
    {
      heading: 'What happened',
      text:
        `On ${instant(event.notifiedAt)} it was notified that ${keyWords[event.keyKind]} may have been Compromised since ` +
        `${instant(event.suspectedSince)}${event.means ? `; this was confirmed (${event.means})` : ''}. ` +
        (event.procedure ? `What was done (${event.procedure}): ${report.says}.` : 'No procedure was chosen yet.'),
    },
    { heading: 'Devices recovered over time', chart: true },
    {
      heading: 'Devices by kind',
      table: {
        head: ['Kind', 'Relevant Devices', 'Recovered and proven', 'Listed'],
        rows: kinds.map(one => [
          one.kind,
          number(one.devices),
          number(one.proven),
          number(one.devices - one.proven),
        ]),
        none: 'None.',
      },
    },
    {
      heading: 'Devices that are not recovered, and why',
      table: {
        head: ['Reason', 'Devices'],
        rows: reasons.map(one => [explained(one.reason), number(one.devices)]),
        none: 'Every Relevant Device is recovered.',
      },
    },
    {
      heading: 'Steps',
      table: {
        head: ['Phase', 'Step', 'By', 'Done'],
        rows: steps.map(one => [one.phase, one.action, one.actor, instant(one.done?.at) || 'not yet']),
        none: 'None.',
      },
    },
    {
      heading: 'Directions of the SMKI PMA, and what was used of them',
      table: {
        head: ['Decision', 'For', 'Key (SHA-256)', 'Commands used', 'Maximum'],
        rows: directions.map(one => [
          one.decision,
          one.kind,
          one.key.slice(0, 16),
          number(one.used),
          number(one.maximum),
        ]),
        none: 'No private key of the DCC was used.',
      },
    },
    {
      heading: 'Ceremonies of Key Custodians',
      table: {
        head: ['Key', 'Custodians', 'Woke', 'Asleep', 'Signatures', 'Refused'],
        rows: ceremonies.map(one => [
          one.thing,
          String(one.custodians),
          instant(one.openedAt),
          instant(one.closedAt) || 'still awake',
          number(one.signatures),
          number(one.refused),
        ]),
        none: 'No key woke.',
      },
    },
    {
      heading: 'Commands, questions, answers',
      text:
        `${number(commands.updates)} commands and ${number(commands.questions)} questions left; ` +
        `${number(commands.answered)} were answered by the Device that was asked. ` +
        (asked.length === 0
          ? 'No answer was refused.'
          : `Answers that were not believed: ${asked.map(([code, count]) => `${code} ${number(count)}`).join(', ')}.`),
    },
    { lessons: lessonsAsked },
  ]
}

const titleOf = ({ event }: RecoveryReport, { drill }: Heading) =>
  `${drill ? 'Drill of the SMKI Recovery Procedure' : 'Recovery'}: ${event.reference}`

const underTitle = ({ drill, environment, madeAt }: Heading) =>
  `Report to the SMKI PMA. Environment ${environment}, ${instant(madeAt)}.` +
  `${drill ? ' A drill: time, people and Devices are simulated; the certificates, signatures and refusals are not.' : ''}`

export function markdownOf(report: RecoveryReport, heading: Heading): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const rows = ({ head, rows: all, none }: Table) =>
    all.length === 0
      ? none
      : [head, head.map(() => '---'), ...all].map(one => `| ${one.map(cell).join(' | ')} |`).join('\n')
  const body = parts(report).map(part => {
    if ('lessons' in part)
      return `## Lessons\n\n${part.lessons.map(one => `### ${one}\n\n_To be written._`).join('\n\n')}`
    const text = part.text ?? (part.table ? rows(part.table) : rows(curveTable(report)))
    return `## ${part.heading}\n\n${text}`
  })
  return `# ${titleOf(report, heading)}\n\n${underTitle(heading)}\n\n**${verdict(report)}**\n\n${body.join('\n\n')}\n`
}

/** Markdown has no chart: quarters of the way instead. */
function curveTable({ curve, event, counts }: RecoveryReport): Table {
  const reached = [0.25, 0.5, 0.75, 0.9, 1].flatMap(share => {
    const at = curve.find(one => one.proven >= counts.proven * share)
    return at
      ? [[`${share * 100} %`, number(at.proven), howLong(at.at.getTime() - event.notifiedAt.getTime())]]
      : []
  })
  return { head: ['Of those recovered', 'Devices', 'After'], rows: reached, none: 'No Device was recovered.' }
}

/** One page that needs nothing else: no script, no font, no image from elsewhere. It prints on paper too. */
export function htmlOf(report: RecoveryReport, heading: Heading): string {
  const table = ({ head, rows, none }: Table) =>
    rows.length === 0
      ? `<p>${escaped(none)}</p>`
      : `<table><thead><tr>${head.map(one => `<th scope="col">${escaped(one)}</th>`).join('')}</tr></thead><tbody>${rows
          .map(row => `<tr>${row.map(one => `<td>${escaped(one)}</td>`).join('')}</tr>`)
          .join('\n')}</tbody></table>`
  const body = parts(report).map(part => {
    if ('lessons' in part)
      return `<section><h2>Lessons</h2>${part.lessons
        .map(one => `<h3>${escaped(one)}</h3><p class="write">To be written.</p>`)
        .join('')}</section>`
    const inside = part.chart
      ? `<figure>${chartOf(report)}</figure>`
      : part.table
        ? table(part.table)
        : `<p>${escaped(part.text ?? '')}</p>`
    return `<section><h2>${escaped(part.heading)}</h2>${inside}</section>`
  })
  const title = escaped(titleOf(report, heading))
  return `<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${style}</style></head>
<body><main><header><h1>${title}</h1><p>${escaped(underTitle(heading))}</p>
<p class="verdict">${escaped(verdict(report))}</p></header>
${body.join('\n')}
</main></body></html>
`
}

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, one => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one]!)

const style = `
body{font:16px/1.5 system-ui,sans-serif;color:#0b0c0c;background:#fff;margin:0}
main{max-width:48rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1rem 0 .2rem}
.verdict{font-size:1.15rem;font-weight:600;border-left:.4rem solid #1d70b8;padding:.4rem 0 .4rem 1rem}
figure{margin:0}svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#505a5f}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #b1b4b6;vertical-align:top}
.write{color:#505a5f;border:1px dashed #b1b4b6;min-height:4rem;padding:.5rem}
@media print{main{padding:0}section{break-inside:avoid}}
`
