/** The kinds of SMETS2 Devices, and the trust anchor cells that each has (recovery.md section 7). */

import type { Cell, CellKeyUsage } from '../../src/ground/gbcs/cell.ts'

export type DeviceKind = 'ESME' | 'GSME' | 'CHF' | 'GPF' | 'HCALCS'

const cell = (role: number, keyUsage: CellKeyUsage, cellUsage: Cell['cellUsage'] = 'management'): Cell => ({
  role,
  keyUsage,
  cellUsage,
})
const both = (role: number) => [cell(role, 'digitalSignature'), cell(role, 'keyAgreement')]

const meter: readonly Cell[] = [
  cell(0, 'keyCertSign'),
  cell(1, 'digitalSignature'),
  ...both(2),
  cell(2, 'keyAgreement', 'prePaymentTopUp'),
  ...both(3),
  cell(4, 'keyAgreement'),
  cell(5, 'digitalSignature'),
]

/** ESME's come from a contingency response (DCC-DATA); where nothing was observed a Device has those of an ESME. */
export const cellsOf: Readonly<Record<DeviceKind, readonly Cell[]>> = {
  ESME: meter,
  GSME: meter,
  CHF: [
    cell(0, 'keyCertSign'),
    cell(1, 'digitalSignature'),
    ...both(4),
    cell(5, 'digitalSignature'),
    cell(6, 'digitalSignature'),
  ],
  GPF: meter.filter(one => one.cellUsage === 'management'),
  HCALCS: [
    cell(0, 'keyCertSign'),
    cell(1, 'digitalSignature'),
    ...both(2),
    cell(4, 'keyAgreement'),
    cell(5, 'digitalSignature'),
    ...both(8),
  ],
}

export const keyOf = ({ role, keyUsage, cellUsage }: Cell) => `${role} ${keyUsage} ${cellUsage}`
