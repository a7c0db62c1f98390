import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../../src/rooms/registration/srept.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { taskOf } from '../../src/rooms/registration/task.ts'
import { approve, refuse } from '../../src/rooms/registration/tasks.ts'
import { evidence, type Office, type Officers, openOffice, refusal } from './office.ts'

describe('SREPT', () => {
  let office: Office
  let party: number
  let officers: Officers
  before(async () => {
    office = await openOffice()
    party = await office.organisation('tested')
    officers = await office.officers(party)
  })
  after(() => office.close())

  const show = (scenario: string, passed = true) =>
    recordResult(office.hands, officers.aro, party, { scenario, passed, evidence: evidence('log') })
  const all = async () => (await planOf(office.store, party))!.scenarios

  it('is not completed, nor shown, without a plan', async () => {
    assert.equal(await planOf(office.store, party), undefined)
    await assert.rejects(show('org-csr-accepted'), refusal('SREPT_NOT_PLANNED'))
    await assert.rejects(requestCompletion(office.hands, officers.aro, party, {}), refusal('SREPT_NOT_PLANNED'))
    await assert.rejects(planSrept(office.hands, officers.aro, party, []), refusal('SREPT_INTERFACES'))
    await assert.rejects(
      planSrept(office.hands, officers.aro, party, ['FAX' as never]),
      refusal('SREPT_INTERFACES'),
    )
  })

  it('has the scenarios of the interfaces that are planned for', async () => {
    await planSrept(office.hands, officers.aro, party, ['REPO_WS'])
    assert.deepEqual(
      (await all()).map(one => one.id),
      ['repo-ws-search'],
    )
    await planSrept(office.hands, officers.aro, party, ['REPO_WS', 'REPO_PORTAL', 'REPO_WS'])
    assert.deepEqual(
      (await all()).map(one => one.id),
      ['repo-portal-search', 'repo-portal-lock-out', 'repo-ws-search'],
    )
  })

  it('shows each with evidence, and the latest result counts', async () => {
    await assert.rejects(show('org-csr-accepted'), refusal('SREPT_SCENARIO_UNKNOWN'))
    const bare = recordResult(office.hands, officers.aro, party, { scenario: 'repo-ws-search', passed: true })
    await assert.rejects(bare, refusal('EVIDENCE_MISSING'))
    for (const { id } of await all()) await show(id)
    await show('repo-ws-search', false)
    await assert.rejects(requestCompletion(office.hands, officers.aro, party, {}), cause => {
      assert.deepEqual((cause as { details: unknown }).details, { missing: ['repo-ws-search'] })
      return refusal('SREPT_INCOMPLETE')(cause)
    })
    await show('repo-ws-search')
  })

  it('is not confirmed on results that changed after they were looked at', async () => {
    const { hands, kinds, managers } = office
    const opened = await requestCompletion(hands, officers.aro, party, {})
    await assert.rejects(requestCompletion(hands, officers.aro, party, {}), refusal('SREPT_COMPLETED'))
    await office.check(opened)
    await show('repo-ws-search', false)
    await assert.rejects(
      approve(hands, kinds, managers[0], opened.task, { digest: opened.digest }),
      refusal('STEP_NOT_DUE'),
    )
    // Verified anew on what there is now, it still is not complete.
    const { digest } = await taskOf(office.store, opened.task)
    await office.check({ task: opened.task, digest })
    await assert.rejects(approve(hands, kinds, managers[0], opened.task, { digest }), refusal('SREPT_INCOMPLETE'))
    await refuse(hands, kinds, managers[0], opened.task, { words: 'a scenario failed' })
  })

  it('comes before an application, and its completion is told to the Panel', async () => {
    const { hands } = office
    const ask = () =>
      applyAsSubscriber(hands, officers.sro, party, 'smki-device', { evidence: evidence('signed form') })
    await assert.rejects(ask(), refusal('SREPT_NOT_COMPLETED'))
    await show('repo-ws-search')
    await office.decide(await requestCompletion(hands, officers.aro, party, {}))
    assert.ok((await planOf(office.store, party))?.completedAt)
    const [notice, ...more] = await noticesTo(office.store, 'SEC Panel')
    assert.deepEqual([notice?.subject, notice?.about.party, more.length], ['SREPT completed', party, 0])
    assert.deepEqual(await noticesTo(office.store, 'SEC Panel', notice!.id), [])

    const opened = await ask()
    await assert.rejects(ask(), refusal('APPLICATION_EXISTS'))
    const other = applyAsSubscriber(hands, officers.sro, party, 'iki' as never, {
      evidence: evidence('signed form'),
    })
    await assert.rejects(other, refusal('POLICY_UNKNOWN'))
    await office.decide(opened)
    assert.equal((await standingOf(office.store, party)).state, 'authorised')
    await assert.rejects(ask(), refusal('APPLICATION_EXISTS'))
  })

  it('is over when it is completed, and begins from nothing when that was withdrawn', async () => {
    await assert.rejects(show('repo-ws-search'), refusal('SREPT_COMPLETED'))
    await assert.rejects(planSrept(office.hands, officers.aro, party, ['REPO_WS']), refusal('SREPT_COMPLETED'))
    office.pass(1000)
    await withdrawCondition(
      office.hands,
      office.managers[0],
      party,
      { condition: 'SREPT' },
      { words: 'faked logs' },
    )
    assert.equal((await standingOf(office.store, party)).state, 'suspended')
    office.pass(1000)
    await planSrept(office.hands, officers.aro, party, ['REPO_WS'])
    assert.deepEqual(
      (await all()).map(one => one.passed),
      [undefined],
    )
    await show('repo-ws-search')
    await office.decide(await requestCompletion(office.hands, officers.aro, party, {}))
    assert.equal((await standingOf(office.store, party)).state, 'authorised')
  })

  it('may be refused an application, which can then be made again', async () => {
    const { hands, kinds, managers } = office
    const ask = () =>
      applyAsSubscriber(hands, officers.sro, party, 'smki-organisation', { evidence: evidence('signed form') })
    const first = await ask()
    await refuse(hands, kinds, managers[0], first.task, { words: 'not this year' })
    await office.decide(await ask())
  })
})
