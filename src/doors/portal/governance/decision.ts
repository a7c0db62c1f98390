/** One decision: its words, what it covers, how often it was cited; and its withdrawal. */

import { decisionOf, withdrawDecision } from '../../../rooms/governance/decisions.ts'
import { decisionRecorders } from '../../../rooms/registration/pma.ts'
import { deferrals } from '../../../rooms/revocation/covering.ts'
import { suspensionRecords } from '../../../rooms/revocation/suspended.ts'
import { textarea } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, inset, link, list, subheading } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { openable } from '../registration/openable.ts'
import { cited, forceTag } from './decisions.ts'
import { acts, central } from './who.ts'

export const decision = page({
  path: '/governance/decisions/:reference',
  title: 'Decision',
  who: central,
  section: 'governance',
  async show(visit) {
    const { door, at, visitor } = visit
    const one = await asked(visit)
    const { reference } = one
    const [stops, waits] = await Promise.all([suspensionRecords(door.store), deferrals(door.store)])
    const under = [
      ...stops
        .filter(of => of.decision === reference)
        .map(of => html`${link('/governance/suspensions', `Suspension ${of.id}`)}`),
      ...stops
        .filter(of => of.endDecision === reference)
        .map(of => html`${link('/governance/suspensions', `The end of suspension ${of.id}`)}`),
      ...waits
        .filter(of => of.decision === reference)
        .map(of => html`${link(`/registration/deferrals/${of.id}`, `Deferral ${of.id}`)}`),
    ]
    const body = html`${heading(reference, 'Decision of the SMKI PMA')}${facts([
      ['State', forceTag(one, at)],
      ['To', one.acts.join(', ')],
      [
        'Covers',
        one.subjects.includes('*')
          ? 'everything'
          : html`<ul class="govuk-list">${one.subjects.slice(0, 200).map(subject => html`<li>${subject}</li>`)}</ul>`,
      ],
      ['Meeting', one.meeting],
      ['Decided', atTime(one.decidedAt)],
      ['By', one.members.join(', ')],
      ['In force from', atTime(one.from)],
      ['In force until', one.until && atTime(one.until)],
      ['Cited', cited(one)],
      ['Recorded', `${atTime(one.recordedAt)} by ${one.recordedBy}`],
      ['Withdrawn', one.withdrawn && `${atTime(one.withdrawn.at)} by ${one.withdrawn.by}: ${one.withdrawn.words}`],
    ])}${subheading('What was decided')}${inset(one.text.split('\n').map(line => html`<p class="govuk-body">${line}</p>`))}${under.length > 0 ? html`${subheading('Done under it')}${list(under)}` : ''}${
      acts(visitor) && !one.withdrawn
        ? openable(
            visit,
            'Withdraw this decision',
            ['words'],
            formHtml(
              visit,
              html`${textarea(visit, { name: 'words', label: 'Why', hint: 'What was done under it stays done. The words stand in the journal for good: name no person.', rows: 3 })}${buttons({ text: 'Withdraw it', kind: 'warning' })}`,
            ),
          )
        : ''
    }`
    return { title: reference, body }
  },
  async act(visit, form) {
    const { reference } = await asked(visit)
    const words = form.text('words').replaceAll('\r\n', '\n')
    if (words === '') throw new Faulty([{ field: 'words', says: 'Say why, in a sentence' }])
    const by = officerAs(visit.visitor, ...decisionRecorders)
    await withdrawDecision(visit.door, by.person, reference, words)
    return { to: visit.path, says: `Decision ${reference} is withdrawn.` }
  },
})

/** @throws Refusal NOTHING_THERE */
async function asked({ door, params }: Visit) {
  const one = await decisionOf(door.store, params.reference ?? '')
  if (!one) throw refuse('NOTHING_THERE')
  return one
}
