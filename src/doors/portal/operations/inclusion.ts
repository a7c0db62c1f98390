/** A page for strangers: is this certificate in the journal? The answer can be checked by them, without us. */

import { equal, toHexUpper } from '../../../ground/bytes.ts'
import { NotDer } from '../../../ground/der/read.ts'
import { verifierKeyText } from '../../../ground/journal/note.ts'
import { type Certificate, readCertificate } from '../../../ground/x509/certificate.ts'
import { findBySerials } from '../../../rooms/repository/find.ts'
import { inclusionOf } from '../../../rooms/repository/inclusion.ts'
import { textarea } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, inset, link, paragraph, subheading } from '../frame/pieces.ts'
import { facts } from '../frame/tables.ts'
import { atTime, figure, grouped } from '../frame/words.ts'

export const inclusion = page({
  path: '/journal/check',
  title: 'Check a certificate’s inclusion in the journal',
  who: 'everybody',
  show: visit =>
    html`${heading('Is this certificate in the journal?')}${paragraph('Everything that the SMKI issues stands in a public journal that cannot be changed unnoticed. Paste a certificate to see where it stands, and to get a proof that you can check yourself.')}${formHtml(
      visit,
      html`${textarea(visit, { name: 'certificate', label: 'Certificate', hint: 'PEM, or the base64 of the DER. Never paste a private key.', rows: 12, code: true })}${buttons({ text: 'Check it' })}`,
    )}`,
  async act(visit, form) {
    const certificate = read(form.text('certificate'))
    const { door, at } = visit
    const found = await findBySerials(door.store, [certificate.serial], at)
    const lodged = found.find(one => equal(one.der, certificate.der))
    if (!lodged)
      throw new Faulty([
        {
          field: 'certificate',
          says:
            found.length > 0
              ? 'Another certificate of that serial number was issued here: yours is not the one, or it was altered'
              : 'This certificate was not issued here, or is not in the Repository',
        },
      ])
    const { position, checkpoint, act, proof } = await inclusionOf(door.store, door.journalKeys, lodged)
    const title = 'The journal holds this certificate'
    const body = html`${heading(title)}${inset(html`<strong>Checked just now:</strong> its issue is entry ${figure(position)} of ${figure(checkpoint.size)}, and every hash from the certificate to the signed root was computed.`)}${facts(
      [
        ['Serial number', code(grouped(toHexUpper(certificate.serial)))],
        ['Entry', `${act.act}, written ${atTime(act.at)}`],
        ['Journal', checkpoint.origin],
        ['Root of the tree', code(grouped(toHexUpper(checkpoint.root)))],
      ],
    )}${subheading('The proof')}${paragraph('Save it, and check it with nothing but the public key below: ', code('smki journal check-proof proof.txt --certificate yours.pem --key journal.vkey'))}${code(proof, 'Proof')}${subheading('The journal’s public key')}${code(door.journalKeys.map(verifyingText).join('\n'), 'Public key of the journal')}${paragraph(link('/journal/check', 'Check another certificate'))}`
    return { title, body }
  },
})

const verifyingText = (key: Visit['door']['journalKeys'][number]): string => verifierKeyText(key)

/** Longer than any certificate of ours; bounds what is decoded. */
const longest = 20_000

/** @throws Faulty for what is no certificate */
function read(text: string): Certificate {
  const fault = new Faulty([
    { field: 'certificate', says: 'Paste one certificate, as PEM or as the base64 of its DER' },
  ])
  const inner = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(text)?.[1] ?? text
  const base64 = inner.replace(/\s+/g, '')
  if (base64 === '' || base64.length > longest || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw fault
  try {
    return readCertificate(Buffer.from(base64, 'base64'))
  } catch (cause) {
    if (cause instanceof NotDer) throw fault
    throw cause
  }
}
