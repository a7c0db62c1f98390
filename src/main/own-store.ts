/** The store of a DCO or an S1SP: an embedded PostgreSQL of its own, in its own home. Neither opens the other's. */

import { connectionOf, startEmbedded } from '../ground/store/embedded.ts'
import { type MigrationSource, migrate } from '../ground/store/migrate.ts'
import { openStore, type Store } from '../ground/store/store.ts'
import { systemChance } from './world.ts'

export interface OwnStore {
  readonly store: Store
  /** Resolves when an embedded store that was started here ended without being asked to. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/**
 * @param folder where the store lives
 * @param share whether one that runs already will do: a command beside the program
 * @throws Refusal STORE_IN_USE, STORE_TOO_NEW, MIGRATION_CHANGED
 */
export async function openOwnStore(folder: string, migrations: MigrationSource, share: boolean): Promise<OwnStore> {
  const running = share ? await connectionOf(folder) : undefined
  if (running) {
    const store = await openStore(running, { max: 4 })
    return { store, ended: new Promise(() => {}), close: () => store.close() }
  }
  const embedded = await startEmbedded(folder, { chance: systemChance })
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
