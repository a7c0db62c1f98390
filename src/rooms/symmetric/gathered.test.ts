import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gathered } from './gathered.ts'

const store = { name: 'store' }

describe('a gathered statement', () => {
  it('is carried out once for all who ask in the same turn, and each gets its own result', async () => {
    const runs: number[][] = []
    const double = gathered<object, number, number>(async (_, all) => {
      runs.push([...all])
      return all.map(one => 2 * one)
    })
    assert.deepEqual(await Promise.all([1, 2, 3].map(one => double(store, one))), [2, 4, 6])
    assert.equal(await double(store, 4), 8)
    assert.deepEqual(runs, [[1, 2, 3], [4]])
  })

  it('of another connection is another statement', async () => {
    const seen: object[] = []
    const where = gathered<object, undefined, object>(async (place, all) => {
      seen.push(place)
      return all.map(() => place)
    })
    const other = { name: 'other' }
    assert.deepEqual(await Promise.all([where(store, undefined), where(other, undefined)]), [store, other])
    assert.deepEqual(seen, [store, other])
  })

  it('that fails fails for all who asked, and for nobody who asks afterwards', async () => {
    let broken = true
    const ask = gathered<object, number, void>(async () => {
      if (broken) throw new Error('the statement failed')
    })
    const results = await Promise.allSettled([ask(store, 1), ask(store, 2)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    broken = false
    await ask(store, 3)
  })
})
