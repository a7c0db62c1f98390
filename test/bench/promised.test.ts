/** Promises of the project, held against figures. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { promisedHead, promisedRows, verdictOf } from '../../bench/promised.ts'

describe('a promise', () => {
  it('passes at its bound, and is short beyond it', () => {
    assert.equal(verdictOf({ atLeast: 5000 }, 5000), 'pass')
    assert.equal(verdictOf({ atLeast: 5000 }, 4999.9), 'short')
    assert.equal(verdictOf({ atMost: 10 }, 10), 'pass')
    assert.equal(verdictOf({ atMost: 10 }, 10.1), 'short')
    assert.equal(verdictOf({ atMost: 10 }, -3), 'pass')
  })

  it('that was not measured is never passed', () => {
    assert.equal(verdictOf({ atLeast: 1 }, undefined), 'not measured')
    assert.equal(verdictOf({ atMost: 1 }, Number.NaN), 'not measured')
  })

  it('without a bound stands there to be compared with', () => {
    assert.equal(verdictOf({}, 7), 'for comparison')
  })

  it('is a row of the table: what, how much, reached, and what was measured beside it', () => {
    type Figures = { readonly rate: number }
    const promise = { says: 'a rate', unit: '/s', atLeast: 0.6, figure: (one: Figures) => one.rate }
    const rows = promisedRows('batch', [{ ...promise, beside: one => `bare ${one.rate * 2}` }], { rate: 0.33 })
    assert.deepEqual(rows, [['batch', 'a rate', '≥ 0.6 /s', '0.33 /s', 'bare 0.66', 'short']])
    assert.equal(rows[0]!.length, promisedHead.length)
  })

  it('of a benchmark that failed stands in the table too', () => {
    const promise = { says: 'a rate', unit: '/s', atLeast: 3000, figure: (one: { rate: number }) => one.rate }
    assert.deepEqual(promisedRows('adhoc', [promise], undefined), [
      ['adhoc', 'a rate', '≥ 3,000 /s', '', '', 'not measured'],
    ])
  })
})
