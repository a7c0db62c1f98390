/** A key whose record is lost, on a Device that loses its replacement too: found, reported, and replaced where that can be. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { entriesOf } from '../../../src/rooms/symmetric/s1sp/compare.ts'
import { commissioned } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { checkDevice } from '../../../src/rooms/symmetric/s1sp/lost.ts'
import { keysOf } from '../../../src/rooms/symmetric/s1sp/records.ts'
import { exceptionList } from '../../../src/rooms/symmetric/s1sp/report.ts'
import { round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { openPackageForTest } from './opened.ts'
import { addressOf, makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'

let rig: Rig
before(async () => {
  rig = await makeRig()
})
after(() => rig.close())

/** `corrupt`: one bit of the record is changed; `missing`: its row is gone. */
async function lose(device: string, holder: string, type: string, how: 'corrupt' | 'missing'): Promise<void> {
  const { store } = rig.stores.s1sp
  const keys = await keysOf(store, device)
  const key = keys.find(key => key.holder === holder && key.type === type && key.stage === 'active')!
  const octets = Buffer.from(key.octets!)
  octets[octets.length >> 1]! ^= 1
  if (how === 'missing') await store.query('DELETE FROM key_record WHERE id = $1', [key.id])
  else await store.query('UPDATE key_record SET octets = $1 WHERE id = $2', [octets, key.id])
}

async function rounds(most: number): Promise<string[]> {
  const states: string[] = []
  for (let n = 0; n < most && states.at(-1) !== 'closed'; n++) {
    rig.later(1000)
    await round(rig.hands, { now: true, onTried: (_, state) => states.push(state) })
  }
  return states
}

async function attempts(device: string): Promise<{ code: string; says: string }[]> {
  const { rows } = await rig.stores.s1sp.store.query<{ code: string; says: string }>(
    'SELECT a.code, a.says FROM attempt a JOIN rotation r ON r.id = a.rotation WHERE r.device = $1 ORDER BY a.at',
    [device],
  )
  return rows
}

describe('A Device whose key is lost, and whose replacement never reached it,', () => {
  for (const [how, type] of [
    ['corrupt', 'AK'],
    ['missing', 'AK'],
    ['corrupt', 'GUEK'],
  ] as const) {
    it(`is offered the same ${type} again through Management, where the record before it is ${how}`, async () => {
      const { meters, ids } = await rig.meters({
        switches: { setupAccess: 'Management writes all', dropReply: 'before commit', troubledTransfers: 2 },
      })
      const device = ids[0]!
      await lose(device, 'firmware', type, how)
      assert.deepEqual(await checkDevice(rig.hands, device), [
        { device, holder: 'firmware', type, how, can: 'rotate' },
      ])
      const states = await rounds(6)
      assert.equal(states.at(-1), 'closed', states.join(', '))
      const generations = await requireAgreement(rig, meters[0]!)
      assert.equal(generations.get(`firmware/${type}`), 1, 'it is the key that was offered first')
      assert.equal(generations.get('management/AK'), 0, 'nothing else was touched')
      assert.deepEqual(await unresolvedAtDco(rig, device), [])
      assert.equal(meters[0]!.memory.transfers, 3, 'two were lost, the third was taken')
      const acts = (await Array.fromAsync(entriesOf(rig.stores.s1sp.store))).filter(
        ({ body }) => body.device === device,
      )
      assert.equal(acts.filter(({ act }) => act === 'key.made').length, 1)
    })
  }

  it('is reported, and the way out named, where no other client can set it; once it is seen to, all resolves', async () => {
    const { meters, ids } = await rig.meters({ switches: { dropReply: 'before commit', troubledTransfers: 2 } })
    const device = ids[0]!
    await commissioned(rig.hands, ids, rig.clock())
    await offerAndLose(device)
    const states = await rounds(3)
    assert.ok(!states.includes('closed'), states.join(', '))
    const said = (await attempts(device)).find(({ code }) => code === 'KEY_LOST')
    assert.match(said?.says ?? '', /refuses it through management, .*; it has to be seen to there/)
    const listed = () => exceptionList(rig.hands).then(all => all.filter(each => each.device === device))
    assert.ok(
      (await listed()).some(({ what }) => what === 'data-collection/AK'),
      'it stands in the list of what cannot be done',
    )
    assert.deepEqual(await unresolvedAtDco(rig, device), ['offered data-collection AK 1'], 'and is not withdrawn')

    // Somebody at the Device sets the key that was offered.
    const offered = (await keysOf(rig.stores.s1sp.store, device)).find(({ stage }) => stage === 'offered')!
    meters[0]!.memory.clients.get(addressOf('data-collection'))!.ak = openPackageForTest(rig, offered.octets!)
    assert.equal((await rounds(3)).at(-1), 'closed')
    await requireAgreement(rig, meters[0]!)
    const against = (await listed()).filter(({ what, says }) => what !== says)
    assert.deepEqual(against, [], 'nothing stands against it any more')
  })

  /** The first key is offered, and lost on its way; then the line to the DCO breaks, and the record of the one before is damaged. */
  async function offerAndLose(device: string): Promise<void> {
    rig.later(1000)
    let offered = false
    const dco = {
      async ask(message: { type: string }) {
        if (offered && message.type === 'open-association') throw new Error('the line to the DCO is down')
        if (message.type === 'offer-keys') offered = true
        return rig.dcoLine.ask(message as never)
      },
    } as typeof rig.dcoLine
    await round(rig.s1spOver({ dco }), { now: true })
    assert.ok(offered)
    await lose(device, 'data-collection', 'AK', 'corrupt')
  }
})
