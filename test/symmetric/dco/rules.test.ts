/** What a DCO asks before it does anything: instructions, thresholds, grounds, counters, and whose message it is. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { deviceIdOf, factoryKeys } from '../../../simulator/meter/factory.ts'
import { meterModel } from '../../../simulator/meter/model.ts'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { readAarq } from '../../../src/ground/dlms/aarq.ts'
import { readProtected } from '../../../src/ground/dlms/frame.ts'
import { writeGetRequest } from '../../../src/ground/dlms/get.ts'
import { writeSetRequest } from '../../../src/ground/dlms/set.ts'
import type { KeyHolder } from '../../../src/policy/symmetric/keys.ts'
import { answerMessage } from '../../../src/rooms/symmetric/dco/answer.ts'
import { confirmDecision, enterDecision } from '../../../src/rooms/symmetric/dco/decisions.ts'
import { housekeep } from '../../../src/rooms/symmetric/dco/housekeeping.ts'
import type { Access } from '../../../src/rooms/symmetric/dco/people.ts'
import { raiseByPerson, skipAfterRestore } from '../../../src/rooms/symmetric/dco/raise.ts'
import { sealMessage } from '../../../src/rooms/symmetric/envelope.ts'
import { readRecord } from '../../../src/rooms/symmetric/record.ts'
import { inheritedFile, makeRooms, personSigner, type Rooms, refused, type TakenOn } from './rooms.ts'

let rooms: Rooms
let one: TakenOn
before(async () => {
  rooms = await makeRooms()
  one = await rooms.takeOn({ model: 'usual-mk' })
})
after(() => rooms.close())

const clock = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 } as const
const asked = { service: 'get-request', ...clock } as const
const get = toHex(writeGetRequest({ service: 'get-request', invoke: 0xc1, ...clock }))
const by = (person: string): Access => ({ person, role: 'DCO operator', reason: 'as decided', ticket: 'T-7' })
const commissioned = () => ({ ground: 'commissioned', at: rooms.now.toISOString() }) as const

describe('a command is protected only', () => {
  const command = async (instruction: string, { step = 0, apdu = get, client = 'management' as const } = {}) => {
    const open = await one.associate(client)
    return rooms.ask('protect-command', { ...open.keys, instruction, step, apdu })
  }
  const instruct = (more: object = {}) =>
    rooms.instruct({ device: one.device, client: 'management', commands: [asked], ...more })

  it('when a countersigner that is known has signed for it', async () => {
    await command(instruct())
    const stranger = rooms.instruct({ device: one.device, client: 'management', commands: [asked] }, 's1sp-1')
    await assert.rejects(command(stranger), refused('INSTRUCTION_UNSIGNED'))
    await assert.rejects(command('7b7d'), refused('INSTRUCTION_UNREADABLE'))
  })

  it('when it is what the instruction asks for, for that Device, that client, and that value', async () => {
    const other = refused('INSTRUCTION_OTHER')
    await assert.rejects(command(instruct({ device: '00005e9010ffffff' })), other)
    await assert.rejects(command(instruct({ client: 'firmware' })), other)
    await assert.rejects(command(instruct({ commands: [{ ...asked, member: 3 }] })), other)
    await assert.rejects(command(instruct(), { step: 1 }), other)
    const data = { type: 'double-long-unsigned', value: 7 } as const
    const set = toHex(writeSetRequest({ service: 'set-request', invoke: 0xc1, ...clock, data }))
    const asks = (hex: string) => instruct({ commands: [{ service: 'set-request', ...clock, data: hex }] })
    await command(asks('0600000007'), { apdu: set })
    await assert.rejects(command(asks('0600000008'), { apdu: set }), other)
    await assert.rejects(command(instruct(), { apdu: set }), other)
  })

  it('once, and in time', async () => {
    const instruction = instruct()
    await command(instruction)
    await assert.rejects(command(instruction), refused('INSTRUCTION_SPENT'))
    const late = instruct({ validUntil: new Date(rooms.now.getTime() - 1).toISOString() })
    await assert.rejects(command(late), refused('INSTRUCTION_LATE'))
  })

  it('or not at all: what is refused takes no counter from a Device that wants strictly the next', async () => {
    const hub = await rooms.takeOn({ model: 'strict-hub', switches: { counterRule: 'strictly-next' } })
    const open = await hub.associate('management')
    const instruction = rooms.instruct({ device: hub.device, client: 'management', commands: [asked] })
    const send = (more: object = {}) =>
      rooms.ask('protect-command', { ...open.keys, instruction, step: 0, apdu: get, ...more })
    const { apdu } = await send()
    await rooms.ask('open-reply', { ...open.keys, apdu: hub.send(open, apdu) })
    await assert.rejects(send(), refused('INSTRUCTION_SPENT'))
    await assert.rejects(send({ step: 1 }), refused('INSTRUCTION_OTHER'))
    const symmetric = { checks: { ...rooms.settings.symmetric.checks, perDeviceAnHour: 1 } }
    const tight = rooms.restarted({ settings: { symmetric } })
    const other = rooms.instruct({ device: hub.device, client: 'management', commands: [asked] })
    const body = { ...open.keys, instruction: other, step: 0, apdu: get }
    await assert.rejects(rooms.ask('protect-command', body, { hands: tight }), refused('TOO_MANY_COMMANDS'))
    const proof = await rooms.ask('protect-proof-read', open.keys)
    const { service } = await rooms.ask('open-reply', { ...open.keys, apdu: hub.send(open, proof.apdu) })
    assert.equal(service, 'get-response')
  })

  it('below the thresholds, for one Device and for all', async () => {
    const checks = { ...rooms.settings.symmetric.checks }
    const open = await one.associate('management')
    const { rows } = await rooms.store.query<{ commands: number }>(
      'SELECT commands FROM dco_tally WHERE device = $1',
      [fromHex(one.device)],
    )
    const perDevice = rooms.restarted({
      settings: { symmetric: { checks: { ...checks, perDeviceAnHour: rows[0]!.commands } } },
    })
    const body = () => ({ ...open.keys, instruction: instruct(), step: 0, apdu: get })
    await assert.rejects(rooms.ask('protect-command', body(), { hands: perDevice }), refused('TOO_MANY_COMMANDS'))
    const all = rooms.restarted({ settings: { symmetric: { checks: { ...checks, allAMinute: 1 } } } })
    await rooms.ask('protect-command', body(), { hands: all })
    await assert.rejects(rooms.ask('protect-command', body(), { hands: all }), refused('TOO_MANY_COMMANDS'))
    rooms.now = new Date(rooms.now.getTime() + 60_000)
    await rooms.ask('protect-command', body(), { hands: all })
  })

  it('as the configuration says, since no text says what a DCO checks (KEY-A06)', async () => {
    const checks = {
      ...rooms.settings.symmetric.checks,
      signedInstruction: false,
      commandAsked: false,
      once: false,
    }
    const lax = rooms.restarted({ settings: { symmetric: { checks } } })
    const open = await one.associate('management')
    await rooms.ask('protect-command', { ...open.keys, instruction: '00', step: 0, apdu: get }, { hands: lax })
    const gets = rooms.restarted({ settings: { symmetric: { checks: { ...checks, services: ['set-request'] } } } })
    await assert.rejects(
      rooms.ask('protect-command', { ...open.keys, instruction: '00', step: 0, apdu: get }, { hands: gets }),
      refused('COMMAND_NOT_TAKEN'),
    )
    // What follows from the split itself, no configuration opens.
    const setup = { classId: 64, logicalName: '0.0.43.0.4.255', member: 2 } as const
    const apdu = toHex(writeGetRequest({ service: 'get-request', invoke: 0xc1, ...setup }))
    await assert.rejects(
      rooms.ask('protect-command', { ...open.keys, instruction: '00', step: 0, apdu }, { hands: lax }),
      refused('COMMAND_IS_DCO_OWN'),
    )
  })

  it('in an association whose pass 4 was verified', async () => {
    const { device } = one
    const [ak, guek] = [one.record('management', 'AK'), one.record('management', 'GUEK')]
    const body = { device, client: 'management', ak, guek, dedicated: false } as const
    const { association } = await rooms.ask('open-association', body)
    const under = { association, ak, guek }
    await assert.rejects(
      rooms.ask('protect-command', { ...under, instruction: instruct(), step: 0, apdu: get }),
      refused('ASSOCIATION_STATE'),
    )
    rooms.now = new Date(rooms.now.getTime() + 25 * 3_600_000)
    await assert.rejects(rooms.ask('protect-proof-read', under), refused('ASSOCIATION_STATE'))
    await assert.rejects(
      rooms.ask('answer-association', { ...under, apdu: '6100' }),
      refused('ASSOCIATION_UNKNOWN'),
    )
  })
})

describe('a new key', () => {
  it('needs a decision of the SMKI PMA that two persons entered, if that is its ground', async () => {
    const meter = await rooms.takeOn()
    const ground = (decision: string) => ({ ground: 'pma-instruction', decision }) as const
    const make = (decision: string) =>
      rooms.ask('make-key', {
        device: meter.device,
        holder: 'firmware',
        keyType: 'GUEK',
        ground: ground(decision),
        records: [...meter.records.values()],
      })
    await assert.rejects(make('PMA-1'), refused('GROUND_UNKNOWN'))
    await enterDecision(rooms.hands, by('op-1'), {
      reference: 'PMA-1',
      mksInQuestion: false,
      devices: [meter.device],
    })
    await assert.rejects(make('PMA-1'), refused('GROUND_UNKNOWN'))
    await assert.rejects(confirmDecision(rooms.hands, by('op-1'), 'PMA-1'), refused('PERSON_NOT_ALLOWED'))
    await assert.rejects(confirmDecision(rooms.hands, by('op-2'), 'PMA-2'), refused('GROUND_UNKNOWN'))
    await assert.rejects(
      confirmDecision(rooms.hands, { ...by('op-2'), ticket: '' }, 'PMA-1'),
      refused('REASON_MISSING'),
    )
    await confirmDecision(rooms.hands, by('op-2'), 'PMA-1')
    await make('PMA-1')
    const other = await rooms.takeOn()
    const body = { device: other.device, holder: 'firmware', keyType: 'GUEK', ground: ground('PMA-1') } as const
    const records = [...other.records.values()]
    await assert.rejects(rooms.ask('make-key', { ...body, records }), refused('GROUND_UNKNOWN'))
    const told = (await rooms.acts()).filter(({ act }) => act.startsWith('campaign.') || act === 'person.refused')
    assert.deepEqual(
      told.map(({ act, body }) => [act, (body.by as { person: string }).person]),
      [
        ['campaign.entered', 'op-1'],
        ['person.refused', 'op-1'],
        ['person.refused', 'op-2'],
        ['person.refused', 'op-2'],
        ['campaign.approved', 'op-2'],
      ],
    )
  })

  it('is made only of what the model can replace, and of a key that is shown unless it is lost', async () => {
    const meter = await rooms.takeOn()
    const { device } = meter
    const records = [...meter.records.values()]
    const make = (more: object) =>
      rooms.ask('make-key', { device, holder: 'firmware', keyType: 'AK', ground: commissioned(), records, ...more })
    await assert.rejects(make({ holder: 'device', keyType: 'MK' }), refused('MODEL_CANNOT'))
    await assert.rejects(make({ keyType: 'GBEK' }), refused('MODEL_CANNOT'))
    await assert.rejects(make({ keyType: 'MK' }), refused('RECORD_WRONG_TYPE'))
    const others = records.filter(each => each !== meter.record('firmware', 'AK'))
    await assert.rejects(make({ records: others }), refused('RECORD_MISSING'))
    const { record } = await make({ records: others, ground: { ground: 'lost-or-corrupt', evidence: 'E-1' } })
    assert.equal(readRecord(fromHex(record)).record.generation, 1)
    await assert.rejects(make({ holder: 'management' }), refused('KEY_UNRESOLVED'))
    await rooms.ask('abandon-key', { record })
    await assert.rejects(rooms.ask('abandon-key', { record }), refused('KEY_STAGE'))
    const again = await make({})
    assert.equal(readRecord(fromHex(again.record)).record.generation, 2)
    const { association, ak, guek } = (await meter.associate('management')).keys
    // What was given up is not offered, nor is it ever taken for a key of the Device.
    const offer = { association, ak, guek, mk: meter.record('device', 'MK'), keys: [record] }
    await assert.rejects(rooms.ask('offer-keys', offer), refused('KEY_STAGE'))
    await assert.rejects(
      rooms.ask('open-association', {
        device,
        client: 'firmware',
        ak: record,
        guek: meter.record('firmware', 'GUEK'),
        dedicated: false,
      }),
      refused('KEY_STAGE'),
    )
  })

  it('that proves a Master Key is an AK; its GUEK goes with it where the Device wants strictly the next counter', async () => {
    for (const model of ['usual-mk', 'strict-hub'] as const) {
      const counterRule = model === 'strict-hub' ? 'strictly-next' : 'greater'
      const meter = await rooms.takeOn({ model, switches: { counterRule } })
      const { device } = meter
      const records = [...meter.records.values()]
      const make = (holder: KeyHolder, keyType: 'MK' | 'AK' | 'GUEK') =>
        rooms.ask('make-key', { device, holder, keyType, ground: commissioned(), records })
      const { record } = await make('device', 'MK')
      await assert.rejects(make('management', 'AK'), refused('KEY_UNRESOLVED'))
      const { keys } = await meter.associate('management')
      await rooms.ask('offer-keys', { ...keys, mk: meter.record('device', 'MK'), keys: [record] })
      await assert.rejects(make('management', 'GUEK'), refused('KEY_UNRESOLVED'))
      await make('management', 'AK')
      await assert.rejects(make('firmware', 'GUEK'), refused('KEY_UNRESOLVED'))
      if (model === 'strict-hub') await make('management', 'GUEK')
      else await assert.rejects(make('management', 'GUEK'), refused('KEY_UNRESOLVED'))
    }
  })

  it('goes through a client that may set it, one at a time where the model takes one', async () => {
    const meter = await rooms.takeOn()
    const { device } = meter
    const made = await rooms.ask('make-key', {
      device,
      holder: 'management',
      keyType: 'AK',
      ground: commissioned(),
      records: [...meter.records.values()],
    })
    const firmware = await meter.associate('firmware')
    const mk = meter.record('device', 'MK')
    await assert.rejects(
      rooms.ask('offer-keys', { ...firmware.keys, mk, keys: [made.record] }),
      refused('MODEL_CANNOT'),
    )
    const management = await meter.associate('management')
    await assert.rejects(
      rooms.ask('offer-keys', { ...management.keys, mk, keys: [made.record, made.record] }),
      refused('RECORD_WRONG_DEVICE'),
    )
    await rooms.ask('offer-keys', { ...management.keys, mk, keys: [made.record] })
    await meter.associate('management')
  })

  it('of a broadcast key is offered again after a lost answer, and active once its reply says so', async () => {
    const settings = { symmetric: { broadcastKey: true } }
    const own = await makeRooms(settings)
    try {
      const meter = await own.takeOn({ broadcast: true })
      const { device } = meter
      const ground = { ground: 'commissioned', at: own.now.toISOString() } as const
      const records = [...meter.records.values()]
      const { record } = await own.ask('make-key', {
        device,
        holder: 'management',
        keyType: 'GBEK',
        ground,
        records,
      })
      const open = await meter.associate('management')
      const mk = meter.record('device', 'MK')
      await own.ask('offer-keys', { ...open.keys, mk, keys: [record] })
      const { apdu } = await own.ask('offer-keys', { ...open.keys, mk, keys: [record] })
      const reply = await own.ask('open-reply', { ...open.keys, apdu: meter.send(open, apdu) })
      assert.equal(reply.text, 'c701c10000')
      const { keys } = await own.ask('tell-device', { device })
      assert.deepEqual(
        keys.filter(({ type }) => type === 'GBEK').map(({ stage }) => stage),
        ['superseded', 'active'],
      )
    } finally {
      await own.close()
    }
  })
})

describe('counters', () => {
  const counterOf = async (meter: TakenOn, hands = rooms.hands) => {
    const [ak, guek] = [meter.record('management', 'AK'), meter.record('management', 'GUEK')]
    const body = { device: meter.device, client: 'management', ak, guek, dedicated: false } as const
    const { apdu } = await rooms.ask('open-association', body, { hands })
    return readProtected(readAarq(fromHex(apdu)).userInformation).counter
  }

  it('go on above what the Device says, but not further than is believed', async () => {
    const meter = await rooms.takeOn()
    const guek = meter.record('management', 'GUEK')
    const raise = (counter: number) =>
      rooms.ask('raise-counter', { device: meter.device, client: 'management', guek, counter })
    assert.equal(await counterOf(meter), 1)
    assert.deepEqual(await raise(500), { next: 501 })
    assert.equal(await counterOf(meter), 501)
    // Never down.
    const { next } = await raise(3)
    assert.ok(next > 501)
    await assert.rejects(raise(2_000_000), refused('COUNTER_JUMP'))
    const stream = { keyId: `${meter.device}/management/GUEK/0`, title: toHex(rooms.title) }
    await raiseByPerson(rooms.hands, by('op-1'), stream, 2_000_001)
    assert.equal(await counterOf(meter), 2_000_001)
  })

  it('never come again after a crash, nor after the store was restored from a copy', async () => {
    const meter = await rooms.takeOn()
    const seen: number[] = []
    for (let n = 0; n < 3; n++) seen.push(await counterOf(meter, rooms.restarted()))
    // A copy that is older: what was handed out since is in nobody's memory.
    await rooms.store.query('UPDATE dco_counter SET next = 2 WHERE key_id LIKE $1', [`${meter.device}/%`])
    const newer = await rooms.takeOn()
    await skipAfterRestore(rooms.hands, by('op-1'))
    seen.push(await counterOf(meter), await counterOf(newer))
    assert.equal(new Set(seen.slice(0, 4)).size, 4)
    assert.ok(seen[3]! >= rooms.settings.symmetric.restoreGap && seen[4]! >= rooms.settings.symmetric.restoreGap)
  })
})

describe('onboarding', () => {
  it('takes a file of a known holder, made for this DCO and this S1SP, once', async () => {
    const device = deviceIdOf(7001)
    const keys = factoryKeys('rules', 7001, meterModel('usual'))
    const send = (file: Buffer, more?: { by: string }) => rooms.ask('import-keys', { file: toHex(file) }, more)
    await assert.rejects(send(inheritedFile(rooms, device, keys, { by: 's1sp-1' })), refused('FILE_UNSIGNED'))
    await assert.rejects(send(inheritedFile(rooms, device, keys, { s1sp: 's1sp-2' })), refused('FILE_NOT_FOR_US'))
    await assert.rejects(send(Buffer.from('{}')), refused('FILE_UNREADABLE'))
    const file = inheritedFile(rooms, device, keys)
    const changed = Buffer.from(file)
    changed[changed.length - 9]! ^= 1
    await assert.rejects(send(changed), (cause: { code: string }) => /^FILE_UN/.test(cause.code))
    const { devices } = await send(file)
    assert.equal(devices[0]!.records.length, 9)
    await assert.rejects(send(file), refused('FILE_SEEN'))
    const again = await send(inheritedFile(rooms, device, keys))
    assert.equal(again.devices[0]!.refused!.code, 'DEVICE_KNOWN')
  })

  it('takes on a Device without MK as one that has none, and refuses keys that are not unique or models unknown', async () => {
    const meter = await rooms.takeOn({ withoutMk: true })
    assert.equal(meter.records.size, 8)
    const keys = factoryKeys('rules', 7002, meterModel('usual'))
    const twice = {
      ...keys,
      clients: new Map([...keys.clients].map(([address, pair]) => [address, { ...pair, ak: pair.guek }])),
    }
    const take = async (number: number, given: typeof keys, model?: string) => {
      const file = inheritedFile(rooms, deviceIdOf(number), given, model === undefined ? {} : { model })
      return (await rooms.ask('import-keys', { file: toHex(file) })).devices[0]!
    }
    assert.equal((await take(7003, twice)).refused!.code, 'KEYS_EQUAL')
    assert.equal((await take(7004, keys, 'unheard of')).refused!.code, 'MODEL_UNKNOWN')
    await assert.rejects(rooms.ask('tell-device', { device: deviceIdOf(7003) }), refused('DEVICE_UNKNOWN'))
  })
})

describe('a message', () => {
  it('is answered to the S1SP that signed it, over its own connection, and to nobody else', async () => {
    const { message, envelope } = rooms.seal('tell-device', { device: one.device })
    await assert.rejects(answerMessage(rooms.hands, envelope, 's1sp-2'), refused('SENDER_UNKNOWN'))
    const forged = sealMessage(message, { ...personSigner('s1sp-2'), name: 's1sp-1' })
    await assert.rejects(answerMessage(rooms.hands, forged, 's1sp-1'), refused('MESSAGE_UNSIGNED'))
    const said = (await rooms.acts()).filter(({ act, body }) => act === 'message.refused' && !body.message)
    assert.ok(said.some(({ body }) => body.code === 'MESSAGE_UNSIGNED' && body.s1sp === 's1sp-1'))
  })

  it('of an id that was used for another is refused, and changes nothing', async () => {
    const id = toHex(randomBytes(16))
    await rooms.ask('tell-device', { device: one.device }, { id })
    await assert.rejects(rooms.ask('tell-device', { device: '00'.repeat(8) }, { id }), refused('MESSAGE_ID_REUSED'))
    await assert.rejects(
      rooms.ask('tell-device', { device: one.device }, { id, by: 's1sp-2' }),
      refused('MESSAGE_ID_REUSED'),
    )
  })

  it('that is too old to know whether it was answered is not acted upon, nor one from the future', async () => {
    const { envelope } = rooms.seal('tell-device', { device: one.device })
    const first = await answerMessage(rooms.hands, envelope, 's1sp-1')
    const before = rooms.now
    rooms.now = new Date(before.getTime() + 37 * 86_400_000)
    assert.ok((await housekeep(rooms.hands)) > 0)
    await assert.rejects(answerMessage(rooms.hands, envelope, 's1sp-1'), refused('MESSAGE_STALE'))
    rooms.now = new Date(before.getTime() - 11 * 60_000)
    await assert.rejects(answerMessage(rooms.hands, envelope, 's1sp-1'), refused('MESSAGE_STALE'))
    rooms.now = before
    assert.ok(first.length > 0)
  })

  it('stands in the journal with its outcome, and is told to its S1SP for the two journals to be compared', async () => {
    const ids = [toHex(randomBytes(16)), toHex(randomBytes(16))] as const
    await rooms.ask('tell-device', { device: one.device }, { id: ids[0] })
    await assert.rejects(
      rooms.ask('tell-device', { device: '00'.repeat(8) }, { id: ids[1] }),
      refused('DEVICE_UNKNOWN'),
    )
    const all: { id: string; outcome: string }[] = []
    const [from, until] = ['2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z']
    const { messages, more } = await rooms.ask('tell-messages', { from, until })
    all.push(...messages)
    assert.ok(!more)
    const outcome = (id: string) => all.find(each => each.id === id)?.outcome
    assert.deepEqual(ids.map(outcome), ['done', 'DEVICE_UNKNOWN'])
    const theirs = await rooms.ask('tell-messages', { from, until }, { by: 's1sp-2' })
    assert.ok(theirs.messages.every(({ id }) => !all.some(each => each.id === id)))
    const told = (await rooms.acts()).find(({ body }) => body.message === ids[1])!
    assert.equal(told.body.code, 'DEVICE_UNKNOWN')
  })
})

describe('the journal', () => {
  it('names its acts in the words of section 9, and holds no key material: no package, wrap, challenge answer or text', async () => {
    const acts = await rooms.acts()
    const names = new Set(acts.map(({ act }) => act))
    for (const act of [
      'key.inherited',
      'key.made',
      'key.offered',
      'key.abandoned',
      'command.protected',
      'command.refused',
      'reply.verified',
      'reply.refused',
      'probe.sent',
      'counter.jumped',
      'hsm-key.made',
      'hsm-key.distributed',
      'hsm-key.imported',
    ] as const) {
      assert.ok(names.has(act), act)
    }
    assert.ok(![...names].some(act => /revoke|destroy|archive|backup/.test(act)))
    const { rows } = await rooms.store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending')
    const text = Buffer.concat(rows.map(({ octets }) => octets)).toString()
    for (const hex of one.records.values()) {
      const { id, package: octets } = readRecord(fromHex(hex)).record
      assert.ok(text.includes(id) && !text.includes(toHex(octets)))
    }
    for (const { ak, guek } of one.keys.clients.values()) {
      for (const key of [ak, guek]) assert.ok(!text.includes(toHex(key)))
    }
    for (const { body } of acts) assert.equal(body.module, rooms.module.identity)
  })
})
