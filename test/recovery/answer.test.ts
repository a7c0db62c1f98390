/** What comes from the network is believed only from the Device that was asked, about what it was asked, once. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Smets2Device } from '../../simulator/smets2/device.ts'
import { type Bytes, fromHex, toHex } from '../../src/ground/bytes.ts'
import { readMessage, signedOctets, writeMessage } from '../../src/ground/gbcs/message.ts'
import { readUpdateResponse, writeUpdateResponse } from '../../src/ground/gbcs/outcome.ts'
import { plainSignature } from '../../src/ground/gbcs/protect.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { layDownWave } from '../../src/main/recovery-work.ts'
import { takeAnswers } from '../../src/rooms/recovery/answer.ts'
import {
  beginWave,
  countsOf,
  pauseRecovery,
  resumeRecovery,
  retryListed,
  setPace,
  workRound,
} from '../../src/rooms/recovery/campaign.ts'
import { raiseCounter, takeCounters } from '../../src/rooms/recovery/counters.ts'
import { eventOf } from '../../src/rooms/recovery/event.ts'
import { organisationProgress, otherProgress, receiveFile } from '../../src/rooms/recovery/exchange.ts'
import { readFile } from '../../src/rooms/recovery/files.ts'
import { digestOfDevices } from '../../src/rooms/recovery/freeze.ts'
import { intendCommands } from '../../src/rooms/recovery/intend.ts'
import { layDown } from '../../src/rooms/recovery/replacements.ts'
import { refusal } from '../registration/office.ts'
import { openStage, type Stage } from './stage.ts'

describe('An answer', () => {
  let stage: Stage
  /** What left, and what each Device answered, in order. */
  const sent: { device: string; octets: Bytes }[] = []
  const answers: Bytes[] = []
  const quiet = {
    send: async (messages: readonly { device: string; octets: Bytes }[]) => void sent.push(...messages),
    received: async () => [],
  }
  before(async () => {
    stage = await openStage('method1', 40, 'send commands')
    await layDownWave(stage.play, 1)
    const { hands, people, event, field } = stage.play
    await beginWave(hands, people.manager, event)
    await workRound(hands, event, stage.signers(), quiet, 6)
    for (const { device, octets } of sent) {
      const reaction = field.devices.get(device)!.device.receive(octets)
      assert.ok('answer' in reaction, JSON.stringify(reaction))
      answers.push(reaction.answer)
    }
    assert.equal(answers.length, 6)
  })
  after(() => stage.close())

  const take = (...octets: Bytes[]) =>
    takeAnswers(stage.play.hands, stage.play.event, octets, stage.play.pki.broker)
  /** The same answer, with something else in it, signed well by that key. */
  function resigned(answer: Bytes, by: { sign(octets: Bytes): Bytes }, change: object): Buffer {
    const parts = { ...readMessage(answer), ...change }
    return writeMessage(parts, plainSignature(by.sign(signedOctets(parts))))
  }
  const device = (i: number) => stage.play.field.devices.get(sent[i]!.device)!.device
  const keyOf = (of: Smets2Device) => of.state.own.keys.digitalSignature!

  it('with a good signature of another Device is not believed', async () => {
    const byOther = resigned(answers[0]!, keyOf(device(1)), {})
    assert.deepEqual(await take(byOther), { believed: 0, refused: { ANSWER_NOT_ITS_OWN: 1 } })
    // Its own name, and the counter of the other's command.
    const { counter } = readMessage(answers[0]!)
    const ownName = resigned(answers[1]!, keyOf(device(1)), { counter })
    assert.deepEqual(await take(ownName), { believed: 0, refused: { ANSWER_UNASKED: 1 } })
    const stranger = new Smets2Device({
      id: 'ffffffffffffffff',
      kind: 'ESME',
      cells: new Map(),
      clock: () => new Date(0),
    })
    const strange = resigned(answers[0]!, makeKeyPair('P-256'), { originator: stranger.state.id })
    assert.deepEqual(await take(strange), { believed: 0, refused: { ANSWER_UNASKED: 1 } })
    assert.equal((await stage.journal()).at(-1)!.body.code, 'ANSWER_UNASKED')
  })

  it('whose counter went back, or that speaks of another mode, or of what was not given, is not believed', async () => {
    const { outcome } = readUpdateResponse(readMessage(answers[0]!).payload)
    const says = (change: object) =>
      resigned(answers[0]!, keyOf(device(0)), { payload: writeUpdateResponse({ ...outcome!, ...change }) })
    assert.deepEqual(await take(says({ counter: outcome!.counter - 1n })), {
      believed: 0,
      refused: { ANSWER_COUNTER: 1 },
    })
    assert.deepEqual(await take(says({ mode: 8 })), { believed: 0, refused: { ANSWER_TO_ANOTHER: 1 } })
    const cells = outcome!.cells.map(one => ({ ...one, replacing: one.existing }))
    assert.deepEqual(await take(says({ cells })), { believed: 0, refused: { ANSWER_TO_ANOTHER: 1 } })
    assert.deepEqual(await take(says({ cells: [] })), { believed: 0, refused: { ANSWER_TO_ANOTHER: 1 } })
    const later = resigned(answers[0]!, keyOf(device(0)), { payload: writeUpdateResponse(undefined) })
    assert.deepEqual(await take(later), { believed: 0, refused: { ANSWER_TO_ANOTHER: 1 } })
    const otherUse = resigned(answers[0]!, keyOf(device(0)), { messageCode: 0x0108 })
    assert.deepEqual(await take(otherUse), { believed: 0, refused: { ANSWER_TO_ANOTHER: 1 } })
  })

  it('that cannot be read breaks nothing, and does not keep others from being believed', async () => {
    const [first] = answers
    const cut = Buffer.from(first!).subarray(0, 40)
    const { believed, refused } = await take(cut, Buffer.alloc(0), sent[0]!.octets, first!)
    assert.deepEqual([believed, refused], [1, { ANSWER_UNREADABLE: 3 }])
  })

  it('is believed once: a second time, also within one portion, it is a replay', async () => {
    assert.deepEqual(await take(answers[0]!), { believed: 0, refused: { ANSWER_REPLAYED: 1 } })
    assert.deepEqual(await take(answers[1]!, answers[1]!), { believed: 1, refused: { ANSWER_REPLAYED: 1 } })
    assert.deepEqual((await countsOf(stage.test.store, stage.play.event)).accepted, 2)
  })

  it('matches cells by cell and not by their place', async () => {
    const { outcome } = readUpdateResponse(readMessage(answers[2]!).payload)
    const turned = { ...outcome!, cells: outcome!.cells.toReversed() }
    const answer = resigned(answers[2]!, keyOf(device(2)), { payload: writeUpdateResponse(turned) })
    assert.deepEqual(await take(answer), { believed: 1, refused: {} })
  })

  it('that a cell is not there, or its certificate is bad, lists the Device with that reason; busy is tried again', async () => {
    const { outcome } = readUpdateResponse(readMessage(answers[3]!).payload)
    const failing = (i: number, status: number) => {
      const found = readUpdateResponse(readMessage(answers[i]!).payload).outcome!
      const cells = found.cells.map((one, at) => (at === 0 ? { ...one, status, replacing: one.existing } : one))
      return resigned(answers[i]!, keyOf(device(i)), {
        payload: writeUpdateResponse({ ...found, cells: cells as typeof found.cells }),
      })
    }
    assert.ok(outcome)
    assert.deepEqual(await take(failing(3, 25), failing(4, 30)), { believed: 2, refused: {} })
    const { rows } = await stage.test.store.query<{ state: string; reason: string | null }>(
      'SELECT state, reason FROM recovery_device WHERE device = ANY($1) ORDER BY device',
      [[3, 4].map(i => fromHex(sent[i]!.device))],
    )
    assert.deepEqual(rows, [
      { state: 'listed', reason: '{2,DS} trustAnchorNotFound' },
      { state: 'pending', reason: null },
    ])
  })

  it('that comes late is believed still, and a question settles what never came', async () => {
    const { hands, event, field } = stage.play
    stage.play.pass(31)
    await workRound(hands, event, stage.signers(), quiet, 0)
    assert.equal((await countsOf(hands.store, event)).unresolved, 1)
    assert.deepEqual(await take(answers[5]!), { believed: 1, refused: {} })
    assert.equal((await countsOf(hands.store, event)).unresolved, 0)
    await stage.work()
    assert.equal((await countsOf(hands.store, event)).listed, 1)
    assert.ok([...field.seen.values()].every(times => times === 1))
  })

  it('is taken while a recovery is held; nothing leaves until it goes on; who is listed may have another try', async () => {
    const { hands, people, event, field } = stage.play
    assert.equal(await retryListed(hands, people.manager, event), 1)
    await pauseRecovery(hands, people.manager, event)
    await assert.rejects(pauseRecovery(hands, people.manager, event), refusal('EVENT_STATE'))
    const before = field.seen.size
    assert.equal((await workRound(hands, event, stage.signers(), field.carrier, 100)).sent, 0)
    await assert.rejects(intendCommands(hands, event, stage.signers(), 1), refusal('EVENT_STATE'))
    assert.equal(field.seen.size, before)
    await setPace(hands, people.manager, event, 30)
    await assert.rejects(setPace(hands, people.manager, event, 0), refusal('EVENT_UNFIT'))
    await resumeRecovery(hands, people.manager, event)
    await stage.work()
    const counts = await countsOf(hands.store, event)
    assert.deepEqual([counts.listed, counts.proven > 10], [0, true])
  })

  it('is reported to the Subscriber and to the SMKI PMA in files whose sequence has no gap', async () => {
    const { hands, event } = stage.play
    const { name, octets } = await organisationProgress(hands, event, 'DCC')
    assert.equal(name, `OrganisationCompromiseRecoveryProgress-${event}-1.csv`)
    const file = readFile(octets, 'OrganisationCompromiseRecoveryProgress')
    assert.ok(file.records.length > 20)
    assert.deepEqual(new Set(file.records.map(one => one.status)), new Set(['success']))
    assert.match(file.records[0]!.newSerial, /^[0-9a-f]{32}$/)
    assert.match((await organisationProgress(hands, event, 'DCC')).name, /-2\.csv$/)
    const other = readFile((await otherProgress(hands, event, 'DCC')).octets, 'OtherCompromiseRecoveryProgress')
    assert.deepEqual(new Set(other.records.map(one => one.status)), new Set(['proven']))
    const skipped = { ...file, sender: 'supplier', sequence: 2 }
    await assert.rejects(receiveFile(hands, event, skipped, octets), refusal('FILE_SEQUENCE'))
    await receiveFile(hands, event, { ...skipped, sequence: 1 }, octets)
    await assert.rejects(receiveFile(hands, event, { ...skipped, sequence: 1 }, octets), refusal('FILE_SEQUENCE'))
  })
})

describe('Before a command is made', () => {
  let stage: Stage
  before(async () => {
    stage = await openStage('root', 20, 'issue certificates')
  })
  after(() => stage.close())

  it('its certificates are looked at: of the right party, role, usage, and under the root that Devices will hold', async () => {
    const { hands, people, pki, event, next } = stage.play
    const der = (name: string) => pki.held.get(name)!.certificate.der
    const put = (cell: string, holder: string, certificate: Bytes, root = pki.now.root.certificate.der) =>
      layDown(hands, people.clerk, event, 1, [{ cell, holder, certificate }], {
        path: [pki.now.issuing.certificate.der],
        root,
      })
    const a = '02d0000000010000'
    await assert.rejects(put('{2,DS}', a, der('supplier-b {2,DS}')), refusal('ANOTHER_PARTYS'))
    await assert.rejects(put('{2,DS}', a, der('supplier-a {2,KA}')), refusal('ANOTHER_PARTYS'))
    await assert.rejects(put('{3,DS}', a, der('supplier-a {2,DS}')), refusal('ANOTHER_PARTYS'))
    await assert.rejects(
      put('{2,DS}', a, der('supplier-a {2,DS}'), next!.root.certificate.der),
      refusal('NOT_UNDER_ROOT'),
    )
    assert.equal((await stage.journal()).at(-1)!.body.code, 'NOT_UNDER_ROOT')
    await put('{2,DS}', a, der('supplier-a {2,DS}'))
  })

  it('the Relevant Devices are those that it is about, frozen, and named by their digest', async () => {
    const { hands, event, field } = stage.play
    const { frozen } = await eventOf(hands.store, event)
    const commissioned = [...field.devices.values()].filter(one => one.inventory.smiStatus === 'commissioned')
    assert.equal(frozen!.devices, commissioned.length)
    assert.ok(frozen!.devices < field.devices.size)
    assert.equal(toHex(frozen!.digest), toHex(digestOfDevices(commissioned.map(one => one.device.id))))
  })

  it('counters are given out once, and never go back, whoever asks', async () => {
    const { store } = stage.test
    const originator = Buffer.from('0102030405060708', 'hex')
    const take = (count: number) => store.transaction(client => takeCounters(client, originator, count))
    assert.deepEqual([await take(3), await take(2), await take(1)], [1n, 4n, 6n])
    await store.transaction(client => raiseCounter(client, originator, 100n))
    await store.transaction(client => raiseCounter(client, originator, 50n))
    assert.equal(await take(1), 101n)
    await assert.rejects(store.query('UPDATE recovery_counter SET last = 5'), /never goes back/)
    await assert.rejects(store.query('DELETE FROM recovery_counter'), /never goes back/)
    const at = await Promise.all(Array.from({ length: 8 }, () => take(5)))
    assert.equal(new Set(at).size, 8)
  })
})
