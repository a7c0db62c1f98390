import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { signCheckpoint } from './checkpoint.ts'
import { cosignaturesOf, witnessKey } from './cosignature.ts'
import { keptIn } from './kept.ts'
import { leafHash, rootOf } from './merkle.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { consistencyProof } from './proof.ts'
import { NotASubmission, readSubmission, writeSubmission } from './submission.ts'
import { pkcs8 } from './testing.ts'
import { type WitnessMemory, witness } from './witness.ts'

const folder = mkdtempSync(join(tmpdir(), 'opensmki-witness-'))
after(() => rmSync(folder, { recursive: true }))

const signerOf = (name: string, seed: number): NoteSigner => {
  const key = createPrivateKey({ key: pkcs8(Buffer.alloc(32, seed)), format: 'der', type: 'pkcs8' })
  return {
    name,
    publicKey: Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url'),
    sign: text => sign(null, text, key),
  }
}
const log = signerOf('log.example/smki', 1)
const other = signerOf('log.example/other', 2)
const self = signerOf('witness.example/w1', 3)
const selfKey = witnessKey(self.name, self.publicKey)
const logs = [log, other].map(one => verifierKey(one.name, one.publicKey))
const clock = () => new Date('2026-11-20T08:00:00Z')

/** Leaf n of a log; from `fork` on another log says otherwise. */
const leaves = (size: number, fork = size) =>
  Array.from({ length: size }, (_, n) => leafHash(Buffer.from(n < fork ? `${n}` : `other ${n}`)))

async function submission(
  old: number,
  size: number,
  more: { fork?: number; signer?: NoteSigner; proofOf?: number } = {},
) {
  const all = leaves(size, more.fork)
  const hashAt = (height: number, index: number) =>
    rootOf(all.slice(index * 2 ** height, (index + 1) * 2 ** height))
  const proof = await consistencyProof(more.proofOf ?? old, size, hashAt)
  return writeSubmission({ old, proof, note: await signCheckpoint(size, rootOf(all), more.signer ?? log) })
}

let count = 0
function start(memory: WitnessMemory = keptIn(join(folder, String(count++)))) {
  return { memory, ...witness({ logs, memory, signer: self, clock }) }
}

describe('a witness', () => {
  it('signs under what grows, and says when', async () => {
    const { addCheckpoint } = start()
    for (const [old, size] of [
      [0, 1],
      [1, 5],
      [5, 5],
      [5, 8],
      [8, 300],
    ] as const) {
      const asked = await submission(old, size)
      const { status, body, type } = await addCheckpoint(asked)
      assert.deepEqual([status, type], [200, 'text/plain; charset=utf-8'], `${old} to ${size}: ${body}`)
      const [cosignature] = cosignaturesOf(readSubmission(asked).note + body, [selfKey])
      assert.deepEqual(cosignature?.at, clock())
    }
  })

  it('tells its size to who asks from another, as tlog-witness has it', async () => {
    const { addCheckpoint } = start()
    await addCheckpoint(await submission(0, 20))
    for (const asked of [await submission(0, 30), await submission(7, 30), await submission(0, 20)]) {
      const { status, type, body } = await addCheckpoint(asked)
      assert.deepEqual([status, type, body], [409, 'text/x.tlog.size', '20\n'])
    }
  })

  it('refuses a fork, of the same size or a larger one, and stays where it was', async () => {
    const { addCheckpoint, memory } = start()
    await addCheckpoint(await submission(0, 20))
    const kept = await memory.last(log.name)
    const same = await addCheckpoint(await submission(20, 20, { fork: 19 }))
    assert.deepEqual([same.status, same.body, /^FORK/.test(same.says!)], [409, '20\n', true])
    for (const fork of [0, 1, 10, 19]) {
      const { status } = await addCheckpoint(await submission(20, 40, { fork }))
      assert.equal(status, 422, `forked at ${fork}`)
    }
    assert.equal(await memory.last(log.name), kept)
    assert.equal((await addCheckpoint(await submission(20, 40))).status, 200, 'the true log may go on')
  })

  it('refuses what is no question, of no log that it knows, or not signed by that log', async () => {
    const { addCheckpoint, memory } = start()
    const good = await submission(0, 4)
    const status = async (text: string) => (await addCheckpoint(text)).status
    assert.equal(await status(''), 400)
    assert.equal(await status(good.replace('old 0', 'old 00')), 400)
    assert.equal(await status(good.replace('old 0', 'old 9')), 400, 'an old size beyond the new')
    assert.equal(await status(await submission(0, 4, { signer: signerOf('log.example/strange', 4) })), 404)
    assert.equal(await status(await submission(0, 4, { signer: signerOf(log.name, 4) })), 403)
    assert.equal(await status(good.replace('\n4\n', '\n5\n')), 403, 'a signed text that was changed')
    assert.equal(await status(await submission(0, 4, { proofOf: 2 })), 422, 'a proof where none is due')
    assert.equal(await memory.last(log.name), undefined)
    assert.equal(await status(good), 200)
  })

  it('keeps logs apart', async () => {
    const { addCheckpoint } = start()
    assert.equal((await addCheckpoint(await submission(0, 20))).status, 200)
    assert.equal((await addCheckpoint(await submission(0, 3, { signer: other, fork: 0 }))).status, 200)
  })

  it('signs one of two trees, however they race', async () => {
    const { addCheckpoint } = start()
    await addCheckpoint(await submission(0, 8))
    const asked = await Promise.all([8, 0, 4, 7].map(fork => submission(8, 16, { fork: fork === 8 ? 16 : fork })))
    const more = await Promise.all([9, 12, 16].map(fork => submission(8, 16, { fork })))
    const answers = await Promise.all([...asked, ...more].map(one => addCheckpoint(one)))
    assert.equal(answers.filter(one => one.status === 200).length, 1)
    const sizes = answers.filter(one => one.status === 409).map(one => one.body)
    assert.ok(sizes.length > 0 && sizes.every(size => size === '16\n'), String(sizes))
  })

  it('remembers before it signs: what cannot be kept is not signed, and a restart knows it', async () => {
    const memory = keptIn(join(folder, String(count++)))
    const full: WitnessMemory = { ...memory, keep: () => Promise.reject(new Error('the disk is full')) }
    await assert.rejects(start(full).addCheckpoint(await submission(0, 5)), /the disk is full/)
    assert.equal(await memory.last(log.name), undefined)

    const dying: NoteSigner = { ...self, sign: () => Promise.reject(new Error('killed')) }
    const killed = witness({ logs, memory, signer: dying, clock })
    await assert.rejects(killed.addCheckpoint(await submission(0, 5)), /killed/)
    const again = start(memory)
    assert.equal((await again.addCheckpoint(await submission(0, 5, { fork: 2 }))).status, 409)
    assert.equal((await again.addCheckpoint(await submission(5, 5, { fork: 2 }))).status, 409)
    assert.equal((await again.addCheckpoint(await submission(5, 5))).status, 200)
  })
})

describe('a submission', () => {
  it('is the text of the example of tlog-witness', () => {
    const text =
      'old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n' +
      '5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n' +
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n'
    const read = readSubmission(text)
    assert.deepEqual([read.old, read.proof.length, read.note.split('\n')[1]], [20852014, 4, '20852163'])
    assert.equal(writeSubmission(read), text)
  })

  it('is refused with more hashes than a tree has, and with what is no hash', () => {
    const hash = `${Buffer.alloc(32).toString('base64')}\n`
    assert.equal(readSubmission(`old 1\n${hash.repeat(63)}\nnote`).proof.length, 63)
    const bad = [hash.repeat(64), `${Buffer.alloc(31).toString('base64')}\n`, 'x\n', ` ${hash}`]
    for (const hashes of bad) assert.throws(() => readSubmission(`old 1\n${hashes}\nnote`), NotASubmission)
    for (const first of ['old -1', 'old 1 ', 'old', 'old 01', 'old 99999999999999999', 'Old 1'])
      assert.throws(() => readSubmission(`${first}\n${hash}\nnote`), NotASubmission, first)
  })
})
