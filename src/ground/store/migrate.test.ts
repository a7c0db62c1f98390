import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Refusal } from '../refusal.ts'
import { journalMigration, migrate, readMigrations } from './migrate.ts'
import { openStore, type Store } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

let test: TestStore
let store: Store
let folder: string
let url: URL

beforeEach(async () => {
  test = await testStore()
  store = test.store
  folder = await mkdtemp(join(tmpdir(), 'migrations-'))
  url = pathToFileURL(folder)
  await put('0001-first.sql', 'CREATE TABLE first (id int); INSERT INTO first VALUES (1);')
  await put('0002-second.sql', 'CREATE TABLE second AS SELECT id + 1 AS id FROM first;')
})

afterEach(async () => {
  await test.close()
  await rm(folder, { recursive: true })
})

const put = (name: string, sql: string) => writeFile(join(folder, name), sql)
const applied = async () =>
  (await store.query('SELECT name FROM migration ORDER BY number')).rows.map(row => row.name)
const refused = (code: string, says: RegExp) => (error: Refusal) => {
  assert.equal(error.code, code)
  assert.match(error.message, says)
  return true
}

describe('migrating a store', () => {
  it('applies each file once, in order, and remembers what it was', async () => {
    await put('README.md', 'not a migration')
    assert.deepEqual(await migrate(store, url), ['0001-first.sql', '0002-second.sql'])
    assert.deepEqual((await store.query('SELECT id FROM second')).rows, [{ id: 2 }])
    assert.deepEqual(await migrate(store, url), [])
    await put('0005-third.sql', 'CREATE TABLE third ()')
    assert.deepEqual(await migrate(store, new URL(`${url}/`)), ['0005-third.sql'])
    assert.deepEqual(await applied(), ['0001-first.sql', '0002-second.sql', '0005-third.sql'])
    const { rows } = await store.query(
      "SELECT digest = sha256('CREATE TABLE third ()') AS same FROM migration WHERE number = 5",
    )
    assert.deepEqual(rows, [{ same: true }])
  })

  it('leaves nothing of a file that fails, and keeps those before it', async () => {
    await put('0002-second.sql', 'CREATE TABLE half (); SELECT 1 / 0;')
    await assert.rejects(migrate(store, url), /0002-second\.sql: division by zero/)
    assert.deepEqual(await applied(), ['0001-first.sql'])
    assert.deepEqual((await store.query("SELECT to_regclass('half') AS half")).rows, [{ half: null }])
    await put('0002-second.sql', 'CREATE TABLE whole ();')
    assert.deepEqual(await migrate(store, url), ['0002-second.sql'])
  })

  it('is refused when a file that was applied has changed, by one octet or by name', async () => {
    await migrate(store, url)
    await put('0001-first.sql', 'CREATE TABLE first (id int); INSERT INTO first VALUES (1); ')
    await put('0003-third.sql', 'CREATE TABLE third ()')
    await assert.rejects(migrate(store, url), refused('MIGRATION_CHANGED', /0001-first\.sql is not the file/))
    assert.equal((await applied()).length, 2, 'nothing more is applied')
    await put('0001-first.sql', 'CREATE TABLE first (id int); INSERT INTO first VALUES (1);')
    await rename(join(folder, '0002-second.sql'), join(folder, '0002-other.sql'))
    await assert.rejects(migrate(store, url), refused('MIGRATION_CHANGED', /0002-second\.sql is not the file/))
  })

  it('is refused when a file that was applied is gone, or one was put before it', async () => {
    await put('0004-fourth.sql', 'CREATE TABLE fourth ()')
    await migrate(store, url)
    await put('0003-late.sql', 'CREATE TABLE late ()')
    await assert.rejects(
      migrate(store, url),
      refused('MIGRATION_CHANGED', /0003-late\.sql was added before number 4/),
    )
    await rm(join(folder, '0003-late.sql'))
    await rm(join(folder, '0002-second.sql'))
    await assert.rejects(migrate(store, url), refused('MIGRATION_CHANGED', /0002-second\.sql .* its file is gone/))
  })

  it('is refused when a newer program has been there', async () => {
    await migrate(store, url)
    await rm(join(folder, '0002-second.sql'))
    await assert.rejects(
      migrate(store, url),
      refused('STORE_TOO_NEW', /0002-second\.sql by a newer program.* number 1/),
    )
  })

  it('is done once when several programs start at once', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(test.connection, { max: 1 })))
    const done = await Promise.all(stores.map(each => migrate(each, url)))
    assert.deepEqual(done.flat().sort(), ['0001-first.sql', '0002-second.sql'])
    assert.deepEqual((await store.query('SELECT id FROM first')).rows, [{ id: 1 }])
    await Promise.all(stores.map(each => each.close()))
  })

  it('takes single files beside folders, and puts all in one order', async () => {
    await rm(join(folder, '0001-first.sql'))
    await rm(join(folder, '0002-second.sql'))
    await put('0003-after.sql', 'CREATE TABLE after AS SELECT count(*) FROM journal_entry')
    const read = await readMigrations([url, journalMigration])
    assert.deepEqual(
      read.map(({ number, name }) => [number, name]),
      [
        [1, '0001-journal.sql'],
        [3, '0003-after.sql'],
      ],
    )
    assert.deepEqual(await migrate(store, [journalMigration, url]), ['0001-journal.sql', '0003-after.sql'])
    await put('0001-first.sql', 'CREATE TABLE first ()')
    await assert.rejects(migrate(store, [journalMigration, url]), /two migrations have the number of/)
  })

  it('finds a store valid whose folder held the shared file as a copy', async () => {
    await rm(join(folder, '0001-first.sql'))
    await put('0002-second.sql', 'CREATE TABLE second ()')
    const copy = join(folder, '0001-journal.sql')
    await copyFile(journalMigration, copy)
    assert.deepEqual(await migrate(store, url), ['0001-journal.sql', '0002-second.sql'])
    await rm(copy)
    await put('0003-third.sql', 'CREATE TABLE third ()')
    assert.deepEqual(await migrate(store, [journalMigration, url]), ['0003-third.sql'])
  })

  it('does not take two files with one number, nor a file that ends the transaction', async () => {
    await put('0002-another.sql', 'CREATE TABLE another ()')
    await assert.rejects(migrate(store, url), /two migrations have the number of 0002-second\.sql/)
    await rm(join(folder, '0002-another.sql'))
    await put('0003-third.sql', 'CREATE TABLE third (); COMMIT;')
    await assert.rejects(migrate(store, url), /0003-third\.sql: a migration must not begin or end a transaction/)
    assert.deepEqual(await applied(), ['0001-first.sql', '0002-second.sql'])
  })
})
