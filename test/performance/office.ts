/** Parties that send CSRs and forecast them, on a real store, at a time that tests turn. */

import { type Act, readEntry } from '../../src/ground/journal/entry.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { parseSettings } from '../../src/main/home.ts'
import type { PerformanceSettings } from '../../src/policy/performance/settings.ts'
import type { Hands } from '../../src/rooms/governance/act.ts'
import { registerParty } from '../../src/rooms/registration/parties.ts'

export const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)

/** Who enters what Parties sent, by reference. */
export const clerk = 'p-00000000000a'

export interface Office {
  readonly store: Store
  readonly hands: Hands
  readonly settings: PerformanceSettings
  turnTo(instant: string | Date): void
  /** Registers a Party of that name now. @returns its number */
  party(name: string, deviceSubscriber?: boolean): Promise<number>
  /** A batch as the door and the signer leave it behind. @returns its number */
  batch(batch: {
    party: number
    count: number
    received: string
    completed?: string
    state?: string
    decided?: string
    queued?: string
  }): Promise<bigint>
  journal(): Promise<Act[]>
  close(): Promise<void>
}

export function settingsOf(changes: Record<string, unknown> = {}): PerformanceSettings {
  const text = JSON.stringify({ environment: 'performance', kind: 'test', performance: changes })
  return parseSettings(text, 'the test').performance
}

export async function openOffice(instant: string, changes: Record<string, unknown> = {}): Promise<Office> {
  const { store, close } = await testStore({ migrations })
  let now = new Date(instant)
  let last = 0n
  return {
    store,
    hands: { store, clock: () => now },
    settings: settingsOf(changes),
    turnTo: to => {
      now = new Date(to)
    },
    party: (name, deviceSubscriber = true) =>
      store.transaction(client =>
        registerParty(client, { name, tradingName: `${name} & Co`, deviceSubscriber, roles: [] }, now),
      ),
    async batch({ party, count, received, completed, state, decided, queued }) {
      const id = ++last
      await store.query(
        `INSERT INTO batch (id, party, reference, state, received_at, sha256, octets, count, decided_at, queued_at, completed_at)
         VALUES ($1, $2, 'b', $3, $4, $5, 1, $6, $7, $8, $9)`,
        [
          id,
          party,
          state ?? (completed ? 'COMPLETED' : 'PROCESSING'),
          received,
          Buffer.alloc(32),
          count,
          decided ?? received,
          queued ?? received,
          completed ?? null,
        ],
      )
      return id
    },
    async journal() {
      const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
      return rows.map(row => readEntry(row.octets))
    },
    close,
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
