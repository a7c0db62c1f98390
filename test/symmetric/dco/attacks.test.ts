/**
 * The attacks that work on suite 0 for whoever holds too much (vectors L1, L2, L3, and the GCM oracle), run against everything
 * that an S1SP can call: every message, with records and APDUs of its choice. They fail for want of an operation.
 */

import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { toHex, toHexUpper } from '../../../src/ground/bytes.ts'
import { writeActionRequest } from '../../../src/ground/dlms/action.ts'
import {
  alterTag,
  type BlockOracle,
  includes,
  type Overheard,
  recoverAk,
} from '../../../src/ground/dlms/attack-testing.ts'
import { readProtected } from '../../../src/ground/dlms/frame.ts'
import { writeGetRequest } from '../../../src/ground/dlms/get.ts'
import { keyTransfer, securityActivate } from '../../../src/ground/dlms/setup.ts'
import { counterAt, noVectors, octets, vector } from '../../../src/ground/dlms/testing.ts'
import { softwareDlmsCipher } from '../../../src/ground/keystore/dlms-cipher.ts'
import { hlsInvoke } from '../../../src/rooms/symmetric/dco/session.ts'
import { type MessageType, messageTypes } from '../../../src/rooms/symmetric/messages.ts'
import { type Asked, makeRooms, type Open, type Rooms, refused, type TakenOn } from './rooms.ts'

/**
 * What an S1SP gets by each message. Whoever adds a message must say here what it gives away, and drive it below: the
 * compiler asks for it, and the first test counts.
 */
const considered: Readonly<Record<MessageType, string>> = {
  'import-keys': 'records: packages under keys that it cannot use',
  'tell-device': 'identities and stages, no octet of a key',
  'check-records': 'one bit a record: whether a MAC of 128 bits holds',
  'make-key': 'a record; type and HSM Key follow, nothing of the key is chosen',
  'abandon-key': 'a stage',
  'open-association': 'an AARQ of which it chooses no octet but the Device; a DK as a record',
  'answer-association': 'pass 3, ciphered; the challenge is its choice, f of it stays inside',
  'finish-association': 'whether pass 4 holds',
  'close-association': 'nothing',
  'protect-command':
    'a ciphered APDU with a plaintext that somebody countersigned, under a counter that is not its choice',
  'protect-proof-read': 'a ciphered APDU of which it chooses nothing',
  'protect-activation': 'the same',
  'offer-keys': 'a ciphered APDU of which it chooses which of the DCO’s keys are in it',
  'open-reply': 'the plaintext of a reply whose tag holds',
  'raise-counter': 'a greater counter, never a lower one',
  'renew-records': 'records under a newer HSM Key of the same role',
  'collect-hsm-keys': 'the Shared Key, wrapped to a module',
  'prove-hsm-key': 'one bit: whether 16 octets package a value of that hash; a receipt',
  'tell-messages': 'its own message ids',
}

const clock = { classId: 8, logicalName: '0.0.1.0.0.255', member: 2 } as const
const get = toHex(writeGetRequest({ service: 'get-request', invoke: 0xc1, ...clock }))

let rooms: Rooms
/** Everything that ever came out of the door, and which messages were sent. */
const said: Buffer[] = []
const driven = new Set<MessageType>()
let hostile: Rooms['ask']

before(async () => {
  rooms = await makeRooms()
  hostile = async (type, body, options) => {
    driven.add(type)
    try {
      const content = await rooms.ask(type, body, options)
      said.push(...octetsIn(content))
      return content
    } catch (cause) {
      said.push(Buffer.from(String((cause as Error).message)))
      throw cause
    }
  }
})
after(() => rooms.close())

/** Every string of hexadecimal in an answer, as octets; and in signed texts what they hold. */
function octetsIn(value: unknown): Buffer[] {
  if (typeof value === 'string') {
    return /^([0-9a-f]{2})+$/.test(value) ? [Buffer.from(value, 'hex')] : [Buffer.from(value)]
  }
  if (Array.isArray(value)) return value.flatMap(octetsIn)
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(octetsIn)
  return []
}

/** Every 16 octets that stand together in what was said. */
function* windows(): Generator<Buffer> {
  for (const text of said) for (let at = 0; at + 16 <= text.length; at++) yield text.subarray(at, at + 16)
}

const aesUnder =
  (key: Uint8Array): BlockOracle =>
  block =>
    createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block)

function overhear(apdu: string, title: Buffer): Overheard {
  const { counter, body } = readProtected(Buffer.from(apdu, 'hex'))
  return { title, counter, ciphertext: body.subarray(0, -12), tag: body.subarray(-12) }
}

/** A hostile S1SP sends every message there is, with what it has, where it fits and where it does not. */
async function everything(one: TakenOn): Promise<{ open: Open; apdus: string[] }> {
  const apdus: string[] = []
  const made: string[] = []
  const { device } = one
  const tried = async <T extends MessageType>(type: T, body: Asked<T>) => {
    try {
      const content = (await hostile(type, body)) as { apdu?: string; record?: string }
      if (content.apdu) apdus.push(content.apdu)
      if (content.record) made.push(content.record)
    } catch (cause) {
      assert.equal((cause as Error).name, 'Refusal', String(cause))
    }
  }
  const all = [...one.records.values()]
  const open = await one.associate('management')
  const mk = one.record('device', 'MK')
  await tried('tell-device', { device })
  await tried('check-records', { records: all })
  const at = rooms.now.toISOString()
  for (const holder of ['management', 'firmware', 'device'] as const) {
    for (const keyType of ['AK', 'GUEK', 'MK'] as const) {
      await tried('make-key', { device, holder, keyType, ground: { ground: 'commissioned', at }, records: all })
    }
  }
  for (const record of all) {
    await tried('abandon-key', { record })
    await tried('renew-records', { records: [record] })
    await tried('open-association', { device, client: 'management', ak: record, guek: record, dedicated: true })
    await tried('offer-keys', { ...open.keys, mk: record, keys: [record] })
    await tried('raise-counter', { device, client: 'management', guek: record, counter: 1 })
    await tried('import-keys', { file: record })
  }
  const { ak, guek } = open.keys
  for (const dedicated of [false, true]) {
    for (const client of ['management', 'firmware', 'data-collection'] as const) {
      const keys = { ak: one.record(client, 'AK'), guek: one.record(client, 'GUEK') }
      await tried('open-association', { device, client, ...keys, dedicated })
    }
  }
  const commands = [{ service: 'get-request', ...clock } as const]
  for (let n = 0; n < 4; n++) {
    const instruction = rooms.instruct({ device, client: 'management', commands })
    await tried('protect-command', { ...open.keys, instruction, step: 0, apdu: get })
    await tried('protect-proof-read', open.keys)
    await tried('protect-activation', open.keys)
  }
  for (const record of made) await tried('offer-keys', { ...open.keys, mk, keys: [record] })
  for (const apdu of [...apdus]) {
    await tried('open-reply', { ...open.keys, apdu })
    await tried('answer-association', { ...open.keys, apdu })
    await tried('finish-association', { ...open.keys, apdu })
  }
  await tried('collect-hsm-keys', {})
  // As a value of its choice it can only prove what it knows already.
  const shared = await rooms.hands.hsm.newestFor('GUEK', 's1sp-1')
  const hash = '00'.repeat(32)
  for (const record of [ak, guek, mk]) {
    const body = { hsmKey: shared.label, octets: record.slice(-32), hash, receipt: '00' }
    await tried('prove-hsm-key', body)
  }
  await tried('tell-messages', { from: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' })
  const { association } = await hostile('open-association', {
    device,
    client: 'firmware',
    ak: one.record('firmware', 'AK'),
    guek: one.record('firmware', 'GUEK'),
    dedicated: false,
  })
  await tried('close-association', { association })
  const again = await rooms.takeOn()
  said.push(...[...again.records.values()].map(record => Buffer.from(record, 'hex')))
  return { open, apdus }
}

describe('everything that an S1SP can call', () => {
  let one: TakenOn
  let apdus: string[]

  before(async () => {
    one = await rooms.takeOn({ model: 'usual-mk', switches: { dedicatedKey: 'uses' } })
    apdus = (await everything(one)).apdus
  })

  it('is considered and driven here, message by message', () => {
    assert.deepEqual(Object.keys(considered).sort(), [...messageTypes].sort())
    assert.deepEqual([...driven].sort(), [...messageTypes].sort())
    assert.ok(said.length > 60 && apdus.length >= 15, `${said.length} texts, ${apdus.length} APDUs`)
  })

  it('gives away no key, no H, no mask of a tag, and no challenge answer', () => {
    const { clients: pairs, mk } = one.keys
    const secrets = new Map<string, string>([[mk.toString('hex'), 'the MK']])
    for (const { ak, guek } of pairs.values()) {
      const aes = aesUnder(guek)
      secrets.set(ak.toString('hex'), 'an AK').set(guek.toString('hex'), 'a GUEK')
      secrets.set(toHex(aes(Buffer.alloc(16))), 'H')
      // The mask of every tag that was or will soon be made.
      for (let counter = 0; counter < 200; counter++) {
        const block = Buffer.alloc(16)
        block.set(rooms.title)
        block.writeUInt32BE(counter, 8)
        block[15] = 1
        secrets.set(toHex(aes(block)), `the mask of counter ${counter}`)
      }
    }
    let looked = 0
    for (const window of windows()) {
      looked++
      assert.equal(secrets.get(toHex(window)), undefined)
    }
    assert.ok(looked > 10_000, `${looked}`)
  })

  it('yields no AK by L1: the attack works with the GUEK, and with nothing that was said', () => {
    if (!noVectors) {
      const { given, expect } = vector('L1')
      const seen = given.apdus!.map(apdu => overhear(toHex(octets(apdu)), octets(given.systemTitle!)))
      const candidates = recoverAk(aesUnder(octets(given.guek!)), seen)
      assert.deepEqual(candidates.map(toHexUpper), expect.candidates)
    }
    const { ak, guek } = one.keys.clients.get(64)!
    const commands = apdus.filter(apdu => apdu.startsWith('c8') || apdu.startsWith('cb'))
    const byBlocks = new Map(commands.map(apdu => [Math.ceil((apdu.length / 2 - 19) / 16), apdu]))
    const overheard = [...byBlocks.values()].slice(0, 2).map(apdu => overhear(apdu, rooms.title))
    assert.equal(overheard.length, 2)
    assert.ok(includes(recoverAk(aesUnder(guek), overheard), ak), 'the attack itself is right')
    // A GUEK deciphers what is known to stand in a command; nothing that was said does.
    const [first] = commands
    const known = overhear(first!, rooms.title)
    const plain = Buffer.from(first!.startsWith('c8') ? 'c001c1' : 'c301c1', 'hex')
    const start = Buffer.alloc(16)
    start.set(rooms.title)
    start.writeUInt32BE(known.counter, 8)
    start[15] = 2
    const deciphers = (key: Uint8Array) => {
      const stream = aesUnder(key)(start)
      return plain.every((octet, i) => (known.ciphertext[i]! ^ stream[i]!) === octet)
    }
    assert.ok(deciphers(guek))
    for (const window of windows()) assert.ok(!deciphers(window))
  })

  it('yields no tag by L2: whoever has H alters an APDU in flight, and nothing that was said is H', () => {
    const { guek } = one.keys.clients.get(64)!
    const h = aesUnder(guek)(Buffer.alloc(16))
    const apdu = apdus.findLast(each => each.startsWith('c8'))!
    const { ciphertext, tag, counter } = overhear(apdu, rooms.title)
    const altered = Buffer.from(ciphertext)
    altered[4]! ^= 1
    const iv = Buffer.alloc(12)
    iv.set(rooms.title)
    iv.writeUInt32BE(counter, 8)
    const cipher = softwareDlmsCipher()
    const keys = [cipher.hold('GUEK', 'g', guek), cipher.hold('AK', 'a', one.keys.clients.get(64)!.ak)] as const
    const takes = (tagOf: Buffer) => {
      try {
        cipher.open(...keys, iv, 0x30, Buffer.concat([altered, tagOf]))
        return true
      } catch {
        return false
      }
    }
    assert.ok(takes(alterTag(h, ciphertext, altered, Buffer.from(tag))), 'the attack itself is right')
    let n = 0
    for (const window of windows()) {
      if (n++ % 97 !== 0) continue
      assert.ok(!takes(alterTag(window, ciphertext, altered, Buffer.from(tag))))
    }
    assert.ok(n > 10_000)
  })

  it('is no encryption oracle: known plaintext gives key stream from block 2 on, and neither H nor a mask', async () => {
    // The S1SP knows what it had protected: so it has the key stream of those blocks. GCM's counter starts at 1 for the
    // tag and at 2 for the text, and the IV is not the caller's.
    const open = await one.associate('firmware')
    const commands = [{ service: 'get-request', ...clock } as const]
    const instruction = rooms.instruct({ device: one.device, client: 'firmware', commands })
    const { apdu } = await hostile('protect-command', { ...open.keys, instruction, step: 0, apdu: get })
    const { ciphertext, counter } = overhear(apdu, rooms.title)
    const { guek } = one.keys.clients.get(80)!
    const aes = aesUnder(guek)
    const block = Buffer.alloc(16)
    block.set(rooms.title)
    block.writeUInt32BE(counter, 8)
    const stream = ciphertext.map((octet, i) => octet ^ Buffer.from(get, 'hex')[i]!)
    block[15] = 2
    assert.equal(toHex(aes(block).subarray(0, stream.length)), toHex(stream), 'the key stream is right')
    block[15] = 1
    const [mask, h] = [aes(block), aes(Buffer.alloc(16))]
    for (const secret of [mask, h]) assert.notEqual(toHex(secret.subarray(0, stream.length)), toHex(stream))
  })

  it('never has two texts under one counter: not in turn, not at once, not by asking again', async () => {
    const open = await one.associate('management')
    const commands = Array(12).fill({ service: 'get-request', ...clock })
    const instruction = rooms.instruct({ device: one.device, client: 'management', commands })
    const sealed = commands.map((_, step) =>
      rooms.seal('protect-command', { ...open.keys, instruction, step, apdu: get }),
    )
    const { answerMessage } = await import('../../../src/rooms/symmetric/dco/answer.ts')
    const send = (envelope: Buffer) => answerMessage(rooms.hands, envelope, 's1sp-1').catch(() => undefined)
    const once = await Promise.all(sealed.map(({ envelope }) => send(envelope)))
    const twice = await Promise.all(sealed.map(({ envelope }) => send(envelope)))
    const used = new Map<number, string>()
    let found = 0
    for (const [i, answer] of [...once, ...twice].entries()) {
      if (!answer) continue
      if (i >= once.length && once[i - once.length]) assert.deepEqual(answer, once[i - once.length])
      const { content } = JSON.parse(Buffer.from(JSON.parse(answer.toString()).octets, 'base64').toString())
      if (!content?.apdu) continue
      found++
      const { counter } = readProtected(Buffer.from(content.apdu, 'hex'))
      assert.equal(used.get(counter) ?? content.apdu, content.apdu)
      used.set(counter, content.apdu)
    }
    assert.ok(found >= 2, `${found}`)
  })
})

describe('HLS', () => {
  it('is no signing oracle by L3: what reads like an APDU is not answered, and an answer never comes out bare', {
    skip: noVectors,
  }, async () => {
    const { given } = vector('L3')
    const one = await rooms.takeOn()
    const { device } = one
    const [ak, guek] = [one.record('management', 'AK'), one.record('management', 'GUEK')]
    const opened = await hostile('open-association', { device, client: 'management', ak, guek, dedicated: false })
    const under = { association: opened.association, ak, guek }
    const line = { session: new Map(), client: 'management' } as const
    const aare = one.send(line, opened.apdu)
    // The challenge is not protected: whoever carries the AARE exchanges it.
    const at = aare.indexOf('aa12' + '8010') + 8
    assert.ok(at > 8)
    const challenge = octets(given.challenge!)
    const withChallenge = (value: Buffer) => {
      const content = Buffer.concat([Buffer.of(0x80, value.length), value])
      const field = Buffer.concat([Buffer.of(0xaa, content.length), content])
      const whole = Buffer.concat([
        Buffer.from(aare.slice(4, at - 8), 'hex'),
        field,
        Buffer.from(aare.slice(at + 32), 'hex'),
      ])
      return toHex(Buffer.concat([Buffer.of(0x61, whole.length), whole]))
    }
    assert.equal(withChallenge(Buffer.from(aare.slice(at, at + 32), 'hex')), aare)
    const evil = withChallenge(challenge)
    await assert.rejects(hostile('answer-association', { ...under, apdu: evil }), refused('DLMS_CHALLENGE_IS_APDU'))
    const [short, long] = [withChallenge(Buffer.alloc(7, 1)), withChallenge(Buffer.alloc(65, 1))]
    await assert.rejects(hostile('answer-association', { ...under, apdu: short }), refused('DLMS_CHALLENGE_LENGTH'))
    await assert.rejects(hostile('answer-association', { ...under, apdu: long }))

    // A challenge of its choice that is none is answered, once, and ciphered.
    const chosen = Buffer.alloc(16, 0x5a)
    const { apdu } = await hostile('answer-association', { ...under, apdu: withChallenge(chosen) })
    await assert.rejects(hostile('answer-association', { ...under, apdu: aare }), refused('ASSOCIATION_STATE'))
    const outer = readProtected(Buffer.from(apdu, 'hex'))
    const pair = one.keys.clients.get(64)!
    const cipher = softwareDlmsCipher()
    const key = cipher.hold('GUEK', 'the same', pair.guek)
    const held = cipher.hold('AK', 'the same', pair.ak)
    const tag = cipher.authenticate(key, held, await counterAt(key, rooms.title, outer.counter - 1), 0x10, chosen)
    const inside = cipher.open(
      key,
      held,
      Buffer.concat([rooms.title, Buffer.from(apdu.slice(6, 14), 'hex')]),
      0x30,
      outer.body,
    )
    assert.ok(inside.includes(tag), 'f(StoC) is where it belongs: inside')
    assert.equal(inside[2], hlsInvoke)
    for (const text of said) assert.ok(!text.includes(tag))
  })

  it('lets no answer of the Device to our challenge out either, whatever it is offered as', async () => {
    const one = await rooms.takeOn()
    const { device } = one
    const [ak, guek] = [one.record('management', 'AK'), one.record('management', 'GUEK')]
    // A pass 4 that was kept back, and an association that stands, of the same client, in which a reply is due.
    const first = await one.associate('management')
    const opened = await hostile('open-association', { device, client: 'management', ak, guek, dedicated: false })
    const under = { association: opened.association, ak, guek }
    const line = { session: new Map(), client: 'management' } as const
    const pass3 = await hostile('answer-association', { ...under, apdu: one.send(line, opened.apdu) })
    const pass4 = one.send(line, pass3.apdu)
    await assert.rejects(hostile('open-reply', { ...under, apdu: pass4 }), refused('ASSOCIATION_STATE'))
    await hostile('protect-activation', first.keys)
    await assert.rejects(hostile('open-reply', { ...first.keys, apdu: pass4 }), refused('DLMS_SERVICE_MISMATCH'))
    // Nor by an action of its own that would have the same invoke-id.
    const action = writeActionRequest({ service: 'action-request', invoke: hlsInvoke, ...clock, member: 1 })
    const commands = [{ service: 'action-request', ...clock, member: 1 } as const]
    const instruction = rooms.instruct({ device, client: 'management', commands })
    const body = { ...first.keys, instruction, step: 0, apdu: toHex(action) }
    await assert.rejects(hostile('protect-command', body), refused('COMMAND_NOT_TAKEN'))
    await hostile('finish-association', { ...under, apdu: pass4 })
  })
})

describe('a command from outside', () => {
  it('is never on class 64 or 15, nor an association APDU, nor protected already, whoever countersigned it', async () => {
    const one = await rooms.takeOn()
    const open = await one.associate('management')
    const setup = '0.0.43.0.4.255'
    const wrapped = { type: 'AK', wrapped: Buffer.alloc(24) } as const
    const own = [
      writeActionRequest(keyTransfer(setup, [wrapped])),
      writeActionRequest(securityActivate(setup, 3)),
      writeGetRequest({ service: 'get-request', invoke: 0xc1, classId: 64, logicalName: setup, member: 2 }),
      writeGetRequest({
        service: 'get-request',
        invoke: 0xc1,
        classId: 15,
        logicalName: '0.0.40.0.0.255',
        member: 7,
      }),
    ]
    const commands = [{ service: 'get-request', ...clock } as const]
    const instruction = rooms.instruct({ device: one.device, client: 'management', commands })
    for (const apdu of own) {
      const body = { ...open.keys, instruction, step: 0, apdu: toHex(apdu) }
      await assert.rejects(hostile('protect-command', body), refused('COMMAND_IS_DCO_OWN'))
    }
    for (const apdu of [
      '0100000006 5f1f0400001e5d ffff',
      '60080607',
      'c81e3001234567',
      'd80501',
      '62038001',
      'c401c10000',
    ]) {
      const body = { ...open.keys, instruction, step: 0, apdu: apdu.replaceAll(' ', '') }
      await assert.rejects(hostile('protect-command', body), (cause: { code: string }) =>
        /^(COMMAND_NOT_TAKEN|DLMS_)/.test(cause.code),
      )
    }
  })
})
