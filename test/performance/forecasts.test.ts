/** Forecasts: what is taken in, and which of them a month is held against. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { horizonOf } from '../../src/policy/performance/rounds.ts'
import { monthIn } from '../../src/policy/performance/zone.ts'
import { forecastsOf, mostRecentFor, roundStandings } from '../../src/rooms/governance/performance/forecasts.ts'
import { deviceSubscribers, forecast } from '../../src/rooms/issuance/performance.ts'
import { clerk, type Office, openOffice, refusal } from './office.ts'

describe('a forecast', () => {
  let office: Office
  let party: number
  let stranger: number
  const months = (instant: string, single: number, batch: number) =>
    horizonOf(monthIn(new Date(instant), 'Europe/London'), 8).map(month => ({ month, single, batch }))
  const submit = (instant: string, single: number, batch: number, by = party) => {
    office.turnTo(instant)
    return forecast(office.hands, office.settings, clerk, { party: by, months: months(instant, single, batch) })
  }
  before(async () => {
    office = await openOffice('2025-11-03T09:00:00.000Z')
    party = await office.party('alpha')
    stranger = await office.party('beta', false)
  })
  after(() => office.close())

  it('is taken of an Authorised Subscriber under the Device Certificate Policy, and of nobody else', async () => {
    await assert.rejects(submit('2025-12-01T09:00:00Z', 1, 1, stranger), refusal('NOT_A_SUBSCRIBER'))
    await assert.rejects(submit('2025-12-01T09:00:00Z', 1, 1, 99), refusal('NOT_A_SUBSCRIBER'))
  })

  it('has a pair of whole numbers for each of eight months from the next on', async () => {
    office.turnTo('2025-12-01T09:00:00Z')
    const good = months('2025-12-01T09:00:00Z', 10, 20)
    assert.deepEqual([good[0]!.month, good.at(-1)!.month], ['2026-01', '2026-08'])
    const bad = [
      good.slice(1),
      [...good, { month: '2026-09', single: 1, batch: 1 }],
      good.toReversed(),
      good.with(3, { ...good[3]!, single: -1 }),
      good.with(3, { ...good[3]!, batch: 0.5 }),
      good.with(3, { ...good[3]!, batch: 1_000_000_001 }),
    ]
    for (const one of bad) {
      await assert.rejects(
        forecast(office.hands, office.settings, clerk, { party, months: one }),
        refusal('FORECAST_UNFIT'),
      )
    }
    assert.deepEqual(await forecastsOf(office.store, party), [])
    const acts = await office.journal()
    assert.deepEqual(
      acts.map(({ act, body }) => [act, body.code]),
      bad.map(() => ['refused', 'FORECAST_UNFIT']),
    )
  })

  it('is the most recent one for a month when it was submitted before that began, and is the latest of these', async () => {
    await submit('2025-12-10T09:00:00Z', 100, 1000)
    await submit('2026-03-20T17:00:00Z', 200, 2000)
    // The last moment before April, by the wall in summer time; and the first of April.
    await submit('2026-03-31T22:59:59.999Z', 300, 3000)
    await submit('2026-03-31T23:00:00.000Z', 400, 4000)
    const recent = async (month: string, settings = office.settings) => {
      const found = (await mostRecentFor(office.store, month, settings)).get(party)
      return found && [found.single, found.batch]
    }
    assert.equal(await recent('2025-12'), undefined)
    assert.deepEqual(await recent('2026-03'), [100, 1000])
    assert.deepEqual(await recent('2026-04'), [300, 3000])
    assert.deepEqual(await recent('2026-05'), [400, 4000])
    // Only that of April reaches so far.
    assert.deepEqual(await recent('2026-12'), [400, 4000])
    assert.equal(await recent('2027-01'), undefined)
    await submit('2026-05-02T09:00:00Z', 500, 5000)
    await submit('2026-06-30T22:59:59Z', 600, 6000)
    assert.deepEqual(await recent('2026-07'), [600, 6000])
  })

  it('of a month that has begun does not count for it, where a forecast begins with its own month, unless that is set', async () => {
    const settings = { ...office.settings, forecastFrom: 'this month' as const }
    const submitNow = (instant: string, single: number) => {
      office.turnTo(instant)
      const horizon = horizonOf(monthIn(new Date(instant), 'Europe/London'), 8, settings.forecastFrom)
      const all = horizon.map(month => ({ month, single, batch: 0 }))
      return forecast(office.hands, settings, clerk, { party, months: all })
    }
    await submitNow('2027-06-30T22:59:59.999Z', 1)
    await submitNow('2027-06-30T23:00:00.000Z', 2)
    const recent = async (mostRecentForecast: 'before the month' | 'latest') =>
      (await mostRecentFor(office.store, '2027-07', { ...settings, mostRecentForecast })).get(party)?.single
    assert.deepEqual([await recent('before the month'), await recent('latest')], [1, 2])
    await office.store.query(
      "DELETE FROM forecast_month USING forecast WHERE forecast = id AND submitted_at > '2027-01-01'",
    )
    await office.store.query("DELETE FROM forecast WHERE submitted_at > '2027-01-01'")
  })

  it('is shown, the latest first', async () => {
    const all = await forecastsOf(office.store, party, 2)
    assert.deepEqual(
      all.map(one => [one.submittedAt.toISOString(), one.months.length, one.months[0]!.single]),
      [
        ['2026-06-30T22:59:59.000Z', 8, 600],
        ['2026-05-02T09:00:00.000Z', 8, 500],
      ],
    )
  })

  it('is in time on the day on which it is due to its last moment, and late after', async () => {
    const state = async (at: string, settings = office.settings) => {
      const [one] = await roundStandings(
        office.store,
        settings,
        await deviceSubscribers(office.store),
        new Date(at),
      )
      return one && [one.round, one.dueOn, one.state]
    }
    assert.deepEqual(await state('2026-09-21T22:59:59Z'), ['2026-09', '2026-09-21', 'open'])
    assert.deepEqual(await state('2026-09-21T23:00:00Z'), ['2026-09', '2026-09-21', 'missing'])
    await submit('2026-09-21T22:59:59.999Z', 1, 1)
    assert.deepEqual(await state('2026-10-02T09:00:00Z'), ['2026-09', '2026-09-21', 'in time'])
    await submit('2026-12-22T00:00:00.000Z', 1, 1)
    assert.deepEqual(await state('2026-12-30T09:00:00Z'), ['2026-12', '2026-12-21', 'late'])
    // Who is registered after that day is expected in the next round.
    assert.equal((await deviceSubscribers(office.store)).length, 1)
    office.turnTo('2027-03-22T09:00:00Z')
    await office.party('gamma')
    const standings = await roundStandings(
      office.store,
      office.settings,
      await deviceSubscribers(office.store),
      new Date('2027-03-23T09:00:00Z'),
    )
    assert.deepEqual(
      standings.map(one => one.party),
      [party],
    )
  })
})
