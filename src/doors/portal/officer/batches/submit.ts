/** An ARO submits a zip of Device CSRs. */

import { Refusal } from '../../../../ground/refusal.ts'
import { zipMark } from '../../../../rooms/issuance/batch.ts'
import { fileUpload } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { AtField, Faulty, page } from '../../frame/page.ts'
import { buttons, details, form, heading, list, paragraph } from '../../frame/pieces.ts'
import { callerFor } from '../../frame/visitor.ts'
import { count, figure } from '../../frame/words.ts'
import { takeIn } from './take-in.ts'
import { readZip } from './zip-request.ts'

export const submitBatch = page({
  path: '/officer/batches/new',
  title: 'Submit a batch of Device CSRs',
  says: 'Upload a zip file of Certificate Signing Requests for Device Certificates.',
  who: ['ARO'],
  part: 'PORTAL_DEVICE',
  section: 'officer',
  upload: true,
  show(visit) {
    const { services, issuing } = visit.door.settings
    return html`${heading('Submit a batch of Device CSRs')}
${form(
  visit,
  html`${fileUpload(visit, {
    name: 'zip',
    label: 'Zip file of requests',
    hint: `A zip file of at most ${figure(issuing.batchMaximum)} requests and ${services.bodyMiB} MiB. Each member is one request and ends in “.csr”.`,
    accept: '.zip,application/zip',
    mostOctets: Math.floor(services.bodyMiB * 1_048_576),
  })}${buttons({ text: 'Submit batch' })}`,
  { upload: true },
)}
${details(
  'What the zip file must be like',
  list([
    'All members lie at the top, in no folder, and have different names.',
    'Each is a PKCS#10 request in base64, with boundary lines or without.',
    'Members are stored or deflated, not encrypted, and there is no zip file in the zip file.',
    'The name of a member, without “.csr”, becomes the name of its certificate.',
    'Never put a private key into it.',
  ]),
)}
${paragraph('Personnel of the Registration Authority approve batches before they are processed. You can watch each batch on its own page.')}`
  },
  async act({ door, visitor }, sent) {
    const { file } = sent
    if (!file || file.octets.length === 0)
      throw new Faulty([{ field: 'zip', says: 'Choose a zip file of requests.' }])
    const { issuing, services } = door.settings
    const items = readZip(file.octets, { members: issuing.batchMaximum, octets: services.bodyMiB * 1_048_576 })
    try {
      const caller = callerFor(visitor!, 'PORTAL_DEVICE')
      const name = file.name.replace(/\p{Cc}/gu, '').slice(0, 200) || 'requests.zip'
      const taken = await takeIn(door, caller, `${zipMark}${name}`, file.octets, items)
      const says = `The batch was accepted with ${count(taken.count, 'request')}. Its number is ${taken.id}.`
      return { to: `/officer/batches/${taken.id}`, says }
    } catch (cause) {
      if (cause instanceof Refusal && (cause.code.startsWith('FM:') || cause.code === 'PRIVATE_KEY'))
        throw new AtField('zip', cause)
      throw cause
    }
  },
})
