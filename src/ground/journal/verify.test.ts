import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Bytes } from '../bytes.ts'
import { signCheckpoint } from './checkpoint.ts'
import { entry } from './entry.ts'
import { leafHash } from './merkle.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { pkcs8, testKey } from './testing.ts'
import { GrowingTiles, type TileAt } from './tiles.ts'
import { type JournalInQuestion, type JournalReport, verifyJournal } from './verify.ts'

const signer = signerOf(testKey.name, testKey.pkcs8)
const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]

describe('a journal that nobody touched', () => {
  it('holds, and the report counts what was looked at', async () => {
    const report = await verifyJournal((await aJournal(600, [1, 100, 256, 257, 600])).inQuestion)
    assert.deepEqual(
      { ...report, signed: report.signed.size },
      { holds: true, entries: 600, checkpoints: 5, signed: 600, hashes: 602, faults: [] },
    )
  })

  it('holds by its entries and checkpoints alone', async () => {
    const { tileAt: _, ...journal } = (await aJournal(600, [600])).inQuestion
    const report = await verifyJournal(journal)
    assert.deepEqual([report.holds, report.entries, report.hashes], [true, 600, 0])
  })

  it('may be empty, and the report shows it', async () => {
    const report = await verifyJournal((await aJournal(0, [])).inQuestion)
    assert.deepEqual([report.holds, report.entries, report.checkpoints, report.signed.size], [true, 0, 0, 0])
  })

  it('holds for the checkpoints that somebody kept', async () => {
    const journal = await aJournal(600, [100, 300, 600])
    const kept = [journal.checkpoints[2]!.note, journal.checkpoints[0]!.note]
    const report = await verifyJournal({ ...journal.inQuestion, kept })
    assert.deepEqual([report.holds, report.checkpoints], [true, 5])
  })
})

describe('a journal that was touched', () => {
  it('names the entry, for whichever octet of whichever entry was changed', async () => {
    const journal = await aJournal(600, [100, 256, 600])
    await fc.assert(
      fc.asyncProperty(fc.nat(599), fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, at, change) => {
        const octets = Buffer.from(journal.entries[position]!)
        octets[at % octets.length]! ^= change
        const entries = journal.entries.with(position, octets)
        expect(await verifyJournal({ ...journal.inQuestion, entries: placed(entries) }), [
          ['ENTRY_ALTERED', position, position],
        ])
        // Without hashes it can be told between which checkpoints.
        const { tileAt: _, ...alone } = journal.inQuestion
        const report = await verifyJournal({ ...alone, entries: placed(entries) })
        const [from, to] = position < 100 ? [0, 99] : position < 256 ? [100, 255] : [256, 599]
        assert.deepEqual(
          report.faults
            .filter(fault => fault.code !== 'ENTRY_UNREADABLE')
            .map(({ code, from, to }) => [code, from, to]),
          [['ROOT_DIFFERS', from, to]],
        )
        assert.equal(report.signed.size, from)
      }),
      { numRuns: 20 },
    )
  })

  it('names the hash, for whichever octet of whichever tile was changed', async () => {
    const journal = await aJournal(600, [100, 600])
    assert.deepEqual([...journal.tiles.keys()].sort(), ['0/0', '0/1', '0/2', '1/0'])
    const tile = fc.constantFrom(...journal.tiles.keys())
    await fc.assert(
      fc.asyncProperty(tile, fc.nat(), fc.integer({ min: 1, max: 255 }), (name, at, change) =>
        namesTheHash(journal, name, at, change),
      ),
      { numRuns: 20 },
    )
  })

  it('names the hash also in a full tile of a higher level, and in the one above', async () => {
    const journal = await aJournal(65_600, [65_600])
    for (const name of ['1/0', '2/0']) journal.tiles.get(name)![31]! ^= 1
    assert.deepEqual([journal.tiles.get('1/0')!.length, journal.tiles.get('2/0')!.length], [8192, 32])
    expect(await verifyJournal(journal.inQuestion), [
      ['HASH_ALTERED', 0, 255],
      ['HASH_ALTERED', 0, 65_535],
    ])
  })

  it('names a tile that is gone', async () => {
    const journal = await aJournal(600, [600])
    for (const [name, from, to] of [
      ['0/1', 256, 511],
      ['1/0', 0, 511],
    ] as const) {
      const tileAt = (level: number, index: number) =>
        `${level}/${index}` === name ? undefined : journal.tiles.get(`${level}/${index}`)
      const report = await verifyJournal({ ...journal.inQuestion, tileAt })
      assert.equal(report.holds, false)
      assert.equal(report.faults[0]!.from, from)
      assert.equal(report.faults.at(-1)!.to, to)
      assert.ok(report.faults.every(fault => fault.code === 'HASH_ALTERED'))
    }
  })

  it('names entries that are gone, from the middle or from the end', async () => {
    const journal = await aJournal(600, [100, 600])
    const without = (from: number, to: number) =>
      placed(journal.entries).filter(e => e.position < from || e.position > to)
    for (const [from, to] of [
      [0, 0],
      [40, 260],
      [590, 599],
      [0, 599],
    ] as const) {
      const report = await verifyJournal({ ...journal.inQuestion, entries: without(from, to) })
      assert.deepEqual([...new Set(report.faults.map(fault => fault.code))], ['ENTRY_MISSING'])
      assert.deepEqual([report.faults[0]!.from, report.faults.at(-1)!.to], [from, to])
      assert.equal(report.signed.size, 600)
      const { tileAt: _, ...alone } = journal.inQuestion
      expect(await verifyJournal({ ...alone, entries: without(from, to) }), [
        ['ENTRY_MISSING', from, from === 0 && to === 599 ? 99 : to],
      ])
    }
  })

  it('names entries that were exchanged, put in, or read twice', async () => {
    const journal = await aJournal(300, [300])
    const [a, b] = [journal.entries[10]!, journal.entries[20]!]
    expect(
      await verifyJournal({ ...journal.inQuestion, entries: placed(journal.entries.with(10, b).with(20, a)) }),
      [
        ['ENTRY_ALTERED', 10, 10],
        ['ENTRY_ALTERED', 20, 20],
      ],
    )
    const repeated = placed(journal.entries).toSpliced(11, 0, { position: 10, octets: a })
    expect(await verifyJournal({ ...journal.inQuestion, entries: repeated }), [['ENTRY_OUT_OF_ORDER', 10, 10]])
    const more = placed([...journal.entries, a, b])
    expect(await verifyJournal({ ...journal.inQuestion, entries: more }), [['ENTRIES_UNSIGNED', 300, 301]])
  })

  it('does not hold when entries and hashes were rewritten together', async () => {
    const journal = await aJournal(300, [100, 300])
    const forged = journal.entries.with(150, entry('issued', new Date(0), { number: 150, forged: true }))
    const { tiles } = await aJournal(0, [], forged)
    const report = await verifyJournal({
      ...journal.inQuestion,
      entries: placed(forged),
      tileAt: (level, index) => tiles.get(`${level}/${index}`),
    })
    expect(report, [['ROOT_DIFFERS', 100, 299]])
    assert.equal(report.signed.size, 100)
  })

  it('names a checkpoint that was forged, and one that goes back', async () => {
    const journal = await aJournal(300, [100, 200, 300])
    const [first, second, third] = journal.checkpoints as [Stored, Stored, Stored]
    const check = (checkpoints: Stored[]) => verifyJournal({ ...journal.inQuestion, checkpoints })

    const other = await signCheckpoint(200, second.root, signerOf(testKey.name, pkcs8(Buffer.alloc(32, 7))))
    expect(await check([first, { ...second, note: other }, third]), [['CHECKPOINT_FORGED', 200, 200]])
    const bent = { ...second, note: second.note.replace('\n200\n', '\n201\n') }
    expect(await check([first, bent, third]), [['CHECKPOINT_FORGED', 200, 200]])
    expect(await check([first, { ...second, size: 201 }, third]), [['CHECKPOINT_FORGED', 200, 200]])
    expect(await check([first, { ...second, root: first.root }, third]), [['CHECKPOINT_FORGED', 200, 200]])
    expect(await check([first, third, second]), [['CHECKPOINT_WENT_BACK', 200, 200]])
    expect(await check([first, second, second, third]), [['CHECKPOINT_WENT_BACK', 200, 200]])
    expect(await check([first, second]), [['ENTRIES_UNSIGNED', 200, 299]])
    expect(await check([]), [['ENTRIES_UNSIGNED', 0, 299]])

    // The log's own key signed two different trees of one size.
    const fork = { size: 200, root: first.root, note: await signCheckpoint(200, first.root, signer) }
    expect(await check([first, fork, third]), [['ROOT_DIFFERS', 100, 199]])
  })

  it('is found cut back by whoever kept a later checkpoint, and forked by whoever kept another', async () => {
    const journal = await aJournal(300, [100, 200, 300])
    const short = await aJournal(200, [100, 200])
    const kept = [journal.checkpoints[2]!.note]
    expect(await verifyJournal({ ...short.inQuestion, kept }), [['CHECKPOINT_LOST', 200, 299]])

    const rewritten = await aJournal(0, [100, 200, 300], journal.entries.with(5, journal.entries[6]!))
    assert.equal((await verifyJournal(rewritten.inQuestion)).holds, true, 'its own checkpoints agree with it')
    const report = await verifyJournal({ ...rewritten.inQuestion, kept })
    expect(report, [['ROOT_DIFFERS', 200, 299]])
    assert.match(report.faults[0]!.says, /kept/)
  })

  it('names what the entries claim and other records deny', async () => {
    const journal = await aJournal(300, [300])
    const heard: number[] = []
    const report = await verifyJournal({
      ...journal.inQuestion,
      claims: async ({ act, body }, position) => {
        assert.deepEqual([act, body.number], ['issued', position])
        heard.push(position)
        return position === 77 ? 'no such Certificate' : undefined
      },
    })
    expect(report, [['ENTRY_CLAIM', 77, 77]])
    assert.match(report.faults[0]!.says, /no such Certificate/)
    assert.deepEqual(heard, [...journal.entries.keys()])
  })

  it('names an entry that is signed and yet no entry', async () => {
    const octets = Array.from({ length: 5 }, (_, number) => entry('issued', new Date(0), { number }) as Bytes)
    const journal = await aJournal(0, [5], octets.with(3, Buffer.from('{}')))
    expect(await verifyJournal(journal.inQuestion), [['ENTRY_UNREADABLE', 3, 3]])
  })

  it('is not read on when nearly nothing in it holds', async () => {
    const journal = await aJournal(3000, [3000])
    const report = await verifyJournal({ ...journal.inQuestion, claims: (_, position) => `no ${position}` })
    assert.equal(report.faults.length, 1000)
  })
})

type Stored = { note: string; size: number; root: Bytes }

async function namesTheHash(
  journal: Awaited<ReturnType<typeof aJournal>>,
  name: string,
  at: number,
  change: number,
) {
  const tile = Buffer.from(journal.tiles.get(name)!)
  const octet = at % tile.length
  tile[octet]! ^= change
  const tileAt: TileAt = (l, i) => (`${l}/${i}` === name ? tile : journal.tiles.get(`${l}/${i}`))
  const report = await verifyJournal({ ...journal.inQuestion, tileAt })
  const [level, index] = name.split('/').map(Number) as [number, number]
  const span = 256 ** level
  const from = (index * 256 + Math.floor(octet / 32)) * span
  expect(report, [['HASH_ALTERED', from, from + span - 1]])
  assert.equal(report.signed.size, journal.entries.length, 'and the entries hold all the same')
}

/** A journal in memory, with checkpoints at the given sizes. */
async function aJournal(count: number, sizes: readonly number[], given?: readonly Bytes[]) {
  const entries: readonly Bytes[] =
    given ?? Array.from({ length: count }, (_, number) => entry('issued', new Date(0), { number }))
  const tree = new GrowingTiles()
  const checkpoints: Stored[] = []
  for (const octets of entries) {
    tree.append(leafHash(octets))
    if (!sizes.includes(tree.size)) continue
    checkpoints.push({
      size: tree.size,
      root: tree.root(),
      note: await signCheckpoint(tree.size, tree.root(), signer),
    })
  }
  const tiles = new Map<string, Bytes>(
    [...tree.takeFull(), ...tree.partial()].map(tile => [`${tile.level}/${tile.index}`, tile.hashes] as const),
  )
  const inQuestion: JournalInQuestion = {
    entries: placed(entries),
    checkpoints,
    verifierKeys,
    tileAt: (level, index) => tiles.get(`${level}/${index}`),
  }
  return { entries, checkpoints, tiles, inQuestion }
}

function placed(entries: readonly Bytes[]) {
  return entries.map((octets, position) => ({ position, octets }))
}

function expect(report: JournalReport, faults: [string, number, number][]): void {
  assert.deepEqual(
    report.faults.map(({ code, from, to }) => [code, from, to]),
    faults,
  )
  assert.equal(report.holds, false)
}

function signerOf(name: string, der: Buffer): NoteSigner {
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return {
    name,
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32),
    sign: octets => sign(null, octets, key),
  }
}
