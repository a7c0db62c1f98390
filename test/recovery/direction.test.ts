/** A key of the DCC does what a direction says, and nothing beyond it: each refusal by its code, and in the journal. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { toHex } from '../../src/ground/bytes.ts'
import type { JsonValue } from '../../src/ground/journal/entry.ts'
import { holders } from '../../src/main/recovery-pki.ts'
import { play as steps } from '../../src/main/recovery-play.ts'
import { layDownWave } from '../../src/main/recovery-work.ts'
import { recordDecision, withdrawDecision } from '../../src/rooms/governance/decisions.ts'
import { beginWave, countsOf, workRound } from '../../src/rooms/recovery/campaign.ts'
import { ceaseCustodian } from '../../src/rooms/recovery/custodians.ts'
import { wake } from '../../src/rooms/recovery/custody.ts'
import { type DirectionText, directionsOf, openDirection, subjectOf } from '../../src/rooms/recovery/direction.ts'
import { eventOf } from '../../src/rooms/recovery/event.ts'
import { intendCommands } from '../../src/rooms/recovery/intend.ts'
import { signIntended } from '../../src/rooms/recovery/sign.ts'
import { refusal } from '../registration/office.ts'
import { openStage, type Stage } from './stage.ts'

describe('A Recovery Key Direction', () => {
  let stage: Stage
  let text: DirectionText
  let decisions = 0
  before(async () => {
    stage = await openStage('method3', 40, 'decide')
    const { hands, pki, event } = stage.play
    const { frozen } = await eventOf(hands.store, event)
    text = {
      kind: 'method3',
      event,
      key: hash('sha256', pki.recoveryKeyOfDevices.publicKey, 'hex'),
      purpose: 'the certificates of a supplier',
      grounds: ['Devices at risk'],
      devices: { count: frozen!.devices, sha256: toHex(frozen!.digest) },
      cells: ['{2,DS}', '{2,KA}', '{2,KA,topUp}'],
      maximum: 10,
    }
  })
  after(() => stage.close())

  async function decide(change: Partial<DirectionText> = {}, more: object = {}): Promise<string> {
    const { hands, people, event } = stage.play
    const reference = `PMA-T-${++decisions}`
    await recordDecision(hands, people.manager.person, {
      reference,
      acts: ['use recovery key'],
      subjects: [subjectOf(event)],
      meeting: 'a meeting',
      text: 'so decided',
      members: [people.member.person],
      decidedAt: hands.clock(),
      from: hands.clock(),
      until: new Date(hands.clock().getTime() + 7_200_000),
      details: { direction: { ...text, ...change } as unknown as JsonValue },
      ...more,
    })
    return reference
  }
  const key = () => Buffer.from(text.key, 'hex')
  const open = (decision: string, of = key()) =>
    openDirection(stage.play.hands, stage.play.people.manager, stage.play.event, decision, of)
  const lastCode = async () => (await stage.journal()).findLast(one => one.act === 'refused')?.body.code

  it('is opened for its own event, key and set of Devices alone, once, while its decision is in force', async () => {
    await assert.rejects(open('PMA-NONE'), refusal('DECISION_UNKNOWN'))
    await assert.rejects(open(await decide({ event: 'SUP-9' })), refusal('DIRECTION_OTHER_EVENT'))
    await assert.rejects(open(await decide(), Buffer.alloc(32)), refusal('DIRECTION_OTHER_KEY'))
    const others = { count: text.devices.count, sha256: 'ab'.repeat(32) }
    await assert.rejects(open(await decide({ devices: others })), refusal('DIRECTION_OTHER_DEVICES'))
    assert.equal(await lastCode(), 'DIRECTION_OTHER_DEVICES')
    await assert.rejects(open(await decide({}, { details: { note: 'x' } })), refusal('DIRECTION_UNFIT'))
    await assert.rejects(open(await decide({}, { subjects: ['recovery:SUP-9'] })), refusal('DECISION_NOT_COVERING'))
    await assert.rejects(
      open(await decide({}, { acts: ['use contingency key'] })),
      refusal('DECISION_NOT_COVERING'),
    )
    const soon = new Date(stage.play.hands.clock().getTime() + 60_000)
    await assert.rejects(open(await decide({}, { from: soon })), refusal('DECISION_NOT_IN_FORCE'))
    const ended = await decide({}, { until: new Date(stage.play.hands.clock().getTime() + 60_000) })
    stage.play.pass(1)
    await assert.rejects(open(ended), refusal('DECISION_NOT_IN_FORCE'))
    const good = await decide()
    await open(good)
    await assert.rejects(open(good), refusal('DIRECTION_EXISTS'))
  })

  const waking = (decision: string, shares?: number[]) => {
    const { pki, event } = stage.play
    const all = pki.envelopes.get('recovery key')!
    return {
      event,
      decision,
      envelopes: (shares ?? [0, 1, 2]).map(i => all[i]!),
      open: pki.open('recovery key'),
      label: pki.recoveryKeyOfDevices.label,
      originator: Buffer.from(holders.recovery.eui64, 'hex'),
    }
  }

  it('wakes the key for enough custodians who are still in their office, each once, and in force to the second', async () => {
    const { hands, people } = stage.play
    const { decision } = (await directionsOf(hands.store, stage.play.event))[0]!
    const tried = (more: Parameters<typeof waking>[1]) =>
      wake(hands, people.manager, 'recovery', waking(decision, more))
    await assert.rejects(tried([0, 1]), refusal('QUORUM_TOO_FEW'))
    await assert.rejects(tried([0, 1, 1]), refusal('QUORUM_HOLDER_TWICE'))
    await ceaseCustodian(hands, people.manager, 'recovery key', people.custodians['recovery key'][4]!)
    await assert.rejects(tried([0, 1, 4]), refusal('QUORUM_HOLDER_LEFT'))
    assert.equal(await lastCode(), 'QUORUM_HOLDER_LEFT')
    const until = new Date(hands.clock().getTime() + 60_000)
    const short = await decide({}, { until })
    const late = { ...hands, clock: () => new Date(until.getTime()) }
    await assert.rejects(wake(late, people.manager, 'recovery', waking(short)), refusal('DIRECTION_NOT_IN_FORCE'))
    const inTime = { ...hands, clock: () => new Date(until.getTime() - 1) }
    const awake = await wake(inTime, people.manager, 'recovery', waking(short))
    await awake.sleep()
    await assert.rejects(awake.sleep(), refusal('KEY_ASLEEP'))
    const elsewhere = await decide({}, { subjects: ['recovery:SUP-9'] })
    await assert.rejects(wake(hands, people.manager, 'recovery', waking(elsewhere)), refusal('DIRECTION_NEEDED'))
  })

  it('covers so many commands, its cells, its Devices and its time; one more of any is refused, and nothing is written', async () => {
    const { hands, people, event } = stage.play
    await steps['issue certificates'](stage.play)
    await layDownWave(stage.play, 1)
    await beginWave(hands, people.manager, event)
    const [direction] = await directionsOf(hands.store, event)
    await assert.rejects(intendCommands(hands, event, stage.signers(), 5), refusal('KEY_ASLEEP'))
    stage.play.awake = await wake(hands, people.manager, 'recovery', waking(direction!.decision))
    const signers = stage.signers()

    await assert.rejects(
      intendCommands(hands, event, signers, 1, ['00db5a00000000ff']),
      refusal('DIRECTION_DEVICE_OUTSIDE'),
    )
    assert.equal(await lastCode(), 'DIRECTION_DEVICE_OUTSIDE')
    const used = async () => (await directionsOf(hands.store, event))[0]!.used
    const { rows } = await hands.store.query<{ device: Buffer }>(
      'SELECT device FROM recovery_device ORDER BY device',
    )
    const ids = rows.map(row => toHex(row.device))
    await assert.rejects(intendCommands(hands, event, signers, 11, ids.slice(0, 11)), refusal('DIRECTION_USED_UP'))
    assert.equal(await used(), 0)
    const narrow = await decide({ cells: ['{2,DS}'] })
    await open(narrow)
    const forOneCell = await wake(hands, people.manager, 'recovery', waking(narrow))
    // Who widens the row of a direction has not widened what was decided.
    await hands.store.query('UPDATE recovery_direction SET cells = $2, maximum = 1000 WHERE decision = $1', [
      narrow,
      text.cells,
    ])
    const narrowly = { ...signers, awake: forOneCell }
    await assert.rejects(intendCommands(hands, event, narrowly, 1), refusal('DIRECTION_CELL_OUTSIDE'))
    await forOneCell.sleep()

    assert.deepEqual(await intendCommands(hands, event, signers, 4), { intended: 4, others: 0 })
    // Signed, and not kept: nothing has left, and the same is signed again.
    let transactions = 0
    const failing = {
      ...hands,
      store: {
        ...hands.store,
        transaction: (work: never, options: never) =>
          ++transactions === 2 ? Promise.reject(new Error('no space')) : hands.store.transaction(work, options),
      } as typeof hands.store,
    }
    await assert.rejects(signIntended(failing, event, signers, 4), /no space/)
    assert.equal(await signIntended(hands, event, signers, 4), 4)
    const round = await workRound(hands, event, signers, stage.play.field.carrier, 1000)
    assert.equal(round.held?.code, 'DIRECTION_USED_UP')
    assert.equal(await used(), 10)
    await assert.rejects(intendCommands(hands, event, signers, 1), refusal('DIRECTION_USED_UP'))
    await assert.rejects(hands.store.query('UPDATE recovery_direction SET used = 11'), /recovery_direction/)
    const { rows: sent } = await hands.store.query("SELECT FROM recovery_command WHERE kind = 'update'")
    assert.equal(sent.length, 10)
  })

  it('that was withdrawn, or ended a second ago, signs and sends nothing that was written down before', async () => {
    const { hands, people, event, field } = stage.play
    await stage.play.awake!.sleep()
    const until = new Date(hands.clock().getTime() + 600_000)
    const decision = await decide({ maximum: 6 }, { until })
    await open(decision)
    stage.play.awake = await wake(hands, people.manager, 'recovery', waking(decision))
    const signers = stage.signers()
    assert.equal((await intendCommands(hands, event, signers, 3)).intended, 3)
    assert.equal(await signIntended(hands, event, signers, 1), 1)
    const late = { ...hands, clock: () => until }
    await assert.rejects(signIntended(late, event, signers, 3), refusal('DIRECTION_NOT_IN_FORCE'))
    const before = field.seen.size
    await workRound(late, event, signers, field.carrier, 1000)
    const { rows } = await hands.store.query<{ state: string; count: bigint }>(
      'SELECT c.state, count(*) FROM recovery_command c JOIN recovery_direction r ON r.id = c.direction WHERE r.decision = $1 GROUP BY c.state',
      [decision],
    )
    assert.deepEqual(rows, [{ state: 'dropped', count: 3n }])
    assert.ok(
      (await stage.journal()).some(one => one.act === 'refused' && one.body.code === 'DIRECTION_NOT_IN_FORCE'),
    )
    const questions = field.seen.size - before
    assert.ok(questions <= 10, 'questions need no direction, and commands did not leave')

    const other = await decide({ maximum: 6 })
    await withdrawDecision(hands, people.manager.person, other, 'it was a mistake')
    await assert.rejects(open(other), refusal('DECISION_NOT_IN_FORCE'))
    assert.ok((await countsOf(hands.store, event)).pending > 0)
  })

  it('does not let a key sign what was not written down, nor for another decision than it woke for', async () => {
    const { hands } = stage.play
    const { awake } = stage.play
    const forged = {
      command: 999n,
      octets: Buffer.alloc(10),
      key: awake!.key,
      decision: 'PMA-OTHER',
      until: undefined,
    }
    assert.throws(() => awake!.sign(forged as never, hands.clock()), refusal('KEY_NOT_DIRECTED'))
    assert.throws(
      () => awake!.sign({ ...forged, key: Buffer.alloc(32) } as never, hands.clock()),
      refusal('DIRECTION_OTHER_KEY'),
    )
    await awake!.sleep()
    assert.throws(() => awake!.sign(forged as never, hands.clock()), refusal('KEY_ASLEEP'))
  })
})
