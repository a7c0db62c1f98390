import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { outOfOrder } from './chronology.ts'
import { plusDays } from './day.ts'

describe('the order of dates', () => {
  const named = (days: readonly string[]) => days.map((on, i) => ({ what: `step ${i}`, on }))

  it('is never doubted when it is right', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(900), { maxLength: 8 }), days => {
        const sorted = days.toSorted((a, b) => a - b).map(n => plusDays('2020-01-01', n))
        return outOfOrder(named(sorted)).length === 0
      }),
    )
  })

  it('names the one date that is wrong, wherever it stands', () => {
    const right = Array.from({ length: 6 }, (_, i) => plusDays('2021-01-01', i * 10))
    fc.assert(
      fc.property(fc.nat(5), fc.boolean(), (place, late) => {
        const days = right.with(place, late ? '2023-01-01' : '2019-01-01')
        const found = outOfOrder(named(days))
        const harmless = late ? place === 5 : place === 0
        assert.deepEqual(
          found.map(one => one.at.what),
          harmless ? [] : [`step ${place}`],
        )
      }),
    )
  })

  it('allows two steps on one day, unless one of them must lie later', () => {
    const days = [
      { what: 'opened', on: '2021-01-08' },
      { what: 'closed', on: '2021-01-08' },
    ]
    assert.deepEqual(outOfOrder(days), [])
    const [one] = outOfOrder([days[0]!, { ...days[1]!, strictly: true }])
    assert.equal(one!.says, 'opened on 8 January 2021, but closed, which comes after it, on 8 January 2021')
  })
})
