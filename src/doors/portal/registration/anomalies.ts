/** What somebody must look into: held CSRs, rejected Device Certificates, certificates that it is a duty to revoke. */

import { heldSubmissions } from '../../../rooms/issuance/organisation-csr.ts'
import { dutiesToRevoke, openDuties } from '../../../rooms/revocation/duty.ts'
import { closeInvestigation, deviceRejections } from '../../../rooms/revocation/reject.ts'
import { hidden, input } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, link } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime, count, eui64 } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { evidenceList } from './given.ts'
import { type Names, namesOf, numberIn, standingWords } from './names.ts'
import { central } from './who.ts'

export const anomalies = page({
  path: '/registration/anomalies',
  title: 'Anomalies',
  who: central,
  section: 'registration',
  says: 'held CSRs, rejected Device Certificates, and duties to revoke',
  async show(visit) {
    const { door } = visit
    const names = await namesOf(door.store)
    return html`${heading('Anomalies', 'Registration Authority')}${await held(visit, names)}${await rejections(visit, names)}${await duties(visit, names)}`
  },
  async act({ door, visitor, path }, form) {
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER')
    const id = numberIn(form.text('of'))
    if (id === undefined) throw refuse('FORM_UNFIT')
    if (form.text('do') === 'open duties') {
      const opened = await openDuties(door, by, id, { words: 'duty to revoke, section 6.2' })
      return { to: path, says: `${count(opened.length, 'case is', 'cases are')} open now.` }
    }
    const finding = form.text(`finding-${id}`)
    if (finding === '') throw new Faulty([{ field: `finding-${id}`, says: 'Say what the investigation has found' }])
    await closeInvestigation(door, by, id, finding, {})
    return { to: path, says: `The investigation of rejection ${id} is closed.` }
  },
})

const acts = ({ visitor }: Visit): boolean => (visitor?.callers.length ?? 0) > 0

async function held({ door, at }: Visit, names: Names): Promise<Html> {
  const all = await heldSubmissions(door.store, { rejectionDays: door.settings.issuing.rejectionDays }, at)
  return table(
    'Organisation CSRs that are held',
    ['CSR', 'Party', 'Asks for', 'Held because', 'Received'],
    all.map((one): Part[] => [
      link(`/registration/held/${one.id}`, `CSR ${one.id}`),
      names.link(one.party),
      one.asks ? `${eui64(one.asks.eui64)}, role ${one.asks.role}` : '–',
      one.refusal ? `${one.refusal.says} (${one.refusal.code})` : '–',
      atTime(one.receivedAt),
    ]),
    'No Organisation CSR is held.',
  )
}

async function rejections(visit: Visit, names: Names): Promise<Html> {
  const all = await deviceRejections(visit.door.store, { open: true })
  return table(
    'Rejected Device Certificates under investigation',
    ['Rejection', 'Party', 'Certificate', 'Why', 'Logged', 'Finding'],
    all.map((one): Part[] => [
      `Rejection ${one.id}`,
      names.link(one.party),
      html`${code(one.certificate.serial.toUpperCase())}, authority ${one.certificate.authority}`,
      html`${one.words}${evidenceList(one.evidence)}`,
      atTime(one.loggedAt),
      acts(visit)
        ? formHtml(
            visit,
            html`${hidden('of', one.id)}${input(visit, { name: `finding-${one.id}`, label: `Finding on rejection ${one.id}` })}${buttons({ text: `Close ${one.id}`, kind: 'secondary' })}`,
          )
        : 'open',
    ]),
    'No rejection is under investigation. A Device Certificate is never revoked.',
  )
}

async function duties(visit: Visit, names: Names): Promise<Html> {
  const { door, at } = visit
  const all = await dutiesToRevoke(door.store, at, door.revocation)
  return table(
    'Duty to revoke (section 6.2)',
    ['Party', 'Standing', 'Certificates without a case', 'In a case', 'Act'],
    all.map((one): Part[] => [
      names.link(one.party),
      standingWords[one.standing],
      count(one.certificates.length, 'certificate'),
      count(one.inCases, 'certificate'),
      acts(visit) && one.certificates.length > 0
        ? formHtml(
            visit,
            html`${hidden('of', one.party)}${buttons({ text: `Open cases for ${names.party(one.party)}`, does: 'open duties', kind: 'secondary' })}`,
          )
        : '–',
    ]),
    'There is no duty to revoke now.',
  )
}
