/** One revocation case, from the request to the list; and the request itself. */

import { fromHex } from '../../../ground/bytes.ts'
import { type Ground, groundNames, grounds } from '../../../policy/revocation/grounds.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import { findBySerials } from '../../../rooms/repository/find.ts'
import { caseOf } from '../../../rooms/revocation/case.ts'
import { deferralOf } from '../../../rooms/revocation/covering.ts'
import { releaseCase } from '../../../rooms/revocation/deferral.ts'
import { requestRevocation } from '../../../rooms/revocation/request.ts'
import { input, radios, select } from '../frame/fields.ts'
import { type Html, html } from '../frame/html.ts'
import { type Fault, Faulty, page, type Visit } from '../frame/page.ts'
import { banner, buttons, code, form as formHtml, heading, link, paragraph } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { atTime } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { clockOf } from './clocks.ts'
import { deferrers } from './deferral-begin.ts'
import { givenFields, readGiven } from './given.ts'
import { capital, caseTag, namesOf, numberIn } from './names.ts'
import { openable } from './openable.ts'
import { central } from './who.ts'

export const revocation = page({
  path: '/registration/revocations/:case',
  title: 'Revocation case',
  who: central,
  section: 'registration',
  async show(visit) {
    const { door, params, at, visitor } = visit
    const id = numberIn(params.case)
    if (id === undefined) throw refuse('NOTHING_THERE')
    const one = await caseOf(door.store, id)
    const [names, known] = await Promise.all([namesOf(door.store), authorities(door.store)])
    const deferral = one.deferral === undefined ? undefined : await deferralOf(door.store, one.deferral)
    const body = html`${heading(`Case ${id}`, 'Revocation cases')}${
      one.state === 'deferred' && deferral
        ? banner(
            'Deferred',
            paragraph(
              `The certificate stays valid by decision ${deferral.decision} of the SMKI PMA until ${atTime(deferral.reviewAt)} at least, when it is reviewed (L16). `,
              link(`/registration/deferrals/${deferral.id}`, `See deferral ${deferral.id}`),
            ),
          )
        : ''
    }${facts([
      ['State', caseTag(one.state)],
      ['Clock', clockOf(one, deferral, at)],
      ['Certificate', html`${capital(one.object)}, serial number ${code(one.certificate.serial.toUpperCase())}`],
      ['Issuer', known.find(of => of.id === one.certificate.authority)?.name],
      ['SHA-256 of the certificate', code(one.sha256)],
      ['Ends anyway', atTime(one.expiresAt)],
      ['Party', names.link(one.party)],
      ['Came about by', one.origin],
      ['Ground', `${one.ground}: ${grounds[one.ground].says}`],
      ['Form', one.form],
      [
        'Direction',
        one.decision && link(`/governance/decisions/${encodeURIComponent(one.decision)}`, one.decision),
      ],
      ['Task', one.task && link(`/registration/tasks/${one.task}`, `Task ${one.task}`)],
      ['Received', atTime(one.receivedAt)],
      ['Revoked', one.revokedAt && atTime(one.revokedAt)],
      ['List due', one.listDueAt && atTime(one.listDueAt)],
      ['Listed', one.listedAt && `${atTime(one.listedAt)}, on list ${one.listNumber}`],
    ])}${one.state === 'deferred' && deferrers.some(as => visitor?.roles.includes(as)) ? releasing(visit) : ''}`
    return { title: `Revocation case ${id}`, body }
  },
  async act({ door, params, visitor, path }, form) {
    const id = numberIn(params.case)
    if (id === undefined) throw refuse('NOTHING_THERE')
    const by = officerAs(visitor, ...deferrers)
    const decision = form.text('decision')
    if (decision === '') throw new Faulty([{ field: 'decision', says: 'Enter the decision' }])
    await releaseCase(door, by, id, decision, readGiven(form, []))
    return { to: path, says: 'The certificate is revoked, and the list that names it is due.' }
  },
})

/** As of a Compromise, which the SMKI PMA is asked about at once. */
function releasing(visit: Visit): Html {
  return openable(
    visit,
    'Revoke it although the deferral goes on',
    ['decision'],
    formHtml(
      visit,
      html`${input(visit, { name: 'decision', label: 'Decision of the SMKI PMA about this certificate', hint: 'Its reference', width: 20 })}${givenFields(visit, [])}${buttons({ text: 'Revoke it now', kind: 'warning' })}`,
    ),
  )
}

export const revocationRequest = page({
  path: '/registration/revocations/new',
  title: 'Request a revocation',
  who: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'],
  section: 'registration',
  show(visit) {
    const { query } = visit
    return html`${heading('Request a revocation', 'Revocation cases')}${paragraph('Somebody else authenticates the request, and a third one approves it. A Device Certificate is never revoked.')}${formHtml(
      visit,
      html`${input(visit, { name: 'serial', label: 'Serial number of the certificate', hint: '32 hexadecimal digits; spaces and colons do no harm', value: query.serial ?? '', code: true })}${input(visit, { name: 'authority', label: 'Number of its authority (optional)', hint: 'Where several authorities have used that serial number', width: 4, value: query.authority ?? '', inputmode: 'numeric' })}${select(
        visit,
        {
          name: 'ground',
          label: 'Ground',
          choices: groundNames.map(value => ({ value, text: `${capital(value)}: ${grounds[value].says}` })),
        },
      )}${radios(visit, {
        name: 'urgent',
        label: 'Is it urgent?',
        value: 'no',
        choices: [
          { value: 'no', text: 'No' },
          { value: 'yes', text: 'Yes: it stands before all other tasks' },
        ],
        small: true,
      })}${input(visit, { name: 'form', label: 'Form (optional)', hint: 'A7, for credentials of the Registration Authority itself', width: 4 })}${input(visit, { name: 'decision', label: 'Direction of the SMKI PMA (optional)', hint: 'Its reference', width: 20 })}${givenFields(visit, [])}${buttons({ text: 'Request the revocation', kind: 'warning' })}`,
    )}`
  },
  async act(visit, form) {
    const { door, visitor } = visit
    const faults: Fault[] = []
    const serial = form.text('serial').replace(/[\s:]/g, '').toLowerCase()
    if (!/^[0-9a-f]{32}$/.test(serial))
      faults.push({ field: 'serial', says: 'Enter the serial number with 32 hexadecimal digits' })
    const ground = groundNames.find(one => one === form.text('ground'))
    if (!ground) faults.push({ field: 'ground', says: 'Choose the ground' })
    const given = form.text('authority')
    if (given !== '' && numberIn(given) === undefined)
      faults.push({ field: 'authority', says: 'Enter the number of the authority, or leave it empty' })
    if (faults.length > 0) throw new Faulty(faults)
    const certificate = { authority: numberIn(given) ?? (await authorityOf(visit, serial)), serial }
    const [formName, decision] = [form.text('form'), form.text('decision')]
    const request = {
      certificate,
      ground: ground as Ground,
      urgent: form.text('urgent') === 'yes',
      ...(formName !== '' && { form: formName }),
      ...(decision !== '' && { decision }),
    }
    const by = officerAs(visitor, 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER')
    const opened = await requestRevocation(door, by, request, readGiven(form, []))
    const says = opened.deferral
      ? `It waits by decision ${opened.deferral.decision} of the SMKI PMA.`
      : 'It waits for its authentication.'
    return { to: `/registration/revocations/${opened.case}`, says: `Case ${opened.case} is open. ${says}` }
  },
})

/** @throws Faulty where nothing, or more than one thing, has that number */
async function authorityOf({ door, at }: Visit, serial: string): Promise<number> {
  const [one, ...more] = await findBySerials(door.store, [fromHex(serial)], at)
  if (!one) throw new Faulty([{ field: 'serial', says: 'No certificate has that serial number' }])
  if (more.length > 0)
    throw new Faulty([{ field: 'authority', says: 'Several authorities have used that number: enter which' }])
  return one.authority
}
