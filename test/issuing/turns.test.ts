/** Whose turn it is: portions of several batches of several Parties, as workers take them. */

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { testStore } from '../../src/ground/store/testing.ts'
import { systemChance, systemClock } from '../../src/main/world.ts'
import type { Hands } from '../../src/rooms/authority/issue-one.ts'
import { encodeItems, takePortion } from '../../src/rooms/issuance/portion.ts'
import { migrations } from './rooms.ts'

let hands: Hands
let close: () => Promise<void>

before(async () => {
  const opened = await testStore({ migrations })
  close = opened.close
  hands = { store: opened.store, clock: systemClock, chance: systemChance }
})
after(() => close())
beforeEach(() => hands.store.query('TRUNCATE batch, portion'))

const items = encodeItems([{ id: 'one', csr: Buffer.from('a request') }])

/** A batch with so many portions that wait. */
async function batch(id: number, party: number, portions: number): Promise<void> {
  await hands.store.query(
    `INSERT INTO batch (id, party, reference, state, received_at, sha256, octets, count)
     VALUES ($1, $2, 'a batch', 'PROCESSING', $3, $4, 1, $5)`,
    [id, party, systemClock(), Buffer.alloc(32), portions],
  )
  await hands.store.query(
    'INSERT INTO portion (batch, number, count, items) SELECT $1, n, 1, $2 FROM generate_series(0, $3 - 1) n',
    [id, items, portions],
  )
}

/** Takes so many, one after the other. @returns how many of each Party, and of each batch */
async function take(times: number): Promise<{ parties: Map<number, number>; batches: Map<number, number> }> {
  const parties = new Map<number, number>()
  const batches = new Map<number, number>()
  for (let i = 0; i < times; i++) {
    const portion = (await takePortion(hands, '1/0/0'))!
    parties.set(portion.party, (parties.get(portion.party) ?? 0) + 1)
    batches.set(Number(portion.batch), (batches.get(Number(portion.batch)) ?? 0) + 1)
  }
  return { parties, batches }
}

describe('Portions of several batches', () => {
  it('go to Parties in turn, and within a Party to its batches: four batches are no more than one', async () => {
    for (const id of [1, 2, 3, 4]) await batch(id, 7, 10)
    await batch(5, 8, 20)
    await batch(6, 9, 20)
    const { parties, batches } = await take(36)
    assert.deepEqual(Object.fromEntries(parties), { 7: 12, 8: 12, 9: 12 })
    assert.deepEqual(
      [1, 2, 3, 4].map(id => batches.get(id)),
      [3, 3, 3, 3],
    )
  })

  it('are taken in their order within a batch, each once', async () => {
    await batch(1, 7, 4)
    const numbers = []
    for (let portion = await takePortion(hands, '1/0/0'); portion; portion = await takePortion(hands, '1/0/0'))
      numbers.push(portion.number)
    assert.deepEqual(numbers, [0, 1, 2, 3])
  })

  it('wait for no Party: one with nothing left, or with all in hand, loses its turn', async () => {
    await batch(1, 7, 2)
    await batch(2, 8, 9)
    const { parties } = await take(8)
    assert.deepEqual(Object.fromEntries(parties), { 7: 2, 8: 6 })
  })

  it('begin with a Party that just came, also when it had batches before', async () => {
    await batch(1, 7, 6)
    await batch(2, 8, 1)
    await take(4)
    await batch(3, 8, 3)
    await batch(4, 9, 3)
    assert.deepEqual(Object.fromEntries((await take(3)).parties), { 9: 1, 8: 1, 7: 1 })
  })

  it('are shared fairly by eight who take at the same time, and nobody gets what another has', async () => {
    for (const id of [1, 2, 3, 4]) await batch(id, 7, 60)
    await batch(5, 8, 240)
    await batch(6, 9, 240)
    const taken = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const mine = []
        for (let n = 0; n < 30; n++) mine.push((await takePortion(hands, `${i}/0/0`))!)
        return mine
      }),
    )
    const all = taken.flat()
    assert.equal(new Set(all.map(one => `${one.batch} ${one.number}`)).size, 240)
    for (const party of [7, 8, 9]) {
      const got = all.filter(one => one.party === party).length
      // Those who look at the same moment see the same turn: two rounds of eight may go astray.
      assert.ok(got >= 80 - 16, `Party ${party} got ${got} of 240`)
    }
  })
})
