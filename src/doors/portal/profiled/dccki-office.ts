/** The Registration Authority's DCCKI: requests of every Party, the decision where a person decides, and duties to revoke. */

import { dcckiDeciders } from '../../../policy/dccki/requests.ts'
import { decideRequest } from '../../../rooms/issuance/profiled-decide.ts'
import { type ProfiledRequest, requestOf, requests } from '../../../rooms/issuance/profiled-request.ts'
import { dcckiDuties, openDcckiDuties } from '../../../rooms/revocation/dccki-duty.ts'
import { hidden } from '../frame/fields.ts'
import { html, type Part } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import { buttons, form as formHtml, heading, inset, link, paragraph } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, count } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { namesOf, numberIn } from '../registration/names.ts'
import { central } from '../registration/who.ts'
import { decideForm, decisionIn } from './decide.ts'
import { described, hasIssuer, issueNow, stateTag } from './described.ts'

const clerks = ['RA_PERSONNEL', 'RA_MANAGER'] as const

export const dcckiOffice = page({
  path: '/registration/dccki',
  title: 'DCCKI requests',
  who: central,
  section: 'registration',
  says: 'requests for DCCKI Certificates, and duties to revoke them',
  async show(visit) {
    const { door, at, visitor } = visit
    const [all, duties, names, hasDccki] = await Promise.all([
      requests(door.store, { pki: 'dccki' }),
      dcckiDuties(door.store, at, door.revocation),
      namesOf(door.store),
      hasIssuer(door, 'dccki'),
    ])
    const mayOpen = clerks.some(as => visitor?.roles.includes(as))
    return html`${heading('DCCKI requests', 'Registration Authority')}${hasDccki ? '' : inset('There is no DCCKI in this environment.')}${table(
      'Requests, newest first, two hundred at most',
      ['Request', 'Party', 'For', 'Name', 'Received', 'State'],
      all.map((one): Part[] => [
        link(`/registration/dccki/${one.id}`, `Request ${one.id}`),
        names.link(one.party),
        one.asks?.profile ?? 'not readable',
        one.asks?.subject.commonName ?? '–',
        atTime(one.receivedAt),
        stateTag(one.state),
      ]),
      'No DCCKI Certificate was asked for.',
    )}${table(
      'Duty to revoke',
      ['Party', 'Certificates without a case', 'Act'],
      duties.map((one): Part[] => [
        names.link(one.party),
        count(one.certificates.length, 'certificate'),
        mayOpen
          ? formHtml(
              visit,
              html`${hidden('party', one.party)}${buttons({ text: `Open cases for ${names.party(one.party)}`, kind: 'secondary' })}`,
            )
          : '–',
      ]),
      'There is no duty to revoke a DCCKI Certificate now.',
    )}`
  },
  async act({ door, visitor, path }, form) {
    const party = numberIn(form.text('party'))
    if (party === undefined) throw refuse('FORM_UNFIT')
    const by = officerAs(visitor, ...clerks)
    const opened = await openDcckiDuties(door, by, party, { words: 'duty to revoke DCCKI Certificates' })
    return { to: path, says: `${count(opened.length, 'case is', 'cases are')} open now.` }
  },
})

export const dcckiRequest = page({
  path: '/registration/dccki/:request',
  title: 'DCCKI request',
  who: central,
  section: 'registration',
  async show(visit) {
    const one = await asked(visit)
    const names = await namesOf(visit.door.store)
    const title = `DCCKI request ${one.id}`
    const back = paragraph(link('/registration/dccki', 'All DCCKI requests'))
    const body = html`${heading(title, 'DCCKI requests')}${described(one, names.link(one.party))}${decideForm(visit, one, dcckiDeciders)}${back}`
    return { title, body }
  },
  async act(visit, form) {
    const { door, visitor, path } = visit
    const one = await asked(visit)
    const decision = decisionIn(form, one)
    const decided = await decideRequest(
      door,
      () => dcckiDeciders,
      officerAs(visitor, ...dcckiDeciders),
      one.id,
      decision,
    )
    const answer = await issueNow(door, decided)
    if (!decision.approve) return { to: path, says: 'The request is refused.' }
    const says = answer && 'text' in answer ? `${answer.text}.` : 'The Certificate is issued.'
    return { to: path, says: `The request is approved. ${says}` }
  },
})

/** @throws Refusal NOTHING_THERE, REQUEST_UNKNOWN */
async function asked({ door, params }: Visit): Promise<ProfiledRequest> {
  if (!/^[1-9]\d{0,17}$/.test(params.request ?? '')) throw refuse('NOTHING_THERE')
  const found = await requestOf(door.store, BigInt(params.request!))
  if (found.pki !== 'dccki') throw refuse('NOTHING_THERE')
  return found
}
