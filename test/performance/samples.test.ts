/** Response times: collected, kept in groups, counted against their targets, and not counted where they are excluded. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Client, Store } from '../../src/ground/store/store.ts'
import { collector } from '../../src/rooms/governance/performance/collect.ts'
import { recordExclusion, withdrawExclusion } from '../../src/rooms/governance/performance/exclusions.ts'
import type { Facts } from '../../src/rooms/governance/performance/facts.ts'
import { joinGroups, removeOldSamples } from '../../src/rooms/governance/performance/keep.ts'
import { measuredIn } from '../../src/rooms/governance/performance/measured.ts'
import { sentIn } from '../../src/rooms/governance/performance/numbers.ts'
import { pack, type Sample, unpack } from '../../src/rooms/governance/performance/sample.ts'
import { clerk, type Office, openOffice, refusal } from './office.ts'

const zone = 'Europe/London'
const nothing: Facts = { batches: [], organisation: [] }
const ms = (instant: string) => Date.parse(instant)

const single = (received: string, took: number, more: Partial<Sample> = {}): Sample => ({
  channel: 'ADHOC_WS',
  party: 1,
  received: ms(received),
  sent: ms(received) + took,
  outcome: 'sent',
  ...more,
})

describe('a sample', () => {
  it('is read back as it was packed, thirteen octets each', () => {
    const hour = ms('2026-10-05T10:00:00.000Z')
    const sample = fc.record({
      received: fc.nat(3_599_999).map(after => hour + after),
      took: fc.nat(100_000_000),
      party: fc.option(fc.integer({ min: 1, max: 2 ** 31 }), { nil: undefined }),
      outcome: fc.constantFrom('sent', 'refused', 'fault', 'unanswered'),
    })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 20 }), all => {
        const samples = all.map(({ took, ...one }) => ({ ...one, sent: one.received + took }))
        const packed = pack(
          samples.map(one => ({ ...one, channel: 'ADHOC_WS' })),
          hour,
        )
        assert.equal(packed.length, 13 * all.length)
        assert.deepEqual(unpack(packed, hour), samples)
      }),
    )
    assert.throws(() => unpack(Buffer.alloc(14), hour), RangeError)
    assert.throws(() => unpack(Buffer.alloc(13, 9), hour), RangeError)
  })
})

describe('the page of the format', () => {
  it('has an example that is one', () => {
    const page = readFileSync(new URL('../../docs/formats/performance.md', import.meta.url), 'utf8')
    const [, hexadecimal] = /```samples\n([^`]+)```/.exec(page)!
    assert.deepEqual(unpack(Buffer.from(hexadecimal!.replace(/\s/g, ''), 'hex'), 0), [
      { received: 2500, sent: 6500, party: 7, outcome: 'sent' },
      { received: 90_000, sent: 120_001, party: undefined, outcome: 'fault' },
    ])
  })
})

describe('response times', () => {
  let office: Office
  const month = (facts = nothing, at = new Date('2026-11-06T09:00:00Z')) =>
    measuredIn(office.store, office.settings, '2026-10', facts, at)
  const keep = async (source: string, samples: readonly Sample[]) => {
    const collected = collector(office.store, source, zone)
    for (const one of samples) collected.measure(one)
    return collected.flush()
  }
  before(async () => {
    office = await openOffice('2026-10-01T09:00:00.000Z')
  })
  after(() => office.close())

  it('are none where nothing was measured', async () => {
    const { single, batch, repository } = await month()
    for (const one of [single, batch, repository]) {
      assert.deepEqual(
        { ...one, measure: '' },
        {
          measure: '',
          measured: 0,
          within: 0,
          excluded: 0,
          percent: 'none',
          breaches: [],
        },
      )
    }
  })

  it('are counted to the millisecond, and each that missed is listed with its cause', async () => {
    const { kept, dropped } = await keep('door 1', [
      single('2026-10-05T10:00:00.000Z', 30_000),
      single('2026-10-05T10:00:01.000Z', 30_001, { answered: ms('2026-10-05T10:00:31.000Z') }),
      single('2026-10-05T10:00:02.000Z', 40_000, { answered: ms('2026-10-05T10:00:03.000Z') }),
      single('2026-10-05T10:00:03.000Z', 50_000, { outcome: 'refused' }),
      single('2026-10-05T10:00:04.000Z', 5, { outcome: 'fault' }),
      // The client went away: that it might still have been answered in time, or that it was not.
      single('2026-10-05T10:00:04.500Z', 30_000, { outcome: 'unanswered', party: 9 }),
      single('2026-10-05T10:00:04.600Z', 30_001, { outcome: 'unanswered', party: 9 }),
      single('2026-10-05T10:00:05.000Z', 3000, { channel: 'REPOSITORY', party: undefined }),
      single('2026-10-05T10:00:06.000Z', 3001, { channel: 'REPOSITORY' }),
      single('2026-10-05T10:00:07.000Z', 1, { channel: 'REPOSITORY', outcome: 'fault' }),
    ])
    assert.deepEqual([kept.length, dropped], [10, 0])
    const { single: one, repository } = await month()
    assert.deepEqual([one.measured, one.within, one.percent], [5, 2, '40.00 %'])
    assert.deepEqual(
      one.breaches.map(breach => [breach.receivedAt.toISOString(), breach.cause]),
      [
        ['2026-10-05T10:00:01.000Z', 'the answer came late'],
        ['2026-10-05T10:00:02.000Z', 'the answer was taken slowly'],
        ['2026-10-05T10:00:04.600Z', 'no answer before the client went away'],
      ],
    )
    assert.deepEqual([repository.measured, repository.within, repository.percent], [3, 1, '33.33 %'])
    assert.deepEqual(
      repository.breaches.map(breach => [breach.party, breach.cause]),
      [
        [1, 'the answer came late'],
        [1, 'a fault of ours'],
      ],
    )
  })

  it('belong to the month in which the request arrived, by the wall', async () => {
    await keep('door 2', [
      // 00:30 on 1 October in summer time; the last moment of the month, in winter time; the first of the next.
      single('2026-09-30T23:30:00.000Z', 10, { party: 2 }),
      single('2026-10-31T23:59:59.999Z', 10, { party: 2 }),
      single('2026-11-01T00:00:00.000Z', 10, { party: 2 }),
      single('2026-09-30T22:59:59.999Z', 10, { party: 2 }),
    ])
    assert.equal((await month()).single.measured, 7)
    const sent = await sentIn(office.store, '2026-10', [], zone)
    // The Repository is no demand; what was refused and what failed is.
    assert.deepEqual(sent.get(1), { single: 5, batch: 0, total: 5 })
    assert.deepEqual(sent.get(2), { single: 2, batch: 0, total: 2 })
    assert.equal((await sentIn(office.store, '2026-11', [], zone)).get(2)?.total, 1)
    const batch = (received: string, channel: 'BATCH_WS' | 'PORTAL_DEVICE', count: number) => ({
      id: 1n,
      channel,
      party: 4,
      count,
      receivedAt: new Date(received),
      decidedAt: undefined,
      queuedAt: undefined,
      completedAt: undefined,
      refused: true,
    })
    const batches = [
      batch('2026-09-30T22:59:59.999Z', 'BATCH_WS', 1),
      batch('2026-09-30T23:00:00.000Z', 'BATCH_WS', 10),
      batch('2026-10-31T23:59:59.999Z', 'PORTAL_DEVICE', 1),
      batch('2026-11-01T00:00:00.000Z', 'BATCH_WS', 100),
    ]
    const many = await sentIn(office.store, '2026-10', batches, zone)
    assert.deepEqual(many.get(4), { single: 1, batch: 10, total: 11 })
    assert.equal((await sentIn(office.store, '2026-09', [], zone)).get(2)?.total, 1)
  })

  it('are kept once, also when the answer of the store was lost', async () => {
    const before = (await month()).single.measured
    let lose = true
    const store: Store = {
      ...office.store,
      async transaction<T>(work: (client: Client) => Promise<T>): Promise<T> {
        const result = await office.store.transaction(work)
        if (!lose) return result
        lose = false
        throw new Error('the connection broke after the commit')
      },
    }
    const collected = collector(store, 'door 3', zone)
    collected.measure(single('2026-10-06T10:00:00.000Z', 60_000, { party: 3 }))
    await assert.rejects(collected.flush())
    collected.measure(single('2026-10-06T10:00:01.000Z', 1, { party: 3 }))
    await collected.flush()
    await collected.flush()
    const { single: one } = await month()
    assert.deepEqual([one.measured - before, one.breaches.filter(breach => breach.party === 3).length], [2, 1])
    assert.equal((await sentIn(office.store, '2026-10', [], zone)).get(3)?.total, 2)
  })

  it('of what an exclusion touches do not count, sample by sample, until it is withdrawn', async () => {
    const plain = (await month()).single
    const id = await recordExclusion(office.hands, clerk, {
      kind: 'planned maintenance',
      from: new Date('2026-10-05T10:00:02.000Z'),
      until: new Date('2026-10-05T10:00:03.000Z'),
      reference: 'notice 7',
    })
    const { single: one, repository } = await month()
    // The first two were under way when it began, the third arrived within it; that of 10:00:04 came later.
    assert.deepEqual([one.measured, one.within, one.excluded], [plain.measured - 3, plain.within - 1, 3])
    assert.ok(one.breaches.every(breach => breach.party === 3 || breach.party === 9))
    assert.equal(repository.measured, 3)
    const asSet = { ...office.settings, exclusions: ['emergency suspension' as const] }
    assert.equal((await measuredIn(office.store, asSet, '2026-10', nothing, new Date())).single.excluded, 0)
    await withdrawExclusion(office.hands, clerk, id)
    assert.deepEqual((await month()).single, plain)
    await assert.rejects(withdrawExclusion(office.hands, clerk, id), refusal('EXCLUSION_UNKNOWN'))
    const acts = (await office.journal()).map(one => one.act)
    assert.deepEqual(acts, ['record exclusion', 'withdraw exclusion', 'refused'])
  })

  it('are the same after groups were joined, and go when they are old', async () => {
    const groups = async () =>
      Number((await office.store.query<{ n: bigint }>('SELECT count(*) AS n FROM response_group')).rows[0]!.n)
    await keep('door 4', [single('2026-10-05T10:59:00.000Z', 7), single('2026-10-05T10:00:00.000Z', 8)])
    const [plain, many] = [await month(), await groups()]
    assert.ok((await joinGroups(office.store, new Date('2026-11-01T00:00:00Z'))) > 0)
    assert.ok((await groups()) < many)
    assert.deepEqual(await month(), plain)
    await keep('door 5', [single('2026-10-05T10:00:00.500Z', 9)])
    await joinGroups(office.store, new Date('2026-11-01T00:00:00Z'))
    assert.equal((await month()).single.measured, plain.single.measured + 1)
    const { rows } = await office.store.query<{ hour: Date; samples: Buffer }>(
      'SELECT hour, samples FROM response_group WHERE channel = 1 ORDER BY octet_length(samples) DESC LIMIT 1',
    )
    assert.equal(unpack(rows[0]!.samples, rows[0]!.hour.getTime()).length, 10)
    await removeOldSamples(office.store, new Date('2026-12-01T00:00:00Z'))
    assert.equal((await month()).single.measured, 0)
    assert.equal((await sentIn(office.store, '2026-10', [], zone)).get(3)?.total, 2)
  })
})

describe('a batch', () => {
  it('is in time by its due instant, missed when it is overdue, and not judged while it may be in time', async () => {
    const office = await openOffice('2026-10-25T09:00:00.000Z')
    try {
      const at = (instant: string) => new Date(instant)
      const batch = {
        id: 1n,
        channel: 'BATCH_WS' as const,
        party: 1,
        count: 10,
        receivedAt: at('2026-10-24T18:59:59.000Z'),
        decidedAt: at('2026-10-24T19:00:00.000Z'),
        queuedAt: at('2026-10-24T19:00:01.000Z'),
        completedAt: at('2026-10-25T08:00:00.000Z'),
        refused: false,
      }
      const measured = async (change: object, now: string) => {
        const facts = { batches: [{ ...batch, ...change }], organisation: [] }
        const { batch: one } = await measuredIn(office.store, office.settings, '2026-10', facts, at(now))
        return [one.measured, one.within, one.breaches[0]?.cause]
      }
      const later = '2026-11-06T09:00:00Z'
      // The night in which the wall goes back: 08:00 is an hour later.
      assert.deepEqual(await measured({}, later), [1, 1, undefined])
      assert.deepEqual(await measured({ completedAt: at('2026-10-25T08:00:00.001Z') }, later), [
        1,
        0,
        'batch 1: it waited, or was issued slowly',
      ])
      const undecided = { decidedAt: undefined, queuedAt: undefined, completedAt: undefined }
      assert.deepEqual(await measured(undecided, '2026-10-25T08:00:00.000Z'), [0, 0, undefined])
      assert.deepEqual(await measured(undecided, '2026-10-25T08:00:00.001Z'), [
        1,
        0,
        'batch 1: the Registration Authority decided late: not yet done',
      ])
      assert.deepEqual(await measured({ ...undecided, refused: true }, later), [0, 0, undefined])
      // One that came singly by the Portal has 30 seconds.
      const alone = (completed: string) => [
        { ...batch, channel: 'PORTAL_DEVICE' as const, count: 1, completedAt: at(completed) },
      ]
      for (const [completed, within] of [
        ['2026-10-24T19:00:29.000Z', 1],
        ['2026-10-24T19:00:29.001Z', 0],
      ] as const) {
        const facts = { batches: alone(completed), organisation: [] }
        const { single } = await measuredIn(office.store, office.settings, '2026-10', facts, at(later))
        assert.deepEqual([single.measured, single.within], [1, within])
      }
    } finally {
      await office.close()
    }
  })
})
