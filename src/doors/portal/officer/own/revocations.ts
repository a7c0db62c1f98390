/** An officer of an organisation requests the revocation of a certificate of its own, and sees what became of requests. */

import { fromHex, toHex, toHexUpper } from '../../../../ground/bytes.ts'
import { type Ground, grounds } from '../../../../policy/revocation/grounds.ts'
import { findBySerials } from '../../../../rooms/repository/find.ts'
import { cases } from '../../../../rooms/revocation/case.ts'
import { deferrals } from '../../../../rooms/revocation/covering.ts'
import { requestRevocation } from '../../../../rooms/revocation/request.ts'
import { checkboxes, input, radios, textarea } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { Faulty, page } from '../../frame/page.ts'
import {
  banner,
  buttonLink,
  buttons,
  type Colour,
  code,
  form,
  heading,
  link,
  paragraph,
  tag,
} from '../../frame/pieces.ts'
import { table } from '../../frame/tables.ts'
import { officerAs } from '../../frame/visitor.ts'
import { atTime } from '../../frame/words.ts'

const officer = { who: ['ARO', 'SRO'], section: 'officer' } as const

const colours: Readonly<Record<string, Colour>> = {
  revoked: 'red',
  listed: 'red',
  refused: 'grey',
  cancelled: 'grey',
  deferred: 'yellow',
}

export const ownRevocations = page({
  ...officer,
  path: '/officer/revocations',
  title: 'Your revocation requests',
  says: 'Request a revocation, and see what became of requests.',
  async show({ door, visitor }) {
    const party = visitor!.party!
    const [all, waits] = await Promise.all([
      cases(door.store, { party }),
      deferrals(door.store, { party, open: true }),
    ])
    return html`${heading('Your revocation requests')}
${waits.map(one => banner('Deferred', paragraph(`By decision ${one.decision} of the SMKI PMA revocations of your organisation’s Certificates wait (L16). It is reviewed at ${atTime(one.reviewAt)}.`), 'important', 'deferral'))}
${buttonLink('/officer/revocations/new', 'Request a revocation')}
${table(
  'Requests, newest first',
  ['Number', 'Certificate', 'Ground', 'Received', 'State'],
  all
    .toReversed()
    .map(one => [
      String(one.id),
      link(
        `/repository/certificates/${one.certificate.authority}/${one.certificate.serial.toUpperCase()}`,
        code(one.certificate.serial.toUpperCase()),
      ),
      grounds[one.ground].says,
      atTime(one.receivedAt),
      tag(one.state, colours[one.state] ?? 'blue'),
    ]),
  'Your organisation has not requested a revocation.',
)}`
  },
})

/** Those that a Subscriber itself can give. */
const given: readonly Ground[] = [
  'key compromise',
  'identity changed',
  'replaced',
  'not needed',
  'holder gone',
  'unspecified',
]

export const newRevocation = page({
  ...officer,
  path: '/officer/revocations/new',
  title: 'Request a revocation',
  show(visit) {
    const serial = visit.query.serial ?? ''
    return html`${heading('Request a revocation')}
${paragraph('Two people of the Registration Authority look at the request: one authenticates it, another approves it. Device Certificates are never revoked: ', link('/officer/rejections', 'reject them instead'), '.')}
${form(
  visit,
  html`${input(visit, { name: 'serial', label: 'Serial number of the Certificate', hint: '32 hexadecimal digits, as the Repository shows it', value: /^[0-9a-fA-F]{32}$/.test(serial) ? serial : '', code: true })}
${radios(visit, { name: 'ground', label: 'Why should it be revoked?', choices: given.map(value => ({ value, text: grounds[value].says })) })}
${checkboxes(visit, { name: 'urgent', label: 'Urgency', choices: [{ value: 'yes', text: 'It is urgent' }] })}
${textarea(visit, { name: 'words', label: 'What the Registration Authority should know', hint: 'Name no person: this stands in the journal.', rows: 4 })}
${buttons({ text: 'Request revocation', kind: 'warning' })}`,
)}`
  },
  async act({ door, visitor, at }, sent) {
    const serial = sent
      .text('serial')
      .replace(/[\s:-]/g, '')
      .toLowerCase()
    const ground = given.find(one => one === sent.text('ground'))
    const faults = [
      ...(/^[0-9a-f]{32}$/.test(serial)
        ? []
        : [{ field: 'serial', says: 'Enter the serial number, 32 hexadecimal digits.' }]),
      ...(ground ? [] : [{ field: 'ground', says: 'Choose why the Certificate should be revoked.' }]),
    ]
    if (faults.length > 0) throw new Faulty(faults)
    const found = await findBySerials(door.store, [fromHex(serial)], at)
    if (found.length !== 1)
      throw new Faulty([
        { field: 'serial', says: 'The Repository holds no such Certificate. Check the serial number.' },
      ])
    const [one] = found
    const certificate = { authority: one!.authority, serial: toHex(one!.serial) }
    const by = officerAs(visitor, 'ARO', 'SRO')
    const opened = await requestRevocation(
      door,
      by,
      { certificate, ground: ground!, urgent: sent.text('urgent') === 'yes' },
      { words: sent.text('words') },
    )
    return {
      to: '/officer/revocations',
      says: `Your request to revoke ${toHexUpper(one!.serial)} was received as case ${opened.case}.`,
    }
  },
})
