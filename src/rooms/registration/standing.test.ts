import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Facts, judge } from './standing.ts'

const nothing: Facts = { ceased: false, identity: false, sro: false, aro: false, srept: false, accepted: [] }
const everything: Facts = {
  ceased: false,
  identity: true,
  sro: true,
  aro: true,
  srept: true,
  accepted: ['smki-organisation', 'smki-device'],
}

describe('the standing of a Party', () => {
  it('goes from applicant to authorised as the conditions are met', () => {
    const steps: [Partial<Facts>, string][] = [
      [{}, 'applicant'],
      [{ identity: true }, 'identityVerified'],
      [{ sro: true }, 'identityVerified'],
      [{ aro: true }, 'officersInPlace'],
      [{ srept: true }, 'sreptComplete'],
      [{ accepted: ['smki-device'] }, 'authorised'],
    ]
    let facts = nothing
    for (const [change, state] of steps) {
      facts = { ...facts, ...change }
      assert.equal(judge(facts).state, state)
    }
    assert.deepEqual(judge(facts).policies, {
      'smki-organisation': { authorised: false, missing: ['application'] },
      'smki-device': { authorised: true, missing: [] },
      dccki: { authorised: false, missing: ['application'] },
    })
  })

  it('is suspended while any one condition is not met, and says which', () => {
    const without: [Partial<Facts>, string][] = [
      [{ identity: false }, 'identity'],
      [{ sro: false }, 'SRO'],
      [{ aro: false }, 'ARO'],
      [{ srept: false }, 'SREPT'],
    ]
    for (const [change, missing] of without) {
      const standing = judge({ ...everything, ...change })
      assert.equal(standing.state, 'suspended')
      assert.deepEqual(standing.missing, [missing])
      assert.deepEqual(standing.policies['smki-organisation'], { authorised: false, missing: [missing] })
    }
    assert.equal(judge(everything).state, 'authorised')
  })

  it('asks for no SREPT under the DCCKI policy, and is suspended only under what it was accepted for', () => {
    const dccki = { ...everything, srept: false, accepted: ['dccki'] }
    assert.equal(judge(dccki).state, 'authorised')
    assert.deepEqual(judge(dccki).policies.dccki, { authorised: true, missing: [] })
    assert.deepEqual(judge(dccki).policies['smki-device'].missing, ['SREPT', 'application'])
    assert.equal(judge({ ...dccki, aro: false }).state, 'suspended')
    assert.equal(judge({ ...dccki, accepted: ['dccki', 'smki-device'] }).state, 'suspended')
  })

  it('ends when the Party ceases', () => {
    const { state, policies } = judge({ ...everything, ceased: true })
    assert.equal(state, 'ceased')
    assert.equal(policies['smki-device'].authorised, false)
  })

  it('is authorised under a policy exactly when all four conditions hold, in whatever order they came', () => {
    const facts = fc.record({
      ceased: fc.boolean(),
      identity: fc.boolean(),
      sro: fc.boolean(),
      aro: fc.boolean(),
      srept: fc.boolean(),
      accepted: fc.subarray(['smki-organisation', 'smki-device']),
    })
    fc.assert(
      fc.property(facts, one => {
        const { policies } = judge(one)
        const three = !one.ceased && one.identity && one.sro && one.aro && one.srept
        assert.equal(policies['smki-device'].authorised, three && one.accepted.includes('smki-device'))
        assert.equal(policies['smki-organisation'].authorised, three && one.accepted.includes('smki-organisation'))
      }),
    )
  })
})
