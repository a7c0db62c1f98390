/** A simulated SMETS2 Device: what it does with a GBCS message that reaches it. */

import { type Bytes, equal, fromHex, toHex } from '../../src/ground/bytes.ts'
import type { Clock } from '../../src/ground/clock.ts'
import type { Cell } from '../../src/ground/gbcs/cell.ts'
import { type GbcsMessage, readMessage } from '../../src/ground/gbcs/message.ts'
import { modeOfCode, useCases } from '../../src/ground/gbcs/use-cases.ts'
import type { KeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import type { Anchor } from './anchor.ts'
import { type DeviceKind, keyOf } from './cells.ts'
import { answerDetails } from './details.ts'
import { certificateCommand } from './own-keys.ts'
import { agreement, type DeviceState, Discarded, type Switches, signingKey } from './state.ts'
import { performPending, updateCommand } from './update.ts'

/** What became of a message. GBCS: a Device gives no answer to what it cannot trust. */
export type Reaction =
  | { readonly answer: Buffer }
  | { readonly discarded: string }
  | { readonly silent: 'unreachable' | 'answer lost' }

export interface DeviceStart {
  /** EUI-64, 16 hexadecimal digits. */
  readonly id: string
  readonly kind: DeviceKind
  /** Of every cell of the kind; cells that are left out are empty. */
  readonly cells: ReadonlyMap<string, Anchor>
  readonly clock: Clock
  readonly switches?: Switches
  /** Without, a new pair is made when the first is needed. */
  readonly signingKey?: KeyPair
  readonly agreementPair?: KeyPair
}

export class Smets2Device {
  readonly state: DeviceState

  constructor(start: DeviceStart) {
    this.state = {
      id: fromHex(start.id),
      kind: start.kind,
      cells: new Map(start.cells),
      counters: new Map(),
      clock: start.clock,
      switches: start.switches ?? {},
      own: {
        keys: { digitalSignature: start.signingKey, keyAgreement: start.agreementPair },
        waiting: {},
        certificates: {},
      },
      pending: undefined,
      alertCounter: 2000n,
    }
  }

  get id(): string {
    return toHex(this.state.id)
  }

  /** SubjectPublicKeyInfo of the key that signs its answers. */
  get publicKey(): Bytes {
    return signingKey(this.state).publicKey
  }

  get agreementPublicKey(): Bytes {
    return agreement(this.state).publicKey
  }

  held(cell: Cell): Anchor | undefined {
    return this.state.cells.get(keyOf(cell))
  }

  /** What it does with the octets that reach it. */
  receive(octets: Bytes): Reaction {
    const { state } = this
    if (state.switches.unreachable) return { silent: 'unreachable' }
    try {
      const message = readMessage(octets)
      if (message.cra !== 1) return { discarded: 'not a command' }
      if (!equal(message.recipient, state.id)) return { discarded: 'for another Device' }
      const answer = perform(state, message)
      return state.switches.losesAnswers ? { silent: 'answer lost' } : { answer }
    } catch (cause) {
      if (cause instanceof Discarded) return { discarded: cause.message }
      if (cause instanceof Refusal) return { discarded: `${cause.code}: ${cause.message}` }
      throw cause
    }
  }

  /** What the clock has brought: the alert of a future-dated command whose time has come. */
  tick(): Buffer | undefined {
    const { state } = this
    if (state.switches.unreachable) return undefined
    return performPending(state)
  }
}

function perform(state: DeviceState, message: GbcsMessage): Buffer {
  switch (message.messageCode) {
    case useCases.CS02a:
    case useCases.CS02f:
      return answerDetails(state, message)
    case useCases.CS02c:
    case useCases.CS02d:
    case useCases.CS02e:
      return certificateCommand(state, message)
    default:
      if (!modeOfCode(message.messageCode)) throw new Discarded(`no use case ${message.messageCode.toString(16)}`)
      return updateCommand(state, message)
  }
}
