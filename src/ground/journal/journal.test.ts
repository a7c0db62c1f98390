import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import type { Bytes } from '../bytes.ts'
import type { Store } from '../store/store.ts'
import { type TestStore, testStore } from '../store/testing.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { type Entry, entry, readEntry } from './entry.ts'
import { append, appendMany, integrate, JournalDamaged, type Transactions } from './journal.ts'
import { leafHash } from './merkle.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { consistencyProof, inclusionProof, rootAt, verifyConsistency, verifyInclusion } from './proof.ts'
import {
  entryAt,
  findEntry,
  lastCheckpoint,
  positionOf,
  readCheckpoints,
  readEntries,
  storedTiles,
  verifyStored,
} from './stored.ts'
import { pkcs8, slowRoot, testKey } from './testing.ts'
import { hashesOf } from './tiles.ts'
import type { JournalInQuestion } from './verify.ts'

const at = new Date('2026-11-20T05:42:00.007Z')
const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer: NoteSigner = { ...testKey, sign: octets => sign(null, octets, key) }
const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]
const schema = await readFile(new URL('../store/migrations/0001-journal.sql', import.meta.url), 'utf8')

function act(number: number, more: Record<string, string> = {}): Entry {
  return entry('issued', at, { number, ...more })
}

describe('the journal', () => {
  let test: TestStore
  let store: Store
  before(async () => {
    test = await testStore()
    store = test.store
  })
  after(() => test.close())

  /** An empty journal: the tables made anew. */
  async function anew(): Promise<void> {
    await store.query('DROP TABLE IF EXISTS journal_pending, journal_entry, journal_tile, journal_checkpoint')
    await store.query('DROP FUNCTION IF EXISTS journal_only_grows')
    await store.query(schema)
  }

  const grow = (more = {}) => integrate({ store, ...signer, at, ...more })
  const appendAll = (entries: Entry[]) => store.transaction(client => appendMany(client, entries))
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => act(from + n))
  const check = (more: Partial<JournalInQuestion> = {}) =>
    store.transaction(client => verifyStored(client, { verifierKeys, ...more }))
  const all = async () => {
    const { rows } = await store.query<{ position: bigint; octets: Buffer }>(
      'SELECT position, octets FROM journal_entry ORDER BY position',
    )
    assert.deepEqual(
      rows.map(({ position }) => Number(position)),
      [...rows.keys()],
      'positions have no gap',
    )
    return rows.map(({ octets }) => readEntry(octets).body.number as number)
  }
  /** As one who owns the database and wants to deceive: no guard stands in the way. */
  const tamper = (sql: string) =>
    store.transaction(async client => {
      await client.query('SET LOCAL session_replication_role = replica')
      assert.equal((await client.query(sql)).rowCount, 1)
    })

  it('holds an act and its entry in one transaction', async () => {
    await anew()
    assert.equal(await grow(), 0, 'nothing yet, and no checkpoint of it')
    await store.transaction(client => append(client, act(0)))
    await assert.rejects(
      store.transaction(async client => {
        await append(client, act(1))
        throw new Error('the act failed')
      }),
      /the act failed/,
    )
    await appendAll([act(2), act(3)])
    assert.equal(await grow(), 3)
    assert.equal(await grow(), 0)
    assert.deepEqual(await all(), [0, 2, 3])
    const stored = (await store.transaction(lastCheckpoint))!
    const root = slowRoot([act(0), act(2), act(3)].map(leafHash))
    assert.deepEqual(openCheckpoint(stored.note, verifierKeys), {
      origin: testKey.name,
      size: 3,
      root: Buffer.from(root),
    })
    assert.equal((await check()).holds, true)
  })

  it('gives ids in the order of the entries', async () => {
    await anew()
    const one = await store.transaction(client => append(client, act(0)))
    const many = await appendAll(numbers(1, 500))
    assert.deepEqual(
      [one, ...many],
      [...[one, ...many]].sort((a, b) => a - b),
    )
    assert.deepEqual(await appendAll([]), [])
    const position = (id: number) => store.transaction(client => positionOf(client, id))
    assert.equal(await position(many[7]!), undefined)
    await grow()
    assert.equal(await position(many[7]!), 8)
    const { rows } = await store.query<{ id: bigint }>('SELECT id FROM journal_entry ORDER BY position')
    assert.deepEqual(
      rows.map(({ id }) => Number(id)),
      [one, ...many],
    )
    assert.deepEqual(await all(), [...Array(500).keys()])
  })

  it('takes the largest entry, and no larger one even past our own check', async () => {
    await anew()
    const largest = entry('issued', at, { filler: 'x'.repeat(65_535 - entry('issued', at, { filler: '' }).length) })
    assert.equal(largest.length, 65_535)
    await appendAll([largest])
    await assert.rejects(appendAll([Buffer.alloc(65_536) as Bytes as Entry]), /journal_pending_octets_check/)
    await assert.rejects(appendAll([Buffer.alloc(0) as Bytes as Entry]), /journal_pending_octets_check/)
    assert.equal(await grow(), 1)
    assert.equal((await check()).holds, true)
  })

  it('gives an entry that commits late a later position, and none to one that never does', async () => {
    await anew()
    const slow = await openTransaction(store, client => append(client, act(0)))
    const lost = await openTransaction(store, client => append(client, act(1)))
    await appendAll([act(2)])
    assert.equal(await grow(), 1)
    await slow.commit()
    await lost.rollback()
    await appendAll([act(3)])
    assert.equal(await grow(), 2)
    assert.deepEqual(await all(), [2, 0, 3])
    assert.equal((await check()).holds, true)
  })

  it('does not wait for the integrator when it is appended to, nor the integrator for it', async () => {
    await anew()
    await appendAll([act(0)])
    const writing = await openTransaction(store, client => append(client, act(1)))
    const integrating = sleepingIntegrator(store)
    const growing = grow({ store: integrating.store })
    await integrating.asleep
    await appendAll([act(2)])
    integrating.wake()
    assert.equal(await growing, 1)
    await writing.commit()
    assert.equal(await grow(), 2)
    assert.deepEqual(await all(), [0, 1, 2])
  })

  it('takes up as many entries at once as it is told', async () => {
    await anew()
    await appendAll(numbers(0, 25))
    assert.deepEqual(
      [await grow({ atMost: 10 }), await grow({ atMost: 10 }), await grow(), await grow()],
      [10, 10, 5, 0],
    )
    assert.deepEqual(await all(), [...Array(25).keys()])
    assert.equal((await check()).checkpoints, 3)
  })

  it('never forks and never skips under two integrators, four writers, and a hand that ends integrators', async () => {
    await anew()
    const each = 120
    let writing = true
    const writers = [0, 1, 2, 3].map(async writer => {
      for (let n = 0; n < each; n += 2) {
        const number = writer * each + n
        await store.transaction(async client => {
          await append(client, act(number))
          if (n % 6 === 0) await sleep(3)
          await append(client, act(number + 1))
        })
        // Some give up: their entries must never appear.
        if (n % 10 === 0) {
          await store
            .transaction(async client => {
              await append(client, act(-1))
              throw new Error('given up')
            })
            .catch(() => {})
        }
      }
    })
    let failed = 0
    let grown = 0
    const integrators = [0, 1].map(async () => {
      while (writing) {
        try {
          grown += await grow()
        } catch {
          failed += 1
        }
      }
    })
    const hand = (async () => {
      while (writing) {
        await sleep(7)
        // Whoever holds the lock of integrators, or waits for it.
        await store.query(`SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
      }
    })()
    await Promise.all(writers)
    writing = false
    await Promise.all([...integrators, hand])
    await grow()

    const found = await all()
    assert.equal(found.length, 4 * each)
    assert.deepEqual(
      found.toSorted((a, b) => a - b),
      [...Array(4 * each).keys()],
      'every entry once',
    )
    assert.ok(failed > 0 && grown > 0, `${failed} integrators were ended, ${grown} entries taken meanwhile`)
    const report = await check()
    assert.deepEqual([report.holds, report.entries], [true, 4 * each], JSON.stringify(report.faults))
    assert.ok(report.checkpoints > 3, `${report.checkpoints} checkpoints`)
  })

  it('is whole after the integrator is ended before any one of its statements, the commit included', async () => {
    await anew()
    await appendAll(numbers(0, 300))
    await grow()
    let number = 300
    let ended = 0
    for (let step = 1; ; step++) {
      await appendAll(numbers(number, number + 40))
      number += 40
      const result = await grow({ store: endedBefore(store, step) }).catch((error: Error) => error)
      if (!(result instanceof Error)) break
      ended += 1
      const report = await check()
      assert.deepEqual([report.holds, report.entries], [true, 300], `before statement ${step}`)
    }
    // Lock, checkpoint, two tiles of the edge of 300, placing, tiles, checkpoint, COMMIT.
    assert.equal(ended, 8)
    const report = await check()
    assert.deepEqual([report.holds, report.entries, report.signed.size], [true, number, number])
    assert.deepEqual(await all(), [...Array(number).keys()])
  })

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
      store.query('INSERT INTO journal_checkpoint VALUES ($1, $2, $3, $4, $5)', [
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
    await assert.rejects(store.query("INSERT INTO journal_entry VALUES (2, 99, '')"), /journal_entry_pkey/)
    await assert.rejects(store.query("INSERT INTO journal_entry VALUES (9, 1, '')"), /journal_entry_id_key/)
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
      await assert.rejects(store.query(sql), /the journal only grows/, sql)
    }
    assert.equal((await check()).holds, true)
  })

  it('proves every entry, and every growth, from its stored hashes', async () => {
    await anew()
    await appendAll(numbers(0, 700))
    const sizes = []
    while (await grow({ atMost: 123 })) sizes.push(Number((await store.transaction(lastCheckpoint))!.size))
    assert.deepEqual(sizes, [123, 246, 369, 492, 615, 700])
    await store.transaction(async client => {
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

  it('takes up a backlog in several rounds of one transaction', async () => {
    await anew()
    await appendAll(numbers(0, 8_300))
    assert.equal(await grow(), 8_300)
    assert.deepEqual(await all(), [...Array(8_300).keys()])
    const report = await check()
    assert.deepEqual([report.holds, report.entries, report.checkpoints], [true, 8_300, 1])
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
      (await findEntry(store, { act: name, contains: `"signing":"${signing}"`, since }))?.position
    for (const n of [0, 1, 599, 600, 1500, 2999]) assert.equal(await find(String(n), second(n)), n)
    assert.equal(await find('late', second(-3600)), 3000)
    assert.equal(await find('11', second(10), 'abandon'), 3001)
    assert.equal(await find('7', second(2900)), 7, 'also when it is older than was thought')
    assert.equal(await find('3000', second(0)), undefined)
    assert.deepEqual(await entryAt(store, 1500), made[1500])
    assert.equal(await entryAt(store, 9999), undefined)
  })

  it('can be read from any position on', async () => {
    await anew()
    await appendAll(numbers(0, 2100))
    await grow()
    const read = async (from?: number) => {
      const positions: number[] = []
      await store.transaction(async client => {
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

const otherKey = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 7)), format: 'der', type: 'pkcs8' })
const otherSigner = {
  name: testKey.name,
  publicKey: createPublicKey(otherKey).export({ format: 'der', type: 'spki' }).subarray(-32),
  sign: (octets: Bytes) => sign(null, octets, otherKey),
}

function hashFlip(level: number, index: number, hash: number): string {
  const octet = hash * 32 + 5
  return `UPDATE journal_tile SET hashes = set_byte(hashes, ${octet}, get_byte(hashes, ${octet}) # 1)
    WHERE level = ${level} AND index = ${index}`
}

/** A transaction that has done its work and stays open until it is told how to end. */
async function openTransaction(store: Store, work: (client: ClientBase) => Promise<unknown>) {
  const end = Promise.withResolvers<boolean>()
  const worked = Promise.withResolvers<void>()
  const done = store
    .transaction(async client => {
      await work(client)
      worked.resolve()
      if (!(await end.promise)) throw new Error('rolled back')
    })
    .catch(worked.reject)
  await worked.promise
  const ended = (keep: boolean) => {
    end.resolve(keep)
    return done
  }
  return { commit: () => ended(true), rollback: () => ended(false) }
}

/** A store whose integrator sleeps once it has placed its entries. */
function sleepingIntegrator(store: Store) {
  const asleep = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  const sleeping: Transactions = {
    transaction: work =>
      store.transaction(client =>
        work(
          watched(client, async (text, run) => {
            const result = await run()
            if (text.includes('journal_pending')) {
              asleep.resolve()
              await awake.promise
            }
            return result
          }),
        ),
      ),
  }
  return { store: sleeping, asleep: asleep.promise, wake: awake.resolve }
}

/** A store that ends its own backend before statement `step` of the work, or before COMMIT when that comes first. */
function endedBefore(store: Store, step: number): Transactions {
  return {
    transaction: work =>
      store.transaction(async client => {
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        const end = async () => {
          await store.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]!.pid])
        }
        let statements = 0
        const result = await work(
          watched(client, async (_, run) => {
            statements += 1
            if (statements === step) await end()
            return run()
          }),
        )
        if (statements === step - 1) await end()
        return result
      }),
  }
}

function watched(
  client: ClientBase,
  each: (text: string, run: () => Promise<unknown>) => Promise<unknown>,
): ClientBase {
  return new Proxy(client, {
    get: (target, name) => {
      if (name !== 'query') return Reflect.get(target, name)
      return (statement: string | { text: string }, values?: unknown[]) =>
        each(typeof statement === 'string' ? statement : statement.text, () =>
          target.query(statement as string, values),
        )
    },
  })
}
