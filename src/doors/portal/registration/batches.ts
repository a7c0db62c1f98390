/** Several batches decided at once, each on the hash of what was uploaded; and what became of others. */

import { Refusal } from '../../../ground/refusal.ts'
import { type Batch, decideBatch, batches as newest } from '../../../rooms/issuance/batch.ts'
import { batchesToDecide, uploadDigest } from '../../../rooms/issuance/progress.ts'
import type { PortalWorld } from '../door.ts'
import { input } from '../frame/fields.ts'
import { html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, link, paragraph, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, count, figure } from '../frame/words.ts'
import { nameOf, stateTag } from '../officer/batches/named.ts'
import { refuse } from '../refusals.ts'
import { type Names, namesOf } from './names.ts'
import { span } from './urgency.ts'
import { central } from './who.ts'

/** As many as are looked at, and decided in one request. */
const most = 100
const mostDecided = 50

export const batches = page({
  path: '/registration/batches-at-once',
  title: 'Batches, several at once',
  who: central,
  section: 'registration',
  says: 'approve or reject several batches; and what became of others',
  async show(visit) {
    const { door, visitor } = visit
    const [waiting, all, names] = await Promise.all([
      batchesToDecide(door.store),
      newest(door.store, most + mostDecided),
      namesOf(door.store),
    ])
    const shown = await Promise.all(
      waiting.slice(0, most).map(async one => ({ one, sha256: await uploadDigest(door.store, one.id) })),
    )
    const decided = all.filter(one => one.state !== 'PENDING').slice(0, mostDecided)
    const acts = visitor?.roles.some(one => one === 'RA_PERSONNEL' || one === 'RA_MANAGER') ?? false
    const list = table(
      'Waiting for a decision, oldest first',
      [
        'Batch',
        'Party',
        { name: 'Requests', numeric: true },
        'Received',
        'SHA-256 of what is approved',
        ...(acts ? ['Choose'] : []),
      ],
      shown.map(({ one, sha256 }) => row(visit, one, sha256, names, acts)),
      'No batch waits for a decision.',
    )
    const form = html`${list}${input(visit, { name: 'reason', label: 'Reason', hint: 'Needed to reject. The submitter sees it, and it stands in the journal: name no person.' })}${buttons({ text: 'Approve the chosen', does: 'approve' }, { text: 'Reject the chosen', does: 'reject', kind: 'warning' })}`
    return html`${heading('Batches, several at once', 'Registration Authority')}${acts && shown.length > 0 ? formHtml(visit, form) : list}${waiting.length > shown.length ? paragraph(`${count(waiting.length - shown.length, 'later batch waits', 'later batches wait')} too.`) : ''}${table(
      'Decided, newest first',
      ['Batch', 'Party', 'State', { name: 'Requests', numeric: true }, 'Received', 'Completed', 'Reason'],
      decided.map(one => [
        name(one),
        names.link(one.party),
        stateTag(one.state),
        figure(one.count),
        atTime(one.receivedAt),
        one.completedAt ? atTime(one.completedAt) : '–',
        one.reason ?? '–',
      ]),
      'No batch was decided yet.',
    )}`
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const chosen = form.all('batch').map(one => /^([1-9]\d{0,17}) ([0-9a-f]{64})$/.exec(one))
    const does = form.text('do')
    if (chosen.some(one => one === null) || chosen.length > most || (does !== 'approve' && does !== 'reject'))
      throw refuse('FORM_UNFIT')
    if (chosen.length === 0) throw new Faulty([{ says: 'Choose the batches first' }])
    const reason = form.text('reason').replace(/\s+/g, ' ')
    if (does === 'reject' && reason === '')
      throw new Faulty([{ field: 'reason', says: 'Say why they are rejected' }])
    if (reason.length > 500)
      throw new Faulty([{ field: 'reason', says: 'Enter a reason of at most 500 characters' }])
    const decision = { approve: does === 'approve', by: by.person, ...(reason !== '' && { reason }) }
    const results: { row: Part[]; done: boolean }[] = []
    for (const [, id, sha256] of chosen as RegExpExecArray[])
      results.push(await decide(door, BigInt(id!), sha256!, decision))
    const done = results.filter(one => one.done).length
    if (done === results.length)
      return {
        to: visit.path,
        says: `${count(done, 'batch is', 'batches are')} ${does === 'approve' ? 'approved' : 'rejected'}.`,
      }
    return html`${heading(`${done} of ${count(results.length, 'batch', 'batches')} decided`, 'Batches')}${table(
      'Result of each',
      ['Batch', 'Result', 'Why'],
      results.map(one => one.row),
      '',
    )}${paragraph(link(visit.path, 'Go back to the batches'))}`
  },
})

/** On what was seen: an upload of other octets is another matter. */
async function decide(
  door: PortalWorld,
  id: bigint,
  sha256: string,
  decision: Parameters<typeof decideBatch>[2],
): Promise<{ row: Part[]; done: boolean }> {
  try {
    if ((await uploadDigest(door.store, id)) !== sha256) throw refuse('FORM_STALE')
    await decideBatch(door, id, decision)
    return { row: [`Batch ${id}`, tag('Done', 'green'), decision.approve ? 'approved' : 'rejected'], done: true }
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { row: [`Batch ${id}`, tag('Not done', 'red'), `${cause.message} (${cause.code})`], done: false }
  }
}

const name = (one: Batch): string => `${one.id}: ${nameOf(one)}`

function row({ at }: Visit, one: Batch, sha256: string, names: Names, acts: boolean): Part[] {
  const box = html`<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item"><input class="govuk-checkboxes__input" type="checkbox" id="batch-${one.id}" name="batch" value="${one.id} ${sha256}"><label class="govuk-label govuk-checkboxes__label" for="batch-${one.id}"><span class="govuk-visually-hidden">Choose batch ${name(one)}</span></label></div></div>`
  return [
    acts ? link(`/registration/batches/${one.id}`, name(one)) : name(one),
    names.link(one.party),
    figure(one.count),
    `${atTime(one.receivedAt)} (${span(at.getTime() - one.receivedAt.getTime())})`,
    code(sha256),
    ...(acts ? [box] : []),
  ]
}
