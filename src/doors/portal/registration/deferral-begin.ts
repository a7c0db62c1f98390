/** A deferral of a failed supplier's revocations is begun, under a decision of the SMKI PMA (L16). */

import { beginDeferral } from '../../../rooms/revocation/deferral.ts'
import { input, select, textarea } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { html } from '../frame/html.ts'
import { instantHint, readInstant } from '../frame/instant.ts'
import { type Fault, Faulty, page } from '../frame/page.ts'
import { buttons, form as formHtml, heading, paragraph } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'
import { givenFields, readGiven } from './given.ts'
import { namesOf, numberIn } from './names.ts'

/** As the rooms have it: recorded by the Registration Authority's Manager or a Member, decided by the SMKI PMA. */
export const deferrers = ['RA_MANAGER', 'PMA_MEMBER'] as const

export const beginDeferralPage = page({
  path: '/registration/deferrals/new',
  title: 'Defer the revocations of a supplier',
  who: deferrers,
  section: 'registration',
  async show(visit) {
    const names = await namesOf(visit.door.store)
    const known = numberIn(visit.query.party)
    return html`${heading('Defer the revocations of a supplier', 'Supplier of Last Resort (L16)')}${paragraph('While it lasts, the supplier’s Organisation and IKI Certificates are not revoked: requests wait. The SMKI PMA decides; here its decision is recorded. Whatever is open about that supplier joins the deferral.')}${formHtml(
      visit,
      html`${select(visit, {
        name: 'party',
        label: 'Supplier',
        value: known === undefined ? '' : String(known),
        choices: [
          { value: '', text: 'Choose' },
          ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
        ],
      })}${input(visit, { name: 'decision', label: 'Decision of the SMKI PMA', hint: 'Its reference: it is to defer revocation, and names this Party', width: 20 })}${textarea(
        visit,
        {
          name: 'userIds',
          label: 'User IDs (optional)',
          hint: 'One a line',
          rows: 2,
          code: true,
        },
      )}${textarea(visit, { name: 'mpids', label: 'MPIDs (optional)', hint: 'One a line', rows: 2, code: true })}${textarea(
        visit,
        {
          name: 'certificates',
          label: 'These certificates alone (optional)',
          hint: 'One a line: number of the authority, a colon, the serial number. Empty means every certificate of the supplier, later ones too.',
          rows: 3,
          code: true,
        },
      )}${input(visit, { name: 'review', label: 'To be reviewed', hint: instantHint, width: 20 })}${input(visit, { name: 'ends', label: 'Lapses, unless it is extended (optional)', hint: instantHint, width: 20 })}${givenFields(visit, [])}${buttons({ text: 'Begin the deferral', kind: 'warning' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, ...deferrers)
    const faults: Fault[] = []
    const { zone } = door.settings.performance
    const party = numberIn(form.text('party'))
    if (party === undefined) faults.push({ field: 'party', says: 'Choose the supplier' })
    const decision = form.text('decision')
    if (decision === '') faults.push({ field: 'decision', says: 'Enter the decision' })
    const certificates = certificatesIn(form, faults)
    const reviewAt = readInstant(form, 'review', 'To be reviewed', true, zone, faults)
    const endsAt = readInstant(form, 'ends', 'Lapses', false, zone, faults)
    if (faults.length > 0) throw new Faulty(faults)
    const { id } = await beginDeferral(
      door,
      by,
      {
        decision,
        party: party!,
        userIds: linesOf(form, 'userIds'),
        mpids: linesOf(form, 'mpids'),
        certificates,
        reviewAt: reviewAt!,
        endsAt,
      },
      readGiven(form, []),
    )
    return { to: `/registration/deferrals/${id}`, says: `Deferral ${id} is in force.` }
  },
})

function linesOf(form: Form, field: string): string[] {
  return form
    .text(field)
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
}

function certificatesIn(form: Form, faults: Fault[]) {
  const all = linesOf(form, 'certificates').map(line => /^([1-9]\d{0,4}):([0-9a-fA-F]{32})$/.exec(line))
  if (all.length === 0) return undefined
  if (all.includes(null))
    faults.push({
      field: 'certificates',
      says: 'Enter each certificate as authority, colon, serial number of 32 digits',
    })
  return all.flatMap(one => (one ? [{ authority: Number(one[1]), serial: one[2]!.toLowerCase() }] : []))
}
