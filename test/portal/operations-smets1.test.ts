/** What an S1SP reports is what the page of operations reads: made from a real store, after real rotations. */

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { readSmets1Report } from '../../src/doors/portal/operations/smets1-report.ts'
import { approveCampaign, enterDecision } from '../../src/rooms/symmetric/s1sp/campaign.ts'
import { commissioned } from '../../src/rooms/symmetric/s1sp/devices.ts'
import { enterReview } from '../../src/rooms/symmetric/s1sp/review.ts'
import { summaryOf } from '../../src/rooms/symmetric/s1sp/summary.ts'
import { round } from '../../src/rooms/symmetric/s1sp/worker.ts'
import { makeRig, type Rig } from '../symmetric/rotation/rig.ts'

const dayMs = 86_400_000

let rig: Rig
before(async () => {
  rig = await makeRig()
})
after(() => rig?.close())

it('an S1SP without Devices reports that', async () => {
  const empty = await summaryOf(rig.hands)
  assert.deepEqual(
    { ...empty, at: undefined },
    {
      at: undefined,
      campaigns: [],
      models: [],
      overdue: [],
      cannot: [],
      exceptions: [],
      review: { last: null, due: null, state: 'none' },
    },
  )
  assert.deepEqual(readSmets1Report(Buffer.from(JSON.stringify(empty))), empty)
})

it('campaigns, deadlines and what is unresolved stand in one report, which reads back as it was', async () => {
  const { ids } = await rig.meters({}, 2)
  const { ids: silent } = await rig.meters({ switches: { reachable: 'never' } })
  await commissioned(rig.hands, [...ids, ...silent], rig.hands.clock())
  await enterReview(rig.hands, rig.hands.clock(), 'archive 3', 'person-1')
  const { id } = await enterDecision(
    rig.hands,
    {
      decision: 'PMA-9',
      compromised: 'the S1SP’s host',
      where: 'S1SP',
      scope: { of: 'devices', devices: ids },
      keyTypes: ['AK'],
      hsmKeys: [],
      by: '2026-12-31T00:00:00Z',
      masterKeysInQuestion: false,
    },
    'person-1',
  )
  await approveCampaign(rig.hands, id, 'person-2')
  // The DCO does not know the decision: it makes no key for the campaign, and the Devices are unresolved.
  await round(rig.hands)
  const later = { ...rig.hands, clock: () => new Date(rig.hands.clock().getTime() + 8 * dayMs) }
  const summary = await summaryOf(later)
  const [campaign] = summary.campaigns
  assert.equal(summary.campaigns.length, 1)
  assert.equal(campaign?.decision, 'PMA-9')
  assert.equal(campaign?.devices, 2)
  assert.deepEqual(campaign?.by, new Date('2026-12-31T00:00:00Z'))
  assert.equal(
    campaign.waiting + campaign.done + campaign.unresolved + campaign.unreachable + campaign.cannot + campaign.open,
    2,
  )
  assert.equal(
    summary.models.reduce((total, one) => total + one.devices, 0),
    3,
  )
  assert.equal(summary.review.state, 'current')
  assert.deepEqual(
    summary.overdue.filter(one => silent.includes(one.device)).map(one => one.state),
    ['unreachable'],
  )
  const read = readSmets1Report(Buffer.from(JSON.stringify(summary)))
  assert.deepEqual(read, summary)
})
