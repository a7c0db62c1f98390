import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { commissioned, proveInherited } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { keysOf } from '../../../src/rooms/symmetric/s1sp/records.ts'
import { deviceConnected, round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { openPackageForTest } from './opened.ts'
import { makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'

describe('A Device that was commissioned', () => {
  let rig: Rig
  before(async () => {
    const rotates = { ak: true, guek: true, broadcast: true, mk: false }
    rig = await makeRig({
      symmetric: {
        models: [
          { name: 'usual' },
          { name: 'usual-mk', rotates: { ...rotates, broadcast: false, mk: true } },
          { name: 'with broadcast', rotates },
        ],
      },
    })
  })
  after(() => rig.close())

  it('has every key of every client replaced, and no person is asked', async () => {
    const { meters, ids, taken } = await rig.meters({}, 2)
    assert.deepEqual(
      taken,
      ids.map(device => ({ device })),
    )
    for (const device of ids) {
      assert.deepEqual([...(await proveInherited(rig.hands, device)).values()], [true, true, true, true])
    }
    assert.equal(await commissioned(rig.hands, ids, rig.clock()), 2)
    const result = await round(rig.hands)
    assert.deepEqual(result.by, { open: 0, unresolved: 0, unreachable: 0, closed: 2 })
    for (const meter of meters) {
      const generations = await requireAgreement(rig, meter)
      assert.equal(generations.get('management/AK'), 1)
      assert.equal(generations.get('device/MK'), 0)
    }
    assert.deepEqual(await unresolvedAtDco(rig), [])
  })

  it('has its Master Key replaced too, last of all, where the model supports it', async () => {
    const { meters, ids } = await rig.meters({ model: 'usual-mk' })
    await commissioned(rig.hands, ids, rig.clock())
    const result = await round(rig.hands)
    assert.deepEqual(result.by, { open: 0, unresolved: 0, unreachable: 0, closed: 1 })
    const generations = await requireAgreement(rig, meters[0]!)
    assert.equal(generations.get('device/MK'), 1)
    assert.equal(generations.get('management/AK'), 2, 'one more AK proved it')
  })

  it('that nobody could reach is tried at once when it connects', async () => {
    const { meters, ids } = await rig.meters({ switches: { reachable: { everyMinutes: 1000, forMinutes: 1 } } })
    const hands = rig.s1spOver({ settings: { ...rig.hands.settings, againMinutes: 15 } })
    await commissioned(hands, ids, rig.clock())
    const away = () => !meters[0]!.reachable
    while (!away()) rig.later(60_000)
    assert.deepEqual((await round(hands)).by.unreachable, 1)
    while (away()) rig.later(10_000)
    assert.equal(await deviceConnected(hands, ids[0]!), 'closed')
    assert.equal(await deviceConnected(hands, ids[0]!), undefined)
  })

  it('has its broadcast keys replaced where the model holds them: a verified yes is all that can be had', async () => {
    const { meters, ids } = await rig.meters({
      model: 'with broadcast',
      more: { holdsBroadcastKey: true },
      switches: { dropReply: 'after commit', troubledTransfers: 3 },
    })
    await commissioned(rig.hands, ids, rig.clock())
    for (let tries = 0; tries < 6 && (await round(rig.hands)).closed === 0; tries++) rig.later(60_000)
    const keys = await keysOf(rig.stores.s1sp.store, ids[0]!)
    const broadcast = keys.filter(({ type }) => type === 'GBEK')
    assert.deepEqual(
      broadcast.map(({ stage, generation }) => `${stage} ${generation}`),
      new Array(4).fill('active 1'),
    )
    // The meter has one; that of the last client in the order is what it holds.
    const last = broadcast.find(({ holder }) => holder === 'management')!
    assert.deepEqual(openPackageForTest(rig, last.octets!), meters[0]!.memory.gbek)
  })
})
