/** When files of the Repository are made and taken away: by the wall in London, once, and never half. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { readEntry } from '../../src/ground/journal/entry.ts'
import type { Connection, Store } from '../../src/ground/store/store.ts'
import { testStore } from '../../src/ground/store/testing.ts'
import { dayIn } from '../../src/policy/performance/zone.ts'
import { type FileKind, filesOf, folderOf, type Making, makeFile } from '../../src/rooms/repository/files/make.ts'
import { due, type FileSchedule, filesTurn } from '../../src/rooms/repository/files/schedule.ts'

const schedule: FileSchedule = {
  at: '00:30',
  fullOn: ['Sunday'],
  zone: 'Europe/London',
  kept: { DELTA: 35, FULL: 35 },
}
const day = 86_400_000
const instants = ({ DELTA, FULL }: { DELTA: Date; FULL: Date | undefined }) => [
  DELTA.toISOString(),
  FULL?.toISOString(),
]

describe('what is due', () => {
  const at = (instant: string, changes: Partial<FileSchedule> = {}) =>
    instants(due({ ...schedule, ...changes }, new Date(instant)))

  it('reaches to the midnight before half past midnight, and not a second sooner', () => {
    assert.deepEqual(at('2026-11-20T00:29:59.999Z'), ['2026-11-19T00:00:00.000Z', '2026-11-15T00:00:00.000Z'])
    assert.deepEqual(at('2026-11-20T00:30:00Z'), ['2026-11-20T00:00:00.000Z', '2026-11-15T00:00:00.000Z'])
    assert.deepEqual(at('2026-11-20T23:59:59Z'), ['2026-11-20T00:00:00.000Z', '2026-11-15T00:00:00.000Z'])
    // 22 November 2026 is a Sunday.
    assert.equal(at('2026-11-22T00:29:59Z')[1], '2026-11-15T00:00:00.000Z')
    assert.equal(at('2026-11-22T00:30:00Z')[1], '2026-11-22T00:00:00.000Z')
  })

  it('follows the wall when summer time ends: that day has 25 hours', () => {
    assert.equal(at('2026-10-24T23:29:59Z')[0], '2026-10-23T23:00:00.000Z')
    assert.deepEqual(at('2026-10-24T23:30:00Z'), ['2026-10-24T23:00:00.000Z', '2026-10-24T23:00:00.000Z'])
    // An hour later the wall shows 00:30 for the first and only time of that night's files; the clock goes back at two.
    assert.equal(at('2026-10-25T01:30:00Z')[0], '2026-10-24T23:00:00.000Z')
    assert.equal(at('2026-10-26T00:29:59Z')[0], '2026-10-24T23:00:00.000Z')
    assert.equal(at('2026-10-26T00:30:00Z')[0], '2026-10-26T00:00:00.000Z')
  })

  it('follows the wall when summer time begins: that day has 23 hours', () => {
    assert.deepEqual(at('2027-03-28T00:30:00Z'), ['2027-03-28T00:00:00.000Z', '2027-03-28T00:00:00.000Z'])
    assert.equal(at('2027-03-28T23:29:59Z')[0], '2027-03-28T00:00:00.000Z')
    assert.equal(at('2027-03-28T23:30:00Z')[0], '2027-03-28T23:00:00.000Z')
  })

  it('is a full file on each of its weekdays, and on none where there are none', () => {
    assert.equal(at('2026-11-20T12:00:00Z', { fullOn: [] })[1], undefined)
    assert.equal(at('2026-11-20T12:00:00Z', { fullOn: ['Sunday', 'Thursday'] })[1], '2026-11-19T00:00:00.000Z')
    assert.equal(at('2026-11-20T00:10:00Z', { fullOn: ['Friday'] })[1], '2026-11-13T00:00:00.000Z')
  })
})

describe('files that are due', () => {
  let store: Store
  let connection: Connection
  let close: () => Promise<void>
  let folder: string
  let now = Date.parse('2026-10-10T12:00:00Z')
  let making: Making
  before(async () => {
    const migrations = new URL('../../src/ground/store/migrations/', import.meta.url)
    ;({ store, connection, close } = await testStore({ migrations }))
    folder = mkdtempSync(join(tmpdir(), 'opensmki-schedule-'))
    const dayOf = (at: Date) => dayIn(at, 'Europe/London').replaceAll('-', '')
    making = { store, clock: () => new Date(now), folder, dayOf, issuers: new Map() }
  })
  after(async () => {
    await close?.()
    rmSync(folder, { recursive: true, force: true })
  })

  const turn = () => filesTurn(making, schedule)
  const onDisk = (kind: FileKind) => readdirSync(folderOf(folder, kind)).sort()
  const onRecord = async (kind: FileKind) =>
    (await filesOf(store))
      .filter(one => one.kind === kind)
      .map(one => one.name)
      .sort()
  const nextDay = () => {
    now += day
  }

  it('are made each day once, one where the other ends, and are taken away when they were kept long enough', async () => {
    const removed: string[] = []
    let made = 0
    for (let i = 0; i < 45; i++, nextDay()) {
      for (let look = 0; look < 2; look++) {
        const did = await turn()
        removed.push(...did.removed)
        made += did.made.length
      }
    }
    // 45 deltas, and a full file for the Sunday before and seven more.
    assert.equal(made, 45 + 8)
    const deltas = (await filesOf(store)).filter(one => one.kind === 'DELTA').reverse()
    assert.deepEqual(
      [...deltas.map(one => one.sequence)],
      Array.from({ length: 36 }, (_, i) => i + 10),
    )
    for (const [i, one] of deltas.entries()) if (i > 0) assert.deepEqual(one.coversFrom, deltas[i - 1]!.coversUntil)
    const hours = deltas.map(one => (one.coversUntil.getTime() - one.coversFrom!.getTime()) / 3_600_000)
    assert.deepEqual([hours.filter(one => one === 25).length, hours.filter(one => one === 24).length], [1, 35])
    assert.equal(removed.filter(one => one.includes('DELTA')).length, 9)
    assert.equal(removed.filter(one => one.includes('FULL')).length, 3)
    for (const kind of ['DELTA', 'FULL'] as const) assert.deepEqual(onDisk(kind), await onRecord(kind))
    const { rows } = await store.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
    const acts = rows.map(row => readEntry(row.octets)).filter(({ act }) => act === 'remove repository file')
    assert.deepEqual(acts.map(({ body }) => body.name).sort(), removed.toSorted())
  })

  it('that were missed are one: the delta reaches back to the last', async () => {
    now += 3 * day
    const { made } = await turn()
    const delta = made.find(one => one.kind === 'DELTA')!
    assert.equal(delta.coversUntil.getTime() - delta.coversFrom!.getTime(), 4 * day)
  })

  it('are made once by several makers at one moment, and are on the disk as they are on record', async () => {
    for (let round = 0; round < 3; round++) {
      now += 7 * day
      const did = await Promise.all([turn(), turn(), turn()])
      assert.deepEqual(did.flatMap(one => one.made.map(({ kind }) => kind)).sort(), ['DELTA', 'FULL'])
    }
    const files = await filesOf(store)
    assert.ok(files.length > 10)
    for (const { kind, name, sha256 } of files) {
      const octets = readFileSync(join(folderOf(folder, kind), name))
      assert.equal(createHash('sha256').update(octets).digest('hex'), sha256, name)
    }
  })

  it('are not there when their maker is killed before they are on record; the next makes them, and tidies up', async () => {
    nextDay()
    // The store takes its time over the record: by then the file is in its place.
    await store.query(`CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END $$`)
    await store.query('CREATE TRIGGER slow BEFORE INSERT ON repository_file FOR EACH ROW EXECUTE FUNCTION slowly()')
    const until = due(schedule, new Date(now)).DELTA
    const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { openStore } = await import(${source('ground/store/store.ts')})
         const { makeFile } = await import(${source('rooms/repository/files/make.ts')})
         const store = await openStore(${JSON.stringify(connection)})
         const making = { store, clock: () => new Date(${now}), folder: ${JSON.stringify(folder)},
           dayOf: () => 'KILLED', issuers: new Map() }
         await makeFile(making, 'DELTA', new Date(${until.getTime()}))`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const ended = new Promise(resolve => child.once('close', resolve))
    const place = folderOf(folder, 'DELTA')
    const inPlace = () => readdirSync(place).some(name => /^SMKI-DELTA-KILLED-.*zip$/.test(name))
    for (let look = 0; look < 1000 && !inPlace(); look++) await new Promise(resolve => setTimeout(resolve, 10))
    child.kill('SIGKILL')
    await ended
    assert.ok(inPlace())
    writeFileSync(join(place, '.SMKI-DELTA-20270101-000999.zip.part'), 'half')
    assert.ok((await filesOf(store)).every(one => !one.name.includes('KILLED')))
    const { made } = await turn()
    await store.query('DROP TRIGGER slow ON repository_file')
    const sequences = (await filesOf(store)).filter(one => one.kind === 'DELTA').map(one => one.sequence)
    assert.equal(made[0]!.sequence, Math.max(...sequences))
    assert.equal(new Set(sequences).size, sequences.length)
    assert.deepEqual(onDisk('DELTA'), await onRecord('DELTA'))
  })

  it('made by hand do not hinder those of the day', async () => {
    const by = await makeFile(making, 'DELTA', new Date(now))
    assert.ok(by && existsSync(join(folderOf(folder, 'DELTA'), by.name)))
    assert.deepEqual((await turn()).made, [])
    nextDay()
    const { made } = await turn()
    assert.deepEqual(made.find(one => one.kind === 'DELTA')!.coversFrom, by.coversUntil)
  })
})
