/** A fresh database for a test, on a PostgreSQL that the test processes share and none of them has to start. */

import { createHash, randomBytes } from 'node:crypto'
import { type MigrationSource, migrate, readMigrations } from './migrate.ts'
import { type Connection, openStore, type Store } from './store.ts'
import { joinServer, type TestServer } from './testing-server.ts'

export interface TestStore {
  readonly store: Store
  /** For a child process or a worker of the test. */
  readonly connection: Connection
  /** Closes the store and drops its database, whoever else is still connected to it. */
  close(): Promise<void>
}

/**
 * A database of its own for whoever asks, with migrations applied. The first test process starts the
 * server, the others find it, and it ends and leaves nothing behind some seconds after the last of them has ended,
 * however they end. Its data is not forced to the disk (fsync is off): a test of durability starts its own server.
 */
export async function testStore({ migrations }: { migrations?: MigrationSource } = {}): Promise<TestStore> {
  const server = await thisProcess()
  const template = migrations ? await templateOf(server, migrations) : 'template1'
  const database = `test_${randomBytes(8).toString('hex')}`
  await server.query(`CREATE DATABASE ${database} TEMPLATE ${template}`)
  const connection = { ...server.connection, database }
  const store = await openStore(connection, { max: 8 })
  return {
    store,
    connection,
    close: async () => {
      await store.close()
      await emptied(server, database)
      await server.query(`DROP DATABASE ${database} WITH (FORCE)`)
    },
  }
}

/** One session for this process: while it lasts, the server does. */
let joined: Promise<TestServer> | undefined
const thisProcess = (): Promise<TestServer> => (joined ??= joinServer())

/** By the digest of what was migrated, so that a changed file makes another template. */
const templates = new Map<string, Promise<void>>()

async function templateOf(server: TestServer, source: MigrationSource): Promise<string> {
  const digest = createHash('sha256')
  for (const migration of await readMigrations(source)) digest.update(`${migration.name} ${migration.digest}\n`)
  const name = `template_${digest.digest('hex').slice(0, 32)}`
  if (!templates.has(name)) templates.set(name, makeTemplate(server, name, source))
  await templates.get(name)
  return name
}

async function makeTemplate(server: TestServer, name: string, source: MigrationSource): Promise<void> {
  const exists = `SELECT FROM pg_database WHERE datname = '${name}'`
  if ((await server.query(exists)).rowCount === 1) return
  // Of several test processes one makes it; a name is given to it only when it is whole.
  const lock = `hashtextextended('${name}', 0)`
  await server.query(`SELECT pg_advisory_lock(${lock})`)
  try {
    if ((await server.query(exists)).rowCount === 1) return
    const draft = `draft_${randomBytes(8).toString('hex')}`
    await server.query(`CREATE DATABASE ${draft}`)
    const store = await openStore({ ...server.connection, database: draft }, { max: 1 })
    await migrate(store, source).finally(() => store.close())
    await emptied(server, draft)
    await server.query(`ALTER DATABASE ${draft} RENAME TO ${name}`)
  } finally {
    await server.query(`SELECT pg_advisory_unlock(${lock})`)
  }
}

/** A session ends a moment after its connection; a command that finds one there waits for a tenth of a second. */
async function emptied(server: TestServer, database: string): Promise<void> {
  const sessions = `SELECT FROM pg_stat_activity WHERE datname = '${database}'`
  for (let look = 0; look < 50 && (await server.query(sessions)).rowCount !== 0; look++);
}
