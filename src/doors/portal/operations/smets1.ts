/** SMETS1 symmetric keys: instructions of the SMKI PMA to rotate them, and S1SPs' reports of campaigns, deadlines and meters. */

import { decisions } from '../../../rooms/governance/decisions.ts'
import { fileUpload } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import {
  buttons,
  form as formHtml,
  heading,
  inset,
  link,
  paragraph,
  subheading,
  tag,
  warning,
} from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { atTime } from '../frame/words.ts'
import { forceTag } from '../governance/decisions.ts'
import { span } from '../registration/urgency.ts'
import { isStale, type LiveReport, readSmets1Report } from './smets1-report.ts'
import { reportShown } from './smets1-shown.ts'
import { central } from './who.ts'

/**
 * An S1SP is another organisation with a store of its own (spec: nothing of it is reached from here). It lets the SMKI read
 * its report, or hands it over as a file; that is shown, and kept nowhere.
 */
export const smets1 = page({
  path: '/operations/smets1',
  title: 'SMETS1 keys',
  who: central,
  section: 'operations',
  says: 'rotation campaigns, deadlines, and meters that are unresolved',
  upload: true,
  async show(visit) {
    const all = visit.door.smets1Reports?.() ?? []
    return html`${title}${all.map(one => live(visit, one))}${await instructions(visit)}${upload(visit)}`
  },
  async act(visit, form) {
    const { file } = form
    if (!file || file.octets.length === 0) throw new Faulty([{ field: 'report', says: 'Choose the report file' }])
    const report = readSmets1Report(file.octets)
    if (!report) throw new Faulty([{ field: 'report', says: 'Choose a report as an S1SP writes it, in JSON' }])
    return html`${title}${reportShown(visit, report)}${await instructions(visit)}${upload(visit)}`
  },
})

const title = heading('SMETS1 symmetric keys', 'Operations')

/** As it was read last, with its age: what is not of now is said to be. */
function live(visit: Visit, one: LiveReport): Html {
  const { name, report, fault } = one
  const why = fault === undefined ? '' : ` The last attempt failed: ${fault}.`
  if (!report) return html`${subheading(`S1SP ${name}`)}${inset(`Its report was not read yet.${why}`)}`
  const age = span(visit.at.getTime() - report.at.getTime())
  const state = isStale(one, visit.at)
    ? warning(`Stale: this report is ${age} old. Ask the S1SP what is the matter.${why}`)
    : paragraph(tag('Current', 'green'), ` Read from the S1SP, ${age} old. It is asked for each minute.${why}`)
  return html`${subheading(`S1SP ${name}`)}${state}${reportShown(visit, report, name)}`
}

function upload(visit: Visit): Html {
  return html`${subheading('Report of an S1SP as a file')}${paragraph('Each S1SP keeps its own records. Choose a report that it handed over to see its campaigns, deadlines and unresolved meters; it is kept nowhere.')}${formHtml(
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
