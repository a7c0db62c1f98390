/** How anything is done in this room: in one transaction with its journal entry, and what is refused is on record too. */

import { hash } from 'node:crypto'
import type { Bytes } from '../../ground/bytes.ts'
import type { Chance, Clock } from '../../ground/clock.ts'
import { entry, type JsonValue } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Client, Store } from '../../ground/store/store.ts'

/** What this room needs of the world. */
export interface Hands {
  readonly store: Store
  readonly clock: Clock
}

/** What it needs where something may be confidential. */
export interface HandsWithChance extends Hands {
  readonly chance: Chance
}

/**
 * What the journal, which everybody may read, has of words that not everybody may read: SHA-256(salt, words).
 * @returns the salt, 32 octets to be kept beside the words, and the digest, hexadecimal
 */
export function committed(chance: Chance, words: string): { salt: Bytes; digest: string } {
  const salt = chance(32)
  return { salt, digest: hash('sha256', Buffer.concat([salt, Buffer.from(words)]), 'hex') }
}

/** One act on its way. */
export interface Acting {
  readonly client: Client
  readonly at: Date
  /** Who does it. */
  readonly by: string
  /** Writes what was done into the journal, with who did it. */
  note(body: Readonly<Record<string, JsonValue>>): Promise<void>
}

/**
 * Runs an act.
 * @param by who does it: a person's reference, or `ceremony`. Whether that person may is known to the door above.
 * @param about which thing it is done to, as the journal says it when the act is refused
 * @throws Refusal those of the work; each is journalled before it is thrown
 */
export async function act<T>(
  { store, clock }: Hands,
  by: string,
  name: string,
  about: string,
  work: (acting: Acting) => Promise<T>,
): Promise<T> {
  const at = clock()
  try {
    return await store.transaction(client => {
      const note: Acting['note'] = async body => void (await append(client, entry(name, at, { ...body, by })))
      return work({ client, at, by, note })
    })
  } catch (cause) {
    if (cause instanceof Refusal) {
      const says = { attempt: name, code: cause.code, about: inShort(about), by: isActor(by) ? by : '?' }
      await store.transaction(client => append(client, entry('refused', at, says)))
    }
    throw cause
  }
}

/** A person's reference (registration gives them out), or the ceremony: never a name. */
export function isActor(by: string): boolean {
  return by === 'ceremony' || isPerson(by)
}

export function isPerson(reference: unknown): reference is string {
  return typeof reference === 'string' && /^p-[0-9a-f]{12}$/.test(reference)
}

// What was only claimed may be anything: a reference stands in the journal, a tale does not.
function inShort(about: string): string {
  return /^[A-Za-z0-9][\w .:/#-]{0,99}$/.test(about) ? about : '?'
}
