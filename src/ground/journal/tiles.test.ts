import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Bytes } from '../bytes.ts'
import { rootOf } from './merkle.ts'
import { consistencyProof, inclusionProof, rootAt, verifyConsistency, verifyInclusion } from './proof.ts'
import { someLeaves } from './testing.ts'
import { edgeOf, GrowingTiles, hashesOf, split, type Tile, TileMissing } from './tiles.ts'

const hashes = someLeaves(66_000)

/** Tiles kept as the store keeps them: a wider one takes the place of a narrower. */
class Kept {
  readonly tiles = new Map<string, Bytes>()
  readonly at = (level: number, index: number) => this.tiles.get(`${level}/${index}`)
  keep(tiles: readonly Tile[]): void {
    for (const { level, index, hashes } of tiles) this.tiles.set(`${level}/${index}`, hashes)
  }
}

describe('tiles', () => {
  it('of a tree of 70,000 are those that tlog-tiles names as its example', () => {
    // "273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of
    // width 17, and one partial level 2 tile of width 1"
    assert.deepEqual(edgeOf(70_000), [
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ])
    assert.deepEqual(edgeOf(256), [{ level: 1, index: 0, width: 1 }])
    assert.deepEqual(edgeOf(0), [])
  })

  it('hold the hashes that tlog-tiles defines, MTH(D[(n * 256 + i) * 256^l : (n * 256 + i + 1) * 256^l])', () => {
    const tree = new GrowingTiles()
    for (const leaf of hashes) tree.append(leaf)
    const tiles = [...tree.takeFull(), ...tree.partial()]
    assert.equal(tiles.length, 257 + 1 + 1 + 1 + 1, 'levels 0 full and partial, 1 full and partial, 2 partial')
    for (const { level, index, hashes: tile } of tiles) {
      for (const [i, hash] of split(tile).entries()) {
        const begin = (index * 256 + i) * 256 ** level
        if (level > 0 || i % 50 === 0) assert.deepEqual(hash, rootOf(hashes.slice(begin, begin + 256 ** level)))
      }
    }
    assert.deepEqual(tree.takeFull(), [], 'taken once')
  })

  it('give the same tree however its growth was cut into pieces', async () => {
    const whole = new GrowingTiles()
    for (const leaf of hashes.slice(0, 2000)) whole.append(leaf)
    const expected = new Kept()
    expected.keep([...whole.takeFull(), ...whole.partial()])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2000), { maxLength: 12 }), async cuts => {
        const kept = new Kept()
        let size = 0
        for (const cut of [...cuts.toSorted((a, b) => a - b), 2000]) {
          const tree = await GrowingTiles.at(size, kept.at)
          assert.deepEqual(tree.root(), rootOf(hashes.slice(0, size)))
          for (const leaf of hashes.slice(size, cut)) tree.append(leaf)
          kept.keep([...tree.takeFull(), ...tree.partial()])
          size = tree.size
        }
        assert.deepEqual(kept.tiles, expected.tiles)
      }),
      { numRuns: 20 },
    )
  })

  it('are enough for every proof, also of the trees before', async () => {
    const tree = new GrowingTiles()
    for (const leaf of hashes) tree.append(leaf)
    const kept = new Kept()
    kept.keep([...tree.takeFull(), ...tree.partial()])
    const hashAt = hashesOf(kept.at)
    const sizes = fc.tuple(fc.integer({ min: 1, max: hashes.length }), fc.nat(), fc.nat())
    await fc.assert(
      fc.asyncProperty(sizes, async ([size, a, b]) => {
        const [index, from] = [a % size, 1 + (b % size)]
        const root = await rootAt(size, hashAt)
        const proof = await inclusionProof(index, size, hashAt)
        assert.ok(verifyInclusion({ index, size, leaf: hashes[index]!, proof, root }))
        const grown = await consistencyProof(from, size, hashAt)
        assert.ok(
          verifyConsistency({ from, to: size, fromRoot: await rootAt(from, hashAt), toRoot: root, proof: grown }),
        )
      }),
      { numRuns: 50 },
    )
    assert.deepEqual(await rootAt(hashes.length, hashAt), rootOf(hashes))
  })

  it('that are wider than the tree needs are as good', async () => {
    const [narrow, wide] = [new GrowingTiles(), new GrowingTiles()]
    for (const leaf of hashes.slice(0, 300)) narrow.append(leaf)
    for (const leaf of hashes.slice(0, 1000)) wide.append(leaf)
    const kept = new Kept()
    kept.keep([...wide.takeFull(), ...wide.partial()])
    const again = await GrowingTiles.at(300, kept.at)
    assert.deepEqual(again.partial(), narrow.partial())
    assert.deepEqual(again.root(), narrow.root())
  })

  it('that are not there or too narrow are named', async () => {
    const tree = new GrowingTiles()
    for (const leaf of hashes.slice(0, 300)) tree.append(leaf)
    const kept = new Kept()
    kept.keep([...tree.takeFull(), ...tree.partial()])
    await assert.rejects(GrowingTiles.at(301, kept.at), TileMissing)
    await assert.rejects(GrowingTiles.at(70_000, kept.at), TileMissing)
    await assert.rejects(async () => inclusionProof(0, 600, hashesOf(kept.at)), TileMissing)
  })
})
