import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { restarting } from './restarting.ts'

const minutes = 60_000

describe('A program that ended', () => {
  it('is started again at once, then after longer and longer, and no more after so many times', () => {
    const again = restarting(4)
    assert.deepEqual(
      [0, 1000, 5000, 9000, 20_000].map(now => again('signer', now)),
      [0, 1000, 2000, 4000, undefined],
    )
  })

  it('is forgiven what is ten minutes old, and the faults of others', () => {
    const again = restarting(1)
    assert.equal(again('signer', 0), 0)
    assert.equal(again('signer', 10 * minutes - 1), undefined)
    assert.equal(again('signer 2', 10 * minutes - 1), 0)
    assert.equal(again('signer', 10 * minutes), 0)
  })

  it('is not started again at all where that is what is wanted', () => {
    assert.equal(restarting(0)('signer', 0), undefined)
  })
})
