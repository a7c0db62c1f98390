import assert from 'node:assert/strict'
import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { Refusal } from '../refusal.ts'
import { living } from './living.ts'
import { heldBy, takeLock } from './lock.ts'

const folders: string[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'))
  folders.push(folder)
})

after(() => Promise.all(folders.map(each => rm(each, { recursive: true }))))

/** What a test that failed left running would keep the tests from ending. */
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

/** Another process that takes the lock of a folder, says whether it could, and waits for its end. */
function taker(at = folder) {
  const source = `
    import { takeLock } from ${JSON.stringify(import.meta.resolve('./lock.ts'))}
    await takeLock(${JSON.stringify(at)}).then(() => console.log('taken'), error => console.log(error.code ?? error))
    setInterval(() => {}, 1000)`
  const child = execFile(process.execPath, ['--input-type=module', '-e', source])
  started.push(child)
  return { child, said: once(child.stdout!, 'data').then(([text]) => text.trim()) }
}

async function end({ child }: ReturnType<typeof taker>): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Who is dead, with a process id that lives. */
const dead = JSON.stringify({ holder: { pid: process.pid, born: 'another boot 4711' } })

describe('the lock on a folder', () => {
  it('is had by one at a time, and says by whom', async () => {
    const lock = await takeLock(folder)
    await assert.rejects(takeLock(folder), (error: Refusal) => {
      assert.ok(error instanceof Refusal)
      assert.equal(error.code, 'STORE_IN_USE')
      assert.ok(error.message.includes(folder) && error.message.includes(`${process.pid}`), error.message)
      assert.deepEqual(error.details, { folder, pid: process.pid })
      return true
    })
    assert.deepEqual(await heldBy(folder), { holder: living(process.pid) })
    await lock.release()
    assert.equal(await heldBy(folder), undefined)
    await (await takeLock(folder)).release()
  })

  it('carries what its holder tells', async () => {
    const lock = await takeLock<{ port: number }>(folder)
    await lock.tell({ port: 5432 })
    assert.deepEqual((await heldBy(folder))?.note, { port: 5432 })
    await lock.release()
    assert.equal(await heldBy(folder), undefined)
  })

  it('is free in a folder where nobody ever had it, and in one that is not there', async () => {
    assert.equal(await heldBy(folder), undefined)
    assert.equal(await heldBy(join(folder, 'not there')), undefined)
  })

  it('is kept from another process while its holder lives, and not after it was killed', async () => {
    const first = taker()
    assert.equal(await first.said, 'taken')
    const second = taker()
    assert.equal(await second.said, 'STORE_IN_USE')
    await end(second)
    assert.equal((await heldBy(folder))?.holder.pid, first.child.pid)
    await end(first)
    assert.equal(await heldBy(folder), undefined)
    await (await takeLock(folder)).release()
  })

  it('is not held by a process that was given the process id of a dead holder', async () => {
    await writeFile(join(folder, 'lock.7'), dead)
    assert.equal(await heldBy(folder), undefined)
    const lock = await takeLock(folder)
    assert.deepEqual(
      (await readdir(folder)).filter(name => /^lock\.\d/.test(name)),
      ['lock.8'],
    )
    await lock.release()
  })

  it('is free after a power cut that emptied or tore its file', async () => {
    for (const content of ['', '{"holder":{"pid"', '\0\0\0\0']) {
      await writeFile(join(folder, 'lock.100'), content)
      await (await takeLock(folder)).release()
      await rm(join(folder, 'lock.101'))
    }
  })

  it('is had by exactly one of many that find a dead holder at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const at = join(folder, `${round}`)
      await mkdir(at)
      await writeFile(join(at, 'lock.3'), dead)
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => takeLock(at)))
      assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const each of tries) if (each.status === 'rejected') assert.equal(each.reason.code, 'STORE_IN_USE')
    }
  })

  it('is had by exactly one of several processes that start at the same moment', async () => {
    await writeFile(join(folder, 'lock.3'), dead)
    const takers = Array.from({ length: 4 }, () => taker())
    const said = await Promise.all(takers.map(each => each.said))
    assert.deepEqual(said.sort(), ['STORE_IN_USE', 'STORE_IN_USE', 'STORE_IN_USE', 'taken'])
    await Promise.all(takers.map(end))
  })

  it('leaves one file behind, and nothing of those that were killed while taking it', async () => {
    const gone = taker(folder)
    await gone.said
    await end(gone)
    assert.equal((await readdir(folder)).length, 2, 'its lock and its drafts')
    const lock = await takeLock(folder)
    await lock.release()
    assert.deepEqual(await readdir(folder), ['lock.2'])
  })
})
