/** What this room needs of the world, and how what nobody does by hand is done: by the service, with its entry. */

import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client } from '../../ground/store/store.ts'
import type { RecoveryRules } from '../../policy/recovery/settings.ts'
import type { Hands } from '../registration/act.ts'

export interface RecoveryHands extends Hands {
  /** The group `recovery` of the settings. */
  readonly recovery: RecoveryRules
}

/** As much of an act as what follows from it needs. */
export interface Working {
  readonly client: Client
  readonly at: Date
  note(act: string, body: Readonly<Record<string, JsonValue>>): Promise<void>
}

/**
 * One transaction of the running service. What is refused in it stands in the journal too.
 * @param about what it was done to, as the journal has it of a refusal: references and numbers, no secret
 */
export async function byService<T>(
  hands: Pick<RecoveryHands, 'store' | 'clock'>,
  name: string,
  about: Readonly<Record<string, JsonValue>>,
  work: (working: Working) => Promise<T>,
): Promise<T> {
  const at = hands.clock()
  try {
    return await hands.store.transaction(client => {
      const note: Working['note'] = async (act, body) =>
        void (await append(client, entry(act, at, { ...body, by: 'recovery service' })))
      return work({ client, at, note })
    })
  } catch (cause) {
    if (cause instanceof Refusal) await noteRefused(hands, name, cause, about)
    throw cause
  }
}

/** A refusal that was met outside a transaction. */
export async function noteRefused(
  hands: Pick<RecoveryHands, 'store' | 'clock'>,
  attempt: string,
  { code }: Refusal,
  about: Readonly<Record<string, JsonValue>>,
): Promise<void> {
  const says = { attempt, code, ...about, by: 'recovery service' }
  await hands.store.transaction(client => append(client, entry('refused', hands.clock(), says)))
}
