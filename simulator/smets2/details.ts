/** CS02a and CS02f at the Device: which credentials it holds. */

import { type HeldIn, type RoleDetails, readDetailsRequest, writeDetails } from '../../src/ground/gbcs/details.ts'
import type { GbcsMessage } from '../../src/ground/gbcs/message.ts'
import { useCases } from '../../src/ground/gbcs/use-cases.ts'
import { cellsOf, keyOf } from './cells.ts'
import { type DeviceState, macAnswer, requireFresh, requireMac, requireSignedBy } from './state.ts'

export function answerDetails(state: DeviceState, message: GbcsMessage): Buffer {
  const { authoriser, roles } = readDetailsRequest(message.payload)
  requireMac(state, message)
  if (message.signature !== 'none') requireSignedBy(state, authoriser, message)
  requireFresh(state, `${authoriser.role}`, message.counter)
  state.counters.set(`${authoriser.role}`, message.counter)
  const isF = message.messageCode === useCases.CS02f
  return macAnswer(state, message, writeDetails(roles.map(role => detailsOf(state, role, isF))))
}

/** Row 23: a role without cells is 25; row 24: CS02f answers 127 for a role that is none of its own. */
function detailsOf(state: DeviceState, role: number, isF: boolean): RoleDetails {
  const cells = cellsOf[state.kind].filter(cell => cell.role === role && state.cells.has(keyOf(cell)))
  if (isF && role !== 8) return { role, status: 127 }
  if (cells.length === 0) return { role, status: 25 }
  const counter = state.counters.get(`${role}`) ?? 0n
  const held = cells.map((cell): HeldIn => {
    const { uniqueId, keyId } = state.cells.get(keyOf(cell))!
    return { keyUsage: cell.keyUsage, cellUsage: cell.cellUsage, uniqueId, keyId }
  })
  return { role, status: 0, found: { counter, cells: held } }
}
