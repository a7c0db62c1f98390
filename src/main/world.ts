/** What enters from outside: the system's clock, its randomness, the store of an environment. */

import { randomFillSync } from 'node:crypto'
import type { Chance, Clock } from '../ground/clock.ts'
import { connectionOf, startEmbedded } from '../ground/store/embedded.ts'
import { migrate } from '../ground/store/migrate.ts'
import { type Connection, openStore, type Store } from '../ground/store/store.ts'
import type { Home } from './home.ts'

export const systemClock: Clock = () => new Date()
export const systemChance: Chance = length => randomFillSync(new Uint8Array(length))

const migrations = new URL('../ground/store/migrations/', import.meta.url)

export interface OpenedStore {
  readonly target: Connection | string
  readonly store: Store
  /** Resolves when an embedded store ended without being asked to. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/**
 * The store of an environment: that of `DATABASE_URL`; else the embedded one, started here, or found running when
 * `share` is set (a command beside a running service).
 * @throws Refusal STORE_IN_USE
 */
export async function openHomeStore(
  home: Home,
  { share, max = 10 }: { share: boolean; max?: number },
): Promise<OpenedStore> {
  const url = process.env.DATABASE_URL
  const running = url ?? (share ? await connectionOf(home.store) : undefined)
  if (running !== undefined) {
    const store = await openStore(running, { max })
    await migrate(store, migrations)
    return { target: running, store, ended: new Promise(() => {}), close: () => store.close() }
  }
  const embedded = await startEmbedded(home.store, { chance: systemChance })
  try {
    const store = await openStore(embedded.connection, { max })
    await migrate(store, migrations)
    return {
      target: embedded.connection,
      store,
      ended: embedded.ended,
      async close() {
        await store.close()
        await embedded.stop()
      },
    }
  } catch (cause) {
    await embedded.stop()
    throw cause
  }
}
