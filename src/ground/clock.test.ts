import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ClockWentBack, forwardClock, wholeSecond } from './clock.ts'

/** A clock that shows these instants, in milliseconds, one after another. */
function showing(...instants: number[]): () => Date {
  return () => new Date(instants.shift()!)
}

describe('A whole second', () => {
  it('is the last one that began, before 1970 too', () => {
    assert.equal(wholeSecond(new Date('2026-11-20T09:30:00.999Z')).toISOString(), '2026-11-20T09:30:00.000Z')
    assert.equal(wholeSecond(new Date(-1)).getTime(), -1000)
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), instant => {
        const whole = wholeSecond(instant).getTime()
        assert.equal(Math.abs(whole % 1000), 0)
        assert.ok(whole <= instant.getTime() && instant.getTime() - whole < 1000)
      }),
    )
  })

  it('leaves the instant it was given as it was', () => {
    const instant = new Date(1500)
    wholeSecond(instant)
    assert.equal(instant.getTime(), 1500)
  })
})

describe('A clock that never goes back', () => {
  it('shows what the clock beneath shows while that goes forward', () => {
    const clock = forwardClock(showing(1000, 1000, 5000))
    assert.deepEqual([clock(), clock(), clock()].map(Number), [1000, 1000, 5000])
  })

  it('stands still through a small step back', () => {
    const clock = forwardClock(showing(5000, 4000, 4999, 5001), 1000)
    assert.deepEqual([clock(), clock(), clock(), clock()].map(Number), [5000, 5000, 5000, 5001])
  })

  it('throws through a larger one, until time has caught up', () => {
    const clock = forwardClock(showing(5000, 3999, 3999, 4000, 6000), 1000)
    clock()
    assert.throws(clock, { name: 'ClockWentBack', message: /went back by 1\.001 s/ })
    assert.throws(clock, ClockWentBack)
    assert.equal(Number(clock()), 5000)
    assert.equal(Number(clock()), 6000)
  })

  it('does not creep back by many small steps', () => {
    const clock = forwardClock(showing(5000, 4500, 4000, 3500), 1000)
    assert.deepEqual([clock(), clock(), clock()].map(Number), [5000, 5000, 5000])
    assert.throws(clock, ClockWentBack)
  })

  it('holds from its first reading on to an instant that has certainly passed', () => {
    assert.throws(forwardClock(showing(3000), 1000, new Date(5000)), ClockWentBack)
    assert.equal(Number(forwardClock(showing(4500), 1000, new Date(5000))()), 5000)
    assert.equal(Number(forwardClock(showing(6000), 1000, new Date(5000))()), 6000)
  })

  it('gives dates of its own, so that nobody can turn it by changing one', () => {
    const clock = forwardClock(showing(5000, 5000))
    clock().setTime(9000)
    assert.equal(Number(clock()), 5000)
  })

  it('never shows less than before, whatever the clock beneath does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 1 }), instants => {
        const clock = forwardClock(showing(...instants), 2000)
        let latest = 0
        for (const instant of instants) {
          try {
            const now = Number(clock())
            assert.ok(now >= latest && now >= instant && now - instant <= 2000)
            latest = now
          } catch (error) {
            if (!(error instanceof ClockWentBack)) throw error
            assert.ok(latest - instant > 2000)
          }
        }
      }),
    )
  })
})
