/** The process that keeps the PostgreSQL of the tests, as long as any test process uses it. */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../refusal.ts'
import { type Embedded, startEmbedded } from './embedded.ts'
import { clientConfig } from './store.ts'
import { inUse } from './testing-server.ts'

const [folder, linger] = [process.argv[2]!, Number(process.argv[3])]
const interval = 200

const server = await start()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.stop())
server.ended.then(() => process.exit())

const client = new pg.Client(clientConfig(server.connection))
client.on('error', () => {})
await client.connect()
for (let alone = 0; alone < linger; ) {
  await sleep(interval)
  // Had alone, the lock keeps newcomers waiting; they are let in at once, or find out that the server has ended.
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS had', [inUse])
  alone = rows[0].had ? alone + interval : 0
  if (rows[0].had && alone < linger) await client.query('SELECT pg_advisory_unlock($1)', [inUse])
}
await server.stop()

async function start(): Promise<Embedded> {
  const settings = { max_connections: '200', shared_buffers: '64MB', max_wal_size: '512MB' }
  try {
    return await startEmbedded(folder, { chance: randomBytes, temporary: true, settings })
  } catch (cause) {
    // Another keeper was quicker.
    if (cause instanceof Refusal && cause.code === 'STORE_IN_USE') process.exit(0)
    throw cause
  }
}
