/** Who may notify, confirm and choose; steps in the order that is set; custodians and their shares. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { notified } from '../../src/main/recovery-drill.ts'
import { defaultSteps } from '../../src/policy/recovery/steps.ts'
import { ceaseCustodian, custodians, shareAmongCustodians } from '../../src/rooms/recovery/custodians.ts'
import { chooseProcedure, confirmCompromise, notifyCompromise } from '../../src/rooms/recovery/notify.ts'
import { doneStep, dueStep, recoverySteps } from '../../src/rooms/recovery/steps.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import { refusal } from '../registration/office.ts'
import { openStage, type Stage } from './stage.ts'

describe('A Compromise', () => {
  let stage: Stage
  /** Another order of the contingency steps than ours: the order is data. */
  const order = defaultSteps.root.toSorted(
    (a, b) => Number(b.action === 'make root') - Number(a.action === 'make root'),
  )
  before(async () => {
    stage = await openStage('method3', 20, undefined, {
      recovery: { steps: { root: order }, relevantKeys: ['organisation', 'root'] },
    })
  })
  after(() => stage.close())
  const refusedLast = async () => (await stage.journal()).at(-1)!

  it('of a supplier’s key is not for another supplier to notify, nor for who is in no office; both stand in the journal', async () => {
    const { hands, people, event } = stage.play
    const { notification } = notified(stage.play, hands.clock())
    await assert.rejects(notifyCompromise(hands, people.suppliers[1].sro, notification), refusal('MAY_NOT_NOTIFY'))
    const entry = await refusedLast()
    assert.deepEqual(
      [entry.act, entry.body.code, entry.body.attempt],
      ['refused', 'MAY_NOT_NOTIFY', 'notify Compromise'],
    )
    const stranger = { person: 'p-000000000000', as: 'SRO', party: people.suppliers[0].party } as const
    await assert.rejects(notifyCompromise(hands, stranger, notification), refusal('NOT_IN_OFFICE'))
    assert.equal((await refusedLast()).body.code, 'NOT_IN_OFFICE')
    const ofDcc = { ...notification, reference: 'ROOT-1', keyKind: 'root' as const, party: undefined }
    await assert.rejects(notifyCompromise(hands, people.suppliers[0].sro, ofDcc), refusal('MAY_NOT_NOTIFY'))
    assert.equal((await stage.test.store.query('SELECT FROM recovery_event')).rows.length, 0, event)
  })

  it('of a key that is not relevant, or that is not whole, is not taken', async () => {
    const { hands, people } = stage.play
    const { notification } = notified(stage.play, hands.clock())
    const by = people.manager
    const recovery = { ...notification, keyKind: 'recovery' as const, party: undefined }
    await assert.rejects(notifyCompromise(hands, by, recovery), refusal('KEY_NOT_RELEVANT'))
    for (const change of [
      { reference: 'x' },
      { keyIds: [] },
      { keyIds: [Buffer.alloc(7)] },
      { key: Buffer.alloc(31) },
      { suspectedSince: new Date(hands.clock().getTime() + 1000) },
      { party: undefined },
    ])
      await assert.rejects(notifyCompromise(hands, by, { ...notification, ...change }), refusal('EVENT_UNFIT'))
  })

  it('is confirmed by another person than notified, by permitted means, once; and given a procedure that cures it', async () => {
    const { hands, people, event } = stage.play
    const { notification } = notified(stage.play, hands.clock())
    const clerkNotifies = { ...notification, reference: 'SUP-7' }
    await notifyCompromise(hands, people.clerk, clerkNotifies)
    await assert.rejects(notifyCompromise(hands, people.clerk, clerkNotifies), refusal('EVENT_EXISTS'))
    const good = { means: 'call back', confirmed: true }
    await assert.rejects(confirmCompromise(hands, people.clerk, 'SUP-7', good), refusal('CONFIRMED_BY_NOTIFIER'))
    const post = { means: 'postcard', confirmed: true }
    await assert.rejects(confirmCompromise(hands, people.otherClerk, 'SUP-7', post), refusal('MEANS_NOT_PERMITTED'))
    await assert.rejects(chooseProcedure(hands, people.manager, 'SUP-7', 'method3'), refusal('EVENT_STATE'))
    await confirmCompromise(hands, people.otherClerk, 'SUP-7', good)
    await assert.rejects(confirmCompromise(hands, people.otherClerk, 'SUP-7', good), refusal('EVENT_STATE'))
    await assert.rejects(chooseProcedure(hands, people.manager, 'SUP-7', 'root'), refusal('PROCEDURE_UNFIT'))
    await chooseProcedure(hands, people.manager, 'SUP-7', 'method2')
    await assert.rejects(chooseProcedure(hands, people.manager, 'SUP-7', 'method3'), refusal('PROCEDURE_UNFIT'))
    await assert.rejects(confirmCompromise(hands, people.clerk, 'NONE-1', good), refusal('EVENT_UNKNOWN'), event)
  })

  it('is cured in the order of steps that is set, and in no other', async () => {
    const { hands, people } = stage.play
    const { notification } = notified(stage.play, hands.clock())
    await notifyCompromise(hands, people.manager, {
      ...notification,
      reference: 'ROOT-2',
      keyKind: 'root',
      party: undefined,
      asksFor: undefined,
    })
    await confirmCompromise(hands, people.clerk, 'ROOT-2', { means: 'in person', confirmed: true })
    await chooseProcedure(hands, people.manager, 'ROOT-2', 'root')
    const laid = (await recoverySteps(hands.store, 'ROOT-2')).map(one => one.action)
    assert.equal(laid[0], 'make root')
    assert.deepEqual(laid.toSorted(), defaultSteps.root.map(one => one.action).toSorted())
    await assert.rejects(doneStep(hands, people.manager, 'ROOT-2', 'freeze devices'), refusal('STEP_ORDER'))
    await doneStep(hands, people.manager, 'ROOT-2', 'make root')
    await assert.rejects(doneStep(hands, people.manager, 'ROOT-2', 'make root'), refusal('STEP_ORDER'))
    assert.equal((await dueStep(hands.store, 'ROOT-2'))?.action, 'authenticate notifier')
  })
})

describe('Key Custodians', () => {
  let stage: Stage
  before(async () => {
    stage = await openStage('method3', 20)
  })
  after(() => stage.close())

  it('are as many as they are to be, are known, hold one share each, and none of both halves of the contingency', async () => {
    const { hands, people } = stage.play
    const secret = Buffer.from('0123456789abcdef')
    const sharing = { thing: 'symmetric key', store: 'a test', secret } as const
    const own = people.custodians['symmetric key']
    const share = (custodians: readonly string[]) =>
      shareAmongCustodians(hands, people.manager, { ...sharing, custodians })
    await assert.rejects(share(own.slice(1)), refusal('CUSTODIANS_COUNT'))
    await assert.rejects(share([...own.slice(1), own[1]!]), refusal('QUORUM_HOLDER_TWICE'))
    await assert.rejects(share([...own.slice(1), 'p-000000000000']), refusal('PERSON_UNKNOWN'))
    const both = people.custodians['contingency key'][0]!
    await assert.rejects(share([...own.slice(1), both]), refusal('CUSTODIAN_OF_BOTH'))
    const next = await enterPerson(hands, people.clerk, { name: 'Next' })
    const envelopes = await share([...own.slice(1), next])
    assert.equal(envelopes.length, 5)
    const all = (await custodians(hands.store)).filter(one => one.thing === 'symmetric key')
    assert.deepEqual([all.length, all.filter(one => one.until === undefined).length], [10, 5])
  })

  it('leave, until too few would be left to come together', async () => {
    const { hands, people } = stage.play
    const [first, second, third] = people.custodians['recovery key']
    await ceaseCustodian(hands, people.manager, 'recovery key', first!)
    await assert.rejects(
      ceaseCustodian(hands, people.manager, 'recovery key', first!),
      refusal('QUORUM_HOLDER_LEFT'),
    )
    await ceaseCustodian(hands, people.manager, 'recovery key', second!)
    await assert.rejects(ceaseCustodian(hands, people.manager, 'recovery key', third!), refusal('QUORUM_SIZE'))
  })
})
