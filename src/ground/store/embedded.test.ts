import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Refusal } from '../refusal.ts'
import { connectionOf, type StartOptions, startEmbedded } from './embedded.ts'
import { kill, query } from './embedded-testing.ts'
import { type Living, living, stillLives } from './living.ts'
import { type Connection, openStore } from './store.ts'
import { placeForData } from './testing-server.ts'

const isRoot = process.getuid?.() === 0
const linuxOnly = { skip: process.platform === 'linux' ? false : 'looks at processes through /proc' }

/** Made by the first test, and used by all that follow: what they are about is how it starts and ends. */
let folder: string
const options: StartOptions = { chance: randomBytes }

before(async () => {
  folder = realpathSync(await mkdtemp(join(placeForData(), 'embedded-')))
})

after(() => rm(folder, { recursive: true }))

/** What a test that failed left running would keep the tests from ending. */
const started = new Set<ChildProcess>()
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})

let acknowledged = 0

async function add(connection: Connection): Promise<void> {
  await query(connection, 'CREATE TABLE IF NOT EXISTS kept (id int)')
  await query(connection, `INSERT INTO kept VALUES (${acknowledged + 1})`)
  acknowledged++
}

async function nothingIsLost(connection: Connection): Promise<void> {
  await query(connection, 'CREATE TABLE IF NOT EXISTS kept (id int)')
  const rows = await query(connection, 'SELECT id FROM kept ORDER BY id')
  assert.deepEqual(
    rows.map(({ id }) => id),
    Array.from({ length: acknowledged }, (_, index) => index + 1),
  )
}

/** Another process that starts the store of the folder and then waits for its end. */
async function starter(): Promise<{ said: string; pid: number; end(): Promise<void> }> {
  const source = `
    import { randomBytes } from 'node:crypto'
    import { startEmbedded } from ${JSON.stringify(import.meta.resolve('./embedded.ts'))}
    await startEmbedded(${JSON.stringify(folder)}, { chance: randomBytes })
      .then(({ pid }) => console.log(pid), error => console.log(error.code ?? error))
    setInterval(() => {}, 1000)`
  const child = execFile(process.execPath, ['--input-type=module', '-e', source])
  started.add(child)
  const [said] = await once(child.stdout!, 'data')
  const end = async (): Promise<void> => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  return { said: said.trim(), pid: child.pid!, end }
}

async function ended(process: Living, seconds = 15): Promise<void> {
  for (let waited = 0; stillLives(process); waited += 20) {
    assert.ok(waited < seconds * 1000, `process ${process.pid} still lives after ${seconds} s`)
    await sleep(20)
  }
}

/** The processes that the postmaster forked, and its guard, which is in its session or names it. */
function around(postmaster: number): { children: number[]; guards: number[] } {
  const found = { children: [] as number[], guards: [] as number[] }
  for (const name of readdirSync('/proc').filter(each => /^\d+$/.test(each))) {
    const stat = read(`/proc/${name}/stat`)
    // proc_pid_stat(5): after the name come the state, the parent, the process group and the session.
    const [, parent, , session] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const words = read(`/proc/${name}/cmdline`).split('\0')
    if (words[2]?.startsWith('guard()') && (session === postmaster || words.includes(`${postmaster}`))) {
      found.guards.push(Number(name))
    } else if (parent === postmaster) found.children.push(Number(name))
  }
  return found
}

/** Empty when the process has ended in the meantime. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    assert.ok(['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code!), `${cause}`)
    return ''
  }
}

describe('an embedded store', () => {
  it('is a PostgreSQL 18 that listens on a socket only, durable, and closed to others', async () => {
    const store = await startEmbedded(folder, options)
    const [row] = await query(
      store.connection,
      `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('listen_addresses') AS tcp,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
       current_setting('full_page_writes') AS pages, current_setting('server_encoding') AS encoding,
       (SELECT datcollate FROM pg_database WHERE datname = current_database()) AS locale,
       current_setting('data_checksums') AS checksums`,
    )
    const expected = {
      tcp: '',
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      encoding: 'UTF8',
      locale: 'C',
      checksums: 'on',
    }
    assert.deepEqual(row, { version: 18, ...expected })
    for (const name of ['.', 'data']) assert.equal(lstatSync(join(folder, name)).mode & 0o777, 0o700, name)
    for (const name of ['password', 'postgres.log'])
      assert.equal(lstatSync(join(folder, name)).mode & 0o777, 0o600, name)
    assert.match(await readFile(join(folder, 'password'), 'utf8'), /^[0-9a-f]{64}$/)
    await add(store.connection)
    await store.stop()
    await store.ended
  })

  it('keeps its data when it is stopped and started again, and stops twice as well as once', async () => {
    const store = await startEmbedded(folder, options)
    await add(store.connection)
    await Promise.all([store.stop(), store.stop()])
    const again = await startEmbedded(folder, options)
    await nothingIsLost(again.connection)
    await again.stop()
    await assert.rejects(query(again.connection, 'SELECT 1'))
  })

  it('is found by who knows its folder, while it runs', async () => {
    assert.equal(await connectionOf(folder), undefined)
    const child = await starter()
    const connection = await connectionOf(folder)
    assert.ok(connection)
    await nothingIsLost(connection)
    await child.end()
    assert.equal(await connectionOf(folder), undefined)
  })

  it('is not started twice, and whoever tries is told which folder and which process', async () => {
    const store = await startEmbedded(folder, options)
    const refused = (error: Refusal): boolean => {
      assert.equal(error.code, 'STORE_IN_USE')
      assert.ok(error.message.includes(folder) && error.message.includes(`${process.pid}`), error.message)
      return true
    }
    await assert.rejects(startEmbedded(folder, options), refused)
    const other = await starter()
    assert.equal(other.said, 'STORE_IN_USE')
    await other.end()
    await nothingIsLost(store.connection)
    await store.stop()
  })

  it('is started by exactly one of two that try at the same moment', async () => {
    const both = await Promise.all([starter(), starter()])
    const said = both.map(each => each.said).sort()
    assert.match(said[0]!, /^\d+$/)
    assert.equal(said[1], 'STORE_IN_USE')
    await Promise.all(both.map(each => each.end()))
  })

  it('keeps what was acknowledged when its server is killed, and says that it has ended', async () => {
    const store = await startEmbedded(folder, options)
    await add(store.connection)
    kill(store.pid)
    await store.ended
    assert.equal(await connectionOf(folder), undefined)
    assert.ok(existsSync(join(folder, 'data', 'postmaster.pid')), 'it could not tidy up')
    const again = await startEmbedded(folder, options)
    await nothingIsLost(again.connection)
    await again.stop()
    await store.stop()
  })

  it('ends by itself within seconds when its starter is killed', async () => {
    const child = await starter()
    const postmaster = living(Number(child.said))!
    await child.end()
    await ended(postmaster)
    assert.match(readFileSync(join(folder, 'postgres.log'), 'utf8').trim().split('\n').at(-1)!, /is shut down$/)
  })

  it('is started again at once when its starter was killed, whatever of the old server still runs', async () => {
    const child = await starter()
    const postmaster = living(Number(child.said))!
    const session = await openStore((await connectionOf(folder))!, { max: 1 })
    await child.end()
    const store = await startEmbedded(folder, options)
    assert.equal(stillLives(postmaster), false)
    await nothingIsLost(store.connection)
    await session.close()
    await store.stop()
  })

  it('ends with its starter also when its guard was killed before', linuxOnly, async () => {
    const child = await starter()
    const postmaster = living(Number(child.said))!
    const [first, ...more] = around(postmaster.pid).guards
    assert.ok(first && more.length === 0)
    kill(first)
    for (let waited = 0; around(postmaster.pid).guards.every(pid => pid === first); waited += 20) {
      assert.ok(waited < 15_000, 'no other guard takes its place')
      await sleep(20)
    }
    assert.ok(stillLives(postmaster))
    await child.end()
    await ended(postmaster)
  })

  it(
    'is started again when starter and guard were killed together and the server was left alone',
    linuxOnly,
    async () => {
      const child = await starter()
      const postmaster = living(Number(child.said))!
      for (const guard of around(postmaster.pid).guards) kill(guard)
      await child.end()
      await sleep(300)
      assert.ok(stillLives(postmaster), 'nobody is left to end it')
      const store = await startEmbedded(folder, options)
      assert.equal(stillLives(postmaster), false)
      await nothingIsLost(store.connection)
      await store.stop()
    },
  )

  it('is started again when everything was killed', linuxOnly, async () => {
    const child = await starter()
    const postmaster = Number(child.said)
    await add((await connectionOf(folder))!)
    const { children, guards } = around(postmaster)
    assert.ok(children.length > 3 && guards.length === 1)
    for (const pid of [...guards, postmaster, ...children]) kill(pid)
    await child.end()
    const store = await startEmbedded(folder, options)
    await nothingIsLost(store.connection)
    await store.stop()
  })

  it('is started again when a session outlived the server that was killed', linuxOnly, async () => {
    const child = await starter()
    const postmaster = Number(child.said)
    const store = await openStore((await connectionOf(folder))!, { max: 1 })
    // A session that computes does not look whether its server still lives.
    const busy = store
      .query('SELECT count(*) FROM generate_series(1, 40000) a, generate_series(1, 40000) b')
      .catch(() => {})
    await sleep(200)
    const { guards } = around(postmaster)
    for (const pid of [...guards, postmaster]) kill(pid)
    await child.end()
    const again = await startEmbedded(folder, options)
    await nothingIsLost(again.connection)
    await busy
    await store.close()
    await again.stop()
  })

  it('is not kept from starting by a process that was given the process id of the dead server', async () => {
    const owner = statSync(join(folder, 'data'))
    const innocent = spawn('/bin/cat', { ...(isRoot ? { uid: owner.uid, gid: owner.gid } : {}) })
    started.add(innocent)
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock']) {
      await writeFile(join(folder, 'data', name), `${innocent.pid}\n${folder}/data\n1\n5432\n.\n\n1 1\nready\n`)
    }
    const store = await startEmbedded(folder, options)
    await store.stop()
    assert.ok(living(innocent.pid!), 'and that process is left alone')
  })

  it('is not started where a server answers that cannot be seen from here', async () => {
    const server = createServer().unref()
    await new Promise<void>(resolve => server.listen(join(folder, 'data', '.s.PGSQL.5432'), resolve))
    await assert.rejects(startEmbedded(folder, options), { code: 'STORE_IN_USE' })
    await new Promise(resolve => server.close(resolve))
    await (await startEmbedded(folder, options)).stop()
  })

  it('says in the words of PostgreSQL why it does not start, and frees the folder', async () => {
    const wrong = { ...options, settings: { shared_buffers: 'plenty' } }
    await assert.rejects(startEmbedded(folder, wrong), /did not start.*exit code 1.*shared_buffers/s)
    await (await startEmbedded(folder, options)).stop()
  })

  it('leaves no server behind when its start fails after the server was there', async () => {
    const home = join(folder, 'failing')
    const start = assert.rejects(startEmbedded(home, { ...options, temporary: true }), { code: 'ENOENT' })
    // Without the folder of its drafts, it cannot tell where the server is.
    while (!existsSync(home) || !readdirSync(home).some(name => name.startsWith('lock.new-'))) await sleep(1)
    for (const name of readdirSync(home))
      if (name.startsWith('lock.new-')) await rm(join(home, name), { recursive: true })
    let postmaster: Living | undefined
    while (!postmaster) {
      postmaster = living(Number.parseInt(read(join(home, 'data', 'postmaster.pid')) || '0', 10))
      await sleep(1)
    }
    await start
    assert.equal(stillLives(postmaster), false)
  })

  it('does not keep the process from ending, and ends with it', async () => {
    const source = `
      import { randomBytes } from 'node:crypto'
      import { startEmbedded } from ${JSON.stringify(import.meta.resolve('./embedded.ts'))}
      console.log((await startEmbedded(${JSON.stringify(folder)}, { chance: randomBytes })).pid)`
    const child = execFile(process.execPath, ['--input-type=module', '-e', source])
    const over = once(child, 'exit')
    const [said] = await once(child.stdout!, 'data')
    const postmaster = living(Number(said))
    assert.deepEqual(await over, [0, null])
    if (postmaster) await ended(postmaster)
  })

  it('is made whole or not at all', async () => {
    const home = join(folder, 'half')
    await mkdir(join(home, 'data.new-killed', 'base'), { recursive: true })
    const store = await startEmbedded(home, { ...options, temporary: true })
    const names = readdirSync(home).filter(name => name.startsWith('data'))
    assert.deepEqual(names, ['data'])
    await store.stop()
  })

  it('leaves nothing of its folder when it is temporary', () => {
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('half')),
      [],
    )
  })
})
