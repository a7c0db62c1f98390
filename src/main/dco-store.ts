/** The DCO's store: an embedded PostgreSQL of its own, in its own home. It never opens an S1SP's. */

import { connectionOf, startEmbedded } from '../ground/store/embedded.ts'
import { migrate } from '../ground/store/migrate.ts'
import { openStore, type Store } from '../ground/store/store.ts'
import type { DcoHome } from './dco-home.ts'
import { systemChance } from './world.ts'

const migrations = new URL('../rooms/symmetric/dco/migrations/', import.meta.url)

export interface OpenedDcoStore {
  readonly store: Store
  readonly ended: Promise<void>
  close(): Promise<void>
}

/**
 * @param share whether one that runs already will do: a command beside the program
 * @throws Refusal STORE_IN_USE
 */
export async function openDcoStore(home: DcoHome, share: boolean): Promise<OpenedDcoStore> {
  const running = share ? await connectionOf(home.store) : undefined
  if (running) {
    const store = await openStore(running, { max: 4 })
    return { store, ended: new Promise(() => {}), close: () => store.close() }
  }
  const embedded = await startEmbedded(home.store, { chance: systemChance })
  try {
    const store = await openStore(embedded.connection, { max: 16 })
    await migrate(store, migrations)
    return {
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
