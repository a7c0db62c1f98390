import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dayOf, fromWords, inWords, isDay, plusDays, plusMonths } from './day.ts'

describe('a calendar day', () => {
  const day = fc.date({ min: new Date('1990-01-01'), max: new Date('2090-12-31'), noInvalidDate: true }).map(dayOf)

  it('is the same in words and in data', () => {
    fc.assert(fc.property(day, one => fromWords(inWords(one)) === one))
    assert.equal(inWords('2021-10-22'), '22 October 2021')
    assert.equal(fromWords('22 Oct 2021'), '2021-10-22')
    assert.equal(fromWords('1st of May, 2021'), '2021-05-01')
    for (const none of ['30 February 2021', '1 Smarch 2021', '31 April 2020', '22 october 2021', '1 Mayor 2020']) {
      assert.equal(fromWords(none), undefined, none)
    }
    for (const none of ['2021-02-30', '2021-2-3', '', undefined, '2021-13-01']) assert.equal(isDay(none), false)
  })

  it('lies so many days and months after another', () => {
    fc.assert(fc.property(day, fc.integer({ min: -500, max: 500 }), (d, n) => plusDays(plusDays(d, n), -n) === d))
    assert.equal(plusMonths('2024-02-29', 60), '2029-02-28')
    assert.equal(plusMonths('2021-08-31', -6), '2021-02-28')
    assert.equal(plusMonths('2021-12-10', 1), '2022-01-10')
  })

  it('is London’s: late on a summer evening in UTC it is the next', () => {
    assert.equal(dayOf(new Date('2026-07-01T23:30:00Z')), '2026-07-02')
    assert.equal(dayOf(new Date('2026-12-01T23:30:00Z')), '2026-12-01')
  })
})
