/** All switches of the simulated meter at once, drawn at random: no key is lost, no counter repeated (dlms.md section 10). */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Switches } from '../../../simulator/meter/model.ts'
import { commissioned } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { makeRig, type Rig, requireAgreement, unresolvedAtDco } from './rig.ts'
import { requireNoCounterTwice, wireTap } from './wire-tap.ts'

const runs = Number(process.env.SMKI_RANDOM_METERS ?? 8)

/**
 * What a meter may do that has to resolve in the end. Left out is what no head-end can get past, each of which has a test
 * of its own: one that is never reached, demands less protection, lets nobody set keys, or shows an absurd counter; one that
 * hides its counter and meets a wrong one by closing; and trouble that never ends.
 */
const switches: fc.Arbitrary<Partial<Switches>> = fc
  .record({
    arrayTransfer: fc.constantFrom('atomic', 'one-by-one', 'one-by-one-stops-at-error'),
    replyUnder: fc.constantFrom('old', 'new'),
    newKeysHold: fc.constantFrom('next association', 'next APDU', 'immediately'),
    counterAfterGuek: fc.constantFrom('reset', 'kept', 'reset at next association'),
    counterAfterAk: fc.constantFrom('kept', 'reset'),
    firstCounter: fc.constantFrom(0, 1),
    dropReply: fc.constantFrom('never', 'after commit', 'before commit', { every: 7 }, { every: 11 }),
    lieAboutResult: fc.constantFrom('never', '"not OK" after commit', '"success" without commit'),
    crashMidway: fc.constantFrom(
      'never',
      'between two keys',
      'between storing and replying',
      'forgets the counter',
    ),
    protection: fc.constantFrom('30 only', 'takes 10', 'takes 20'),
    hlsCounter: fc.constantFrom('two values', 'one value'),
    publicCounter: fc.constantFrom('true value', 'stale', 'not readable'),
    exceptionOn: fc.constantFrom('D8 05', 'D8 06', 'close'),
    mk: fc.constantFrom('rotates', 'refuses', 'takes it but keeps the old one'),
    setupAccess: fc.constantFrom('own client', 'Management writes all'),
    dedicatedKey: fc.constantFrom('ignores', 'uses'),
    hostile: fc.constantFrom(
      'no',
      'replays old APDUs',
      'reflects ours',
      'wrong title',
      'challenge equal to ours',
      'challenge that is an APDU',
      'huge lengths',
      'truncated',
    ),
    troubledTransfers: fc.nat(3),
    hostileReplies: fc.nat(4),
  })
  .filter(
    ({ publicCounter, exceptionOn }) => publicCounter === 'true value' || exceptionOn !== 'close',
  ) as fc.Arbitrary<Partial<Switches>>

describe('A Device with any mixture of peculiarities', () => {
  let rig: Rig
  before(async () => {
    const rotates = { ak: true, guek: true, broadcast: false, mk: true }
    const models = [
      { name: 'one by one', rotates },
      { name: 'both in one', rotates, keyTransfer: 'one-array' },
    ]
    rig = await makeRig({ symmetric: { models }, settings: { refusals: 6 } })
  })
  after(() => rig.close())

  it('ends with one generation active on each side, the same, which is what it holds; no counter carried two texts', async () => {
    await fc.assert(
      fc.asyncProperty(switches, fc.constantFrom('one by one', 'both in one'), async (drawn, model) => {
        const { meters, ids } = await rig.meters({ model, switches: drawn })
        const tap = wireTap(rig.hands.dial)
        const hands = rig.s1spOver({ dial: tap.dial })
        await commissioned(hands, ids, rig.clock())
        let closed = 0
        for (let tries = 0; tries < 60 && closed === 0; tries++) {
          rig.later(60_000)
          const result = await round(hands)
          assert.deepEqual(result.faults, [])
          closed = result.by.closed
        }
        const { rows } = await rig.stores.s1sp.store.query<{ code: string }>(
          'SELECT a.code FROM attempt a JOIN rotation r ON r.id = a.rotation WHERE r.device = $1 ORDER BY a.at',
          ids,
        )
        assert.equal(closed, 1, `it does not close: ${rows.map(({ code }) => code).join(', ')}`)
        const generations = await requireAgreement(rig, meters[0]!)
        for (const [key, generation] of generations) assert.ok(generation > 0 || key === 'device/MK', key)
        if (drawn.mk === 'rotates') assert.ok(generations.get('device/MK')! > 0)
        assert.ok((await requireNoCounterTwice(rig, tap, ids[0]!)) > 40)
        assert.deepEqual(await unresolvedAtDco(rig, ids[0]!), [])
      }),
      // One that failed is told as it was drawn: a smaller one is another meter.
      { numRuns: runs, endOnFailure: true },
    )
  })
})
