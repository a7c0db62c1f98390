/** One connection of its own, for what lasts as long as the connection does: a lock that tells that its holder lives. */

import pg from 'pg'
import { type Connection, clientConfig, type Statement } from './store.ts'

export interface Session {
  query<Row extends pg.QueryResultRow>(statement: Statement, values?: unknown[]): Promise<pg.QueryResult<Row>>
  /** Resolves when the connection broke without being closed: its locks are gone, and may be another's. */
  readonly lost: Promise<Error>
  close(): Promise<void>
}

/** Numbers of eight octets come back as text, as `pg` gives them: this is for locks and notes. */
export async function openSession(target: Connection | string): Promise<Session> {
  // TCP asks by itself whether the other side is there; on a Unix socket it is or it is not.
  const client = new pg.Client({ ...clientConfig(target), keepAlive: true })
  const { promise: lost, resolve: lose } = Promise.withResolvers<Error>()
  let closed = false
  const broke = (cause?: Error) => {
    if (!closed) lose(cause ?? new Error('the store closed the connection'))
  }
  client.on('error', broke)
  client.on('end', () => broke())
  await client.connect()
  return {
    query: (statement, values) => client.query(statement as string, values),
    lost,
    async close() {
      closed = true
      await client.end()
    },
  }
}
