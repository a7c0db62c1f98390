/** An SMKI PMA that has met, on a real store, at a time that tests turn. */

import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { systemChance } from '../../src/main/world.ts'
import type { HandsWithChance } from '../../src/rooms/governance/act.ts'
import { type Decision, type NewDecision, recordDecision } from '../../src/rooms/governance/decisions.ts'

export const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)

export const secretary = 'p-00000000000a'
export const members = ['p-00000000000b', 'p-00000000000c'] as const

export interface Board {
  readonly hands: HandsWithChance
  readonly store: Store
  turnTo(instant: string): void
  /** Records a decision of that reference, decided now. */
  decide(reference: string, changes?: Partial<NewDecision>): Promise<Decision>
  /** What the journal says, in order of writing. */
  journal(): Promise<Act[]>
  close(): Promise<void>
}

export async function openBoard(instant = '2026-11-20T09:00:00.000Z'): Promise<Board> {
  const { store, close } = await testStore({ migrations })
  let now = new Date(instant)
  const hands: HandsWithChance = { store, clock: () => now, chance: systemChance }
  return {
    hands,
    store,
    turnTo: to => {
      now = new Date(to)
    },
    decide: (reference, changes = {}) => recordDecision(hands, secretary, decisionOn(now, reference, changes)),
    async journal() {
      const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
      return rows.map(row => readEntry(row.octets))
    },
    close,
  }
}

export function decisionOn(now: Date, reference: string, changes: Partial<NewDecision> = {}): NewDecision {
  return {
    reference,
    acts: ['revoke'],
    subjects: ['party:7'],
    meeting: 'SMKI PMA meeting 99',
    text: 'The Certificates of that Party shall be revoked.',
    members,
    decidedAt: now,
    from: now,
    ...changes,
  }
}

/** For `assert.rejects`: that refusal and no other. */
export function refusal(code: string): (cause: unknown) => true {
  return cause => {
    if (!(cause instanceof Refusal)) throw cause
    if (cause.code !== code) throw new Error(`${cause.code}, not ${code}: ${cause.message}`, { cause })
    return true
  }
}
