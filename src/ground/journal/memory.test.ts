/** What an integrator remembers between runs saves it work, and is believed only as long as the store says the same. */

import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { ClientBase } from 'pg'
import type { Store } from '../store/store.ts'
import { type TestStore, testStore } from '../store/testing.ts'
import { entry } from './entry.ts'
import { appendMany, integrate, JournalDamaged, type Memory, type Transactions } from './journal.ts'
import { leafHash } from './merkle.ts'
import { type NoteSigner, verifierKey } from './note.ts'
import { lastCheckpoint, verifyStored } from './stored.ts'
import { slowRoot, testKey } from './testing.ts'

const at = new Date('2026-11-20T05:42:00.007Z')
const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
const signer: NoteSigner = { ...testKey, sign: octets => sign(null, octets, key) }
const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]
const migrations = new URL('../store/migrations/', import.meta.url)

/** The statements of a store's transactions; of which the nth, counted by the caller, can be made to fail. */
function counted(store: Store, fail: (statement: number) => boolean = () => false) {
  let statements = 0
  const through: Transactions = {
    transaction: work =>
      store.transaction(client =>
        work(
          new Proxy(client, {
            get(of, name) {
              const found = Reflect.get(of, name, of) as unknown
              if (name !== 'query') return typeof found === 'function' ? found.bind(of) : found
              return (...args: unknown[]) => {
                if (fail(++statements)) return Promise.reject(new Error('the store went away'))
                return (of.query as (...all: unknown[]) => unknown)(...args)
              }
            },
          }) as ClientBase,
        ),
      ),
  }
  const since = () => {
    const seen = statements
    statements = 0
    return seen
  }
  return { through, since }
}

describe('An integrator with a memory', () => {
  let test: TestStore
  let store: Store
  const entries: Buffer[] = []
  before(async () => {
    test = await testStore({ migrations })
    store = test.store
  })
  after(() => test.close())

  const grow = (more: Partial<Parameters<typeof integrate>[0]> = {}) => integrate({ store, ...signer, at, ...more })
  const add = (count: number) => {
    const made = Array.from({ length: count }, (_, n) => entry('issued', at, { number: entries.length + n }))
    entries.push(...made)
    return store.transaction(client => appendMany(client, made))
  }
  /** The last checkpoint is over all entries so far, and the whole journal holds. */
  const holds = async () => {
    const last = (await store.transaction(lastCheckpoint))!
    assert.equal(last.size, entries.length)
    assert.deepEqual(last.root, Buffer.from(slowRoot(entries.map(leafHash))))
    const { holds: whole } = await store.transaction(client => verifyStored(client, { verifierKeys }))
    assert.equal(whole, true)
  }

  it('grows the tree as one without, also over the ends of tiles, in fewer statements', async () => {
    const { through, since } = counted(store)
    const memory: Memory = {}
    await add(3)
    assert.equal(await grow({ store: through, memory }), 3)
    const first = since()
    for (const count of [1, 252, 1, 1, 300, 7]) {
      await add(count)
      assert.equal(await grow({ store: through, memory }), count)
      const later = since()
      await add(1)
      assert.equal(await grow({ store: through }), 1)
      assert.ok(later <= first + 1 && since() > 5, `${later} statements`)
      // The other one's checkpoint is not what is remembered: the store is read.
      await add(2)
      assert.equal(await grow({ store: through, memory }), 2)
      assert.ok(since() > later)
      await holds()
    }
  })

  it('asks one question when nothing is pending', async () => {
    const { through, since } = counted(store)
    const memory: Memory = {}
    await add(1)
    await grow({ store: through, memory })
    since()
    assert.equal(await grow({ store: through, memory }), 0)
    assert.equal(since(), 1)
    assert.equal(await grow({ store: through }), 0)
    assert.ok(since() > 3, 'without a memory it looks whether all is well')
  })

  it('forgets what did not come to be', async () => {
    const memory: Memory = {}
    await add(1)
    await grow({ memory })
    let ways = 0
    for (let nth = 1; ; nth++) {
      await add(2)
      const { through, since } = counted(store, statement => statement === nth)
      const failed = await grow({ store: through, memory }).then(
        () => false,
        () => true,
      )
      if (since() < nth) break
      assert.ok(failed)
      assert.equal(memory.kept, undefined)
      ways++
      assert.ok((await grow({ memory })) >= 2)
      await holds()
    }
    assert.ok(ways >= 5, `${ways} ways to fail`)
    await grow({ memory })
    await holds()
  })

  it('finds what others did to the store: a checkpoint at once, a full tile when its memory has served its time', async () => {
    const memory: Memory = {}
    await add(300)
    await grow({ memory })
    const tamper = (sql: string) =>
      store.transaction(async client => {
        await client.query('SET LOCAL session_replication_role = replica')
        assert.equal((await client.query(sql)).rowCount, 1)
      })
    const root = `UPDATE journal_checkpoint SET note = note || 'x' WHERE size = ${entries.length}`
    await tamper(root)
    await add(1)
    await assert.rejects(grow({ memory }), JournalDamaged)
    await tamper(`UPDATE journal_checkpoint SET note = left(note, -1) WHERE size = ${entries.length - 1}`)
    assert.equal(await grow({ memory }), 1)

    const flip = 'UPDATE journal_tile SET hashes = set_byte(hashes, 1, get_byte(hashes, 1) # 1) WHERE level = 1'
    await tamper(flip)
    let runs = 0
    await assert.rejects(async () => {
      for (; runs < 1000; runs++) await grow({ memory })
    }, JournalDamaged)
    assert.ok(runs > 100 && runs < 300, `${runs} runs`)
    await tamper(flip)
    await add(1)
    await grow({ memory })
    await holds()
  })
})
