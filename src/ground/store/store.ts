/** The store: PostgreSQL, embedded or not, behind a pool of connections. */

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Refusal } from '../refusal.ts'
import type { StoreRefusal } from './refusals.ts'

/** How to reach a server: plain data without a secret in it, to be handed to workers and child processes. */
export interface Connection {
  /** A host name, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** The file that holds the password. */
  readonly passwordFile?: string
}

/** One connection with its session: what the work of a transaction is given. */
export type Client = pg.ClientBase

/** SQL, or `{ name, text, values }` for a statement that each connection prepares once. */
export type Statement = string | pg.QueryConfig<unknown[]>

export interface TransactionOptions {
  /** Default: PostgreSQL's own, READ COMMITTED. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'
}

export interface Store {
  /** One statement, by itself. int8 comes back as bigint, bytea as Buffer, timestamptz as Date (to the millisecond). */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    statement: Statement,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>
  /**
   * The work between BEGIN and COMMIT, rolled back when it throws. On a serialization failure (40001) or a deadlock
   * (40P01), the whole work is done again, four times at most: it may have no effect but through its client.
   */
  transaction<T>(work: (client: Client) => Promise<T>, options?: TransactionOptions): Promise<T>
  close(): Promise<void>
}

export interface StoreOptions {
  /** Most connections at a time; default 10. */
  readonly max?: number
  /** The oldest server that will do, as `server_version_num`; default 15.0. */
  readonly oldest?: number
}

/**
 * @param target a connection, or a `postgres://` URL.
 * @throws Refusal STORE_TOO_OLD
 */
export async function openStore(target: Connection | string, options: StoreOptions = {}): Promise<Store> {
  const { max = 10, oldest = 150_000 } = options
  // A pool without work is no reason for the process to live on.
  const pool = new pg.Pool({ ...clientConfig(target), max, types, allowExitOnIdle: true, Client: TidyClient })
  // A connection that breaks fails the query it is in; outside a query there is nothing to fail, and the pool
  // opens another when one is needed. Without a listener the event would end the process.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  try {
    await requireVersion(pool, oldest)
  } catch (cause) {
    await pool.end()
    throw cause
  }
  return {
    query: (statement, values) => pool.query(statement as string, values),
    transaction: (work, { isolation } = {}) =>
      transaction(pool, isolation ? `BEGIN ISOLATION LEVEL ${isolation}` : 'BEGIN', work),
    close: () => pool.end(),
  }
}

/** What `pg` wants to know. The password is read when a connection is opened. */
export function clientConfig(target: Connection | string): pg.ClientConfig {
  if (typeof target === 'string') return { connectionString: target }
  const { passwordFile, ...rest } = target
  return passwordFile === undefined ? rest : { ...rest, password: () => readFile(passwordFile, 'utf8') }
}

/** `pg` leaves a connection that could not log in open, for the server to close it after a minute. */
class TidyClient extends pg.Client {
  override connect(): Promise<pg.Client>
  override connect(callback: (error: Error) => void): void
  override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
    if (!callback) return super.connect()
    super.connect((error: Error) => {
      if (error) this.end()
      callback(error)
    })
  }
}

async function requireVersion(pool: pg.Pool, oldest: number): Promise<void> {
  const { rows } = await pool.query(
    "SELECT current_setting('server_version') AS name, current_setting('server_version_num')::int AS number",
  )
  const { name, number } = rows[0] as { name: string; number: number }
  if (number >= oldest) return
  const sentence = `the database server is PostgreSQL ${name}, and version ${Math.floor(oldest / 10_000)} or later is needed`
  throw new Refusal<StoreRefusal>('STORE_TOO_OLD', sentence, { details: { version: name } })
}

const attempts = 5

async function transaction<T>(pool: pg.Pool, begin: string, work: (client: Client) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, begin, work)
    } catch (cause) {
      const { code } = cause as { code?: string }
      if (attempt === attempts || (code !== '40001' && code !== '40P01')) throw cause
      await sleep(5 * attempt ** 2)
    }
  }
}

async function once<T>(pool: pg.Pool, begin: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query(begin)
    const result = await work(client)
    // If the connection breaks during this line, nobody knows whether the work was kept: that error is passed on,
    // and the work is not done again.
    const { command } = await client.query('COMMIT')
    // PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement had failed and the work ignored it.
    if (command !== 'COMMIT')
      throw new Error('nothing was kept: a statement failed and the work went on regardless')
    return result
  } catch (cause) {
    await client.query('ROLLBACK').catch((error: Error) => {
      broken = error
    })
    throw cause
  } finally {
    client.release(broken)
  }
}

/** Object ids of types (PostgreSQL, pg_type.dat) whose values `pg` would give as text. */
const int8 = 20
const int8Array = 1016

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary')
    if (oid === int8) return BigInt
    const parse = pg.types.getTypeParser(oid)
    return oid === int8Array
      ? (text: string) => (parse(text) as (string | null)[]).map(item => (item === null ? null : BigInt(item)))
      : parse
  },
}
