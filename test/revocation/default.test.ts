/** Events of Default (L2.5): finding, notice to the Panel, its process, its outcome, in this order and by decision. */

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { eventsOfDefault, recordFinding, takeDefaultStep } from '../../src/rooms/revocation/default.ts'
import { refusal } from '../registration/office.ts'
import { openScene, type Scene } from './scene.ts'

let scene: Scene
let party: number
before(async () => {
  scene = await openScene([])
  party = await scene.organisation('acme')
})
after(() => scene.close())

const provision = 'SEC Appendix D 8.2.1'

it('an Event of Default goes from the finding to the outcome, step by step, and the Panel is told', async () => {
  const [member] = scene.pma
  const decision = await scene.decision(['event of default'], [`party:${party}`])
  const found = await recordFinding(
    scene.hands,
    member,
    { party, provision },
    { decision, words: 'material breach' },
  )
  assert.deepEqual([found.due, found.steps.length, found.closedAt], ['notice to Panel', 1, undefined])
  const take = (step: string, by = member) =>
    takeDefaultStep(scene.hands, by, found.id, step, {
      words: 'done',
      evidence: [{ kind: 'letter', reference: 'L/1' }],
    })
  await assert.rejects(take('outcome'), refusal('DEFAULT_STEP'))
  await assert.rejects(take('notice to Panel', scene.personnel[0]), refusal('NOT_FOR_THIS_OFFICE'))
  assert.deepEqual(await noticesTo(scene.store, 'SEC Panel'), [])
  await take('notice to Panel', scene.managers[0])
  assert.equal((await noticesTo(scene.store, 'SEC Panel'))[0]?.about.event, found.id)
  await take('Panel process')
  scene.pass(1000)
  const closed = await take('outcome')
  assert.deepEqual([closed.due, closed.closedAt], [undefined, scene.hands.clock()])
  await assert.rejects(take('outcome'), refusal('DEFAULT_STEP'))
  assert.deepEqual(await eventsOfDefault(scene.store), [closed])
  assert.deepEqual(
    closed.steps.map(one => [one.step, one.decision, one.person]),
    [
      ['finding', decision, member.person],
      ['notice to Panel', undefined, scene.managers[0].person],
      ['Panel process', undefined, member.person],
      ['outcome', undefined, member.person],
    ],
  )
  const said = (await scene.journal()).filter(
    ({ act, body }) => act === 'Event of Default' && body.event === found.id,
  )
  assert.deepEqual(
    said.map(({ body }) => body.step),
    closed.steps.map(one => one.step),
  )
})

it('a finding is of a Member, by a decision about that Party, and names a provision', async () => {
  const [member] = scene.pma
  const decision = await scene.decision(['event of default'], [`party:${party}`])
  const find = (by = member, more = {}, taken = {}) =>
    recordFinding(scene.hands, by, { party, provision, ...more }, { decision, ...taken })
  await assert.rejects(find(scene.managers[0]), refusal('NOT_FOR_THIS_OFFICE'))
  await assert.rejects(find(member, {}, { decision: undefined }), refusal('DECISION_UNKNOWN'))
  await assert.rejects(find(member, { party: scene.operator }), refusal('DECISION_NOT_COVERING'))
  await assert.rejects(find(member, { provision: '' }), refusal('DEFAULT_UNFIT'))
  await assert.rejects(find(member, { party: 999 }), refusal('PARTY_UNKNOWN'))
  await assert.rejects(takeDefaultStep(scene.hands, member, 999, 'outcome', {}), refusal('DEFAULT_UNKNOWN'))
})
