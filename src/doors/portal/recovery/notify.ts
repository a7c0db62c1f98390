/** The Compromise of a Relevant Private Key is notified, or the suspicion of one. */

import { hash } from 'node:crypto'
import { fromHex } from '../../../ground/bytes.ts'
import { NotDer } from '../../../ground/der/read.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { NotPem, readPem } from '../../../ground/x509/pem.ts'
import { type KeyKind, keyKinds, type ProcedureName, procedureNames } from '../../../policy/recovery/cases.ts'
import { heldAs } from '../../../rooms/recovery/cells.ts'
import { type Notification, notifyCompromise } from '../../../rooms/recovery/notify.ts'
import { input, radios, select, textarea } from '../frame/fields.ts'
import type { Form } from '../frame/form.ts'
import { html } from '../frame/html.ts'
import { instantHint, readInstant } from '../frame/instant.ts'
import { type Fault, Faulty, page } from '../frame/page.ts'
import { buttons, form as formHtml, heading, warning } from '../frame/pieces.ts'
import { officerAs } from '../frame/visitor.ts'
import { givenFields, readGiven } from '../registration/given.ts'
import { namesOf, numberIn } from '../registration/names.ts'
import { handsOf } from './who.ts'
import { keyNames } from './words.ts'

export const notify = page({
  path: '/recoveries/new',
  title: 'Notify a Compromise',
  who: ['RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER', 'SRO', 'ARO'],
  async show(visit) {
    const { door, visitor } = visit
    const own = visitor?.party
    const names = own === undefined ? await namesOf(door.store) : undefined
    const kinds = own === undefined ? keyKinds : (['organisation'] as const)
    return html`${heading('Notify a Compromise')}${warning('Do not wait for certainty: a suspicion is notified too.')}${formHtml(
      visit,
      html`${input(visit, { name: 'event', label: 'Reference', hint: 'Yours to choose: capital letters, digits and hyphens, such as SUP-2026-004', width: 20, code: true })}${radios(visit, { name: 'kind', label: 'Which key is Compromised', choices: kinds.map(value => ({ value, text: keyNames[value] })), small: true })}${
        names
          ? select(visit, {
              name: 'party',
              label: 'Whose it is, of an Organisation key',
              choices: [
                { value: '', text: '–' },
                ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
              ],
            })
          : ''
      }${input(visit, { name: 'since', label: 'Suspected since', hint: instantHint, width: 20 })}${textarea(visit, {
        name: 'certificates',
        label: 'Certificates that are Compromised by it',
        hint: 'PEM, one after the other; the first is of the key itself',
        rows: 6,
        code: true,
      })}${select(visit, {
        name: 'case',
        label: 'Procedure that is asked for (optional)',
        choices: [{ value: '', text: '–' }, ...procedureNames.map(value => ({ value, text: value }))],
      })}${givenFields(visit, [])}${buttons({ text: 'Notify', kind: 'warning' })}`,
    )}`
  },
  async act({ door, visitor }, form) {
    const by = officerAs(visitor, 'RA_MANAGER', 'RA_PERSONNEL', 'PMA_MEMBER', 'SRO', 'ARO')
    const notification = read(form, visitor?.party, door.settings.performance.zone)
    await notifyCompromise(handsOf(door), by, notification, readGiven(form, []))
    return {
      to: `/recoveries/${notification.reference}`,
      says: 'The Compromise is notified. The Registration Authority confirms it by other means than it came.',
    }
  },
})

/** @throws Faulty */
function read(form: Form, own: number | undefined, zone: string): Notification {
  const faults: Fault[] = []
  const reference = form.text('event')
  if (reference === '') faults.push({ field: 'event', says: 'Enter a reference' })
  const keyKind = keyKinds.find(one => one === form.text('kind')) as KeyKind
  if (!keyKind) faults.push({ field: 'kind', says: 'Choose which key' })
  const since = readInstant(form, 'since', 'Suspected since', true, zone, faults)
  const certificates = certificatesIn(form.text('certificates'))
  if (!certificates || certificates.length === 0)
    faults.push({ field: 'certificates', says: 'Enter the certificates in PEM' })
  if (faults.length > 0) throw new Faulty(faults)
  const party = keyKind === 'organisation' ? (own ?? numberIn(form.text('party'))) : undefined
  const asksFor = procedureNames.find(one => one === form.text('case')) as ProcedureName | undefined
  const ids = new Set(certificates!.map(der => heldAs(der).keyId.toString('hex')))
  return {
    reference,
    keyKind,
    key: hash('sha256', readCertificate(certificates![0]!).publicKey.spki, 'buffer'),
    keyIds: [...ids].map(one => fromHex(one)),
    party,
    suspectedSince: since!,
    asksFor,
  }
}

function certificatesIn(text: string): readonly Uint8Array[] | undefined {
  try {
    const blocks = readPem(text)
    if (blocks.some(one => one.label !== 'CERTIFICATE')) return undefined
    const all = blocks.map(one => one.der)
    for (const der of all) heldAs(der)
    return all
  } catch (cause) {
    if (cause instanceof NotPem || cause instanceof NotDer || cause instanceof RangeError) return undefined
    throw cause
  }
}
