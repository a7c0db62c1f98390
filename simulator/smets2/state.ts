/** What the parts of a simulated Device share: its state, whom it believes, and how it signs what it says. */

import { type Bytes, view } from '../../src/ground/bytes.ts'
import type { Clock } from '../../src/ground/clock.ts'
import type { Cell } from '../../src/ground/gbcs/cell.ts'
import {
  type GbcsMessage,
  type Grouping,
  groupedOctets,
  signedOctets,
  writeMessage,
} from '../../src/ground/gbcs/message.ts'
import { macData, macIv, otherInfo, plainSignature, requireSignature } from '../../src/ground/gbcs/protect.ts'
import { type AgreementKey, agreementKey } from '../../src/ground/keystore/agreement.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Anchor } from './anchor.ts'
import { type DeviceKind, keyOf } from './cells.ts'
import type { OwnKeys } from './own-keys.ts'
import type { Pending } from './update.ts'

/** A Device that is to answer wrongly, or not at all. */
export interface Switches {
  /** Answers nothing, and does nothing. */
  readonly unreachable?: boolean
  /** Does what it is told, and its answer is lost. */
  readonly losesAnswers?: boolean
  /** Cannot make a key pair for that usage, or show that certificate (rows 21 and 22). */
  readonly failing?: 'digitalSignature' | 'keyAgreement'
  /** A cell of its kind that it does not have, by `keyOf`: an inventory may believe otherwise. */
  readonly lacks?: string
  /** Validity periods are never looked at, whatever a command says: as the Devices of the published messages were run. */
  readonly withoutTimeChecks?: boolean
  /** MACs are not looked at: for published messages, whose keys nobody has. */
  readonly withoutMac?: boolean
}

/** What the parts of a Device share. */
export interface DeviceState {
  readonly id: Buffer
  readonly kind: DeviceKind
  readonly cells: Map<string, Anchor>
  /** The last counter accepted of each party, by role, and of its other counter, by `role:usage`. */
  readonly counters: Map<string, bigint>
  readonly clock: Clock
  switches: Switches
  own: OwnKeys
  pending: Pending | undefined
  alertCounter: bigint
}

/** Why a message is not answered. */
export class Discarded extends Error {}

/** The signature of the party in that cell. @throws Discarded, Refusal GBCS_SIGNATURE */
export function requireSignedBy(state: DeviceState, cell: Cell, message: GbcsMessage): void {
  const anchor = state.cells.get(keyOf(cell))
  if (!anchor) throw new Discarded('the authorising cell is not one of this Device')
  requireSignature(message, anchor.publicKey)
}

/** The MAC of the access control broker, who looks at every command but those that are signed alone. */
export function requireMac(state: DeviceState, message: GbcsMessage): void {
  if (!message.mac) throw new Discarded('the command has no MAC')
  if (state.switches.withoutMac) return
  const broker = state.cells.get(keyOf(brokerCell))
  if (!broker) throw new Discarded('this Device knows no access control broker')
  const key = agreement(state).macKey(broker.publicKey, otherInfo(message))
  if (!key.verify(macIv(message), macData(message.grouped), message.mac)) throw new Discarded('the MAC is another')
}

const brokerCell: Cell = { role: 4, keyUsage: 'keyAgreement', cellUsage: 'management' }

/** Of one party: each counter is greater than the last. */
export function requireFresh(state: DeviceState, party: string, counter: bigint): void {
  const last = state.counters.get(party)
  if (last !== undefined && counter <= last) throw new Discarded(`the counter ${counter} is not after ${last}`)
}

/** An answer to that message, or an alert, signed by the Device. */
export function signedAnswer(
  state: DeviceState,
  to: Bytes,
  parts: Pick<Grouping, 'cra' | 'counter' | 'messageCode' | 'payload'> & { dateTime?: Bytes },
): Buffer {
  const grouping: Grouping = { ...parts, originator: state.id, recipient: to }
  return writeMessage(grouping, plainSignature(signingKey(state).sign(signedOctets(grouping))))
}

/** An answer with a MAC, for whoever asked under one. */
export function macAnswer(state: DeviceState, message: GbcsMessage, payload: Bytes): Buffer {
  const { counter, messageCode } = message
  const parts: Grouping = {
    cra: 2,
    counter,
    messageCode,
    payload,
    originator: state.id,
    recipient: message.originator,
  }
  const broker = state.cells.get(keyOf(brokerCell))
  if (!broker) throw new Discarded('this Device knows no access control broker')
  const key = agreement(state).macKey(broker.publicKey, otherInfo(parts))
  return writeMessage(parts, 'none', key.mac(macIv(parts), macData(groupedOctets(parts, 'none'))))
}

/** The time in the form of COSEM, as answers to CS02b and CS02g have it. */
export function cosemTime(at: Date): Buffer {
  const out = Buffer.alloc(12)
  out.writeUInt16BE(at.getUTCFullYear(), 0)
  out[2] = at.getUTCMonth() + 1
  out[3] = at.getUTCDate()
  out[4] = at.getUTCDay() === 0 ? 7 : at.getUTCDay()
  out[5] = at.getUTCHours()
  out[6] = at.getUTCMinutes()
  out[7] = at.getUTCSeconds()
  // Hundredths, deviation and status, as the published answers have them.
  view(out).set([0x00, 0x80, 0x00, 0xff], 8)
  return out
}

export function signingKey(state: DeviceState): KeyPair {
  state.own.keys.digitalSignature ??= makeKeyPair('P-256')
  return state.own.keys.digitalSignature
}

export function agreement(state: DeviceState): AgreementKey {
  state.own.keys.keyAgreement ??= makeKeyPair('P-256')
  state.own.agreement ??= agreementKey(state.own.keys.keyAgreement)
  return state.own.agreement
}
