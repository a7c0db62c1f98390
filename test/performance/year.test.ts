/** A year of deadlines, day by day: reminders, flags and reports come on the right days, around Christmas and Easter too. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { plusDays } from '../../src/policy/documents/day.ts'
import { horizonOf } from '../../src/policy/performance/rounds.ts'
import { instantAt } from '../../src/policy/performance/zone.ts'
import type { OwnReport, PanelReport } from '../../src/rooms/governance/performance/report.ts'
import { reportOf } from '../../src/rooms/governance/performance/reports.ts'
import { forecast, performanceTurn } from '../../src/rooms/issuance/performance.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { clerk, type Office, openOffice } from './office.ts'

describe('a year of deadlines', () => {
  let office: Office
  let punctual: number
  let late: number
  let silent: number
  /** What the schedule did, by day. */
  const flags: string[] = []
  const made: string[] = []

  const submit = (day: string, party: number) => {
    office.turnTo(instantAt(day, '15:00', 'Europe/London'))
    const months = horizonOf(day.slice(0, 7), 8).map(month => ({ month, single: 100, batch: 900 }))
    return forecast(office.hands, office.settings, clerk, { party, months })
  }

  before(async () => {
    office = await openOffice('2025-11-03T09:00:00.000Z', { reportWorkingDay: 10, reminderWorkingDays: 5 })
    punctual = await office.party('punctual')
    late = await office.party('late')
    silent = await office.party('silent')
    const names = new Map([
      [punctual, 'punctual'],
      [late, 'late'],
      [silent, 'silent'],
    ])
    const submissions: Record<string, number> = {
      '2025-12-19': punctual,
      '2025-12-22': late,
      '2026-03-02': punctual,
      '2026-03-23': late,
      '2026-06-19': punctual,
      '2026-06-22': late,
      '2026-09-21': punctual,
      '2026-09-22': late,
      '2026-12-21': punctual,
    }
    for (let day = '2025-12-01'; day <= '2026-12-31'; day = plusDays(day, 1)) {
      const party = submissions[day]
      if (party !== undefined) await submit(day, party)
      // In the evening; on the days on which the clock changes too.
      office.turnTo(instantAt(day, '23:30', 'Europe/London'))
      const { flagged, months } = await performanceTurn(office.hands, office.settings)
      flags.push(...flagged.map(one => `${day} ${names.get(one.party)} ${one.flag} ${one.round}`))
      made.push(...months.map(month => `${month} on ${day}`))
    }
  })
  after(() => office.close())

  it('has each report made on the tenth Working Day after its month', () => {
    // governance-performance.md section 6: December, January, March (Easter), April and May; the others counted by hand.
    assert.deepEqual(made, [
      '2025-11 on 2025-12-12',
      '2025-12 on 2026-01-15',
      '2026-01 on 2026-02-13',
      '2026-02 on 2026-03-13',
      '2026-03 on 2026-04-16',
      '2026-04 on 2026-05-15',
      '2026-05 on 2026-06-12',
      '2026-06 on 2026-07-14',
      '2026-07 on 2026-08-14',
      '2026-08 on 2026-09-14',
      '2026-09 on 2026-10-14',
      '2026-10 on 2026-11-13',
      '2026-11 on 2026-12-14',
    ])
  })

  it('reminds five Working Days before, and flags what is missing or late the day after, once each', () => {
    const round = (name: string, remind: string, missing: string, given: string[]) => [
      ...given.map(who => `${remind} ${who} reminded ${name}`),
      ...['late', 'silent'].map(who => `${missing} ${who} ${who === 'late' ? 'late' : 'missing'} ${name}`),
    ]
    const all = ['punctual', 'late', 'silent']
    const expected = [
      // 20 December is a Saturday: what is due on Friday the 19th is missing from then on, and comes on Monday.
      ...all.map(who => `2025-12-12 ${who} reminded 2025-12`),
      '2025-12-20 late missing 2025-12',
      '2025-12-20 silent missing 2025-12',
      '2025-12-22 late late 2025-12',
      // Who submitted on the 2nd is reminded of nothing.
      ...['late', 'silent'].map(who => `2026-03-13 ${who} reminded 2026-03`),
      '2026-03-21 late missing 2026-03',
      '2026-03-21 silent missing 2026-03',
      '2026-03-23 late late 2026-03',
      ...all.map(who => `2026-06-12 ${who} reminded 2026-06`),
      '2026-06-20 late missing 2026-06',
      '2026-06-20 silent missing 2026-06',
      '2026-06-22 late late 2026-06',
      ...round('2026-09', '2026-09-14', '2026-09-22', all),
      ...all.map(who => `2026-12-14 ${who} reminded 2026-12`),
      '2026-12-22 late missing 2026-12',
      '2026-12-22 silent missing 2026-12',
    ]
    assert.deepEqual(flags, expected)
  })

  it('tells the Parties, the Registration Authority and the Panel', async () => {
    const told = async (recipient: string) => {
      const notices = await noticesTo(office.store, recipient)
      return Object.fromEntries(
        [...Map.groupBy(notices, one => one.subject)].map(([subject, all]) => [subject, all.length]),
      )
    }
    assert.deepEqual(await told(`party ${punctual}`), {
      'a forecast is due': 4,
      'a performance report is ready': 13,
    })
    assert.deepEqual(await told(`party ${silent}`), {
      'a forecast is due': 5,
      'a forecast is missing': 5,
      'a performance report is ready': 13,
    })
    assert.deepEqual(await told('Registration Authority'), {
      'a forecast is missing': 9,
      'a forecast came late': 4,
    })
    assert.deepEqual(await told('SEC Panel'), { 'a performance report is ready': 13 })
  })

  it('holds each month against the forecast that was the most recent when it began', async () => {
    const own = async (month: string, party: number) =>
      JSON.parse((await reportOf(office.store, month, `party ${party}`)).content) as OwnReport
    const january = await own('2026-01', punctual)
    assert.deepEqual(january.forecast, {
      single: 100,
      batch: 900,
      total: 1000,
      submittedAt: '2025-12-19T15:00:00.000Z',
    })
    assert.equal((await own('2025-12', punctual)).forecast, 'none')
    assert.equal((await own('2026-11', silent)).forecast, 'none')
    // Twelve months of history at most, the last its own.
    const november = await own('2026-11', late)
    assert.deepEqual(
      [november.history.length, november.history[0]!.month, november.history.at(-1)!.month],
      [12, '2025-12', '2026-11'],
    )
    assert.equal(november.late, false)
    const panel = JSON.parse((await reportOf(office.store, '2026-09', 'SEC Panel')).content) as PanelReport
    assert.deepEqual(
      panel.forecasts.map(one => [one.name, one.round, one.state]),
      [
        ['late & Co', '2026-09', 'late'],
        ['silent & Co', '2026-09', 'missing'],
      ],
    )
  })

  it('makes up for what was missed while nobody looked, says that it is late, and does nothing twice', async () => {
    office.turnTo('2027-03-20T09:00:00.000Z')
    const { months } = await performanceTurn(office.hands, office.settings)
    assert.deepEqual(months, ['2026-12', '2027-01', '2027-02'])
    const late = async (month: string) =>
      (JSON.parse((await reportOf(office.store, month, 'SEC Panel')).content) as PanelReport).late
    assert.deepEqual([await late('2026-12'), await late('2027-01'), await late('2027-02')], [true, true, true])
    assert.deepEqual(await performanceTurn(office.hands, office.settings), { flagged: [], months: [] })
  })
})
