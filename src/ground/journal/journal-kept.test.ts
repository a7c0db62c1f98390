import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { act, at, journalScene, otherSigner, signer, verifierKeys } from '../../../test/journal/log.ts'
import { signCheckpoint } from './checkpoint.ts'
import { entry, readEntry } from './entry.ts'
import { JournalDamaged } from './journal.ts'
import { leafHash } from './merkle.ts'
import { verifierKey } from './note.ts'
import { consistencyProof, inclusionProof, rootAt, verifyConsistency, verifyInclusion } from './proof.ts'
import { entryAt, findEntry, lastCheckpoint, readCheckpoints, readEntries, storedTiles } from './stored.ts'
import { hashesOf } from './tiles.ts'

const scene = journalScene()
const { anew, grow, appendAll, numbers, check, all, tamper } = scene

describe('what the journal has taken up', () => {
  it('shows every octet that was changed afterwards, in entries, hashes and checkpoints', async () => {
    await anew()
    await appendAll(numbers(0, 700))
    await grow({ atMost: 300 })
    await grow()
    assert.equal((await check()).holds, true)
    const flip = 'set_byte(octets, 9, get_byte(octets, 9) # 1)'
    for (const [what, sql, undo, code, from] of [
      [
        'an entry',
        `UPDATE journal_entry SET octets = ${flip} WHERE position = 417`,
        undefined,
        'ENTRY_ALTERED',
        417,
      ],
      ['a leaf hash', hashFlip(0, 1, 3), undefined, 'HASH_ALTERED', 259],
      ['a leaf hash at the edge', hashFlip(0, 2, 0), undefined, 'HASH_ALTERED', 512],
      ['a node hash', hashFlip(1, 0, 1), undefined, 'HASH_ALTERED', 256],
      [
        'a root',
        'UPDATE journal_checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1) WHERE size = 300',
        undefined,
        'CHECKPOINT_FORGED',
        300,
      ],
      [
        'an entry that is gone',
        'DELETE FROM journal_entry WHERE position = 417',
        `INSERT INTO journal_entry SELECT 417, 418, '\\x${act(417).toString('hex')}'`,
        'ENTRY_MISSING',
        417,
      ],
      [
        'a note',
        `UPDATE journal_checkpoint SET note = replace(note, E'\\n300\\n', E'\\n301\\n') WHERE size = 300`,
        `UPDATE journal_checkpoint SET note = replace(note, E'\\n301\\n', E'\\n300\\n') WHERE size = 300`,
        'CHECKPOINT_FORGED',
        300,
      ],
    ] as const) {
      await tamper(sql)
      const { faults } = await check()
      assert.deepEqual(
        faults.map(fault => [fault.code, fault.from]),
        [[code, from]],
        what,
      )
      await tamper(undo ?? sql)
      assert.equal((await check()).holds, true)
    }
  })

  it('is not continued by an integrator that finds it damaged', async () => {
    await anew()
    await appendAll(numbers(0, 300))
    await grow()
    await appendAll(numbers(300, 310))
    const other = await signCheckpoint(300, Buffer.alloc(32, 1), { ...signer, ...otherSigner })
    for (const [sql, undo, says] of [
      [hashFlip(0, 1, 3), undefined, /do not give the root/],
      [hashFlip(1, 0, 0), undefined, /do not give the root/],
      [
        'UPDATE journal_checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1)',
        undefined,
        /differs from its own/,
      ],
      [
        'UPDATE journal_tile SET hashes = substr(hashes, 1, 32) WHERE level = 0 AND index = 1',
        `UPDATE journal_tile SET hashes = '\\x${numbers(256, 300)
          .map(e => leafHash(e).toString('hex'))
          .join('')}' WHERE level = 0 AND index = 1`,
        /has not the 44 hashes/,
      ],
      [
        `UPDATE journal_checkpoint SET note = '${other}', root = '\\x${'01'.repeat(32)}'`,
        undefined,
        /no trusted key signed/,
      ],
    ] as const) {
      await tamper(sql)
      await assert.rejects(grow(), (error: Error) => error instanceof JournalDamaged && says.test(error.message))
      if (undo ?? sql.includes('#')) await tamper(undo ?? sql)
    }
    assert.equal((await all()).length, 300, 'the entries wait')
  })

  it('belongs to one name, and to the keys that have succeeded each other', async () => {
    await anew()
    await appendAll(numbers(0, 3))
    await grow()
    await appendAll(numbers(3, 6))
    await assert.rejects(grow({ ...signer, name: 'other.example' }), JournalDamaged)
    await assert.rejects(
      grow({ ...signer, name: 'other.example', formerKeys: verifierKeys }),
      /the log of smki.example/,
    )
    await assert.rejects(grow(otherSigner), JournalDamaged)
    await assert.rejects(grow({ sign: () => Buffer.alloc(64) }), /does not hold the key/)
    assert.equal(await grow({ ...otherSigner, formerKeys: verifierKeys }), 3)
    const both = [...verifierKeys, verifierKey(otherSigner.name, otherSigner.publicKey)]
    assert.equal((await check({ verifierKeys: both })).checkpoints, 2)
    assert.equal((await check()).holds, false)
  })

  it('refuses, in the database itself, a branch, a way back, and any change', async () => {
    await anew()
    await appendAll(numbers(0, 6))
    while (await grow({ atMost: 2 }));
    const checkpoint = (size: number, previous: number | null) =>
      scene.store.query('INSERT INTO journal_checkpoint VALUES ($1, $2, $3, $4, $5)', [
        size,
        previous,
        Buffer.alloc(32),
        '',
        at,
      ])
    await assert.rejects(checkpoint(7, 2), /journal_checkpoint_previous_key/, 'a second that follows 2')
    await assert.rejects(checkpoint(7, null), /journal_checkpoint_previous_key/, 'a second beginning')
    await assert.rejects(checkpoint(6, 6), /journal_checkpoint_pkey|journal_checkpoint_check/)
    await assert.rejects(checkpoint(5, 6), /journal_checkpoint_check/, 'back')
    await assert.rejects(checkpoint(8, 7), /journal_checkpoint_previous_fkey/, 'one that follows none')
    await assert.rejects(scene.store.query("INSERT INTO journal_entry VALUES (2, 99, '')"), /journal_entry_pkey/)
    await assert.rejects(scene.store.query("INSERT INTO journal_entry VALUES (9, 1, '')"), /journal_entry_id_key/)
    for (const sql of [
      'UPDATE journal_entry SET position = position',
      'DELETE FROM journal_entry',
      'TRUNCATE journal_entry',
      'UPDATE journal_pending SET octets = octets',
      'TRUNCATE journal_pending',
      'DELETE FROM journal_tile',
      'TRUNCATE journal_tile',
      'UPDATE journal_checkpoint SET at = at',
      'DELETE FROM journal_checkpoint',
      'TRUNCATE journal_checkpoint CASCADE',
    ]) {
      await assert.rejects(scene.store.query(sql), /the journal only grows/, sql)
    }
    assert.equal((await check()).holds, true)
  })

  it('proves every entry, and every growth, from its stored hashes', async () => {
    await anew()
    await appendAll(numbers(0, 700))
    const sizes = []
    while (await grow({ atMost: 123 })) sizes.push(Number((await scene.store.transaction(lastCheckpoint))!.size))
    assert.deepEqual(sizes, [123, 246, 369, 492, 615, 700])
    await scene.store.transaction(async client => {
      const hashAt = hashesOf(storedTiles(client))
      const last = (await lastCheckpoint(client))!
      for (const index of [0, 122, 255, 256, 511, 512, 699]) {
        const proof = await inclusionProof(index, last.size, hashAt)
        assert.ok(verifyInclusion({ index, size: last.size, leaf: leafHash(act(index)), proof, root: last.root }))
      }
      for await (const { size, root } of readCheckpoints(client)) {
        assert.deepEqual(await rootAt(size, hashAt), root)
        const proof = await consistencyProof(size, last.size, hashAt)
        assert.ok(verifyConsistency({ from: size, to: last.size, fromRoot: root, toRoot: last.root, proof }))
      }
    })
  })

  it('is verified as it was at one instant, while it grows', async () => {
    await anew()
    await appendAll(numbers(0, 600))
    await grow()
    await appendAll([act(600)])
    const heard: number[] = []
    const report = await check({
      claims: async (_, position) => {
        heard.push(position)
        if (position !== 10) return undefined
        await appendAll([act(601), act(602)])
        assert.equal(await grow(), 3)
        return undefined
      },
    })
    assert.deepEqual([report.holds, report.entries, report.checkpoints, report.pending], [true, 600, 1, 1])
    assert.equal(heard.length, 600)
    assert.deepEqual((await check()).entries, 603)
  })

  it('finds an entry by its act and a piece of its text, also where time went far back', async () => {
    await anew()
    const second = (n: number) => new Date(at.getTime() + n * 1000)
    const made = Array.from({ length: 3000 }, (_, n) => entry('issue', second(n), { signing: String(n) }))
    // One that came an hour late to the journal, and one of another act that says the same.
    made.push(entry('issue', second(-3600), { signing: 'late' }), entry('abandon', second(10), { signing: '11' }))
    await appendAll(made)
    await grow()
    const find = async (signing: string, since: Date, name = 'issue') =>
      (await findEntry(scene.store, { act: name, contains: `"signing":"${signing}"`, since }))?.position
    for (const n of [0, 1, 599, 600, 1500, 2999]) assert.equal(await find(String(n), second(n)), n)
    assert.equal(await find('late', second(-3600)), 3000)
    assert.equal(await find('11', second(10), 'abandon'), 3001)
    assert.equal(await find('7', second(2900)), 7, 'also when it is older than was thought')
    assert.equal(await find('3000', second(0)), undefined)
    assert.deepEqual(await entryAt(scene.store, 1500), made[1500])
    assert.equal(await entryAt(scene.store, 9999), undefined)
  })

  it('can be read from any position on', async () => {
    await anew()
    await appendAll(numbers(0, 2100))
    await grow()
    const read = async (from?: number) => {
      const positions: number[] = []
      await scene.store.transaction(async client => {
        for await (const { position, octets } of readEntries(client, from)) {
          assert.equal(readEntry(octets).body.number, position)
          positions.push(position)
        }
      })
      return positions
    }
    assert.deepEqual(await read(), [...Array(2100).keys()])
    assert.deepEqual(await read(2098), [2098, 2099])
    assert.deepEqual(await read(2100), [])
  })
})

function hashFlip(level: number, index: number, hash: number): string {
  const octet = hash * 32 + 5
  return `UPDATE journal_tile SET hashes = set_byte(hashes, ${octet}, get_byte(hashes, ${octet}) # 1)
    WHERE level = ${level} AND index = ${index}`
}
