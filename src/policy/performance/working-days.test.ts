import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../../ground/refusal.ts'
import { plusDays } from '../documents/day.ts'
import { bankHolidays } from './bank-holidays.ts'
import { forecastDue, horizonOf, reportDue, roundOf } from './rounds.ts'
import { holidaysWith, isWorkingDay, plusWorkingDays, workingDayOf } from './working-days.ts'

const weekday = (day: string) => new Date(`${day}T00:00:00Z`).getUTCDay()
const unknown = (cause: unknown) => cause instanceof Refusal && cause.code === 'HOLIDAYS_UNKNOWN'

/** Easter Sunday as the Book of Common Prayer and Gauss have it (Meeus, Astronomical Algorithms, chapter 8). */
function easter(year: number): string {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100]
  const [d, e] = [Math.floor(b / 4), b % 4]
  const g = Math.floor((8 * b + 13) / 25)
  const h = (19 * a + b - d - g + 15) % 30
  const [i, k] = [Math.floor(c / 4), c % 4]
  const l = (32 + 2 * e + 2 * i - h - k) % 7
  const m = Math.floor((a + 11 * h + 19 * l) / 433)
  const month = Math.floor((h + l - 7 * m + 90) / 25)
  const day = (h + l - 7 * m + 33 * month + 19) % 32
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** By the Act of 1971 and custom, without what proclamations changed for one year. */
function byRule(year: number): Set<string> {
  const mondays = (month: string) =>
    Array.from({ length: 31 }, (_, i) => `${year}-${month}-${String(i + 1).padStart(2, '0')}`).filter(
      day => !Number.isNaN(Date.parse(day)) && weekday(day) === 1,
    )
  const days = new Set([plusDays(easter(year), -2), plusDays(easter(year), 1)])
  days.add(mondays('05')[0]!).add(mondays('05').at(-1)!).add(mondays('08').at(-1)!)
  for (const fixed of [`${year}-01-01`, `${year}-12-25`, `${year}-12-26`]) {
    let day = fixed
    while (weekday(day) === 0 || weekday(day) === 6 || days.has(day)) day = plusDays(day, 1)
    days.add(day)
  }
  return days
}

describe('the table of bank holidays', () => {
  /** What was proclaimed for one year: taken away, and added. */
  const proclaimed: Record<string, { less?: string[]; more: string[] }> = {
    2020: { less: ['05-04'], more: ['05-08'] },
    2022: { less: ['05-30'], more: ['06-02', '06-03', '09-19'] },
    2023: { more: ['05-08'] },
  }

  it('is what the rules make of each year, but for what was proclaimed', () => {
    const years = Object.keys(bankHolidays)
    assert.deepEqual(
      years,
      Array.from({ length: 13 }, (_, i) => String(2020 + i)),
    )
    for (const year of years) {
      const days = byRule(Number(year))
      const { less = [], more = [] } = proclaimed[year] ?? {}
      for (const day of less) assert.ok(days.delete(`${year}-${day}`), `${year}-${day}`)
      for (const day of more) days.add(`${year}-${day}`)
      assert.deepEqual(bankHolidays[year], [...days].map(day => day.slice(5)).sort(), year)
    }
  })

  it('has Good Friday where it was', () => {
    // gov.uk/bank-holidays.
    assert.deepEqual([2020, 2024, 2026].map(easter), ['2020-04-12', '2024-03-31', '2026-04-05'])
  })
})

describe('a deadline', () => {
  const holidays = holidaysWith({})

  it('is the one of the table of check values', () => {
    // governance-performance.md section 6.
    const forecasts = {
      '2025-12': '2025-12-19',
      '2026-03': '2026-03-20',
      '2026-06': '2026-06-19',
      '2026-09': '2026-09-21',
      '2026-12': '2026-12-21',
    }
    for (const [round, day] of Object.entries(forecasts)) assert.equal(forecastDue(round, holidays), day)
    const reports = {
      '2025-12': '2026-01-15',
      '2026-01': '2026-02-13',
      '2026-03': '2026-04-16',
      '2026-04': '2026-05-15',
      '2026-05': '2026-06-12',
    }
    for (const [month, day] of Object.entries(reports)) assert.equal(reportDue(month, holidays), day)
  })

  it('is not guessed for a year whose holidays are unknown, until they are configured', () => {
    assert.throws(() => reportDue('2032-12', holidays), unknown)
    assert.throws(() => isWorkingDay('2019-01-02', holidays), unknown)
    const more = holidaysWith({ 2033: ['01-03', '04-15', '04-18'] })
    assert.equal(reportDue('2032-12', more), '2033-01-17')
  })

  it('moves when a holiday is proclaimed', () => {
    const more = holidaysWith({ 2026: [...bankHolidays[2026]!, '06-15'] })
    assert.equal(forecastDue('2026-06', more), '2026-06-22')
  })

  it('counts Working Days back as it counts them on', () => {
    const day = fc.date({ min: new Date('2021-01-01'), max: new Date('2031-12-01'), noInvalidDate: true })
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 40 }), (at, n) => {
        const start = workingDayOf(at.toISOString().slice(0, 7), 3, holidays)
        return plusWorkingDays(plusWorkingDays(start, n, holidays), -n, holidays) === start
      }),
    )
  })
})

describe('a round of forecasts', () => {
  it('lasts until the next month in which one is due', () => {
    assert.deepEqual(['2026-12', '2027-01', '2027-02', '2027-03', '2026-11'].map(roundOf), [
      '2026-12',
      '2026-12',
      '2026-12',
      '2027-03',
      '2026-09',
    ])
  })

  it('covers the months after that in which it is submitted', () => {
    const three = (forecastFrom: 'next month' | 'this month') => horizonOf('2026-11', 3, forecastFrom)
    assert.deepEqual(three('next month'), ['2026-12', '2027-01', '2027-02'])
    assert.deepEqual(three('this month'), ['2026-11', '2026-12', '2027-01'])
  })
})
