/** Whatever write fails, before or after it took effect: the same message sent again is acted on once, and no counter repeats. */

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { deviceIdOf, factoryKeys } from '../../../simulator/meter/factory.ts'
import { meterModel, type Switches } from '../../../simulator/meter/model.ts'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import type { TakenCounter } from '../../../src/ground/dlms/counter.ts'
import { writeGetRequest } from '../../../src/ground/dlms/get.ts'
import { type CipherKey, Opened } from '../../../src/ground/keystore/dlms-cipher.ts'
import type { SymmetricModule } from '../../../src/ground/keystore/symmetric.ts'
import type { Store } from '../../../src/ground/store/store.ts'
import { answerMessage } from '../../../src/rooms/symmetric/dco/answer.ts'
import { openAnswer } from '../../../src/rooms/symmetric/envelope.ts'
import type { Content, MessageType } from '../../../src/rooms/symmetric/messages.ts'
import { type Asked, inheritedFile, makeRooms, type Rooms } from './rooms.ts'

let rooms: Rooms
before(async () => {
  const rotates = { ak: true, guek: true, broadcast: false, mk: true }
  const counters = { rule: 'strictly-next', first: 1, maxJump: 1000 }
  const dedicatedKey = 'allowed'
  rooms = await makeRooms({
    symmetric: {
      models: [
        { name: 'usual' },
        { name: 'usual-mk', rotates, dedicatedKey },
        { name: 'strict-hub', rotates, counters, dedicatedKey, framing: 'general-glo', keyTransfer: 'one-array' },
      ],
    },
  })
})
after(() => rooms.close())

class Injected extends Error {
  override name = 'Injected'
}

type When = 'before' | 'after'
interface Way {
  readonly nth: number
  readonly when: When
  readonly crash: boolean
}

/** A store of which the nth call fails, before or after it took effect; after a crash every later one fails too. */
function failing(store: Store, { nth, when, crash }: Way): { store: Store; calls: () => number } {
  let calls = 0
  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    calls++
    if (crash && calls > nth) throw new Injected('the process is no more')
    if (calls !== nth) return work()
    if (when === 'after') await work()
    throw new Injected(`call ${nth} failed ${when} it took effect`)
  }
  return {
    store: {
      ...store,
      query: (statement, values) => through(() => store.query(statement, values)),
      transaction: (work, options) => through(() => store.transaction(work, options)),
    },
    calls: () => calls,
  }
}

/** What was really enciphered: which text under which key, title and counter. */
const enciphered = new Map<string, string>()

/** Sees every text on its way into the cipher, and that no counter carries two. */
function watched(module: SymmetricModule): SymmetricModule {
  const see = (key: CipherKey, counter: TakenCounter, text: unknown) => {
    const name = `${key.id} ${toHex(counter.title)} ${counter.value}`
    const parts = (Array.isArray(text) ? text : [text]) as (Uint8Array | Opened)[]
    const digest = createHash('sha256')
    for (const part of parts) digest.update(Opened.is(part) ? part.id : part)
    const of = digest.digest('hex')
    assert.equal(enciphered.get(name) ?? of, of, `two texts under ${name}`)
    enciphered.set(name, of)
  }
  const cipher = new Proxy(module.cipher, {
    get(of, name) {
      const found = Reflect.get(of, name, of) as unknown
      if (typeof found !== 'function') return found
      if (name !== 'seal' && name !== 'authenticate') return found.bind(of)
      return (key: CipherKey, ak: unknown, counter: TakenCounter, control: number, text: unknown) => {
        see(key, counter, text)
        return found.call(of, key, ak, counter, control, text)
      }
    },
  })
  return new Proxy(module, {
    get(of, name) {
      if (name === 'cipher') return cipher
      const found = Reflect.get(of, name, of) as unknown
      return typeof found === 'function' ? found.bind(of) : found
    },
  })
}

/** Sends a message to a DCO whose store fails, and again to one that started anew, as an S1SP does. */
async function survive<T extends MessageType>(
  type: T,
  body: Asked<T>,
  way: Way,
  reached: { most: number; failed: number },
): Promise<Content<T>> {
  const module = watched(rooms.module)
  const { message, envelope } = rooms.seal(type, body)
  const broken = failing(rooms.store, way)
  const first = await answerMessage(rooms.restarted({ store: broken.store, module }), envelope, 's1sp-1').catch(
    cause => {
      assert.ok(cause instanceof Injected, String(cause))
      reached.failed++
      return undefined
    },
  )
  reached.most = Math.max(reached.most, broken.calls())
  const hands = rooms.restarted({ module })
  const second = await answerMessage(hands, envelope, 's1sp-1')
  if (first) assert.deepEqual(second, first, 'the stored answer, octet for octet')
  assert.deepEqual(await answerMessage(hands, envelope, 's1sp-1'), second)
  const { rowCount } = await rooms.store.query('SELECT FROM dco_message WHERE id = $1', [fromHex(message.id)])
  assert.equal(rowCount, 1)
  return openAnswer(second, message, { name: 'dco-1', publicKey: fromHex(rooms.identity.messages) })
}

async function everyWay(
  run: (way: Way, reached: { most: number; failed: number }) => Promise<void>,
): Promise<number> {
  let ways = 0
  for (const crash of [false, true]) {
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; ; nth++) {
        const reached = { most: 0, failed: 0 }
        await run({ nth, when, crash }, reached)
        if (reached.most < nth) break
        assert.ok(reached.failed > 0)
        ways++
      }
    }
  }
  return ways
}

const clock = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 } as const
const get = toHex(writeGetRequest({ service: 'get-request', invoke: 0xc1, ...clock }))

describe('every message of a rotation', () => {
  for (const [model, switches] of [
    ['usual-mk', { dedicatedKey: 'uses' }],
    ['strict-hub', { counterRule: 'strictly-next', dedicatedKey: 'uses' }],
  ] as const satisfies [string, Partial<Switches>][]) {
    it(`of a Device of model ${model} is acted on once, whichever call to the store fails`, async () => {
      const dedicated = true
      const ways = await everyWay(async (way, reached) => {
        const one = await rooms.takeOn({ model, switches })
        const { device } = one
        const ask = <T extends MessageType>(type: T, body: Asked<T>) => survive(type, body, way, reached)
        const client = 'management'
        const line = { session: new Map(), client } as const
        const associate = async (ak: string, guek: string) => {
          const opened = await ask('open-association', { device, client, ak, guek, dedicated })
          const under = { association: opened.association, ak, guek, ...(opened.dk && { dk: opened.dk }) }
          const pass3 = await ask('answer-association', { ...under, apdu: one.send(line, opened.apdu) })
          const finished = await ask('finish-association', { ...under, apdu: one.send(line, pass3.apdu) })
          return { under, finished }
        }
        const [ak, guek] = [one.record(client, 'AK'), one.record(client, 'GUEK')]
        const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
        const records = [...one.records.values()]
        const { record } = await ask('make-key', { device, holder: client, keyType: 'GUEK', ground, records })
        const { under } = await associate(ak, guek)
        const commands = [{ service: 'get-request', ...clock } as const]
        const instruction = rooms.instruct({ device, client, commands })
        const { apdu } = await ask('protect-command', { ...under, instruction, step: 0, apdu: get })
        await ask('open-reply', { ...under, apdu: one.send(line, apdu) })
        const offered = await ask('offer-keys', { ...under, mk: one.record('device', 'MK'), keys: [record] })
        await ask('open-reply', { ...under, apdu: one.send(line, offered.apdu) })
        const { finished } = await associate(ak, record)
        assert.deepEqual(
          finished.changed.map(({ type, generation, stage }) => [type, generation, stage]),
          [
            ['GUEK', 0, 'superseded'],
            ['GUEK', 1, 'active'],
          ],
        )
        assert.deepEqual(one.meter.keysOf(64).guek.length, 16)
        const { keys } = await ask('tell-device', { device })
        assert.deepEqual(
          keys.filter(({ holder, type }) => holder === client && type === 'GUEK').map(({ stage }) => stage),
          ['superseded', 'active'],
        )
      })
      assert.ok(ways >= 4 * 8, `${ways} ways`)
      assert.ok(enciphered.size > 100, `${enciphered.size} texts`)
      await toldOnce()
    })
  }
})

/** Every act stands in the journal once: of one message no two entries are equal. */
async function toldOnce(): Promise<void> {
  const told = new Set<string>()
  for (const { act, body } of await rooms.acts()) {
    if (!body.message) continue
    const name = JSON.stringify([act, body.message, body.record ?? null, body.keyType ?? null])
    assert.ok(!told.has(name), name)
    told.add(name)
    assert.equal(body.module, rooms.module.identity)
  }
  assert.ok(told.size > 100)
}

describe('a file of inherited keys', () => {
  it('is taken in once, whichever call to the store fails', async () => {
    let number = 5000
    const ways = await everyWay(async (way, reached) => {
      const device = deviceIdOf(++number)
      const keys = factoryKeys('faults', number, meterModel('usual'))
      const file = toHex(inheritedFile(rooms, device, keys))
      const { devices } = await survive('import-keys', { file }, way, reached)
      assert.equal(devices[0]!.refused, null)
      assert.equal(devices[0]!.records.length, 9)
      const { rowCount } = await rooms.store.query('SELECT FROM dco_key WHERE device = $1', [fromHex(device)])
      assert.equal(rowCount, 9)
      // The first try may have made records that nobody was told of: those of the answer are the ones that are known.
      const known = await survive('tell-device', { device }, way, reached)
      assert.equal(known.keys.length, 9)
    })
    assert.ok(ways >= 4 * 6, `${ways} ways`)
  })
})

describe('messages at once', () => {
  it('of one id are acted on once, and get one answer', async () => {
    const one = await rooms.takeOn()
    const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
    const records = [...one.records.values()]
    const body = { device: one.device, holder: 'firmware', keyType: 'AK', ground, records } as const
    const { envelope } = rooms.seal('make-key', body)
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        answerMessage(rooms.restarted(i % 2 ? {} : undefined), envelope, 's1sp-1'),
      ),
    )
    for (const each of answers) assert.deepEqual(each, answers[0])
    const { keys } = await rooms.ask('tell-device', { device: one.device })
    assert.equal(keys.filter(({ stage }) => stage === 'made').length, 1)
  })

  it('of a Device make one new key among them, not two', async () => {
    const one = await rooms.takeOn()
    const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
    const records = [...one.records.values()]
    const made = await Promise.allSettled(
      (['AK', 'GUEK', 'AK', 'GUEK'] as const).map((keyType, i) =>
        rooms.ask(
          'make-key',
          { device: one.device, holder: i < 2 ? 'firmware' : 'management', keyType, ground, records },
          { id: toHex(randomBytes(16)), hands: rooms.restarted() },
        ),
      ),
    )
    assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const each of made) {
      if (each.status === 'rejected') assert.equal(each.reason.code, 'KEY_UNRESOLVED')
    }
  })
})
