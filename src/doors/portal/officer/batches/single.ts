/** An ARO submits one Device CSR: a batch of one, which needs no person's approval and waits for no window. */

import { admit } from '../../../../rooms/issuance/admit.ts'
import { decideBatch, singleMark } from '../../../../rooms/issuance/batch.ts'
import { csrIn } from '../../frame/csr-field.ts'
import { textarea } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { page } from '../../frame/page.ts'
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
    // What has not the form of a Device CSR is told at once.
    const csr = csrIn(sent, admit)
    const caller = callerFor(visitor!, 'PORTAL_DEVICE')
    const { deviceId, usage } = admit(csr)
    const name = `${deviceId.toUpperCase()}-${usage === 'keyAgreement' ? 'KA' : 'DS'}`
    const { id } = await takeIn(door, caller, `${singleMark}${name}`, csr, [{ id: name, csr }])
    await decideBatch(door, id, { approve: true, by: 'standing rule' })
    return { to: `/officer/batches/${id}`, says: `Your request was received as number ${id}.` }
  },
})
