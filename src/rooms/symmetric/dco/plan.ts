/** What the work on a message comes to: decided without effect, then kept in one transaction with its journal entries. */

import type { JsonValue } from '../../../ground/journal/entry.ts'
import type { SymmetricModule } from '../../../ground/keystore/symmetric.ts'
import type { Client } from '../../../ground/store/store.ts'
import type { Content, MessageType, Question } from '../messages.ts'
import type { Hands } from './hands.ts'
import type { Openings } from './records.ts'

/** One entry of the journal; who asked, the message and the module are put to it. */
export interface Told {
  readonly act: string
  readonly body: Readonly<Record<string, JsonValue>>
}

/** Nothing of it leaves the DCO before `keep` and the entries are committed. */
export interface Plan<T extends MessageType = MessageType> {
  readonly content: Content<T>
  readonly tells: readonly Told[]
  /** @throws Conflict when what the plan rests on has changed; Refusal */
  readonly keep?: (client: Client) => Promise<readonly Told[] | void>
  /** After the commit, for what this program holds in memory. */
  readonly after?: () => void
}

/** What the plan rests on has changed meanwhile: it is made anew. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
}

/** One message on its way. */
export interface Asking<T extends MessageType = MessageType> {
  readonly hands: Hands
  readonly module: SymmetricModule
  /** The S1SP that asks, and the title that its APDUs go out under. */
  readonly s1sp: { readonly name: string; readonly title: Uint8Array }
  readonly question: Question<T>
  /** SHA-256 of what was signed. */
  readonly digest: Buffer
  readonly now: Date
  /** Keys that are opened for this message; closed when the plan is made. */
  readonly openings: Openings
}

export type Planner<T extends MessageType> = (asking: Asking<T>) => Promise<Plan<T>>
