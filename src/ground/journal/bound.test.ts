import assert from 'node:assert/strict'
import { createPrivateKey, hash, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../bytes.ts'
import { checkBoundProof, writeBoundProof } from './bound.ts'
import { type Entry, entry } from './entry.ts'
import { tilesIn } from './files.ts'
import { leafHash, rootOf } from './merkle.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { inclusionProof } from './proof.ts'
import { MemoryLog, pkcs8, testKey } from './testing.ts'
import { hashesOf } from './tiles.ts'
import { NotAProof, readProof, writeProof } from './tlog-proof.ts'

const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer: NoteSigner = { ...testKey, sign: text => sign(null, text, key) }
const log = [verifierKey(testKey.name, testKey.publicKey)]

const group = Array.from({ length: 7 }, (_, n) => Buffer.from(`certificate ${n}`))
const bound = (count: number) =>
  entry('issue', new Date(0), { signing: '17', count, root: toHex(rootOf(group.map(leafHash))) })
const single = entry('issue', new Date(0), { signing: '18', sha256: hash('sha256', 'the one', 'hex') })

async function proofOf(which: Entry, member?: { position: number; group: Buffer[] }): Promise<string> {
  const tree = new MemoryLog()
  const others = (count: number) => Array.from({ length: count }, (_, n) => entry('revoke', new Date(0), { n }))
  const note = await tree.grow([...others(300), which, ...others(20)], signer)
  const proof = await inclusionProof(300, 321, hashesOf(tilesIn(tree.read, 321)))
  return writeBoundProof({ index: 300, proof, note }, which, member)
}

describe('a proof that a thing is in the log', () => {
  it('holds for every member of its group, and for no other thing', async () => {
    for (const [position, thing] of group.entries()) {
      const text = await proofOf(bound(7), { position, group })
      const { act, checkpoint } = checkBoundProof(text, { log }, thing)
      assert.deepEqual([act.act, act.body.signing, checkpoint.size], ['issue', '17', 321])
      for (const other of [...group.filter(one => one !== thing), Buffer.alloc(0)])
        assert.throws(() => checkBoundProof(text, { log }, other), NotAProof)
    }
  })

  it('holds for a thing that its entry binds by its hash', async () => {
    const text = await proofOf(single)
    assert.equal(checkBoundProof(text, { log }, Buffer.from('the one')).position, 300)
    assert.throws(() => checkBoundProof(text, { log }, Buffer.from('the other')), /does not bind/)
    assert.equal(checkBoundProof(text, { log }).act.body.signing, '18')
  })

  it('needs the count of the entry: a group of another size proves nothing', async () => {
    const text = await proofOf(bound(8), { position: 0, group })
    assert.throws(() => checkBoundProof(text, { log }, group[0]), /does not bind/)
  })

  it('does not take a node of the group for one of its members', async () => {
    const text = await proofOf(bound(7), { position: 0, group })
    const node = Buffer.concat([leafHash(group[0]!), leafHash(group[1]!)])
    assert.throws(() => checkBoundProof(text, { log }, node), /does not bind/)
  })

  it('is refused under another key, and where nothing can be read', async () => {
    const text = await proofOf(single)
    const other = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 9)), format: 'der', type: 'pkcs8' })
    const publicKey = Buffer.from(other.export({ format: 'jwk' }).x!, 'base64url')
    assert.throws(() => checkBoundProof(text, { log: [verifierKey(testKey.name, publicKey)] }), NotAProof)
    const { extra: _, ...bare } = readProof(text)
    const extras = [
      '',
      '{',
      'null',
      '[]',
      '{"entry":1}',
      '{"entry":"x","group":null}',
      '{"entry":"x","group":{"position":0}}',
    ]
    for (const extra of extras)
      assert.throws(
        () => checkBoundProof(writeProof({ ...bare, extra: Buffer.from(extra) }), { log }),
        NotAProof,
        extra,
      )
    assert.throws(() => checkBoundProof(writeProof(bare), { log }), NotAProof)
  })

  it('is refused, or proves the very same, whichever one octet of it was changed', async () => {
    const text = await proofOf(bound(7), { position: 3, group })
    const octets = Buffer.from(text)
    let refused = 0
    fc.assert(
      fc.property(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
        const changed = Buffer.from(octets)
        changed[at]! ^= change
        try {
          assert.deepEqual(checkBoundProof(changed.toString(), { log }, group[3]).act.body, {
            signing: '17',
            count: 7,
            root: toHex(rootOf(group.map(leafHash))),
          })
        } catch (cause) {
          assert.ok(cause instanceof NotAProof, String(cause))
          refused += 1
        }
      }),
      { numRuns: 400 },
    )
    assert.ok(refused > 300, `${refused} refused`)
  })
})

describe('the file of a proof', () => {
  // The cases of the Go package transparency-dev/formats, proof_test.go.
  const [one, two] = ['hash1', 'hash2'].map(text => hash('sha256', text, 'buffer'))

  it('is what Go writes', () => {
    const lines = [one!, two!].map(each => each.toString('base64'))
    assert.equal(
      writeProof({ index: 5, proof: [one!, two!], note: 'test checkpoint\n' }),
      `c2sp.org/tlog-proof@v1\nindex 5\n${lines[0]}\n${lines[1]}\n\ntest checkpoint\n`,
    )
    const extra = Buffer.from('extra information')
    const text = `c2sp.org/tlog-proof@v1\nextra ${extra.toString('base64')}\nindex 10\n${lines[0]}\n\ncheckpoint data\n`
    assert.equal(writeProof({ index: 10, proof: [one!], note: 'checkpoint data\n', extra }), text)
    assert.deepEqual(readProof(text), { index: 10, proof: [one], note: 'checkpoint data\n', extra })
    assert.equal(
      writeProof({ index: 0, proof: [], note: 'checkpoint\n' }),
      'c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n',
    )
  })

  it('is refused in every other form', () => {
    const bad = [
      '',
      'wrong-header\nindex 0\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n',
      `c2sp.org/tlog-proof@v1\nindex 0\n${Buffer.alloc(64).toString('base64')}\n\ncheckpoint\n`,
      'c2sp.org/tlog-proof@v1\nindex 00\n\nx\n',
      'c2sp.org/tlog-proof@v1\nindex 0\nextra aGFsbG8=\n\nx\n',
      'c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint\n',
    ]
    for (const text of bad) assert.throws(() => readProof(text), NotAProof, JSON.stringify(text))
  })
})
