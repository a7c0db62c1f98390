/** What this room needs of the world, and how what nobody asked for by hand is done: by schedule, with its entry. */

import { entry } from '../../ground/journal/entry.ts'
import { append } from '../../ground/journal/journal.ts'
import type { Client } from '../../ground/store/store.ts'
import type { RevocationAct } from '../../policy/revocation/acts.ts'
import { revocationActs } from '../../policy/revocation/acts.ts'
import type { Schedules } from '../../policy/revocation/schedules.ts'
import type { Settings } from '../../policy/settings.ts'
import { type Acting, type Actor, act, type Hands, requireOffice } from '../registration/act.ts'

export type RevocationRules = Settings['revocation']

export interface RevocationHands extends Hands {
  /** The group `revocation` of the settings. */
  readonly revocation: RevocationRules
  /** `listSchedules(settings)`. */
  readonly schedules: Schedules
}

/** As much of an act as what follows from it needs: a person's, or the schedule's. */
export type Doing = Pick<Acting, 'client' | 'at' | 'note'>

/** As `act`, for what one officer does alone (`revocationActs`). */
export function actAlone<T>(
  hands: RevocationHands,
  actor: Actor,
  name: RevocationAct,
  says: Readonly<Record<string, number | string>>,
  party: number | undefined,
  work: (acting: Acting) => Promise<T>,
): Promise<T> {
  return act(hands, actor, { act: name, says }, acting => {
    requireOffice(acting.by, revocationActs[name], party)
    return work(acting)
  })
}

export function bySchedule(client: Client, at: Date): Doing {
  return {
    client,
    at,
    note: async (name, body) => {
      await append(client, entry(name, at, { ...body, by: 'schedule' }))
    },
  }
}
