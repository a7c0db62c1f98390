import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Switches } from '../../../simulator/meter/model.ts'
import { commissioned } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'
import { requireNoCounterTwice, wireTap } from './wire-tap.ts'

interface Case {
  readonly switches: Partial<Switches>
  readonly model?: string
  /** The highest that is due of each; 1 for the AKs and GUEKs unless said. */
  readonly due?: Record<string, number>
  /** Null where it does not close. */
  readonly outcome?: 'complete with exceptions' | null
  /** Codes of the tries that did not close it. */
  readonly attempts?: readonly string[]
  readonly exceptions?: readonly string[]
}

const old = { 'data-collection/AK': 0, 'management/GUEK': 0 }

/** Each switch of the simulated meter by itself (dlms.md section 10), and what comes of a rotation. */
const cases: Record<string, Case> = {
  'replies under the new keys': { switches: { replyUnder: 'new' } },
  'lets new keys hold with the next APDU': { switches: { newKeysHold: 'next APDU' } },
  'lets new keys hold at once': { switches: { newKeysHold: 'immediately' } },
  'keeps its counters after a new GUEK': { switches: { counterAfterGuek: 'kept' } },
  'resets its counters at the next association': {
    switches: { counterAfterGuek: 'reset at next association', newKeysHold: 'next APDU' },
  },
  'resets its counters with a new AK': { switches: { counterAfterAk: 'reset' } },
  'wants strictly the next counter': {
    switches: { counterRule: 'strictly-next', firstCounter: 1 },
    model: 'strict',
  },
  'begins to count at 1': { switches: { firstCounter: 1 } },
  'loses every answer to a transfer after it stored the key': { switches: { dropReply: 'after commit' } },
  'loses the first two transfers': { switches: { dropReply: 'before commit', troubledTransfers: 2 } },
  'drops every seventh reply': { switches: { dropReply: { every: 7 } } },
  'says no and did': { switches: { lieAboutResult: '"not OK" after commit' } },
  'says yes and did not, twice': {
    switches: { lieAboutResult: '"success" without commit', troubledTransfers: 2 },
  },
  'says yes and never does': {
    switches: { lieAboutResult: '"success" without commit' },
    due: old,
    outcome: 'complete with exceptions',
    exceptions: ['the Device said that it took the key, and was proven not to have'],
  },
  'loses its power between two keys': {
    switches: { crashMidway: 'between two keys', arrayTransfer: 'one-by-one', troubledTransfers: 1 },
    model: 'both in one',
  },
  'loses its power before it replies': { switches: { crashMidway: 'between storing and replying' } },
  'forgets its counter': { switches: { crashMidway: 'forgets the counter', troubledTransfers: 3 } },
  'takes two keys in one array': { switches: { arrayTransfer: 'atomic' }, model: 'both in one' },
  'refuses arrays': {
    switches: { arrayTransfer: 'refuses-arrays' },
    model: 'both in one',
    due: old,
    outcome: 'complete with exceptions',
    exceptions: ['the Device refused: type unmatched'],
  },
  'takes less protection': { switches: { protection: 'takes 20' } },
  'demands less protection': {
    switches: { protection: 'demands 10' },
    due: old,
    outcome: null,
    attempts: ['DEVICE_UNRESOLVED'],
  },
  'uses one counter for the inner and the outer of pass 4': { switches: { hlsCounter: 'one value' } },
  'shows a stale counter, and keeps it after a new GUEK': {
    switches: { publicCounter: 'stale', counterAfterGuek: 'kept', exceptionOn: 'D8 05' },
  },
  'shows an absurd counter, and keeps it after a new GUEK': {
    switches: { publicCounter: 'absurdly high', counterAfterGuek: 'kept' },
    due: { 'data-collection/AK': 1 },
    outcome: null,
    attempts: ['COUNTER_JUMP'],
  },
  'shows no counter, but says which it wants': {
    switches: { publicCounter: 'not readable', counterAfterGuek: 'kept' },
  },
  'meets a wrong tag with silence': {
    switches: { exceptionOn: 'silence', dropReply: 'after commit', troubledTransfers: 2 },
  },
  'meets a wrong tag by closing': { switches: { exceptionOn: 'close', dropReply: 'after commit' } },
  'meets a wrong tag with a misleading exception': {
    switches: { exceptionOn: 'D8 06', dropReply: 'after commit' },
  },
  'rotates its Master Key': { switches: {}, model: 'usual-mk', due: { 'device/MK': 1, 'management/AK': 2 } },
  'loses the answer about its Master Key': {
    switches: { dropReply: 'after commit' },
    model: 'usual-mk',
    due: { 'device/MK': 1 },
  },
  'refuses a new Master Key': {
    switches: { mk: 'refuses' },
    model: 'usual-mk',
    due: { 'device/MK': 0 },
    outcome: 'complete with exceptions',
    exceptions: ['the Device refused: other reason'],
  },
  'takes a new Master Key, and keeps the old one': {
    switches: { mk: 'takes it but keeps the old one' },
    model: 'usual-mk',
    due: { 'device/MK': 0 },
    outcome: 'complete with exceptions',
    exceptions: ['the Device said that it took the key, and was proven not to have'],
  },
  'lets no client set keys': {
    switches: { setupAccess: 'none' },
    due: old,
    outcome: 'complete with exceptions',
    exceptions: ['the Device refused: read-write denied'],
  },
  'cannot be reached': {
    switches: { reachable: 'never' },
    due: old,
    outcome: null,
    attempts: ['DEVICE_UNREACHABLE'],
  },
  'is reached at its hours only': { switches: { reachable: { everyMinutes: 120, forMinutes: 61 } } },
  ...Object.fromEntries(
    (
      [
        'replays old APDUs',
        'reflects ours',
        'wrong title',
        'challenge equal to ours',
        'challenge that is an APDU',
        'huge lengths',
        'truncated',
      ] as const
    ).map(hostile => [`is hostile four times: ${hostile}`, { switches: { hostile, hostileReplies: 4 } }]),
  ),
}

describe('A Device that', () => {
  let rig: Rig
  before(async () => {
    const models = [
      { name: 'usual' },
      { name: 'usual-mk', rotates: { ak: true, guek: true, broadcast: false, mk: true } },
      {
        name: 'strict',
        keyTransfer: 'one-array',
        counters: { rule: 'strictly-next', first: 1, maxJump: 1_000_000 },
      },
      { name: 'both in one', keyTransfer: 'one-array' },
    ]
    rig = await makeRig({ symmetric: { models } })
  })
  after(() => rig.close())

  for (const [name, { switches, model, due = {}, attempts, exceptions, ...more }] of Object.entries(cases)) {
    // A model whose Master Key cannot be replaced: that too stands on record when a rotation closes.
    const outcome =
      'outcome' in more ? more.outcome! : model === 'usual-mk' ? 'complete' : 'complete with exceptions'
    it(name, async () => {
      const { meters, ids } = await rig.meters({ switches, ...(model && { model }) })
      const [meter, device] = [meters[0]!, ids[0]!]
      const tap = wireTap(rig.hands.dial)
      const hands = rig.s1spOver({ dial: tap.dial })
      await commissioned(hands, ids, rig.clock())
      let closed = 0
      for (let tries = 0; tries < 12 && closed === 0; tries++) {
        rig.later(3_600_000)
        const result = await round(hands)
        assert.deepEqual(result.faults, [])
        closed = result.by.closed
        if (outcome === null && tries === 2) break
      }
      const { rows } = await rig.stores.s1sp.store.query<{ id: bigint; outcome: string | null }>(
        'SELECT id, outcome FROM rotation WHERE device = $1',
        [device],
      )
      const list = async (sql: string) =>
        (await rig.stores.s1sp.store.query(sql, [rows[0]!.id])).rows.map(row => row.it)
      const tried = await list('SELECT DISTINCT code AS it FROM attempt WHERE rotation = $1 ORDER BY it')
      assert.deepEqual(
        rows.map(row => row.outcome),
        [outcome],
        `tried: ${tried}`,
      )
      if (attempts) assert.deepEqual(tried, attempts)
      const says = await list('SELECT DISTINCT says AS it FROM exception WHERE rotation = $1 ORDER BY it')
      const known = says.filter(text => !/cannot be replaced$/.test(text as string))
      assert.deepEqual(known, exceptions ?? [])

      const looked = await requireNoCounterTwice(rig, tap, device)
      assert.ok(looked > 0 || switches.reachable === 'never')
      // What is still on its way is in neither list of active keys; all others agree, and are the meter's.
      if (outcome !== null || switches.reachable === 'never') {
        const generations = await requireAgreement(rig, meter)
        for (const [key, generation] of Object.entries(due))
          assert.equal(generations.get(key) === 0, generation === 0, key)
        if (outcome !== null && !exceptions) {
          for (const [key, generation] of generations) assert.ok(generation > 0 || key === 'device/MK', key)
        }
      }
      // Those that are not closed are out of the way of the next test.
      await rig.stores.s1sp.store.query(
        "UPDATE rotation SET state = 'closed', closed = now() WHERE state <> 'closed'",
      )
    })
  }

  it('was closed has nothing on its way', async () => {
    assert.ok(
      (await unresolvedAtDco(rig)).length <= Object.values(cases).filter(({ outcome }) => outcome === null).length,
    )
  })
})
