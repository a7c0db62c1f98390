import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dayOf, fromWords, inWords, isDay, plusDays, plusMonths } from './day.ts'
import { isWorkingDay, plusWorkingDays, workingDayOf, YearWithoutHolidays } from './working-days.ts'

describe('a Working Day', () => {
  it('is counted as the specification counts it', () => {
    // governance-performance.md section 6, its table of check values.
    const fifteenth = { '2025-12': '19', '2026-03': '20', '2026-06': '19', '2026-09': '21', '2026-12': '21' }
    for (const [month, day] of Object.entries(fifteenth)) assert.equal(workingDayOf(month, 15), `${month}-${day}`)
    const tenth = { '2026-01': '15', '2026-02': '13', '2026-04': '16', '2026-05': '15', '2026-06': '12' }
    for (const [month, day] of Object.entries(tenth)) assert.equal(workingDayOf(month, 10), `${month}-${day}`)
  })

  it('is no Saturday, Sunday or bank holiday', () => {
    for (const day of ['2022-06-02', '2022-09-19', '2026-04-03', '2026-11-21', '2026-11-22', '2027-12-27']) {
      assert.equal(isWorkingDay(day), false, day)
    }
    assert.equal(isWorkingDay('2026-11-20'), true)
  })

  it('is not guessed for a year whose holidays are unknown', () => {
    assert.throws(() => plusWorkingDays('2028-12-31', 1), YearWithoutHolidays)
    assert.throws(() => isWorkingDay('2019-01-02'), YearWithoutHolidays)
  })
})

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
