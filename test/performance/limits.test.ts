/** Limits of demand (Code of Connection): of a night, and of a day by the Portal. They tell or let wait, and lose nothing. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { nightGuard, performanceTask } from '../../src/main/signer-performance.ts'
import { systemChance } from '../../src/main/world.ts'
import type { OwnReport } from '../../src/rooms/governance/performance/report.ts'
import { advance, singleMark, zipMark } from '../../src/rooms/issuance/batch.ts'
import { draftMonth } from '../../src/rooms/issuance/performance.ts'
import { portalDemand } from '../../src/rooms/issuance/portal-demand.ts'
import { nightOf, queueLength } from '../../src/rooms/issuance/queue.ts'
import { type Office, openOffice } from './office.ts'

const zone = 'Europe/London'
const noLog = { info: () => {}, warn: () => {} }

describe('a night', () => {
  it('begins when the wall shows its time, through both changes of the clock', () => {
    const begins = (at: string) => nightOf(new Date(at), '20:00', zone).toISOString()
    assert.equal(begins('2026-11-20T20:00:00.000Z'), '2026-11-20T20:00:00.000Z')
    assert.equal(begins('2026-11-20T19:59:59.999Z'), '2026-11-19T20:00:00.000Z')
    assert.equal(begins('2026-07-01T19:00:00.000Z'), '2026-07-01T19:00:00.000Z')
    assert.equal(begins('2026-03-29T12:00:00.000Z'), '2026-03-28T20:00:00.000Z')
    assert.equal(begins('2026-10-25T12:00:00.000Z'), '2026-10-24T19:00:00.000Z')
  })
})

describe('the limits of demand', () => {
  let office: Office
  let party: number
  let batch: bigint
  /** A portion of that batch, and that it was taken in hand then. */
  const portion = async (number: number, count: number, at: string | undefined) => {
    const signing = at
      ? (
          await office.store.query<{ id: bigint }>(
            "INSERT INTO signing (state, count, at, slot) VALUES ('intended', 1, $1, 72) RETURNING id",
            [at],
          )
        ).rows[0]!.id
      : null
    await office.store.query(
      "INSERT INTO portion (batch, number, count, items, state, signing) VALUES ($1, $2, $3, '', $4, $5)",
      [batch, number, count, at ? 'done' : 'queued', signing],
    )
  }
  before(async () => {
    office = await openOffice('2026-11-20T21:00:00.000Z')
    party = await office.party('alpha')
    batch = await office.batch({ party, count: 500, received: '2026-11-19T12:00:00Z', state: 'PROCESSING' })
    // Last night's do not count tonight, though the batch is the same.
    await portion(0, 200, '2026-11-20T07:00:00Z')
    await portion(1, 100, '2026-11-20T20:00:00Z')
    await portion(2, 100, '2026-11-20T20:30:00Z')
    await portion(3, 100, undefined)
  })
  after(() => office.close())

  it('of a night hold batches back until the next where that is set, and lose none', async () => {
    const told: object[] = []
    const log = { warn: (about: object) => void told.push(about) }
    const settings = { ...office.settings, nightCsrs: 200, nightOver: 'queue' as const }
    const hands = { ...office.hands, chance: systemChance }
    const guard = nightGuard(hands, settings, log)
    const state = async () =>
      (await office.store.query<{ state: string }>('SELECT state FROM batch WHERE id = $1', [batch])).rows[0]!.state
    assert.equal(await guard(), false)
    await advance(hands, await guard())
    assert.equal(await state(), 'PAUSED')
    assert.deepEqual(told, [{ csrs: 200, limit: 200, since: new Date('2026-11-20T20:00:00.000Z') }])
    office.turnTo('2026-11-21T20:00:00.000Z')
    assert.equal(await guard(), true)
    assert.equal((await advance(hands, await guard())).waiting, true)
    assert.equal(await state(), 'PROCESSING')
    assert.equal(told.length, 1)
  })

  it('of a night only tell by default, and tell nothing below', async () => {
    office.turnTo('2026-11-20T21:00:00.000Z')
    const told: string[] = []
    const log = { warn: (_: unknown, ...says: unknown[]) => void told.push(String(says[0])) }
    const guard = (nightCsrs: number) => nightGuard(office.hands, { ...office.settings, nightCsrs }, log)
    assert.equal(await guard(201)(), true)
    assert.deepEqual(told, [])
    assert.equal(await guard(200)(), true)
    assert.deepEqual(told, ['the batched CSRs of a night are used up: they go on'])
  })

  it('show how much is under way', async () => {
    await office.batch({ party, count: 30, received: '2026-11-20T12:00:00Z', state: 'PENDING' })
    const { states, waiting, oldest } = await queueLength(office.store)
    assert.deepEqual([states.PROCESSING, states.PENDING, states.QUEUED, waiting], [1, 1, 0, 130])
    assert.equal(oldest?.toISOString(), '2026-11-19T12:00:00.000Z')
  })

  it('of a day by the Portal are counted for each Party over 24 hours, and told', async () => {
    const at = new Date('2026-11-20T21:00:00.000Z')
    const other = await office.party('other')
    const send = async (mark: string, by: number, count: number, received: string) => {
      const id = await office.batch({ party: by, count, received })
      await office.store.query('UPDATE batch SET reference = $2 WHERE id = $1', [id, `${mark}a`])
    }
    await send(zipMark, party, 40, '2026-11-20T21:00:00.000Z')
    await send(zipMark, party, 50, '2026-11-19T21:00:00.000Z')
    await send(zipMark, other, 39, '2026-11-19T21:00:00.001Z')
    for (const minute of ['01', '02', '03']) await send(singleMark, other, 1, `2026-11-20T09:${minute}:00Z`)
    const settings = { ...office.settings, portalAdHocDay: 2, portalBatchDay: 39 }
    assert.deepEqual(await portalDemand(office.store, settings, at), [
      { party, sent: 'in batches', csrs: 40, most: 39 },
      { party: other, sent: 'singly', csrs: 3, most: 2 },
      { party: other, sent: 'in batches', csrs: 39, most: 39 },
    ])
    const told: object[] = []
    office.turnTo(at)
    await performanceTask(office.hands, settings, { ...noLog, warn: (about: object) => void told.push(about) })
    assert.deepEqual(told, [
      { party, sent: 'in batches', csrs: 40, most: 39 },
      { party: other, sent: 'singly', csrs: 3, most: 2 },
    ])
    // Each way counts where it belongs in the report of the month.
    const reports = await draftMonth(office.hands, settings, '2026-11')
    const own = reports.find(one => one.recipient === `party ${other}`) as OwnReport
    assert.deepEqual(own.sent, { single: 3, batch: 39, total: 42 })
  })
})
