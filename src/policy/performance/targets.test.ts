import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { pace } from './pace.ts'
import { isAbove, isAtLeast, percentOf } from './percent.ts'
import { dueBy } from './targets.ts'
import { boundsOf, instantAt, monthIn, wallTime } from './zone.ts'

const zone = 'Europe/London'
const due = (received: string) => dueBy('batch', new Date(received), zone).toISOString()

describe('a Target Response Time', () => {
  it('is 30 seconds for one CSR and 3 for the Repository', () => {
    const received = new Date('2026-11-20T09:00:00.000Z')
    assert.equal(dueBy('single', received, zone).toISOString(), '2026-11-20T09:00:30.000Z')
    assert.equal(dueBy('repository', received, zone).toISOString(), '2026-11-20T09:00:03.000Z')
  })

  it('of a batch is 08:00 the next day from 08:00 until before 20:00, else 24 hours', () => {
    assert.equal(due('2026-11-20T08:00:00.000Z'), '2026-11-21T08:00:00.000Z')
    assert.equal(due('2026-11-20T19:59:59.999Z'), '2026-11-21T08:00:00.000Z')
    assert.equal(due('2026-11-20T20:00:00.000Z'), '2026-11-21T20:00:00.000Z')
    assert.equal(due('2026-11-20T07:59:59.999Z'), '2026-11-21T07:59:59.999Z')
  })

  it('of a batch goes by the wall through both changes of the clock', () => {
    // Summer time: 08:00 on the wall is 07:00 UTC.
    assert.equal(due('2026-07-01T07:00:00.000Z'), '2026-07-02T07:00:00.000Z')
    assert.equal(due('2026-07-01T06:59:59.000Z'), '2026-07-02T06:59:59.000Z')
    // 29 March 2026, 01:00 UTC: the wall goes on to 02:00. The night is an hour shorter.
    assert.equal(due('2026-03-28T19:00:00.000Z'), '2026-03-29T07:00:00.000Z')
    assert.equal(due('2026-03-28T20:00:00.000Z'), '2026-03-29T20:00:00.000Z')
    // 25 October 2026, 01:00 UTC: the wall goes back to 01:00. The night is an hour longer.
    assert.equal(due('2026-10-24T18:59:59.000Z'), '2026-10-25T08:00:00.000Z')
    assert.equal(due('2026-10-24T19:00:00.000Z'), '2026-10-25T19:00:00.000Z')
  })
})

describe('a wall clock in London', () => {
  it('gives the month by the wall, to the millisecond', () => {
    assert.equal(monthIn(new Date('2026-06-30T22:59:59.999Z'), zone), '2026-06')
    assert.equal(monthIn(new Date('2026-06-30T23:00:00.000Z'), zone), '2026-07')
    assert.deepEqual(
      Object.values(boundsOf('2026-10', zone)).map(one => one.toISOString()),
      ['2026-09-30T23:00:00.000Z', '2026-11-01T00:00:00.000Z'],
    )
  })

  it('finds the instant of every time that it shows', () => {
    const instant = fc.date({ min: new Date('2020-01-01'), max: new Date('2032-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(instant, at => {
        const [day, time] = wallTime(at, zone).split('T') as [string, string]
        const found = instantAt(day, time.slice(0, 5), zone)
        // Twice a year the wall shows a time twice: then the second is found.
        assert.equal(wallTime(found, zone).slice(0, 16), `${day}T${time.slice(0, 5)}`)
      }),
    )
    assert.equal(instantAt('2026-10-25', '01:30', zone).toISOString(), '2026-10-25T01:30:00.000Z')
    assert.equal(wallTime(instantAt('2026-03-29', '01:30', zone), zone), '2026-03-29T02:30:00')
  })
})

describe('a percentage', () => {
  it('is cut off and never rounded up, and none of nothing', () => {
    assert.equal(percentOf(0, 0), 'none')
    assert.equal(percentOf(0, 3), '0.00 %')
    assert.equal(percentOf(98_999_999, 100_000_000), '98.99 %')
    assert.equal(percentOf(2, 3), '66.66 %')
    assert.equal(percentOf(11, 10), '110.00 %')
    assert.equal(percentOf(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), '100.00 %')
  })

  it('is compared in whole numbers', () => {
    assert.ok(isAtLeast(110, 110, 100) && !isAbove(110, 110, 100))
    assert.ok(!isAtLeast(109, 110, 100))
    // In floating point 1.1 × 3,000,000,000,000,030 is not what it is.
    assert.ok(isAtLeast(3_300_000_000_000_033, 110, 3_000_000_000_000_030))
    assert.ok(!isAbove(3_300_000_000_000_033, 110, 3_000_000_000_000_030))
  })
})

describe('the pace of single requests', () => {
  const settings = {
    zone,
    adHocCoreMs: 800,
    adHocOtherMs: 4000,
    coreFrom: '07:00',
    coreUntil: '20:00',
    adHocBurst: 3,
  }

  it('is held against a Party once it is ahead by more than the burst, and by that Party alone', () => {
    const at = new Date('2026-11-20T09:00:00Z')
    const paced = pace(() => at, settings)
    assert.deepEqual(
      [1, 1, 1, 1, 1, 2].map(party => paced.count(party)),
      [0, 0, 0, 800, 1600, 0],
    )
    paced.uncount(1)
    assert.equal(paced.count(1), 1600)
  })

  it('is slower outside core hours, by the wall', () => {
    let at = new Date('2026-07-01T05:59:00Z')
    const paced = pace(() => at, { ...settings, adHocBurst: 1 })
    assert.deepEqual([paced.count(1), paced.count(1)], [0, 4000])
    // 07:00 on the wall in summer.
    at = new Date('2026-07-01T06:00:00Z')
    assert.deepEqual([paced.count(1), paced.count(1)], [0, 800])
    at = new Date('2026-07-01T19:00:00Z')
    assert.deepEqual([paced.count(2), paced.count(2)], [0, 4000])
  })
})
