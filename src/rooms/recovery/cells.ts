/** Cells and what Devices are believed to hold in them, as text and JSON. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import { type Cell, showCell } from '../../ground/gbcs/cell.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readSubjectKeyIdentifier } from '../../ground/x509/extensions.ts'
import { attributes } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { cellText, usageOfText } from '../../policy/recovery/cases.ts'

/** What a cell holds, or is believed to. */
export interface Holding {
  /** `{2,KA,topUp}` */
  readonly cell: string
  /** 16 hexadecimal digits each. A root's Subject Unique ID is zero. */
  readonly uniqueId: string
  readonly keyId: string
}

/** The cell of such a text. @throws RangeError */
export function cellOf(text: string): Cell {
  if (!cellText.test(text)) throw new RangeError(`no cell: ${text.slice(0, 40)}`)
  const [role, usage, topUp] = text.slice(1, -1).split(',')
  return {
    role: Number(role),
    keyUsage: usageOfText[usage!]!,
    cellUsage: topUp === undefined ? 'management' : 'prePaymentTopUp',
  }
}

export { showCell }

/** How a Device reports a certificate that it holds (recovery.md section 7). @throws NotDer, RangeError */
export function heldAs(certificate: Bytes): { readonly uniqueId: Buffer; readonly keyId: Buffer } {
  const { subject, extensions } = readCertificate(certificate)
  const [found] = attributes(subject, oids.uniqueIdentifier)
  const id = extensions.find(one => one.oid === oids.subjectKeyIdentifier)
  if (!id) throw new RangeError('a certificate without subject key identifier')
  return {
    uniqueId: found?.content.length === 9 ? Buffer.from(found.content.subarray(1)) : Buffer.alloc(8),
    keyId: Buffer.from(readSubjectKeyIdentifier(id.value)),
  }
}

export const holding = (cell: Cell, held: { readonly uniqueId: Bytes; readonly keyId: Bytes }): Holding => ({
  cell: showCell(cell),
  uniqueId: toHex(held.uniqueId),
  keyId: toHex(held.keyId),
})
