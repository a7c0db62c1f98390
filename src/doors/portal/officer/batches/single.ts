/** An ARO submits one Device CSR: a batch of one, which needs no person's approval and waits for no window. */

import { Refusal } from '../../../../ground/refusal.ts'
import { admit } from '../../../../rooms/issuance/admit.ts'
import { decideBatch, singleMark } from '../../../../rooms/issuance/batch.ts'
import { readPortalCsr } from '../../../../rooms/issuance/organisation-input.ts'
import { textarea } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { AtField, Faulty, page } from '../../frame/page.ts'
import { buttons, form, heading, paragraph } from '../../frame/pieces.ts'
import { callerFor } from '../../frame/visitor.ts'
import { takeIn } from './take-in.ts'

export const submitDeviceCsr = page({
  path: '/officer/device/new',
  title: 'Submit one Device CSR',
  says: 'Ask for a single Device Certificate.',
  who: ['ARO'],
  part: 'PORTAL_DEVICE',
  section: 'officer',
  show(visit) {
    return html`${heading('Submit one Device CSR')}
${form(
  visit,
  html`${textarea(visit, {
    name: 'csr',
    label: 'Certificate Signing Request',
    hint: 'Paste the PKCS#10 request in base64, with its boundary lines or without. Never paste a private key.',
    rows: 12,
    code: true,
  })}${buttons({ text: 'Submit request' })}`,
)}
${paragraph('The answer is there within seconds. You can collect the Certificate for 30 days.')}`
  },
  async act({ door, visitor }, sent) {
    const text = sent.text('csr')
    if (text === '') throw new Faulty([{ field: 'csr', says: 'Paste the request.' }])
    const csr = admitted(text)
    const caller = callerFor(visitor!, 'PORTAL_DEVICE')
    const { deviceId, usage } = admit(csr)
    const name = `${deviceId.toUpperCase()}-${usage === 'keyAgreement' ? 'KA' : 'DS'}`
    const { id } = await takeIn(door, caller, `${singleMark}${name}`, csr, [{ id: name, csr }])
    await decideBatch(door, id, { approve: true, by: 'standing rule' })
    return { to: `/officer/batches/${id}`, says: `Your request was received as number ${id}.` }
  },
})

/** What has not the form of a CSR is told at once, beside its field. @throws AtField */
function admitted(text: string): Buffer {
  try {
    const csr = readPortalCsr(text)
    admit(csr)
    return csr
  } catch (cause) {
    if (cause instanceof Refusal) throw new AtField('csr', cause)
    throw cause
  }
}
