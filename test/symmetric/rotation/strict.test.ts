/** A Device that wants strictly the next counter is never locked out: no try under a key it did not take costs it one (section 7). */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Switches, usualClients } from '../../../simulator/meter/model.ts'
import { type KeyedClient, keyedClients } from '../../../src/policy/symmetric/keys.ts'
import { entriesOf } from '../../../src/rooms/symmetric/s1sp/compare.ts'
import { commissioned, proveInherited } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { type Dial, LineBroken } from '../../../src/rooms/symmetric/s1sp/line.ts'
import { checkDevice } from '../../../src/rooms/symmetric/s1sp/lost.ts'
import { keysOf } from '../../../src/rooms/symmetric/s1sp/records.ts'
import { keepException, openRotation } from '../../../src/rooms/symmetric/s1sp/rotation.ts'
import { round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'
import { requireNoCounterTwice, wireTap } from './wire-tap.ts'

/** What becomes of a transfer, and never can be told from its answer. */
const troubles: Record<string, Partial<Switches>> = {
  'answers every transfer': {},
  'loses every answer after it took the keys': { dropReply: 'after commit' },
  'says no and took the keys': { lieAboutResult: '"not OK" after commit' },
  'loses its power before it replies': { crashMidway: 'between storing and replying' },
}

/** What besides is not taken: of these the transfer is tried again. */
const notTaken: Record<string, Partial<Switches>> = {
  'loses the first five transfers before it took the keys': { dropReply: 'before commit', troubledTransfers: 5 },
  'says yes to the first two, and took nothing': {
    lieAboutResult: '"success" without commit',
    troubledTransfers: 2,
  },
}

describe('A Device that wants strictly the next counter', () => {
  let rig: Rig
  before(async () => {
    rig = await makeRig({ settings: { refusals: 6 } })
  })
  after(() => rig.close())

  async function strictHub(switches: Partial<Switches>) {
    const { meters, ids } = await rig.meters({
      model: 'strict-hub',
      switches: { counterRule: 'strictly-next', firstCounter: 1, ...switches },
      more: { framing: 'general-glo', maxPdu: 4096 },
    })
    const tap = wireTap(rig.hands.dial)
    return { meter: meters[0]!, device: ids[0]!, tap, hands: rig.s1spOver({ dial: tap.dial }) }
  }

  type Hub = Awaited<ReturnType<typeof strictHub>>

  /** Rounds until its rotation closes; then all sides agree, and it answers to every client. @returns generations */
  async function resolved({ meter, device, tap, hands }: Hub, outcome: string): Promise<Map<string, number>> {
    let closed = 0
    for (let tries = 0; tries < 14 && closed === 0; tries++) {
      rig.later(3_600_000)
      const result = await round(hands)
      assert.deepEqual(result.faults, [])
      closed = result.by.closed
    }
    const { rows } = await rig.stores.s1sp.store.query<{ outcome: string | null; codes: string }>(
      `SELECT outcome, (SELECT string_agg(DISTINCT code, ', ') FROM attempt WHERE rotation = r.id) AS codes
       FROM rotation r WHERE device = $1`,
      [device],
    )
    // One that does not close is out of the way of the next test.
    await rig.stores.s1sp.store.query(
      "UPDATE rotation SET state = 'closed', closed = now() WHERE state <> 'closed'",
    )
    assert.deepEqual(
      rows.map(row => row.outcome),
      [outcome],
      `tried: ${rows.map(row => row.codes).join()}`,
    )
    assert.deepEqual(await unresolvedAtDco(rig, device), [])
    const generations = await requireAgreement(rig, meter)
    const answers = new Map(keyedClients.map(client => [client, true]))
    assert.deepEqual(await proveInherited(hands, device), answers)
    assert.ok((await requireNoCounterTwice(rig, tap, device)) > usualClients.length)
    return generations
  }

  for (const [trouble, switches] of Object.entries({ ...troubles, ...notTaken })) {
    it(`has every key replaced, the Master Key too, when it ${trouble}`, async () => {
      const hub = await strictHub(switches)
      await commissioned(hub.hands, [hub.device], rig.clock())
      const generations = await resolved(hub, 'complete')
      for (const [key, generation] of generations) assert.ok(generation > 0, key)
      // The proof of the Master Key took both keys of Management once more.
      assert.ok(generations.get('management/AK')! > 1)
      assert.equal(generations.get('management/AK'), generations.get('management/GUEK'))
      const entries = await Array.fromAsync(entriesOf(rig.stores.dco.store))
      const proofs = entries.filter(({ act, body }) => {
        return act === 'key.proven' && body.device === hub.device && body.keyType === 'MK' && body.generation !== 0
      })
      assert.equal(proofs.length, 1, 'by two keys at once, it is proven once')
    })

    it(`has an AK replaced, and its GUEK with it, when it ${trouble}`, async () => {
      const hub = await strictHub(switches)
      const ground = { ground: 'lost-or-corrupt', evidence: 'E-1' } as const
      const wanted = ['data-collection/AK']
      await rig.stores.s1sp.store.transaction(client =>
        openRotation(client, hub.hands, { device: hub.device, ground, wanted }),
      )
      const generations = await resolved(hub, 'complete')
      requireTogether(generations, 'data-collection')
    })
  }

  for (const mk of ['refuses', 'takes it but keeps the old one'] as const) {
    it(`keeps its Master Key, and is not locked out, when it ${mk}, and says no to all that it takes`, async () => {
      const hub = await strictHub({ mk, lieAboutResult: '"not OK" after commit' })
      await commissioned(hub.hands, [hub.device], rig.clock())
      const generations = await resolved(hub, 'complete with exceptions')
      for (const [key, generation] of generations) assert.equal(generation === 0, key === 'device/MK', key)
    })
  }

  it('has its GUEK replaced again where of a client the AK alone is left', async () => {
    const hub = await strictHub({ dropReply: 'after commit' })
    const ground = { ground: 'lost-or-corrupt', evidence: 'E-2' } as const
    const wanted = ['data-collection/AK', 'data-collection/GUEK']
    await rig.stores.s1sp.store.transaction(async client => {
      const id = await openRotation(client, hub.hands, { device: hub.device, ground, wanted })
      await keepException(client, id!, 'data-collection', 'GUEK', 'nothing more is known of it')
    })
    requireTogether(await resolved(hub, 'complete with exceptions'), 'data-collection')
  })

  it('is not locked out by a line that breaks, and stays broken for that try', async () => {
    for (let nth = 1; nth <= 12; nth++) {
      const hub = await strictHub({})
      await commissioned(hub.hands, [hub.device], rig.clock())
      let calls = 0
      const dial: Dial = async (address, maxPdu) => {
        const line = await hub.tap.dial(address, maxPdu)
        return {
          close: () => line.close(),
          exchange: async (client, apdu) => {
            calls++
            if (calls < nth) return line.exchange(client, apdu)
            // The first still arrives, and its answer does not; after it nothing does.
            if (calls === nth) await line.exchange(client, apdu)
            throw new LineBroken('the line broke')
          },
        }
      }
      const broken = await round(rig.s1spOver({ dial }))
      assert.ok(calls >= nth && broken.by.closed === 0)
      const generations = await resolved(hub, 'complete')
      for (const [key, generation] of generations) assert.ok(generation > 0, `${key} after ${nth}`)
    }
  })

  for (const [trouble, switches] of Object.entries(troubles)) {
    it(`has an AK whose record is corrupt replaced through Management, when it ${trouble}`, async () => {
      const hub = await strictHub({ setupAccess: 'Management writes all', ...switches })
      const { device } = hub
      const keys = await keysOf(rig.stores.s1sp.store, device)
      const ak = keys.find(({ holder, type }) => holder === 'firmware' && type === 'AK')!
      const octets = Buffer.from(ak.octets!)
      octets[octets.length >> 1]! ^= 1
      await rig.stores.s1sp.store.query('UPDATE key_record SET octets = $1 WHERE id = $2', [octets, ak.id])
      assert.deepEqual(await checkDevice(hub.hands, device), [
        { device, holder: 'firmware', type: 'AK', how: 'corrupt', can: 'rotate' },
      ])
      requireTogether(await resolved(hub, 'complete'), 'firmware')
    })
  }
})

/** AK and GUEK of that client were replaced, as often the one as the other, and nothing else was touched. */
function requireTogether(generations: ReadonlyMap<string, number>, replaced: KeyedClient): void {
  for (const [key, generation] of generations) {
    assert.equal(generation > 0, key.startsWith(`${replaced}/`), key)
  }
  assert.equal(generations.get(`${replaced}/AK`), generations.get(`${replaced}/GUEK`))
}
