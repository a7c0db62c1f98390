/** Lessons, rows 3, 5 and 9: whatever write fails, or is the last of a program, what was signed is on record, once and whole. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { points as pointsOf } from './points-testing.ts'
import { begin, stopChildren, told, tryAll, type Way } from './run.ts'
import { planted } from './scenarios/planted.ts'
import { scenarios } from './scenarios.ts'
import { openStage, type Stage } from './stage.ts'

/** Which points a program is killed at, of all: by a seed, which a failure tells. `node test/faults/all.ts` tries every one. */
const seed = Number(process.env.SMKI_FAULTS_SEED ?? Date.now() % 100_000)
const inHundred = { gone: 12, kill: 3 }

function sample(scenario: string): (way: Way, nth: number) => boolean {
  let state = [...`${seed} ${scenario}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)
  return ({ how }) => {
    // A program that is no more is what a killed one is, and costs less: both are sampled here.
    if (how === 'error') return true
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % 100 < inHundred[how]
  }
}

let stage: Stage
before(async () => {
  stage = await openStage()
  await begin(stage)
})
after(async () => {
  stopChildren()
  await stage.close()
})

describe(`a write that fails, before or after it took effect (seed ${seed})`, () => {
  for (const scenario of scenarios) {
    it(`is made good for in ${scenario.name}, whichever it is`, async context => {
      const tried = await tryAll(stage, scenario, sample(scenario.name))
      context.diagnostic(told(tried))
      assert.deepEqual(tried.found, [])
      assert.ok(tried.points.length >= 3, `${tried.points.length} points`)
      assert.ok(
        tried.tried['error before'] === tried.points.length && tried.tried['error after'] === tried.points.length,
      )
    })
  }
})

describe('what tries the points', () => {
  it('finds each write, each commit and each signature, and no reading', async () => {
    assert.deepEqual(await pointsOf(stage), [
      'INSERT INTO tried VALUES (1)',
      'UPDATE tried SET n = 2',
      'COMMIT',
      'COPY "tried" ("n") FROM STDIN (FORMAT binary)',
      'COMMIT',
      "SELECT nextval('tried_numbers')",
    ])
  })

  for (const one of planted) {
    it(`finds ${one.name}`, async () => {
      const { found } = await tryAll(stage, one, ({ how }) => how !== 'kill')
      assert.ok(found.length > 0, 'nothing was found')
      assert.ok(
        found.some(fault => one.says.test(fault)),
        found.join('\n'),
      )
    })
  }
})
