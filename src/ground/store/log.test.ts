import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openLog } from './log.ts'

const folder = mkdtempSync(join(tmpdir(), 'log-'))
after(() => rmSync(folder, { recursive: true }))

describe('the log of a server', () => {
  it('is for its owner only', () => {
    openLog(join(folder, 'a')).close()
    assert.equal(statSync(join(folder, 'a')).mode & 0o777, 0o600)
  })

  it('is cut when it has grown past its limit, and what was cut is kept once', async () => {
    const path = join(folder, 'b')
    const log = openLog(path, 100)
    writeSync(log.descriptor, `${'x'.repeat(99)}\n`)
    await log.bound()
    assert.equal(statSync(path).size, 100)
    writeSync(log.descriptor, 'more\n')
    await log.bound()
    assert.equal(statSync(path).size, 0)
    assert.equal(statSync(`${path}.1`).size, 105)
    // The server goes on writing to what it has open: that must be the beginning of the file, not a hole before it.
    writeSync(log.descriptor, 'again\n')
    assert.equal(readFileSync(path, 'utf8'), 'again\n')
    log.close()
  })

  it('is cut also when nothing can be kept of it', async () => {
    const path = join(folder, 'full')
    mkdirSync(`${path}.1`)
    const log = openLog(path, 10)
    writeSync(log.descriptor, 'more than ten octets')
    await assert.rejects(log.bound())
    assert.equal(statSync(path).size, 0)
    log.close()
  })

  it('tells the last words of this server, not of the one before', () => {
    const path = join(folder, 'c')
    const before = openLog(path)
    writeSync(before.descriptor, 'earlier\n')
    before.close()
    const log = openLog(path)
    assert.equal(log.tail(), '')
    writeSync(log.descriptor, 'y'.repeat(5000))
    writeSync(log.descriptor, '\nlast words\n')
    assert.equal(log.tail().length, 1999)
    assert.ok(log.tail().endsWith('\nlast words'))
    log.close()
  })
})
