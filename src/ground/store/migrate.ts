/** Brings a database to the shape that the program needs: numbered SQL files, forward only. */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { toHex } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import type { StoreRefusal } from './refusals.ts'
import type { Client, Store } from './store.ts'

/** One file `NNNN-name.sql`. */
export interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string
}

/** What every journal stands on: the first migration of each store that has one, whosever store it is. */
export const journalMigration = new URL('./migrations/0001-journal.sql', import.meta.url)

/** A folder of migrations; or folders and single files `NNNN-name.sql`, which make one sequence. */
export type MigrationSource = URL | readonly URL[]

/**
 * Applies the migrations that are not applied yet, in the order of their numbers, each in a transaction of
 * its own. Any number of programs may start at once: one applies, the others wait for it.
 *
 * @returns the names of those that were applied now.
 * @throws Refusal STORE_TOO_NEW, MIGRATION_CHANGED; nothing more is applied then.
 */
export async function migrate(store: Store, source: MigrationSource): Promise<string[]> {
  const migrations = await readMigrations(source)
  const names: string[] = []
  for (;;) {
    const name = await store.transaction(client => applyNext(client, migrations))
    if (name === undefined) return names
    names.push(name)
  }
}

/** The migrations of a source, by number. Other files of a folder are left alone. @throws when two have one number. */
export async function readMigrations(source: MigrationSource): Promise<Migration[]> {
  const files = (await Promise.all([source].flat().map(migrationFiles))).flat()
  const migrations = (await Promise.all(files.map(readMigration))).sort((a, b) => a.number - b.number)
  for (const [i, { number, name }] of migrations.entries()) {
    if (migrations[i - 1]?.number === number) throw new Error(`two migrations have the number of ${name}`)
  }
  return migrations
}

/** `NNNN-name.sql`, at the end of a URL or alone. */
const form = /(?:^|\/)((\d{4})-[^/]+\.sql)$/

/** In the order of their names. */
async function migrationFiles(source: URL): Promise<URL[]> {
  if (form.test(source.pathname)) return [source]
  const names = (await readdir(source)).filter(name => form.test(name)).sort()
  return names.map(name => new URL(name, directory(source)))
}

async function readMigration(file: URL): Promise<Migration> {
  const [, name, number] = form.exec(file.pathname)!
  const octets = await readFile(file)
  const digest = createHash('sha256').update(octets).digest('hex')
  return { number: Number(number), name: name!, sql: octets.toString(), digest }
}

/** The name of the lock, for `pg_advisory_xact_lock`: any number, but the same in every version of the program. */
const lockNumber = 5_361_117_309_402_176n

async function applyNext(client: Client, migrations: readonly Migration[]): Promise<string | undefined> {
  // Held until the end of the transaction. Before anything is looked at, so that what is seen is settled.
  await client.query('SELECT pg_advisory_xact_lock($1)', [lockNumber])
  await client.query(`CREATE TABLE IF NOT EXISTS migration (
    number int PRIMARY KEY, name text NOT NULL, digest bytea NOT NULL, applied timestamptz NOT NULL DEFAULT now())`)
  const { rows } = await client.query<Applied>('SELECT number, name, digest FROM migration ORDER BY number')
  for (const applied of rows) requireSame(applied, migrations)

  const reached = rows.at(-1)?.number ?? 0
  const next = migrations.filter(({ number }) => !rows.some(row => row.number === number))[0]
  if (next === undefined) return undefined
  if (next.number < reached)
    throw changed(`${next.name} was added before number ${reached}, which is applied already`)
  await run(client, next)
  const values = [next.number, next.name, Buffer.from(next.digest, 'hex')]
  await client.query('INSERT INTO migration (number, name, digest) VALUES ($1, $2, $3)', values)
  return next.name
}

async function run(client: Client, { name, sql }: Migration): Promise<void> {
  try {
    // One result for each statement of the file.
    const results = [await client.query(sql)].flat()
    // What has ended our transaction has undone our promise that the file is applied as a whole or not at all.
    const ends = results.some(({ command }) => ['BEGIN', 'START', 'COMMIT', 'ROLLBACK'].includes(command))
    if (ends) throw new Error('a migration must not begin or end a transaction')
  } catch (cause) {
    throw new Error(`migration ${name}: ${(cause as Error).message}`, { cause })
  }
}

interface Applied {
  readonly number: number
  readonly name: string
  readonly digest: Buffer
}

function requireSame(applied: Applied, migrations: readonly Migration[]): void {
  const known = migrations.find(({ number }) => number === applied.number)
  if (known?.digest === toHex(applied.digest) && known.name === applied.name) return
  if (known) throw changed(`${applied.name} is not the file that was applied to the database`)
  const newest = migrations.at(-1)?.number ?? 0
  if (applied.number < newest) throw changed(`${applied.name} was applied to the database, and its file is gone`)
  throw new Refusal<StoreRefusal>(
    'STORE_TOO_NEW',
    `the database was brought to ${applied.name} by a newer program, and this one ends at number ${newest}: run the newer program`,
    { details: { applied: applied.number, newest } },
  )
}

function changed(what: string): Refusal<StoreRefusal> {
  return new Refusal(
    'MIGRATION_CHANGED',
    `${what}: migrations that were applied are never changed, only followed by new ones`,
  )
}

/** A URL names a folder only with a slash at its end. */
function directory(folder: URL): URL {
  return folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`)
}
