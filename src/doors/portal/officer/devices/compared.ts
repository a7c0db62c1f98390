/** A Device CSR and the Certificate that came of it, side by side: what differs is said first (L11.6). */

import { type Bytes, toHexUpper } from '../../../../ground/bytes.ts'
import { compareDevice, type DeviceFields } from '../../../../rooms/issuance/device-compared.ts'
import { type Html, html } from '../../frame/html.ts'
import { code, inset, list, subheading, warning } from '../../frame/pieces.ts'
import { table } from '../../frame/tables.ts'
import { eui64, grouped } from '../../frame/words.ts'

const usages: Readonly<Record<string, string>> = {
  digitalSignature: 'digital signatures',
  keyAgreement: 'key agreement',
}

/** @throws Refusal as `admit` for a CSR that is none */
export function compared(csr: Bytes, certificate: Bytes): Html {
  const { asked, got, inconsistencies } = compareDevice(csr, certificate)
  const row = (name: string, value: (one: DeviceFields) => string | Html) => [name, value(asked), value(got)]
  return html`${subheading('Compare the Certificate with your request')}
${inconsistencies.length === 0 ? inset('We have compared them: the Certificate is what was asked for. Compare them yourself too.') : warning(html`They differ: ${list(inconsistencies)}`)}
${table(
  'Side by side',
  ['Field', 'You asked for', 'The Certificate has'],
  [
    row('Device ID', one => (one.deviceId ? code(eui64(one.deviceId)) : 'none')),
    row('Kind of Device', one => one.hwType ?? 'none'),
    row('For', one => usages[one.usage] ?? one.usage),
    row('Public key', one => code(grouped(toHexUpper(one.publicKey)))),
  ],
  '',
)}`
}
