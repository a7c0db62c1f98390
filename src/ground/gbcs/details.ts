/** CS02a and CS02f: which credentials a Device holds, asked and answered. */

import type { Bytes } from '../bytes.ts'
import { tag } from '../der/read.ts'
import { enumerated, integer, octetString } from '../der/write.ts'
import {
  type Cell,
  type CellKeyUsage,
  type CellUsage,
  type Held,
  readCell,
  readCellUsage,
  readKeyUsage,
  writeCell,
  writeCellUsage,
  writeKeyUsage,
} from './cell.ts'
import { Elements, element, type Lengths } from './elements.ts'
import { notGbcs } from './refusals.ts'
import { isStatusCode, type StatusCode } from './use-cases.ts'

/** @property authoriser the cell of whoever asks; @property roles whose cells are asked for */
export interface DetailsRequest {
  readonly authoriser: Cell
  readonly roles: readonly number[]
}

export interface HeldIn extends Held {
  readonly keyUsage: CellKeyUsage
  readonly cellUsage: CellUsage
}

export interface RoleDetails {
  readonly role: number
  readonly status: StatusCode
  /** The counter that the Device last accepted of that party, and its cells; only with the status success. */
  readonly found?: { readonly counter: bigint; readonly cells: readonly HeldIn[] } | undefined
}

/** @throws Refusal of refusals.ts */
export function readDetailsRequest(payload: Bytes): DetailsRequest {
  const whole = new Elements(payload)
  const request = whole.sequence('the request')
  whole.finish('the request')
  const authoriser = readCell(request, 'the authorising cell')
  const asked = request.sequence('the roles')
  request.finish('the roles')
  const roles: number[] = []
  while (asked.peek() >= 0) roles.push(roleOf(asked, 'a role'))
  if (roles.length === 0) throw notGbcs('GBCS_VALUE', 'no role is asked for', asked.at)
  return { authoriser, roles }
}

export function writeDetailsRequest(
  { authoriser, roles }: DetailsRequest,
  lengths: Lengths = 'two octets',
): Buffer {
  const asked = element(lengths, tag.sequence, ...roles.map(role => integer(role)))
  return element(lengths, tag.sequence, writeCell(authoriser, lengths), asked)
}

/** @throws Refusal of refusals.ts */
export function readDetails(payload: Bytes): { roles: RoleDetails[]; lengths: Lengths } {
  const whole = new Elements(payload)
  const list = whole.sequence('the details')
  whole.finish('the details')
  const roles: RoleDetails[] = []
  while (list.peek() >= 0) roles.push(readRole(list))
  return { roles, lengths: whole.lengths }
}

function readRole(list: Elements): RoleDetails {
  const of = list.sequence('the details of a role')
  const role = roleOf(of, 'the role')
  const at = of.at
  const status = of.small('the status', tag.enumerated)
  if (!isStatusCode(status)) throw notGbcs('GBCS_VALUE', `the status ${status}`, at)
  if (status !== 0) {
    of.finish('a status that is not success')
    return { role, status }
  }
  const counter = of.integer('the counter')
  const inside = of.sequence('the cells')
  of.finish('the cells')
  const cells: HeldIn[] = []
  while (inside.peek() >= 0) {
    const one = inside.sequence('a cell')
    const keyUsage = readKeyUsage(one, 'a cell')
    const cellUsage = readCellUsage(one, 'a cell')
    const uniqueId = one.octetsOf(8, 'the Subject Unique ID')
    const keyId = one.octetsOf(8, 'the key identifier')
    one.finish('a cell')
    cells.push({ keyUsage, cellUsage, uniqueId, keyId })
  }
  return { role, status, found: { counter, cells } }
}

export function writeDetails(roles: readonly RoleDetails[], lengths: Lengths = 'two octets'): Buffer {
  const seq = (...content: Bytes[]) => element(lengths, tag.sequence, ...content)
  return seq(
    ...roles.map(({ role, status, found }) =>
      seq(
        integer(role),
        enumerated(status),
        ...(found
          ? [
              integer(found.counter),
              seq(
                ...found.cells.map(one =>
                  seq(
                    writeKeyUsage(one.keyUsage),
                    writeCellUsage(one.cellUsage),
                    octetString(one.uniqueId),
                    octetString(one.keyId),
                  ),
                ),
              ),
            ]
          : []),
      ),
    ),
  )
}

export function roleOf(from: Elements, what: string): number {
  const at = from.at
  const role = from.small(what)
  if (role > 255) throw notGbcs('GBCS_VALUE', what, at)
  return role
}
