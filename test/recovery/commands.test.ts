/** `smki recovery`, as somebody types it: steps, a drill, its record, its lessons, and what is due. */

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeHome } from '../service/environment.ts'
import { smki as run } from '../smki.ts'

describe('smki recovery', () => {
  let made: Awaited<ReturnType<typeof makeHome>>
  before(async () => {
    made = await makeHome()
  })
  after(() => made.remove())

  const smki = (...words: string[]) => run(['--home', made.home.path, 'recovery', ...words])

  it('steps: the steps of a procedure in their order', async () => {
    const { out } = await smki('steps', '--case', 'root')
    assert.match(out, /1 +Pre-Recovery +authenticate notifier +DCC/)
    assert.match(out, /Key Custodians/)
  })

  it('drill: plays it, writes the report, and puts it on record; lessons are written, and the next is due in a year', async () => {
    const folder = join(made.home.path, 'report')
    const before = await smki('drills')
    assert.equal(before.out.match(/DUE NOW/g)?.length, 7, before.err)
    const { out, err, code } = await smki('drill', '--case', 'method1', '--devices', '30', '--out', folder)
    assert.equal(code, 0, err)
    assert.match(out, /0 min {2}notify\n/)
    assert.match(out, /of \d+ Relevant Devices .* are recovered/)
    assert.match(out, /Recorded as drill 1\./)
    assert.ok(existsSync(join(folder, 'DRILL-METHOD1.html')))
    assert.match(readFileSync(join(folder, 'DRILL-METHOD1.md'), 'utf8'), /^# Drill of the SMKI Recovery Procedure/)
    const file = join(made.home.path, 'lessons.txt')
    writeFileSync(file, 'call back sooner\n')
    assert.match((await smki('lessons', '--drill', '1', '--file', file)).out, /on record/)
    const { drills, due } = JSON.parse((await smki('drills', '--json')).out) as {
      drills: { procedure: string; lessons: string }[]
      due: { procedure: string; isDue: boolean }[]
    }
    assert.deepEqual(
      [drills.length, drills[0]!.procedure, drills[0]!.lessons],
      [1, 'method1', 'call back sooner\n'],
    )
    assert.deepEqual(
      due.filter(one => !one.isDue).map(one => one.procedure),
      ['method1'],
    )
  })

  it('says no with a code to what is not there, and what it takes to a case that is none', async () => {
    const { err, code } = await smki('report', '--event', 'NONE-1')
    assert.deepEqual([code, err.slice(0, 13)], [1, 'EVENT_UNKNOWN'])
    assert.match((await smki('drill', '--case', 'method4')).err, /It is one of method1/)
    assert.match((await smki('drill', '--case', 'method1', '--devices', '5')).err, /20 Devices/)
  })
})
