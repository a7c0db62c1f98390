/** Whatever write fails, before or after it took effect, and whoever stops: the rotation resolves (smets1-keys.md section 7). */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Store } from '../../../src/ground/store/store.ts'
import type { DcoLine } from '../../../src/rooms/symmetric/messages.ts'
import type { S1spHands } from '../../../src/rooms/symmetric/s1sp/hands.ts'
import { LineBroken } from '../../../src/rooms/symmetric/s1sp/line.ts'
import { notebook } from '../../../src/rooms/symmetric/s1sp/notebook.ts'
import { tryRotation } from '../../../src/rooms/symmetric/s1sp/rotate.ts'
import { openRotation, type RotationState } from '../../../src/rooms/symmetric/s1sp/rotation.ts'
import { failing, Injected, type When } from '../../issuing/failing.ts'
import { makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'
import { requireNoCounterTwice, wireTap } from './wire-tap.ts'

/** Every how many calls one is made to fail: 1 is each of them, which takes many minutes. */
const strideOf = (calls: 'many' | 'some') => Number(process.env.SMKI_FAULTS_EVERY ?? (calls === 'many' ? 59 : 17))

interface Broken {
  readonly hands: S1spHands
  readonly calls: () => number
  /** What starts anew after the crash. */
  readonly restart: () => void
}

type Break = (rig: Rig, hands: S1spHands, nth: number, when: When, crash: boolean) => Broken

/** Counts calls, and fails one of them, or from it on all. */
function counted(nth: number, when: When, crash: boolean, fail: () => Error) {
  let calls = 0
  return {
    calls: () => calls,
    through: async <T>(work: () => Promise<T>): Promise<T> => {
      calls++
      if (crash && calls > nth) throw fail()
      if (calls !== nth) return work()
      if (when === 'after') await work()
      throw fail()
    },
  }
}

const breaks: Record<string, Break> = {
  'a write of the S1SP': (rig, hands, nth, when, crash) => {
    const broken = failing(rig.stores.s1sp.store, nth, when, crash)
    const { store } = broken
    return { hands: { ...hands, store, notebook: notebook(store) }, calls: broken.calls, restart: () => {} }
  },
  'a write of the DCO': (rig, hands, nth, when, crash) => {
    const broken = failing(rig.stores.dco.store, nth, when, crash)
    rig.restartDco(broken.store as Store)
    return { hands, calls: broken.calls, restart: () => rig.restartDco() }
  },
  'a message between S1SP and DCO': (rig, hands, nth, when, crash) => {
    const { calls, through } = counted(nth, when, crash, () => new Injected('the connection broke'))
    const dco: DcoLine = { ask: message => through(() => rig.dcoLine.ask(message)) }
    return { hands: { ...hands, dco }, calls, restart: () => {} }
  },
  'an APDU between S1SP and Device': (_, hands, nth, when, crash) => {
    const { calls, through } = counted(nth, when, crash, () => new LineBroken('the line broke'))
    const dial: S1spHands['dial'] = async (address, maxPdu) => {
      const line = await hands.dial(address, maxPdu)
      return { close: line.close, exchange: (client, apdu) => through(() => line.exchange(client, apdu)) }
    }
    return { hands: { ...hands, dial }, calls, restart: () => {} }
  },
}

describe('A rotation', () => {
  let rig: Rig
  before(async () => {
    const rotates = { ak: true, guek: true, broadcast: false, mk: true }
    const counters = { rule: 'strictly-next', first: 1, maxJump: 1000 }
    const models = [
      { name: 'usual-mk', rotates },
      { name: 'strict', rotates, keyTransfer: 'one-array', counters },
    ]
    rig = await makeRig({ symmetric: { models } })
  })
  after(() => rig.close())

  async function begin(model: string) {
    const switches = model === 'strict' ? ({ counterRule: 'strictly-next', firstCounter: 1 } as const) : {}
    const { meters, ids } = await rig.meters({ model, switches })
    const ground = { ground: 'commissioned', at: rig.clock().toISOString() } as const
    const wanted = ['data-collection/AK', 'data-collection/GUEK', 'device/MK']
    const id = await rig.stores.s1sp.store.transaction(client =>
      openRotation(client, rig.hands, { device: ids[0]!, ground, wanted }),
    )
    return { meter: meters[0]!, device: ids[0]!, id: id! }
  }

  /** Every failure of one kind, and what follows it. @returns how many there were */
  async function everyWay(model: string, make: Break, stride: number): Promise<number> {
    let ways = 0
    for (const crash of [false, true]) {
      for (const when of ['before', 'after'] as const) {
        for (let nth = 1 + (ways % stride); ; nth += stride) {
          const { meter, device, id } = await begin(model)
          const tap = wireTap(rig.hands.dial)
          const broken = make(rig, rig.s1spOver({ dial: tap.dial }), nth, when, crash)
          // A fault of ours goes up to whoever called; of another's a record is kept.
          const state = await tryRotation(broken.hands, id).catch((cause): RotationState => {
            assert.ok(cause instanceof Injected, String(cause?.stack))
            return 'open'
          })
          const calls = broken.calls()
          broken.restart()
          let last = state
          for (let tries = 0; last !== 'closed'; tries++) {
            assert.ok(tries < 6, `${nth} ${when}${crash ? ', crash' : ''}: it does not close`)
            last = await tryRotation(rig.s1spOver({ dial: tap.dial }), id)
          }
          const generations = await requireAgreement(rig, meter)
          const where = `call ${nth} failed ${when}${crash ? ', and nothing followed' : ''}`
          assert.ok(generations.get('data-collection/AK')! >= 1, where)
          assert.ok(generations.get('data-collection/GUEK')! >= 1, where)
          assert.ok(generations.get('device/MK')! >= 1, where)
          assert.ok((await requireNoCounterTwice(rig, tap, device)) > 5)
          if (calls < nth) break
          ways++
        }
      }
    }
    assert.deepEqual(await unresolvedAtDco(rig), [])
    return ways
  }

  for (const [name, make] of Object.entries(breaks)) {
    it(`resolves whichever time ${name} fails, before or after it took effect, or everything after it`, async () => {
      const stride = strideOf(name.startsWith('a write') ? 'many' : 'some')
      assert.ok((await everyWay('usual-mk', make, stride)) >= 8)
    })
  }

  it('resolves too where the Device wants strictly the next counter: gaps are closed with the same octets', async () => {
    for (const way of ['a message between S1SP and DCO', 'an APDU between S1SP and Device'])
      assert.ok((await everyWay('strict', breaks[way]!, 5)) >= 8)
  })
})
