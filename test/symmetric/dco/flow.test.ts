/** The flows of smets1-keys.md section 6 through the DCO, with simulated meters. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { writeGetRequest } from '../../../src/ground/dlms/get.ts'
import { isSigned, readRecord } from '../../../src/rooms/symmetric/record.ts'
import { makeRooms, type Rooms, refused, type TakenOn } from './rooms.ts'

let rooms: Rooms
before(async () => {
  rooms = await makeRooms()
})
after(() => rooms.close())

const clockObject = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 } as const
const readClock = toHex(writeGetRequest({ service: 'get-request', invoke: 0xc1, ...clockObject }))

describe('a Device that is taken on', () => {
  it('has records of generation 0, sealed and signed, and answers under them', async () => {
    const one = await rooms.takeOn()
    assert.equal(one.records.size, 9)
    for (const hex of one.records.values()) {
      const sealed = readRecord(fromHex(hex))
      assert.equal(sealed.record.generation, 0)
      assert.ok(isSigned(sealed, fromHex(rooms.identity.records)))
    }
    for (const client of ['data-collection', 'extended-data-collection', 'management', 'firmware'] as const) {
      const { finished } = await one.associate(client)
      assert.deepEqual(
        finished.proven.map(({ type, generation, stage }) => [type, generation, stage]),
        [
          ['AK', 0, 'active'],
          ['GUEK', 0, 'active'],
        ],
      )
    }
    const { sound } = await rooms.ask('check-records', { records: [...one.records.values()] })
    assert.deepEqual(sound, Array(9).fill(true))
  })
})

describe('a command', () => {
  it('that an instruction asks for is protected, and its reply deciphered', async () => {
    for (const model of ['usual', 'usual-mk', 'strict-hub'] as const) {
      const switches = {
        usual: {},
        'usual-mk': { dedicatedKey: 'uses' },
        'strict-hub': { counterRule: 'strictly-next' },
      } as const
      const one = await rooms.takeOn({ model, switches: switches[model] })
      const open = await one.associate('management', { dedicated: model === 'usual-mk' })
      const command = { service: 'get-request', ...clockObject } as const
      const instruction = rooms.instruct({ device: one.device, client: 'management', commands: [command, command] })
      for (const step of [0, 1]) {
        const { apdu } = await rooms.ask('protect-command', { ...open.keys, instruction, step, apdu: readClock })
        const { service, text } = await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, apdu) })
        assert.equal(service, 'get-response')
        assert.match(text, /^c401c100090c/)
      }
      const proof = await rooms.ask('protect-proof-read', open.keys)
      const read = await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, proof.apdu) })
      assert.match(read.text, /^c401c100090c/)
      await rooms.ask('close-association', { association: open.keys.association })
      await assert.rejects(rooms.ask('protect-proof-read', open.keys), refused('ASSOCIATION_UNKNOWN'))
    }
  })

  it('tells the Device to demand protection, in an APDU that the DCO forms', async () => {
    const one = await rooms.takeOn()
    const open = await one.associate('management')
    const { apdu } = await rooms.ask('protect-activation', open.keys)
    const { text } = await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, apdu) })
    assert.match(text, /^c701c1..00$/)
  })
})

/** Makes a key, offers it through a client, opens the reply. */
export async function rotate(
  one: TakenOn,
  holder: 'data-collection' | 'extended-data-collection' | 'management' | 'firmware',
  keyType: 'AK' | 'GUEK',
  { mk = one.record('device', 'MK') } = {},
): Promise<string> {
  const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
  const records = [...one.records.values()]
  const { record } = await rooms.ask('make-key', { device: one.device, holder, keyType, ground, records })
  const open = await one.associate(holder)
  const offered = await rooms.ask('offer-keys', { ...open.keys, mk, keys: [record] })
  const reply = await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, offered.apdu) })
  assert.equal(reply.text, 'c701c10000')
  const { finished } = await one.associate(holder, { [keyType.toLowerCase()]: record })
  assert.ok(
    finished.changed.some(
      ({ stage, type, generation }) => stage === 'active' && type === keyType && generation > 0,
    ),
  )
  one.records.set(`${holder} ${keyType}`, record)
  return record
}

describe('a rotation', () => {
  it('replaces every key of every client, and then the MK, and leaves one generation active on each side', async () => {
    const one = await rooms.takeOn({ model: 'usual-mk' })
    for (const client of ['data-collection', 'extended-data-collection', 'firmware', 'management'] as const) {
      await rotate(one, client, 'AK')
      await rotate(one, client, 'GUEK')
    }
    // The MK: offered, and proven by one more AK.
    const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
    const body = { device: one.device, holder: 'device', keyType: 'MK', ground } as const
    const { record: mk } = await rooms.ask('make-key', { ...body, records: [...one.records.values()] })
    const open = await one.associate('management')
    const offered = await rooms.ask('offer-keys', { ...open.keys, mk: one.record('device', 'MK'), keys: [mk] })
    await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, offered.apdu) })
    await rotate(one, 'management', 'AK', { mk })
    const { keys } = await rooms.ask('tell-device', { device: one.device })
    const active = keys.filter(({ stage }) => stage === 'active')
    assert.equal(active.length, 9)
    assert.ok(
      active.every(
        ({ generation, type, holder }) => generation === (type === 'AK' && holder === 'management' ? 2 : 1),
      ),
    )
    assert.ok(keys.every(({ stage }) => stage === 'active' || stage === 'superseded'))
    // Without ground for another: there is no periodic rotation.
    const again = { ...body, holder: 'management', keyType: 'GUEK' } as const
    const all = [...one.records.values()]
    await assert.rejects(rooms.ask('make-key', { ...again, records: all }), refused('GROUND_SPENT'))
  })

  it('that was not taken is abandoned only when the offer can no longer be taken', async () => {
    const one = await rooms.takeOn({ switches: { dropReply: 'before commit', troubledTransfers: 1 } })
    const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
    const body = { device: one.device, holder: 'firmware', keyType: 'AK', ground } as const
    const records = [...one.records.values()]
    const { record } = await rooms.ask('make-key', { ...body, records })
    // Through Management, which may set the keys of all.
    const open = await one.associate('management')
    await rooms.ask('offer-keys', { ...open.keys, mk: one.record('device', 'MK'), keys: [record] })
    await assert.rejects(rooms.ask('make-key', { ...body, records }), refused('KEY_UNRESOLVED'))
    await assert.rejects(rooms.ask('abandon-key', { record }), refused('KEY_STAGE'))

    // The old keys are proven, and yet the offer may still be on its way.
    const first = await one.associate('firmware')
    assert.deepEqual(first.finished.changed, [])
    // A pass 4 from before Management's counters moved past the offer, which is looked at after that.
    const pair = { ak: one.record('firmware', 'AK'), guek: one.record('firmware', 'GUEK') }
    const body2 = { device: one.device, client: 'firmware', ...pair, dedicated: false } as const
    const { association, apdu } = await rooms.ask('open-association', body2)
    const line = { session: new Map(), client: 'firmware' } as const
    const pass3 = await rooms.ask('answer-association', { association, ...pair, apdu: one.send(line, apdu) })
    const pass4 = one.send(line, pass3.apdu)
    // Management's counters move past it; what the firmware client shows from now on counts.
    await one.associate('management')
    const between = await rooms.ask('finish-association', { association, ...pair, apdu: pass4 })
    assert.deepEqual(between.changed, [])
    const second = await one.associate('firmware')
    assert.deepEqual(
      second.finished.changed.map(({ holder, type, stage }) => [holder, type, stage]),
      [['firmware', 'AK', 'abandoned']],
    )
    await rooms.ask('make-key', { ...body, records })
  })
})
