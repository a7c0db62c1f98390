import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { performanceSettings } from '../../policy/performance/settings.ts'
import { assumed } from '../../policy/settings.ts'
import { paceGuard } from './pace.ts'

const rules = (adHocOver: 'tell' | 'queue' | 'refuse') =>
  performanceSettings(assumed).parse({ adHocOver, adHocBurst: 2, adHocPatienceSeconds: 1 })

async function ask(adHocOver: 'tell' | 'queue' | 'refuse') {
  let now = Date.parse('2026-11-20T09:00:00Z')
  const told: object[] = []
  const waited: number[] = []
  const log = { warn: (about: object) => void told.push(about) }
  const guard = paceGuard(
    () => new Date(now),
    rules(adHocOver),
    log,
    async ms => void waited.push(ms),
  )
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await guard.admit(7))
  now += 60_000
  const later = await guard.admit(7)
  return { answers, later, told, waited }
}

describe('a Party that asks faster than the Code of Connection allows', () => {
  it('is told of, once in a while, and is answered', async () => {
    const { answers, later, told, waited } = await ask('tell')
    assert.deepEqual([...answers, later], Array(6).fill('go on'))
    assert.deepEqual(told, [{ party: 7, milliseconds: 800 }])
    assert.deepEqual(waited, [])
  })

  it('waits for its turn where that is set, and no longer than patience lasts: nothing is lost', async () => {
    const { answers, waited } = await ask('queue')
    assert.deepEqual(answers, Array(5).fill('go on'))
    assert.deepEqual(waited, [800, 1000, 1000])
  })

  it('is refused where that is set, and what is refused does not count against it', async () => {
    const { answers, later } = await ask('refuse')
    assert.deepEqual(answers, ['go on', 'go on', 'refuse', 'refuse', 'refuse'])
    assert.equal(later, 'go on')
  })
})
