import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sameToken, sessionsIn } from './session.ts'

describe('a session', () => {
  let now = 0
  let chance = 0
  const sessions = () =>
    sessionsIn(
      () => new Date(now),
      length => new Uint8Array(length).fill(++chance),
      300,
    )
  const auditor = { kind: 'auditor' } as const

  it('lasts as long as something is done every five minutes', () => {
    const all = sessions()
    const { id, session } = all.begin(auditor, undefined)
    for (let i = 0; i < 10; i++) {
      now += 300_000
      assert.equal(all.find(id, undefined), session)
    }
    now += 300_001
    assert.equal(all.find(id, undefined), 'ended')
    assert.equal(all.find(id, undefined), 'ended')
    assert.equal(all.find(undefined, undefined), undefined)
  })

  it('is over when another certificate shows its cookie, and when it was ended', () => {
    const all = sessions()
    const { id } = all.begin(auditor, 'AA:BB')
    assert.equal(all.find(id, 'CC:DD'), 'ended')
    assert.equal(all.find(id, 'AA:BB'), 'ended')
    const other = all.begin(auditor, 'AA:BB')
    all.end(other.id)
    assert.equal(all.find(other.id, 'AA:BB'), 'ended')
  })

  it('has a token of its own', () => {
    const all = sessions()
    const [one, two] = [all.begin(auditor, undefined).session, all.begin(auditor, undefined).session]
    assert.ok(sameToken(one, one.token) && !sameToken(one, two.token) && !sameToken(one, ''))
  })
})
