/** Rejecting a Device Certificate (L11.6): it is logged and investigated, and the Certificate is never revoked by it. */

import type { Officer } from '../../../../rooms/registration/act.ts'
import type { CertificateRef } from '../../../../rooms/revocation/object.ts'
import { rejectDeviceCertificate } from '../../../../rooms/revocation/reject.ts'
import type { PortalWorld } from '../../door.ts'
import { textarea } from '../../frame/fields.ts'
import type { Form } from '../../frame/form.ts'
import { type Html, html, type Part } from '../../frame/html.ts'
import { Faulty, type Onward, type Visit } from '../../frame/page.ts'
import { type Button, buttons, form as formHtml, paragraph, subheading } from '../../frame/pieces.ts'

/**
 * The form; an SRO, who may look, is told who may reject.
 * @param download whether it offers the Certificate as a file too
 * @param kept fields that it carries along
 */
export function rejectForm(visit: Visit, download: boolean, kept: Part = ''): Html {
  const file = download
    ? formHtml(visit, buttons({ text: 'Download the Certificate', kind: 'secondary', does: 'download' }))
    : ''
  const how = paragraph(
    'You need do nothing to accept the Certificate: it counts as accepted unless you reject it at once (L11.7). A rejection is logged, and the Registration Authority investigates. A Device Certificate is never revoked.',
  )
  const button: Button = { text: 'Reject the Certificate', kind: 'warning', does: 'reject' }
  return html`${file}${subheading('Accept or reject')}${how}${
    visit.visitor?.roles.includes('ARO')
      ? formHtml(
          visit,
          html`${kept}${textarea(visit, { name: 'words', label: 'If you reject it: what is not as you asked for?', hint: 'Name no person: this stands in the journal.', rows: 3 })}${buttons(button)}`,
        )
      : paragraph('An Authorised Responsible Officer of your organisation may reject it.')
  }`
}

/** @throws Faulty without words; Refusal REJECTION_LOGGED, CERTIFICATE_UNKNOWN, GROUND_UNFIT, NOT_FOR_THIS_OFFICE */
export async function reject(
  door: PortalWorld,
  by: Officer,
  certificate: CertificateRef,
  form: Form,
): Promise<Onward> {
  const words = form.text('words').replaceAll('\r\n', '\n')
  if (words === '') throw new Faulty([{ field: 'words', says: 'Enter what is not as you asked for.' }])
  const id = await rejectDeviceCertificate(door, by, certificate, { words })
  return {
    to: '/officer/rejections',
    says: `Your rejection was logged as number ${id}. The Registration Authority investigates.`,
  }
}
