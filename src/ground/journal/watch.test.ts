import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { entry } from './entry.ts'
import { exportLog, resources } from './export.ts'
import { checkpointIn, folderFiles } from './files.ts'
import { keptIn } from './kept.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { pathOf } from './paths.ts'
import { MemoryLog, pkcs8, testKey } from './testing.ts'
import { verifyFiles } from './verify-files.ts'
import { look } from './watch.ts'

const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer: NoteSigner = { ...testKey, sign: text => sign(null, text, key) }
const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]
const acts = (from: number, to: number, says = 'issued') =>
  Array.from({ length: to - from }, (_, n) => entry(says, new Date(0), { number: from + n }))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opensmki-watch-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const check = async (log: MemoryLog, kept: string[] = []) =>
  verifyFiles(log.read, (await checkpointIn(log.read))!, { verifierKeys, kept })

describe('whoever watches a log', () => {
  it('sees it for the first time, the same, and grown', async () => {
    const [log, memory] = [new MemoryLog(), keptIn(folder)]
    assert.equal((await look(log.read, verifierKeys, memory)).seen, 'absent')
    await log.grow(acts(0, 3), signer)
    assert.deepEqual(await look(log.read, verifierKeys, memory), { seen: 'first', size: 3, before: 0 })
    assert.deepEqual(await look(log.read, verifierKeys, memory), { seen: 'same', size: 3, before: 3 })
    for (const to of [255, 256, 257, 600]) {
      const before = log.size
      await log.grow(acts(before, to), signer)
      assert.deepEqual(await look(log.read, verifierKeys, memory), { seen: 'grown', size: to, before })
    }
  })

  it('refuses a fork, at the same size and at a larger one, and keeps what it had', async () => {
    const [log, memory] = [new MemoryLog(), keptIn(folder)]
    const first = await log.grow(acts(0, 300), signer)
    await look(log.read, verifierKeys, memory)
    for (const size of [300, 301, 700]) {
      const fork = new MemoryLog()
      const note = await fork.grow([...acts(0, 299), ...acts(299, size, 'other')], signer)
      const seen = await look(fork.read, verifierKeys, memory)
      assert.deepEqual([seen.seen, 'kept' in seen && seen.kept, 'note' in seen && seen.note], ['fork', first, note])
    }
    assert.equal(await memory.last(testKey.name), first)
    const back = new MemoryLog()
    await back.grow(acts(0, 299), signer)
    assert.equal((await look(back.read, verifierKeys, memory)).seen, 'back')
  })

  it('refuses a checkpoint of another key, and hashes that do not give the signed root', async () => {
    const [log, memory] = [new MemoryLog(), keptIn(folder)]
    const other = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 9)), format: 'der', type: 'pkcs8' })
    const publicKey = Buffer.from(other.export({ format: 'jwk' }).x!, 'base64url')
    await log.grow(acts(0, 3), { name: testKey.name, publicKey, sign: text => sign(null, text, other) })
    assert.equal((await look(log.read, verifierKeys, memory)).seen, 'forged')
    const good = new MemoryLog()
    await good.grow(acts(0, 3), signer)
    const hashes = Buffer.from(good.files.get('tile/0/000.p/3')!)
    hashes[40]! ^= 1
    good.files.set('tile/0/000.p/3', hashes)
    assert.equal((await look(good.read, verifierKeys, memory)).seen, 'incomplete')
    good.files.delete('tile/0/000.p/3')
    assert.equal((await look(good.read, verifierKeys, memory)).seen, 'incomplete')
    assert.equal(await memory.last(testKey.name), undefined)
  })
})

describe('a log’s files', () => {
  it('hold by themselves, at every size where a row ends', async () => {
    const log = new MemoryLog()
    for (const size of [1, 255, 256, 257, 512, 700]) {
      await log.grow(acts(log.size, size), signer)
      const { holds, entries, hashes, faults } = await check(log)
      assert.deepEqual([holds, entries, faults], [true, size, []])
      assert.ok(hashes >= size)
    }
  })

  it('name the entry, for whichever octet of a bundle was changed', async () => {
    const log = new MemoryLog()
    await log.grow(acts(0, 260), signer)
    const path = 'tile/entries/001.p/4'
    const bundle = Buffer.from(log.files.get(path)!)
    const each = bundle.length / 4
    let named = 0
    for (let at = 0; at < bundle.length; at++) {
      const changed = Buffer.from(bundle)
      changed[at]! ^= 1
      log.files.set(path, changed)
      const { holds, faults, unread } = await check(log)
      assert.equal(holds, false, `octet ${at}`)
      const position = 256 + Math.floor(at / each)
      // A changed length hides all entries of its bundle; it may also cut two of them otherwise.
      if (at % each >= 2)
        assert.deepEqual(
          faults.map(({ code, from, to }) => [code, from, to]),
          [['ENTRY_ALTERED', position, position]],
        )
      else assert.ok(faults[0]!.from >= 256 && (unread.length === 1 || faults[0]!.code === 'ENTRY_ALTERED'))
      named += 1
    }
    assert.equal(named, bundle.length)
  })

  it('name what is not there, what was forged, and what was cut back', async () => {
    const log = new MemoryLog()
    const kept = await log.grow(acts(0, 300), signer)
    log.files.delete('tile/entries/000')
    assert.deepEqual(
      (await check(log)).faults.map(({ code, from, to }) => [code, from, to]),
      [['ENTRY_MISSING', 0, 255]],
    )
    const short = new MemoryLog()
    const note = await short.grow(acts(0, 299), signer)
    assert.deepEqual(
      (await check(short, [kept])).faults.map(fault => fault.code),
      ['CHECKPOINT_LOST'],
    )
    short.files.set('checkpoint', Buffer.from(note.replace('\n299\n', '\n298\n')))
    assert.deepEqual(
      (await check(short)).faults.map(fault => fault.code),
      ['CHECKPOINT_FORGED'],
    )
  })
})

describe('an exported log', () => {
  const exported = () => check(Object.assign(new MemoryLog(), { read: folderFiles(folder) }))

  it('grows in its folder, and holds after each time', async () => {
    const log = new MemoryLog()
    for (const size of [5, 200, 256, 300, 1000]) {
      const before = log.size
      await log.grow(acts(before, size), signer)
      const made = await exportLog(log.read, folder, verifierKeys)
      assert.deepEqual([made.size, made.before], [size, before])
      assert.deepEqual([(await exported()).holds, (await exported()).entries], [true, size])
      const again = await exportLog(log.read, folder, verifierKeys)
      assert.equal(again.files, 1, 'the checkpoint alone')
    }
    assert.throws(() => readFileSync(join(folder, 'tile/0/000.p/5')), /ENOENT/)
  })

  it('is not overwritten by a log that does not continue it', async () => {
    const log = new MemoryLog()
    await log.grow(acts(0, 300), signer)
    await exportLog(log.read, folder, verifierKeys)
    const before = readFileSync(join(folder, 'checkpoint'), 'utf8')
    for (const size of [10, 300, 400]) {
      const fork = new MemoryLog()
      await fork.grow(acts(0, size, 'other'), signer)
      await assert.rejects(exportLog(fork.read, folder, verifierKeys), { code: 'JOURNAL_FORKED' })
    }
    assert.equal(readFileSync(join(folder, 'checkpoint'), 'utf8'), before)
    assert.equal((await exported()).holds, true)
  })

  it('has its checkpoint last: one that was cut short anywhere is that of before, and is completed by the next', async () => {
    const log = new MemoryLog()
    await log.grow(acts(0, 100), signer)
    await exportLog(log.read, folder, verifierKeys)
    await log.grow(acts(100, 700), signer)
    const asked = resources(700).map(pathOf)
    let stopped = 0
    for (const at of asked) {
      let reached = false
      const failing = async (path: string) => {
        if (path !== at) return log.read(path)
        reached = true
        throw new Error('the power went')
      }
      await assert.rejects(exportLog(failing, folder, verifierKeys), /the power went/)
      assert.equal((await exported()).entries, 100)
      assert.ok(reached)
      stopped += 1
      if (stopped === 3) break
    }
    const made = await exportLog(log.read, folder, verifierKeys)
    assert.deepEqual([made.size, (await exported()).holds], [700, true])
  })

  it('says when the journal lacks what its checkpoint signed for', async () => {
    const log = new MemoryLog()
    await log.grow(acts(0, 300), signer)
    log.files.delete('tile/entries/000')
    await assert.rejects(exportLog(log.read, folder, verifierKeys), { code: 'JOURNAL_INCOMPLETE' })
    await assert.rejects(
      exportLog(async () => undefined, folder, verifierKeys),
      { code: 'JOURNAL_EMPTY' },
    )
    writeFileSync(join(folder, 'checkpoint'), 'scribble')
    await assert.rejects(exportLog(log.read, folder, verifierKeys), { name: 'BadNote' })
  })
})
