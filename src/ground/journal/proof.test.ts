import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bytes, equal, toHex } from '../bytes.ts'
import { emptyRoot, leafHash } from './merkle.ts'
import {
  consistencyProof,
  type HashAt,
  inclusionProof,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'
import { leaves, roots, slowRoot, someLeaves } from './testing.ts'

const inMemory =
  (hashes: readonly Bytes[]): HashAt =>
  (height, index) => {
    const span = hashes.slice(index * 2 ** height, (index + 1) * 2 ** height)
    assert.equal(span.length, 2 ** height, 'only whole subtrees are asked for')
    return slowRoot(span)
  }

const reference = inMemory(leaves.map(leafHash))

describe('a proof', () => {
  // Proofs of the reference tree (transparency-dev/merkle, proof/verify_test.go), indexes from 0.
  it('of inclusion is that of the reference tree', async () => {
    const known: [number, number, string[]][] = [
      [0, 1, []],
      [0, 8, ['96a296d2', '5f083f0a', '6b47aaf2']],
      [5, 8, ['bc1a0643', 'ca854ea1', 'd37ee418']],
      [2, 3, ['fac54203']],
      [1, 5, ['6e340b9c', '5f083f0a', 'bc1a0643']],
    ]
    for (const [index, size, begins] of known) {
      const proof = await inclusionProof(index, size, reference)
      assert.deepEqual(
        proof.map(hash => toHex(hash).slice(0, 8)),
        begins,
      )
      assert.ok(verifyInclusion({ index, size, leaf: leafHash(leaves[index]!), proof, root: roots[size - 1]! }))
    }
  })

  it('of consistency is that of the reference tree', async () => {
    const known: [number, number, string[]][] = [
      [1, 1, []],
      [1, 8, ['96a296d2', '5f083f0a', '6b47aaf2']],
      [6, 8, ['0ebc5d34', 'ca854ea1', 'd37ee418']],
      [2, 5, ['5f083f0a', 'bc1a0643']],
      [6, 7, ['0ebc5d34', 'b08693ec', 'd37ee418']],
    ]
    for (const [from, to, begins] of known) {
      const proof = await consistencyProof(from, to, reference)
      assert.deepEqual(
        proof.map(hash => toHex(hash).slice(0, 8)),
        begins,
      )
      assert.ok(verifyConsistency({ from, to, fromRoot: roots[from - 1]!, toRoot: roots[to - 1]!, proof }))
    }
  })

  it('is refused with anything in it changed', async () => {
    const fixed = someLeaves(70)
    const tree = inMemory(fixed)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 70 }),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        async (size, pick, hash, bit) => {
          const [index, from] = [pick % size, 1 + (pick % (size - 1))]
          const root = slowRoot(fixed.slice(0, size))
          const fromRoot = slowRoot(fixed.slice(0, from))
          const inclusion = {
            index,
            size,
            leaf: fixed[index]!,
            proof: await inclusionProof(index, size, tree),
            root,
          }
          const consistency = {
            from,
            to: size,
            fromRoot,
            toRoot: root,
            proof: await consistencyProof(from, size, tree),
          }
          assert.ok(verifyInclusion(inclusion))
          assert.ok(verifyConsistency(consistency))

          const other = fixed[(hash % 70) as number]!
          for (const [what, wrong] of Object.entries({
            'the next leaf': { index: index + 1 },
            'the leaf before': { index: index - 1 },
            'a size doubled': { size: size * 2 },
            'a size halved': { size: Math.floor(size / 2) },
            'no whole index': { index: index + 0.5 },
            'an empty root': { root: emptyRoot },
            'a short leaf': { leaf: inclusion.leaf.subarray(1) },
            'a flipped root': { root: flipped(root, bit) },
            'a flipped leaf': { leaf: flipped(inclusion.leaf, bit) },
          })) {
            assert.equal(verifyInclusion({ ...inclusion, ...wrong }), false, `${what}: ${index} of ${size}`)
          }
          for (const proof of bent(inclusion.proof, other, hash, bit)) {
            assert.equal(verifyInclusion({ ...inclusion, proof }), false)
          }
          for (const [what, wrong] of Object.entries({
            'later beginning': { from: from + 1 },
            'earlier beginning': { from: from - 1 },
            'a size doubled': { to: size * 2 },
            'a size halved': { to: Math.floor(size / 2) },
            'roots exchanged': { fromRoot: root, toRoot: fromRoot },
            'no proof': { proof: [] },
            'a flipped old root': { fromRoot: flipped(fromRoot, bit) },
            'a flipped new root': { toRoot: flipped(root, bit) },
          })) {
            assert.equal(verifyConsistency({ ...consistency, ...wrong }), false, `${what}: ${from} to ${size}`)
          }
          for (const proof of bent(consistency.proof, other, hash, bit)) {
            assert.equal(verifyConsistency({ ...consistency, proof }), false)
          }
        },
      ),
    )
  })

  it('of every leaf and every beginning of every small tree holds', async () => {
    const hashes = someLeaves(33)
    const tree = inMemory(hashes)
    const all = hashes.map((_, at) => slowRoot(hashes.slice(0, at + 1)))
    let looked = 0
    for (let size = 1; size <= 33; size++) {
      const root = all[size - 1]!
      assert.deepEqual(await rootAt(size, tree), root)
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, tree)
        assert.ok(verifyInclusion({ index, size, leaf: hashes[index]!, proof, root }))
        const from = index + 1
        const grown = await consistencyProof(from, size, tree)
        assert.ok(verifyConsistency({ from, to: size, fromRoot: all[index]!, toRoot: root, proof: grown }))
        looked += 1
      }
    }
    assert.equal(looked, (33 * 34) / 2)
  })

  it('has bounds: the empty tree begins every tree, and nothing grows backwards', async () => {
    const [root, other] = [roots[0]!, roots[1]!]
    assert.deepEqual(await rootAt(0, reference), emptyRoot)
    assert.deepEqual(await consistencyProof(0, 8, reference), [])
    assert.ok(verifyConsistency({ from: 0, to: 1, fromRoot: emptyRoot, toRoot: root, proof: [] }))
    assert.ok(verifyConsistency({ from: 0, to: 0, fromRoot: emptyRoot, toRoot: emptyRoot, proof: [] }))
    for (const [from, to, fromRoot, toRoot, proof] of [
      [0, 1, root, root, []],
      [0, 1, emptyRoot, root, [root]],
      [0, 0, emptyRoot, root, []],
      [1, 1, root, other, []],
      [1, 1, root, root, [root]],
      [2, 1, other, root, []],
      [1, 2, root, other, []],
    ] as [number, number, Bytes, Bytes, Bytes[]][]) {
      assert.equal(verifyConsistency({ from, to, fromRoot, toRoot, proof }), false, `${from} to ${to}`)
    }
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [2, 1],
      [-1, 1],
    ] as const) {
      assert.equal(verifyInclusion({ index, size, leaf: root, proof: [], root }), false)
      await assert.rejects(inclusionProof(index, size, reference), RangeError)
    }
    await assert.rejects(consistencyProof(2, 1, reference), RangeError)
    const none = Buffer.alloc(0)
    assert.equal(verifyInclusion({ index: 0, size: 1, leaf: none, proof: [], root: none }), false)
    assert.equal(verifyConsistency({ from: 1, to: 1, fromRoot: none, toRoot: none, proof: [] }), false)
  })

  it('of a tree too large for 32 bits asks for the right subtrees', async () => {
    // All leaves are one and the same, so a subtree's hash depends on its height alone.
    const levels: Bytes[] = [leafHash(Buffer.alloc(0))]
    const same: HashAt = (height, index) => {
      assert.ok((index + 1) * 2 ** height <= size, 'inside the tree')
      for (let h = levels.length; h <= height; h++) levels.push(slowRoot([levels[h - 1]!, levels[h - 1]!]))
      return levels[height]!
    }
    const size = 2 ** 49 - 1
    const [index, from] = [2 ** 48 + 5, 2 ** 40 + 2 ** 33 + 3]
    const root = await rootAt(size, same)
    const proof = await inclusionProof(index, size, same)
    assert.ok(verifyInclusion({ index, size, leaf: levels[0]!, proof, root }))
    const grown = await consistencyProof(from, size, same)
    const fromRoot = await rootAt(from, same)
    assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, proof: grown }))
  })
})

function flipped(octets: Bytes, bit: number): Bytes {
  const copy = Uint8Array.from(octets)
  copy[Math.floor(bit / 8) % copy.length]! ^= 1 << (bit % 8)
  return copy
}

/** A proof with one thing wrong with it. */
function bent(proof: readonly Bytes[], other: Bytes, pick: number, bit: number): Bytes[][] {
  const at = proof.length === 0 ? 0 : pick % proof.length
  return [
    [...proof, other],
    [other, ...proof],
    [...proof, Buffer.alloc(0)],
    ...(proof.length === 0
      ? []
      : [
          proof.slice(1),
          proof.slice(0, -1),
          proof.with(at, flipped(proof[at]!, bit)),
          proof.with(at, proof[at]!.subarray(1)),
          [...proof.slice(0, at), proof[at]!, ...proof.slice(at)],
        ]),
    ...(proof.length > 1 && !equal(proof[0]!, proof.at(-1)!) ? [proof.toReversed()] : []),
  ].map(hashes => [...hashes])
}
