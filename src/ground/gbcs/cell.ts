/** A trust anchor cell of a Device: whose, for what, and which of several. */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { integer } from '../der/write.ts'
import { type Elements, element, type Lengths } from './elements.ts'
import { notGbcs } from './refusals.ts'

export type CellKeyUsage = 'digitalSignature' | 'keyAgreement' | 'keyCertSign'
export type CellUsage = 'management' | 'prePaymentTopUp'

export interface Cell {
  /** Remote Party Role: 0 root to 8 load controller. */
  readonly role: number
  readonly keyUsage: CellKeyUsage
  readonly cellUsage: CellUsage
}

/** Content of the BIT STRING, as it stands on the wire (recovery.md section 7). */
const keyUsages: Readonly<Record<CellKeyUsage, readonly [number, number]>> = {
  digitalSignature: [0x07, 0x80],
  keyAgreement: [0x03, 0x08],
  keyCertSign: [0x02, 0x04],
}

export const cellUsages: readonly CellUsage[] = ['management', 'prePaymentTopUp']

export function readCell(from: Elements, what: string, expected: number = tag.sequence): Cell {
  const cell = from.enter(expected, what)
  const role = cell.small(`the role of ${what}`)
  if (role > 255) throw notGbcs('GBCS_VALUE', `the role of ${what}`, cell.at)
  const keyUsage = readKeyUsage(cell, what)
  const cellUsage = readCellUsage(cell, what)
  cell.finish(what)
  return { role, keyUsage, cellUsage }
}

/** @throws Refusal GBCS_VALUE on a usage that no cell has */
export function readKeyUsage(from: Elements, what: string): CellKeyUsage {
  const at = from.at
  const [unused, octet, ...more] = from.content(tag.bitString, `the key usage of ${what}`)
  const found = (Object.keys(keyUsages) as CellKeyUsage[]).find(
    name => keyUsages[name][0] === unused && keyUsages[name][1] === octet,
  )
  if (!found || more.length > 0) throw notGbcs('GBCS_VALUE', `the key usage of ${what}`, at)
  return found
}

/** Absent is `management`; written out, it is refused, for that would be a second encoding (X.690 11.5). */
export function readCellUsage(from: Elements, what: string): CellUsage {
  if (from.peek() !== tag.integer) return 'management'
  const at = from.at
  const found = cellUsages[from.small(`the cell usage of ${what}`)]
  if (found === undefined || found === 'management') throw notGbcs('GBCS_VALUE', `the cell usage of ${what}`, at)
  return found
}

export function writeCell(cell: Cell, lengths: Lengths, tagOctet: number = tag.sequence): Buffer {
  return element(
    lengths,
    tagOctet,
    integer(cell.role),
    writeKeyUsage(cell.keyUsage),
    writeCellUsage(cell.cellUsage),
  )
}

export function writeKeyUsage(usage: CellKeyUsage): Buffer {
  return Buffer.of(tag.bitString, 2, ...keyUsages[usage])
}

export function writeCellUsage(usage: CellUsage): Buffer {
  return usage === 'management' ? Buffer.alloc(0) : integer(1)
}

export function sameCell(a: Cell, b: Cell): boolean {
  return a.role === b.role && a.keyUsage === b.keyUsage && a.cellUsage === b.cellUsage
}

/** `{2,KA,topUp}`, as the documents write it. */
export function showCell({ role, keyUsage, cellUsage }: Cell): string {
  const usage = { digitalSignature: 'DS', keyAgreement: 'KA', keyCertSign: 'keyCertSign' }[keyUsage]
  return `{${role},${usage}${cellUsage === 'prePaymentTopUp' ? ',topUp' : ''}}`
}

/** What a cell holds, as Devices report it: 8 octets each. The root's Subject Unique ID is zero. */
export interface Held {
  readonly uniqueId: Bytes
  readonly keyId: Bytes
}
