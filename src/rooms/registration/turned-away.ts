/** A credential that no longer opens a door, and is tried: on record, once an hour for each reason. */

import type { Clock } from '../../ground/clock.ts'
import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Credential } from './parties.ts'

/** So often at most a credential that is turned away stands in the journal: its holder must not be able to fill it. */
const againMs = 3_600_000
const mostRemembered = 10_000

export interface TurningAway {
  readonly store: Store
  readonly clock: Clock
  readonly log: { warn(about: object, sentence: string): void }
}

/** @returns what tells, and gives the refusal back to be thrown */
export function turningAway({ store, clock, log }: TurningAway) {
  const last = new Map<string, number>()
  return async (credential: Credential, refusal: Refusal): Promise<Refusal> => {
    const { kind, party, life, person } = credential
    log.warn({ code: refusal.code, kind, party, credential: life }, 'a credential was turned away')
    const at = clock()
    const key = `${refusal.message} ${party} ${kind} ${life} ${credential.systemName}`
    if (at.getTime() - (last.get(key) ?? Number.NEGATIVE_INFINITY) < againMs) return refusal
    if (last.size >= mostRemembered) last.clear()
    last.set(key, at.getTime())
    const says = {
      attempt: 'come in',
      code: refusal.code,
      party,
      kind,
      ...(life !== undefined && { credential: life }),
      ...(person !== undefined && { holder: person }),
    }
    await store.transaction(client => append(client, entry('refused', at, says)))
    return refusal
  }
}
