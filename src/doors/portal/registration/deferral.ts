/** One deferral (L16): what it covers and what waits under it; extended or ended by decision of the SMKI PMA. */

import type { Officer } from '../../../rooms/registration/act.ts'
import { cases, type RevocationCase } from '../../../rooms/revocation/case.ts'
import { certificatesOfDeferral, type Deferral, deferralOf } from '../../../rooms/revocation/covering.ts'
import { endDeferral, extendDeferral } from '../../../rooms/revocation/deferral.ts'
import type { PortalWorld } from '../door.ts'
import { checkboxes, hidden, input } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { instantHint, readInstant } from '../frame/instant.ts'
import { type Fault, Faulty, type Onward, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, link, paragraph, tag, warning } from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, count } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { deferrers } from './deferral-begin.ts'
import { givenFields, readGiven } from './given.ts'
import { namesOf, numberIn } from './names.ts'
import { openable } from './openable.ts'
import { central } from './who.ts'

const mostShown = 200

export const deferralPage = page({
  path: '/registration/deferrals/:deferral',
  title: 'Deferral',
  who: central,
  section: 'registration',
  async show(visit) {
    const { door, at, visitor } = visit
    const one = await asked(visit)
    const [names, covered, waiting] = await Promise.all([
      namesOf(door.store),
      certificatesOfDeferral(door.store, one.id),
      cases(door.store, { deferral: one.id, states: ['deferred'] }),
    ])
    const mayAct = !one.endedAt && deferrers.some(as => visitor?.roles.includes(as))
    const overdue = !one.endedAt && at > one.reviewAt
    const title = `Deferral ${one.id}`
    const body = html`${heading(title, 'Supplier of Last Resort (L16)')}${overdue ? warning(`Its review was due at ${atTime(one.reviewAt)}`) : ''}${facts(
      [
        [
          'State',
          one.endedAt ? tag('Ended', 'grey') : overdue ? tag('Review overdue', 'red') : tag('In force', 'yellow'),
        ],
        ['Supplier', names.link(one.party)],
        ['Decision', decisionLink(one.decision)],
        ['Began', atTime(one.startedAt)],
        ['To be reviewed', atTime(one.reviewAt)],
        ['Lapses', one.endsAt ? `${atTime(one.endsAt)}, unless it is extended` : 'by decision alone'],
        ['User IDs', one.userIds.length > 0 && one.userIds.join(', ')],
        ['MPIDs', one.mpids.length > 0 && one.mpids.join(', ')],
        [
          'Covers',
          one.whole ? 'every certificate of the supplier, later ones too' : 'the certificates listed here alone',
        ],
        [
          'Ended',
          one.endedAt &&
            html`${atTime(one.endedAt)}${one.endDecision ? html`, by decision ${decisionLink(one.endDecision)}` : ', because its time had run out'}`,
        ],
      ],
    )}${table(
      'Extensions',
      ['Decision', 'Recorded', 'Review', 'Lapses'],
      one.extensions.map((of): Part[] => [
        decisionLink(of.decision),
        atTime(of.at),
        atTime(of.reviewAt),
        of.endsAt ? atTime(of.endsAt) : 'by decision alone',
      ]),
      'It was not extended.',
    )}${table(
      'Revocations that wait under it',
      ['Case', 'Certificate', 'Ground', 'Received'],
      waiting.map((of): Part[] => [
        link(`/registration/revocations/${of.id}`, `Case ${of.id}`),
        code(of.certificate.serial.toUpperCase()),
        of.ground,
        atTime(of.receivedAt),
      ]),
      'Nothing waits under it.',
    )}${mayAct ? html`${extending(visit, one)}${ending(visit, one, waiting)}` : ''}${table(
      `Certificates that the supplier held when it began${covered.length > mostShown ? `, the first ${mostShown} of ${covered.length}` : ''}`,
      ['Serial number', { name: 'Authority', numeric: true }],
      covered.slice(0, mostShown).map((of): Part[] => [code(of.serial.toUpperCase()), String(of.authority)]),
      'None.',
    )}`
    return { title, body }
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const one = await asked(visit)
    // What was decided was decided about the deferral as it was shown.
    if (form.text('extensions') !== String(one.extensions.length)) throw refuse('FORM_STALE')
    const by = officerAs(visitor, ...deferrers)
    if (form.text('do') === 'extend') return extended(door, by, one, form)
    if (form.text('do') === 'end') return ended(door, by, one, form)
    throw refuse('FORM_UNFIT')
  },
})

const decisionLink = (reference: string) =>
  link(`/governance/decisions/${encodeURIComponent(reference)}`, reference)

function extending(visit: Visit, one: Deferral): Html {
  const fields = ['extend-decision', 'review', 'ends'] as const
  return openable(
    visit,
    'Extend it',
    fields,
    formHtml(
      visit,
      html`${seen(one)}${input(visit, { name: 'extend-decision', label: 'Decision of the SMKI PMA to extend it', hint: 'Its reference', width: 20 })}${input(visit, { name: 'review', label: 'To be reviewed next', hint: instantHint, width: 20 })}${input(visit, { name: 'ends', label: 'Lapses, unless it is extended again (optional)', hint: instantHint, width: 20 })}${buttons({ text: 'Extend the deferral', does: 'extend' })}`,
    ),
  )
}

function ending(visit: Visit, one: Deferral, waiting: readonly RevocationCase[]): Html {
  const choices = waiting.map(of => ({
    value: String(of.id),
    text: `Case ${of.id}, ${of.certificate.serial.toUpperCase()}`,
  }))
  return openable(
    visit,
    'End it',
    ['end-decision', 'cancel'],
    formHtml(
      visit,
      html`${seen(one)}${paragraph(`${count(waiting.length, 'revocation is', 'revocations are')} done at once when deferral ${one.id} ends, but for those that the SMKI PMA decided otherwise about.`)}${input(visit, { name: 'end-decision', label: 'Decision of the SMKI PMA to end it', hint: 'Its reference', width: 20 })}${choices.length > 0 ? checkboxes(visit, { name: 'cancel', label: 'Not to be revoked, by that decision', choices, small: true }) : ''}${givenFields(visit, [])}${buttons({ text: 'End the deferral', kind: 'warning', does: 'end' })}`,
    ),
  )
}

const seen = ({ extensions }: Deferral) => hidden('extensions', extensions.length)

async function extended(door: PortalWorld, by: Officer, one: Deferral, form: Form): Promise<Onward> {
  const faults: Fault[] = []
  const { zone } = door.settings.performance
  const decision = form.text('extend-decision')
  if (decision === '') faults.push({ field: 'extend-decision', says: 'Enter the decision' })
  const reviewAt = readInstant(form, 'review', 'To be reviewed next', true, zone, faults)
  const endsAt = readInstant(form, 'ends', 'Lapses', false, zone, faults)
  if (faults.length > 0) throw new Faulty(faults)
  await extendDeferral(door, by, one.id, { decision, reviewAt: reviewAt!, endsAt }, {})
  return { to: addressOf(one), says: `Deferral ${one.id} goes on.` }
}

async function ended(door: PortalWorld, by: Officer, one: Deferral, form: Form): Promise<Onward> {
  const decision = form.text('end-decision')
  if (decision === '') throw new Faulty([{ field: 'end-decision', says: 'Enter the decision' }])
  const cancel = form.all('cancel').map(numberIn)
  if (cancel.includes(undefined)) throw refuse('FORM_UNFIT')
  const asked = { decision, cancel: cancel as number[] }
  const { revoked, cancelled } = await endDeferral(door, by, one.id, asked, readGiven(form, []))
  const lists = revoked.length > 0 ? ' The lists that name them are due.' : ''
  return {
    to: addressOf(one),
    says: `Deferral ${one.id} has ended: ${count(revoked.length, 'certificate is', 'certificates are')} revoked, ${count(cancelled.length, 'case is', 'cases are')} cancelled.${lists}`,
  }
}

const addressOf = ({ id }: Deferral) => `/registration/deferrals/${id}`

/** @throws Refusal NOTHING_THERE, DEFERRAL_UNKNOWN */
async function asked({ door, params }: Visit): Promise<Deferral> {
  const id = numberIn(params.deferral)
  if (id === undefined) throw refuse('NOTHING_THERE')
  return deferralOf(door.store, id)
}
