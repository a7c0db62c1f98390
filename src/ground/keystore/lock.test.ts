import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { withLock } from './lock.ts'

const home = mkdtempSync(join(tmpdir(), 'lock-'))
after(() => rmSync(home, { recursive: true }))
const soon = { tries: 5, pause: 2 }
let count = 0
const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined
const module = JSON.stringify(new URL('./lock.ts', import.meta.url).href)
const replaceLock = (path: string, text: string) => {
  rmSync(`${path}.lock`)
  symlinkSync(text, `${path}.lock`)
}
const newPath = () => join(home, `file-${++count}`)

/** A lock of a process that was killed while it held it. */
function leaveBehind(path: string): void {
  const code = `import { withLock } from ${module}; withLock(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code, path])
  assert.equal(child.signal, 'SIGKILL')
  assert.ok(isThere(`${path}.lock`))
}

describe('A lock', () => {
  it('is held while the work runs, and is let go also when the work throws', () => {
    const path = newPath()
    assert.equal(
      withLock(path, () => isThere(`${path}.lock`)),
      true,
    )
    assert.ok(!isThere(`${path}.lock`))
    assert.throws(() =>
      withLock(path, () => {
        throw new Error('stumbled')
      }),
    )
    assert.ok(!isThere(`${path}.lock`))
  })

  it('is refused while somebody alive holds it, and names its file', () => {
    const path = newPath()
    withLock(path, () => {
      assert.throws(() => withLock(path, () => 0, soon), { code: 'KEYSTORE_LOCKED', message: /file-\d+\.lock/ })
      assert.ok(isThere(`${path}.lock`))
    })
  })

  it('is taken over from a process that was killed', () => {
    const path = newPath()
    leaveBehind(path)
    assert.equal(
      withLock(path, () => 'done', soon),
      'done',
    )
    assert.ok(!isThere(`${path}.lock`) && !isThere(`${path}.lock.stale`))
  })

  it('is taken over when another process has got the number of the killed one', () => {
    const path = newPath()
    leaveBehind(path)
    replaceLock(path, readlinkSync(`${path}.lock`).replace(/^\d+/, `${process.ppid}`))
    assert.equal(
      withLock(path, () => 'done', soon),
      'done',
    )
  })

  it('is not taken over when nobody can know whether its holder lives', () => {
    const path = newPath()
    leaveBehind(path)
    const content = readlinkSync(`${path}.lock`)
    const [pid, thread, began, space, host] = content.split(' ')
    const doubtful = [
      'somebody',
      `${pid} ${thread} ${began} ${space} another-host`,
      `${pid} ${thread} ${began} pid:[1] ${host}`,
      `${content} `,
      `0 ${content}`,
    ]
    for (const other of doubtful) {
      replaceLock(path, other)
      assert.throws(() => withLock(path, () => 0, soon), { code: 'KEYSTORE_LOCKED' }, other)
      assert.equal(readlinkSync(`${path}.lock`), other)
    }
    rmSync(`${path}.lock`)
    writeFileSync(`${path}.lock`, content)
    assert.throws(() => withLock(path, () => 0, soon), { code: 'KEYSTORE_LOCKED' }, 'a file')
  })

  it('is taken over from a killed child that its parent, which waits for the lock, has not yet noticed', async () => {
    const path = newPath()
    const code = `
      import { withLock } from ${module}
      import { writeSync } from 'node:fs'
      withLock(process.argv[1], () => {
        writeSync(1, 'held')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000)
      })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise(held => child.stdout.once('data', held))
    assert.throws(() => withLock(path, () => 0, soon), { code: 'KEYSTORE_LOCKED' })
    child.kill('SIGKILL')
    assert.equal(
      withLock(path, () => child.signalCode, { tries: 200, pause: 5 }),
      null,
      'its end had been noticed',
    )
  })

  it('that an operator removed, and another took, is not let go for the other', () => {
    const path = newPath()
    withLock(path, () => replaceLock(path, 'another’s'))
    assert.ok(isThere(`${path}.lock`))
  })
})
