/** CS02b and CS02g at the Device: each replacement is judged alone, now or when its time has come. */

import type { Bytes } from '../../src/ground/bytes.ts'
import type { Cell } from '../../src/ground/gbcs/cell.ts'
import type { GbcsMessage } from '../../src/ground/gbcs/message.ts'
import {
  alertCodes,
  type CellOutcome,
  type Outcome,
  writeUpdateAlert,
  writeUpdateResponse,
} from '../../src/ground/gbcs/outcome.ts'
import { requireSignature } from '../../src/ground/gbcs/protect.ts'
import { cancelTime, readUpdate, type SequenceChange, type UpdateCommand } from '../../src/ground/gbcs/update.ts'
import { modeOfCode, type ReplacementMode, useCases } from '../../src/ground/gbcs/use-cases.ts'
import { unwrapContingencyKey } from '../../src/ground/keystore/wrap.ts'
import { readApexContingencyKey } from '../../src/ground/x509/contingency.ts'
import { type Anchor, anchorOf } from './anchor.ts'
import { cellsOf, keyOf } from './cells.ts'
import { hasUsage, isSignedBy, judge, read } from './judge.ts'
import {
  cosemTime,
  type DeviceState,
  Discarded,
  requireFresh,
  requireMac,
  requireSignedBy,
  signedAnswer,
} from './state.ts'

/** A command that waits for its time. */
export interface Pending {
  readonly command: UpdateCommand
  readonly useCase: ReplacementMode['useCase']
  readonly at: Date
  readonly commander: Bytes
}

const root: Cell = { role: 0, keyUsage: 'keyCertSign', cellUsage: 'management' }

export function updateCommand(state: DeviceState, message: GbcsMessage): Buffer {
  const command = readUpdate(message.payload)
  const mode = modeOfCode(message.messageCode)!
  if (command.mode !== mode.mode) throw new Discarded('the mode is not that of the message code')
  if (command.authoriserCounter !== message.counter) throw new Discarded('the counter inside is another')
  if ((command.symmetricKey !== undefined) !== (mode.mode === 9))
    throw new Discarded('a symmetric key is of mode 9 alone')
  const party = `${mode.authoriser ?? 4}`
  requireAuthority(state, message, command, mode)
  requireFresh(state, party, message.counter)
  state.counters.set(party, message.counter)
  const { outcome, pending } = perform(state, command, mode, message.originator)
  state.pending = pending
  const { counter, messageCode } = message
  const payload = writeUpdateResponse(outcome)
  return signedAnswer(state, message.originator, {
    cra: 2,
    counter,
    messageCode,
    payload,
    dateTime: cosemTime(state.clock()),
  })
}

/** Who may: the party of the authorising cell signs, and the access control broker adds its MAC where the mode has one. */
function requireAuthority(
  state: DeviceState,
  message: GbcsMessage,
  command: UpdateCommand,
  mode: ReplacementMode,
): void {
  if (mode.protection !== 'signature') requireMac(state, message)
  if (mode.mode === 9) {
    requireContingency(state, message, command)
    return
  }
  if (mode.protection === 'MAC' && message.signature === 'none') return
  const { authoriser } = command
  const role = mode.authoriser ?? 4
  if (authoriser && authoriser.role !== role) throw new Discarded('the authorising cell is of another role')
  if (!authoriser && role !== 4) throw new Discarded('the authorising cell is missing')
  requireSignedBy(state, authoriser ?? { role, keyUsage: 'digitalSignature', cellUsage: 'management' }, message)
}

/** The Symmetric Key opens the wrapped key in the root that the Device holds, and that key has signed the command. */
function requireContingency(state: DeviceState, message: GbcsMessage, command: UpdateCommand): void {
  const held = state.cells.get(keyOf(root))
  if (!held?.wrapped) throw new Discarded('this Device holds no contingency key')
  if (command.symmetricKey?.length !== 16) throw new Discarded('the symmetric key has not 16 octets')
  const spki = unwrapContingencyKey(readApexContingencyKey(held.wrapped), command.symmetricKey)
  requireSignature(message, spki)
}

function perform(
  state: DeviceState,
  command: UpdateCommand,
  { useCase }: ReplacementMode,
  commander: Bytes,
): { outcome?: Outcome; pending?: Pending } {
  const { executeAt } = command
  if (executeAt === cancelTime) return {}
  if (executeAt === undefined) return { outcome: replace(state, command) }
  return { pending: { command, useCase, at: instantOf(executeAt), commander } }
}

/** What waited, once its time has come: an alert says how it went. */
export function performPending(state: DeviceState): Buffer | undefined {
  const { pending } = state
  if (!pending || state.clock() < pending.at) return undefined
  state.pending = undefined
  const outcome = replace(state, pending.command)
  const isDone = outcome.cells.every(cell => cell.status === 0)
  const payload = writeUpdateAlert({
    alertCode: isDone ? alertCodes.replaced : alertCodes.failed,
    executedAt: pending.command.executeAt!,
    outcome,
  })
  const messageCode = pending.useCase === 'CS02b' ? useCases.CS02bAlert : useCases.CS02gAlert
  state.alertCounter++
  return signedAnswer(state, pending.commander, { cra: 3, counter: state.alertCounter, messageCode, payload })
}

function replace(state: DeviceState, command: UpdateCommand): Outcome {
  const before = new Map(state.cells)
  // A new root comes first, wherever it stands in the command: the other certificates lead to it.
  const order = command.replacements.toSorted((a, b) => Number(b.cell.role === 0) - Number(a.cell.role === 0))
  const found = new Map(order.map(one => [one, put(state, command, one)]))
  const cells = command.replacements.map((one): CellOutcome => {
    const existing = before.get(keyOf(one.cell)) ?? nothingHeld
    const replacing = found.get(one)!.anchor ?? existing
    return { cell: one.cell, status: found.get(one)!.status, existing: ids(existing), replacing: ids(replacing) }
  })
  return { counter: command.authoriserCounter, mode: command.mode, changes: counted(state, command, cells), cells }
}

function put(
  state: DeviceState,
  command: UpdateCommand,
  { certificate, cell }: UpdateCommand['replacements'][number],
) {
  const key = keyOf(cell)
  const has = cellsOf[state.kind].some(one => keyOf(one) === key) && state.switches.lacks !== key
  if (!has) return { status: 25 as const, anchor: undefined }
  const at = command.timeChecks && !state.switches.withoutTimeChecks ? state.clock() : undefined
  const held = state.cells.get(keyOf(root))!
  const judgement =
    cell.role === 0 && command.mode === 9
      ? newRoot(certificate)
      : judge(certificate, cell, { root: held, path: command.path, at })
  const { status, anchor } = { anchor: undefined, ...judgement }
  if (anchor) state.cells.set(key, cell.role === 0 ? { ...anchor, uniqueId: Buffer.alloc(8) } : anchor)
  return { status, anchor: anchor && state.cells.get(key) }
}

/** By contingency alone: the new root need not be linked to the old (REC-A08); it must be a root that signed itself. */
function newRoot(der: Bytes): { status: 0 | 5; anchor?: Anchor } {
  const certificate = read(der)
  if (!certificate || !hasUsage(certificate, 'keyCertSign')) return { status: 5 }
  if (!isSignedBy(certificate, certificate.publicKey.spki)) return { status: 5 }
  return { status: 0, anchor: anchorOf(certificate) }
}

/** Counters of a party whose cells became another's start anew; the outcome says which. */
function counted(state: DeviceState, command: UpdateCommand, cells: readonly CellOutcome[]): SequenceChange[] {
  const role = command.authoriser?.role ?? 4
  const own =
    command.newFloor === undefined
      ? []
      : [{ role, floor: command.newFloor, specialist: command.newSpecialistFloors }]
  const changes = [...own, ...(command.otherChanges ?? [])]
  const taken = changes.filter(change => cells.some(one => one.cell.role === change.role && one.status === 0))
  for (const { role, floor, specialist } of taken) {
    // The cell of the authoriser itself may hold the same party still: its counter does not go back by that.
    if (role !== (command.authoriser?.role ?? 4)) state.counters.set(`${role}`, floor)
    for (const one of specialist ?? []) state.counters.set(`${role}:${one.usage}`, one.floor)
  }
  return taken
}

const nothingHeld = { uniqueId: Buffer.alloc(8), keyId: Buffer.alloc(8) }
const ids = ({ uniqueId, keyId }: { uniqueId: Bytes; keyId: Bytes }) => ({ uniqueId, keyId })

/** `YYYYMMDDHHMMSSZ`. */
export function instantOf(text: string): Date {
  const at = (from: number, length = 2) => Number(text.slice(from, from + length))
  return new Date(Date.UTC(at(0, 4), at(4) - 1, at(6), at(8), at(10), at(12)))
}
