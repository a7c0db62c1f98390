/** An ARO submits an Organisation CSR. */

import { submitOrganisation } from '../../../../rooms/issuance/organisation-submit.ts'
import { askOrganisation } from '../../../../rooms/issuance/signing.ts'
import { suspended, suspensionOf } from '../../../../rooms/revocation/suspended.ts'
import { hidden, textarea } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { Faulty, page } from '../../frame/page.ts'
import { buttons, form, heading, paragraph } from '../../frame/pieces.ts'
import { callerFor } from '../../frame/visitor.ts'
import { ruleOf } from './pages.ts'

export const submitOrganisationCsr = page({
  path: '/officer/organisation/new',
  title: 'Submit an Organisation CSR',
  says: 'Ask for an Organisation Certificate.',
  who: ['ARO'],
  part: 'PORTAL_ORG',
  section: 'officer',
  show(visit) {
    const mark = visit.given.mark ?? Buffer.from(visit.door.chance(12)).toString('hex')
    return html`${heading('Submit an Organisation CSR')}
${form(
  visit,
  html`${hidden('mark', mark)}${textarea(visit, {
    name: 'csr',
    label: 'Certificate Signing Request',
    hint: 'Paste the PKCS#10 request in base64, with its boundary lines or without. Never paste a private key.',
    rows: 12,
    code: true,
  })}${buttons({ text: 'Submit request' })}`,
)}
${paragraph('The request is checked at once. When it is approved, the Certificate is there within seconds.')}`
  },
  async act({ door, visitor }, sent) {
    const csr = sent.text('csr')
    if (csr === '') throw new Faulty([{ field: 'csr', says: 'Paste the request.' }])
    const mark = sent.text('mark')
    // The same form sent twice, because the answer was lost, is one submission.
    const reference = /^[0-9a-f]{24}$/.test(mark) ? mark : undefined
    const caller = callerFor(visitor!, 'PORTAL_ORG')
    const submitted = await submitOrganisation(
      door,
      ruleOf(door),
      { credential: caller.shown, csr, reference },
      async (store, about, at) => {
        const found = await suspensionOf(store, about, at)
        return found && suspended(found)
      },
    )
    // It is on record: if the signer does not answer now, it is issued later all the same.
    if (submitted.state === 'approved') await askOrganisation(door.signers[0]!, submitted.id)
    return {
      to: `/officer/organisation/${submitted.id}`,
      says: `Your request was received as number ${submitted.id}.`,
    }
  },
})
