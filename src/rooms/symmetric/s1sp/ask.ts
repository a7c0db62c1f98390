/** Messages of the S1SP to its DCO: announced in the journal, sent again when no answer came, never acted on twice. */

import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../../../ground/bytes.ts'
import { entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Content, Message, MessageType } from '../messages.ts'
import type { S1spHands } from './hands.ts'
import { no } from './refusals.ts'

/** A message with an id and an instant of its own. Kept and sent again, it is the same message. */
export function newMessage<T extends MessageType>(
  { chance, clock }: Pick<S1spHands, 'chance' | 'clock'>,
  type: T,
  body: Omit<Message<T>, 'type' | 'id' | 'at'>,
): Message<T> {
  return { type, id: toHex(chance(16)), at: clock().toISOString(), ...body } as unknown as Message<T>
}

/**
 * Asks the DCO. The id stands in our journal before the message leaves, and so in one journal or in both, never in the
 * DCO's alone.
 * @throws Refusal DCO_UNREACHABLE; the Refusal that the DCO answered with
 */
export async function ask<T extends MessageType>(hands: S1spHands, message: Message<T>): Promise<Content<T>> {
  const { dco, clock, notebook, settings } = hands
  await notebook.write(entry('message.sent', clock(), announced(message as Message)))
  for (let attempt = 0; ; attempt++) {
    try {
      return await dco.ask(message)
    } catch (cause) {
      if (cause instanceof Refusal) {
        const { id, type } = message
        await notebook.write(entry('message.refused', clock(), { message: id, type, code: cause.code }))
        throw cause
      }
      // Whether it was acted on is not known: the same message again finds out.
      if (attempt >= settings.resends) throw no('DCO_UNREACHABLE', undefined, { cause })
      await sleep(50 * 2 ** attempt)
    }
  }
}

/** What an entry may say of a message: whom it is about, and never a record, a package or an APDU. */
function announced(message: Message): Record<string, JsonValue> {
  const { id, type } = message
  const about: Record<string, JsonValue> = {}
  for (const name of ['device', 'client', 'holder', 'keyType', 'association', 'counter', 'hsmKey'] as const) {
    const value = (message as unknown as Record<string, unknown>)[name]
    if (typeof value === 'string' || typeof value === 'number') about[name] = value
  }
  return { message: id, type, ...about }
}
