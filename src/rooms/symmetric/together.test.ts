import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Store } from '../../ground/store/store.ts'
import { type TestStore, testStore } from '../../ground/store/testing.ts'
import { sideBySide, together } from './together.ts'

let test: TestStore
let store: Store
let transactions = 0

before(async () => {
  test = await testStore()
  store = {
    ...test.store,
    transaction: work => {
      transactions++
      return test.store.transaction(work)
    },
  }
  await store.query('CREATE TABLE kept (one int PRIMARY KEY)')
})
after(() => test.close())
beforeEach(async () => {
  transactions = 0
  await store.query('TRUNCATE kept')
})

const keep = (one: number) => (client: { query: Store['query'] }) =>
  client.query('INSERT INTO kept VALUES ($1) RETURNING txid_current()::text AS transaction', [one])
const kept = async () => (await store.query('SELECT one FROM kept ORDER BY one')).rows.map(row => row.one)

describe('works on the store that come together', () => {
  it('share a transaction, and what comes meanwhile shares the next', async () => {
    const group = together(store, 1)
    const first = [1, 2, 3].map(one => group(keep(one)))
    await new Promise(resolve => setImmediate(resolve))
    const second = [4, 5].map(one => group(keep(one)))
    const done = (await Promise.all([...first, ...second])).map(({ rows }) => rows[0]!.transaction)
    assert.equal(new Set(done).size, 2)
    assert.deepEqual(done, [...new Array(3).fill(done[0]), ...new Array(2).fill(done[4])])
    assert.equal(transactions, 2)
    assert.deepEqual(await kept(), [1, 2, 3, 4, 5])
  })

  it('of which one fails are each done by themselves: it alone is not kept', async () => {
    const group = together(store)
    const done = await Promise.allSettled([keep(1), keep(2), keep(1), keep(3)].map(work => group(work)))
    assert.deepEqual(
      done.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await kept(), [1, 2, 3])
    assert.equal(transactions, 5, 'all in one, and then each in its own')
  })

  it('are not done again when nobody knows whether they were kept', async () => {
    const lost: Store = {
      ...store,
      transaction: async work => {
        await store.transaction(work)
        throw new Error('the answer to COMMIT was lost')
      },
    }
    const group = together(lost)
    const done = await Promise.allSettled([keep(1), keep(2)].map(work => group(work)))
    assert.deepEqual(
      done.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(transactions, 1)
    assert.deepEqual(await kept(), [1, 2])
    await assert.rejects(sideBySide(lost, [keep(3), keep(4)]), /COMMIT was lost/)
  })
})
