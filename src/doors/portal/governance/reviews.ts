/** Reviews of the risk of symmetric keys, at most five years apart, and of documents: due, soon due, overdue; and a new one recorded. */

import { reviewsDone } from '../../../rooms/governance/register.ts'
import { recordReview, reviewsDue } from '../../../rooms/governance/reviews.ts'
import { decisionRecorders } from '../../../rooms/registration/pma.ts'
import { input, select, textarea } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { type Fault, Faulty, page } from '../frame/page.ts'
import { buttons, form as formHtml, heading, link, subheading, warning } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { count } from '../frame/words.ts'
import { day, dueTag } from './documents.ts'
import { acts, central } from './who.ts'

export const reviews = page({
  path: '/governance/reviews',
  title: 'Reviews',
  who: central,
  section: 'governance',
  says: 'five-year reviews of the risk of symmetric keys, and reviews of documents',
  async show(visit) {
    const { door, visitor } = visit
    const [due, done] = await Promise.all([reviewsDue(door.store, door.clock), reviewsDone(door.store)])
    const risks = due.filter(one => one.subject.startsWith('risk:'))
    const others = due.filter(one => !one.subject.startsWith('risk:'))
    const overdue = due.filter(one => one.state === 'overdue').length
    const rows = (all: typeof due) =>
      all.map(one => [one.subject.replace(/^\w+:/, ''), day(one.lastOn), dueTag(one)])
    return html`${heading('Reviews', 'Governance')}${overdue > 0 ? warning(`${count(overdue, 'review is', 'reviews are')} overdue`) : ''}${table('Risk reviews of symmetric keys, the soonest first', ['Where', 'Last', 'Due'], rows(risks), 'No use of symmetric keys is under review.')}${table('Reviews of documents, the soonest first', ['Document', 'Last', 'Due'], rows(others), 'No document has a period of review.')}${table(
      'Done, latest first',
      ['On', 'Of', 'Found', 'Evidence', 'Decision'],
      done
        .slice(0, 100)
        .map(one => [
          day(one.on),
          one.subject,
          one.words,
          one.evidence.join(', '),
          one.decision ? link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision) : '–',
        ]),
      'No review is on record.',
    )}${
      acts(visitor) && due.length > 0
        ? html`${subheading('Record a review')}${formHtml(
            visit,
            html`${select(visit, { name: 'subject', label: 'Of', choices: due.map(one => ({ value: one.subject, text: one.subject })) })}${input(visit, { name: 'on', label: 'Day of the review', hint: 'For example 2026-11-20', width: 10 })}${textarea(visit, { name: 'words', label: 'What was found', hint: 'It names no person.' })}${textarea(visit, { name: 'evidence', label: 'Evidence', hint: 'Where it lies, one reference a line', rows: 2 })}${input(visit, { name: 'decision', label: 'Decision of the SMKI PMA (optional)', hint: 'Its reference', width: 20 })}${buttons({ text: 'Record the review' })}`,
          )}`
        : ''
    }`
  },
  async act({ door, visitor, path }, form) {
    const by = officerAs(visitor, ...decisionRecorders)
    const faults: Fault[] = []
    const on = form.text('on')
    if (!/^\d{4}-\d\d-\d\d$/.test(on)) faults.push({ field: 'on', says: 'Enter the day, such as 2026-11-20' })
    const words = form.text('words').replaceAll('\r\n', '\n')
    if (words === '') faults.push({ field: 'words', says: 'Enter what was found' })
    const evidence = form
      .text('evidence')
      .split('\n')
      .map(line => line.trim())
      .filter(line => line !== '')
    if (evidence.length === 0) faults.push({ field: 'evidence', says: 'Enter where the evidence lies' })
    if (faults.length > 0) throw new Faulty(faults)
    const decision = form.text('decision')
    await recordReview(door, by.person, {
      subject: form.text('subject'),
      on,
      words,
      evidence,
      ...(decision !== '' && { decision }),
    })
    return { to: path, says: 'The review is recorded.' }
  },
})
