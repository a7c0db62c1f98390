/** Device Certificates that an organisation has rejected; and any Certificate compared with its request, to be rejected. */

import { fromHex, toHex } from '../../../../ground/bytes.ts'
import { admit } from '../../../../rooms/issuance/admit.ts'
import { findBySerials, type Lodged } from '../../../../rooms/repository/find.ts'
import { deviceRejections } from '../../../../rooms/revocation/reject.ts'
import { csrIn } from '../../frame/csr-field.ts'
import { hidden, input, textarea } from '../../frame/fields.ts'
import { type Html, html } from '../../frame/html.ts'
import { Faulty, page, type Visit } from '../../frame/page.ts'
import { buttonLink, buttons, code, form as formHtml, heading, link, paragraph, tag } from '../../frame/pieces.ts'
import { table } from '../../frame/tables.ts'
import { callerFor, officerAs } from '../../frame/visitor.ts'
import { atTime } from '../../frame/words.ts'
import { addressOf } from '../../repository/described.ts'
import { compared } from './compared.ts'
import { reject, rejectForm } from './reject.ts'

const officer = { who: ['ARO', 'SRO'], part: 'PORTAL_DEVICE', section: 'officer' } as const

export const ownRejections = page({
  ...officer,
  path: '/officer/rejections',
  title: 'Rejected Device Certificates',
  says: 'Compare a Device Certificate with its request, reject it, and see what was found.',
  async show({ door, visitor }) {
    const { party } = callerFor(visitor!, 'PORTAL_DEVICE').credential
    const all = await deviceRejections(door.store, { party })
    return html`${heading('Rejected Device Certificates')}
${buttonLink('/officer/rejections/new', 'Compare a Certificate with its request')}
${table(
  'Rejections, newest first',
  ['Number', 'Certificate', 'Why', 'Logged', 'State', 'What was found'],
  all.toReversed().map(one => {
    const serial = fromHex(one.certificate.serial)
    const shown = code(one.certificate.serial.toUpperCase())
    return [
      String(one.id),
      link(addressOf({ authority: one.certificate.authority, serial: Buffer.from(serial) }), shown),
      one.words,
      atTime(one.loggedAt),
      one.investigatedAt ? tag('Closed', 'green') : tag('Under investigation', 'yellow'),
      one.finding ?? '–',
    ]
  }),
  'Your organisation has rejected no Device Certificate.',
)}`
  },
})

const title = 'Compare a Device Certificate with its request'

export const newRejection = page({
  ...officer,
  path: '/officer/rejections/new',
  title,
  async show(visit) {
    // A rejection that was refused, as one without words, shows what it was about once more.
    const { given } = visit
    if (given.do === 'reject' && given.serial && given.csr)
      return comparison(visit, await pairIn(visit, given.serial, given.csr))
    return html`${heading(title)}
${paragraph('For Certificates from the web services too. Those of a batch stand beside their requests on the page of the batch.')}
${formHtml(visit, html`${fields(visit)}${buttons({ text: 'Compare' })}`)}`
  },
  async act(visit, form) {
    const pair = await pairIn(visit, form.text('serial'), form.text('csr'))
    if (form.text('do') !== 'reject') return comparison(visit, pair)
    const { authority, serial } = pair.lodged
    return reject(visit.door, officerAs(visit.visitor, 'ARO'), { authority, serial: toHex(serial) }, form)
  },
})

interface Pair {
  /** As it was pasted. */
  readonly text: string
  readonly csr: Buffer
  readonly lodged: Lodged
}

/** What is compared is carried along, so that it is this Certificate that is rejected. */
function comparison(visit: Visit, { text, csr, lodged }: Pair): Html {
  const kept = html`${hidden('serial', toHex(lodged.serial))}${hidden('csr', text)}`
  return html`${heading(title)}${compared(csr, lodged.der)}${rejectForm(visit, false, kept)}`
}

function fields(visit: Visit): Html {
  const serial = visit.query.serial ?? ''
  return html`${input(visit, { name: 'serial', label: 'Serial number of the Certificate', hint: '32 hexadecimal digits, as the Repository shows it', value: /^[0-9a-fA-F]{32}$/.test(serial) ? serial : '', code: true })}
${textarea(visit, { name: 'csr', label: 'The request that it was issued for', hint: 'Paste the PKCS#10 request in base64. Never paste a private key.', rows: 10, code: true })}`
}

/** @throws Faulty; AtField for what is no Device CSR */
async function pairIn({ door, at }: Visit, number: string, text: string): Promise<Pair> {
  const serial = number.replace(/[\s:-]/g, '').toLowerCase()
  const faults = [
    ...(/^[0-9a-f]{32}$/.test(serial)
      ? []
      : [{ field: 'serial', says: 'Enter the serial number, 32 hexadecimal digits.' }]),
    ...(text === '' ? [{ field: 'csr', says: 'Paste the request.' }] : []),
  ]
  if (faults.length > 0) throw new Faulty(faults)
  const csr = csrIn({ text: () => text }, admit)
  const found = await findBySerials(door.store, [fromHex(serial)], at)
  const [lodged, ...more] = found.filter(({ family }) => family === 'device')
  if (!lodged || more.length > 0)
    throw new Faulty([{ field: 'serial', says: 'The Repository holds no Device Certificate of that number.' }])
  return { text, csr, lodged }
}
