import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../bytes.ts'
import { CompactRange, emptyRoot, leafHash, nodeHash, rootOf } from './merkle.ts'
import { leaves, roots, slowRoot, someLeaves } from './testing.ts'

describe('the Merkle tree of RFC 6962', () => {
  // The reference tree of the Certificate Transparency project (google/certificate-transparency merkle_tree_test.cc,
  // transparency-dev/merkle); the single hashes can be had from sha256sum.
  it('has the hashes of the reference implementation', () => {
    assert.equal(toHex(emptyRoot), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    assert.equal(
      toHex(leafHash(Buffer.alloc(0))),
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
    assert.equal(
      toHex(leafHash(Buffer.from('L123456'))),
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    )
    const [left, right] = [fromHex('11'.repeat(32)), fromHex('22'.repeat(32))]
    // (printf 01; printf '11%.0s' {1..32}; printf '22%.0s' {1..32}) | xxd -r -p | sha256sum
    assert.equal(toHex(nodeHash(left, right)), '1d8f52d3ec81ac02cd97cb3281523be47af850c0f0295af866f04bc245f46bbf')
  })

  it('has the roots of the reference tree of eight leaves', () => {
    const range = new CompactRange()
    for (const [at, leaf] of leaves.entries()) {
      range.append(leafHash(leaf))
      assert.equal(toHex(range.root()), toHex(roots[at]!))
      assert.deepEqual(rootOf(leaves.slice(0, at + 1).map(leafHash)), range.root())
    }
    assert.equal(range.size, 8)
    assert.deepEqual(rootOf([]), emptyRoot)
  })

  it('has the root that the definition gives, at every size', () => {
    const hashes = someLeaves(600)
    const range = new CompactRange()
    for (const [at, hash] of hashes.entries()) {
      range.append(hash)
      if (at < 70 || at % 37 === 0) assert.deepEqual(range.root(), slowRoot(hashes.slice(0, at + 1)))
    }
  })

  it('grows the same from a copy, and from its peaks alone', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (before, after) => {
        const hashes = someLeaves(before + after)
        const range = new CompactRange()
        for (const hash of hashes.slice(0, before)) range.append(hash)
        const others = [range.copy(), new CompactRange(range.size, range.peaks())]
        for (const tree of [range, ...others]) {
          for (const hash of hashes.slice(before)) tree.append(hash)
          assert.deepEqual(tree.root(), slowRoot(hashes))
        }
      }),
      { numRuns: 30 },
    )
  })
})
