import assert from 'node:assert/strict'
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { connectionOf } from './embedded.ts'
import { openStore } from './store.ts'
import { testStore } from './testing.ts'
import { joinServer, placeForData } from './testing-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'testing-'))
after(() => rmSync(folder, { recursive: true }))
const migrations = pathToFileURL(folder)
writeFileSync(join(folder, '0001-meter.sql'), 'CREATE TABLE meter (id int); INSERT INTO meter VALUES (1)')

describe('a store for tests', () => {
  it('has the migrations applied, and is its own', async () => {
    const [one, other] = await Promise.all([testStore({ migrations }), testStore({ migrations })])
    await one.store.query('INSERT INTO meter VALUES (2)')
    assert.deepEqual((await one.store.query('SELECT id FROM meter ORDER BY id')).rows, [{ id: 1 }, { id: 2 }])
    assert.deepEqual((await other.store.query('SELECT id FROM meter')).rows, [{ id: 1 }])
    assert.equal((await other.store.query('SELECT name FROM migration')).rowCount, 1)
    await Promise.all([one.close(), other.close()])
  })

  it('is made of the migrations as they are now', async () => {
    writeFileSync(join(folder, '0002-more.sql'), 'INSERT INTO meter VALUES (7)')
    const { store, close } = await testStore({ migrations })
    assert.deepEqual((await store.query('SELECT id FROM meter ORDER BY id')).rows, [{ id: 1 }, { id: 7 }])
    await close()
  })

  it('can be reached by a child process, and is gone when it is closed, whoever is still there', async () => {
    const { store, connection, close } = await testStore()
    const guest = await openStore(connection)
    await guest.query('CREATE TABLE guest ()')
    await store.query('SELECT FROM guest')
    await close()
    await assert.rejects(guest.query('SELECT 1'))
    await guest.close()
    await assert.rejects(openStore(connection), { code: '3D000' })
  })

  it('says why when it has no migrations that work', async () => {
    const bad = mkdtempSync(join(folder, 'bad-'))
    writeFileSync(join(bad, '0001-bad.sql'), 'CREATE NONSENSE')
    await assert.rejects(testStore({ migrations: pathToFileURL(bad) }), /0001-bad\.sql: syntax error/)
  })
})

describe('the server of the tests', () => {
  /** What a test that failed left running would keep the tests from ending. */
  const started: ChildProcess[] = []
  after(() => {
    for (const child of started) child.kill('SIGKILL')
  })

  it('is started by one of several processes, kept while any of them lives, and leaves nothing behind', async () => {
    const home = join(mkdtempSync(join(placeForData(), 'shared-')), 'server')
    const source = `
      import { joinServer } from ${JSON.stringify(import.meta.resolve('./testing-server.ts'))}
      const { query } = await joinServer(${JSON.stringify(home)}, 600)
      console.log((await query('SELECT pg_postmaster_start_time()::text AS it')).rows[0].it)
      setInterval(() => {}, 1000)`
    const children = [1, 2, 3].map(() => execFile(process.execPath, ['--input-type=module', '-e', source]))
    started.push(...children)
    const said = await Promise.all(children.map(async child => (await once(child.stdout!, 'data'))[0]))
    assert.equal(new Set(said).size, 1, 'all are in one server')

    // The first two are killed, and the server is there for the third, for longer than it lingers.
    for (const child of children.slice(0, 2)) child.kill('SIGKILL')
    await sleep(1200)
    assert.ok(await connectionOf(home))
    children[2]!.kill('SIGKILL')
    for (let waited = 0; existsSync(home); waited += 50) {
      assert.ok(waited < 30_000, 'it does not end')
      await sleep(50)
    }
    await sleep(100)
    assert.deepEqual(readdirSync(dirname(home)), [])
    rmSync(dirname(home), { recursive: true })
  })

  it('is not joined in a folder that others may enter', async () => {
    const open = mkdtempSync(join(folder, 'open-'))
    chmodSync(open, 0o755)
    await assert.rejects(joinServer(open), /must be ours alone/)
  })
})
