import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { lockedUntil, stillCounting } from './lock-out.ts'

const minute = 60_000
const at = (minutes: number) => new Date(Date.UTC(2026, 10, 20, 9) + minutes * minute)
const until = (failures: number[], now: number) => lockedUntil(failures.map(at), at(now))

describe('the lock-out of an account (repository.md section 6)', () => {
  it('comes with the fifth wrong password within an hour, and ends an hour after the first', () => {
    assert.equal(until([0, 1, 2, 3], 3), undefined)
    assert.deepEqual(until([0, 1, 2, 3, 4], 4), at(60))
    assert.deepEqual(until([0, 1, 2, 3, 4], 59.9), at(60))
    assert.equal(until([0, 1, 2, 3, 4], 60), undefined)
  })

  it('may last only moments', () => {
    assert.deepEqual(until([0, 57, 58, 59, 59.9], 59.9), at(60))
    assert.equal(until([0, 57, 58, 59, 60], 60), undefined)
  })

  it('does not come from failures that are older than an hour', () => {
    assert.equal(until([0, 57, 58, 59, 60.1], 60.1), undefined)
    assert.deepEqual(until([0, 57, 58, 59, 60.1, 61], 61), at(57 + 60))
  })

  it('is what looking at every five failures says, and needs no failure that stillCounting leaves out', () => {
    let locked = 0
    const gaps = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 0, max: 90 }), (between, later) => {
        let sum = 0
        const failures = between.map(gap => {
          sum += gap
          return at(sum)
        })
        const now = at(sum + later)
        const ends = failures.flatMap((first, i) => {
          const fifth = failures[i + 4]
          const end = first.getTime() + 60 * minute
          return fifth && fifth.getTime() <= end && now.getTime() < end ? [end] : []
        })
        const found = lockedUntil(failures, now)
        if (found) locked++
        assert.equal(found !== undefined, ends.length > 0)
        if (found) assert.equal(found.getTime(), Math.max(...ends))
        assert.deepEqual(lockedUntil(stillCounting(failures, now), now), found)
      }),
      { numRuns: 2000 },
    )
    assert.ok(locked > 10, `${locked} were locked`)
  })
})
