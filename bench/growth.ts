/** What a full store does to those who ask and those who issue: searches, start-up, disk, and the same batch beside an empty store. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openStore, type Store } from '../src/ground/store/store.ts'
import { type Home, homeAt } from '../src/main/home.ts'
import { tlsFiles } from '../src/main/tls-ca.ts'
import { openHomeStore, systemClock } from '../src/main/world.ts'
import { bySerial } from '../src/rooms/repository/by-serial.ts'
import { findByEui64, findBySerials, howMany } from '../src/rooms/repository/find.ts'
import { bench, type Context, nth, rounded, shown } from './bench.ts'
import { startChild } from './child.ts'
import { type Disk, diskOf } from './disk.ts'
import { withService } from './environment.ts'
import { batchBesideEmpty, type Pairs } from './growth-batch.ts'
import type { DoorOrder, DoorPorts } from './repository-door.ts'
import { isAnswered, type Rate, roundTrips } from './round-trips.ts'
import { type Drawn, draw, questions } from './sample.ts'

type Times = { readonly p50: number; readonly p99: number }

type GrowthFigures = {
  readonly certificates: number
  /** Milliseconds, one search after another. */
  readonly database: { readonly deviceId: Times; readonly serial: Times; readonly bareSelect: Times }
  /** With 32 connections. */
  readonly https: { readonly deviceId: Rate; readonly serial: Rate }
  readonly disk: Disk
  /** Until every program listens: of the full store, the second time; of the empty one, null where no batch was asked for. */
  readonly startSeconds: { readonly full: number; readonly empty: number | null }
  readonly batch: Pairs | null
}

export const growth = bench({
  says: 'a full store (--home) beside an empty one: searches, disk, start-up, and the same batch',
  options: { home: '', count: 20_000, batch: 50_000, rounds: 5, 'skip-batch': false },
  quick: { count: 500, batch: 2000, rounds: 1 },
  promises: [
    limit('search by Device ID at the database, p99', 'ms', 5, one => one.database.deviceId.p99, besideBare),
    limit('search by serial number at the database, p99', 'ms', 5, one => one.database.serial.p99, besideBare),
    limit(
      'search by Device ID, HTTPS, 32 connections, p99',
      'ms',
      10,
      one => one.https.deviceId.p99,
      atRate('deviceId'),
    ),
    limit(
      'retrieval by serial number, HTTPS, 32 connections, p99',
      'ms',
      10,
      one => one.https.serial.p99,
      atRate('serial'),
    ),
    limit(
      'disk of a certificate, tables and indexes, to its DER',
      '×',
      1.6,
      one => one.disk.ratio,
      one => {
        const { octetsEach, derOctets } = one.disk
        return `${shown(octetsEach)} octets for ${shown(derOctets)} of DER`
      },
    ),
    limit(
      'the same of those that were issued, none loaded',
      '×',
      1.6,
      one => one.batch?.disk.ratio,
      one => (one.batch ? `${shown(one.batch.disk.octetsEach)} octets each` : undefined),
    ),
    limit(
      'the same batch into the full store, longer',
      '%',
      10,
      one => one.batch?.longerPercent,
      one =>
        one.batch
          ? `empty ${shown(one.batch.emptySeconds, 1)} s, full ${shown(one.batch.fullSeconds, 1)} s; the first after its start ${shown(one.batch.firstLongerPercent, 0)} % longer`
          : undefined,
    ),
  ],
  run: run,
  table: rows,
})

function limit(
  says: string,
  unit: string,
  atMost: number,
  figure: (figures: GrowthFigures) => number | undefined,
  beside: (figures: GrowthFigures) => string | undefined,
) {
  return { says, unit, atMost, figure, beside }
}

function besideBare({ database, certificates }: GrowthFigures): string {
  return `bare SELECT p99 ${shown(database.bareSelect.p99, 2)} ms; ${shown(certificates)} certificates`
}

function atRate(of: 'deviceId' | 'serial') {
  return ({ https }: GrowthFigures) => `at ${shown(https[of].perSecond)}/s, p50 ${shown(https[of].p50, 1)} ms`
}

interface Sizes {
  readonly home: string
  readonly count: number
  readonly batch: number
  readonly rounds: number
  readonly 'skip-batch': boolean
}

async function run(sizes: Sizes, context: Context): Promise<GrowthFigures> {
  const home = homeAt(resolve(sizes.home === '' ? join(context.folder, 'home') : sizes.home))
  const { say } = context
  const opened = await openHomeStore(home, { share: true, max: 2 })
  let figures: Omit<GrowthFigures, 'startSeconds' | 'batch'>
  try {
    const { store, target } = opened
    const drawn = await draw(store, sizes.count)
    say('searching at the database')
    const alone = await openStore(target, { max: 1 })
    const database = await atDatabase(alone, drawn)
    await alone.close()
    say('searching over HTTPS')
    const https = await overHttps(home, target, drawn, context)
    say('measuring the disk')
    figures = { certificates: await howMany(store), database, https, disk: await diskOf(store) }
  } finally {
    await opened.close()
  }
  // The first start also ends what was left to end: keys that are used up are destroyed.
  await withService(context, home, async () => {})
  const full = await withService(context, home, async one => one.startSeconds)
  if (sizes['skip-batch']) return { ...figures, startSeconds: { full, empty: null }, batch: null }
  const { emptyStartSeconds, ...batch } = await batchBesideEmpty(context, home, sizes)
  return { ...figures, startSeconds: { full, empty: emptyStartSeconds }, batch }
}

async function atDatabase(store: Store, drawn: readonly Drawn[]): Promise<GrowthFigures['database']> {
  const now = systemClock()
  const times = { deviceId: [] as number[], serial: [] as number[], bareSelect: [] as number[] }
  const timed = async (into: number[], work: () => Promise<{ readonly length: number }>) => {
    const began = performance.now()
    const { length } = await work()
    into.push(performance.now() - began)
    if (length === 0) throw new Error('a certificate was not found')
  }
  // In turns, each for certificates that were not asked for yet: what one finds in memory, another did not put there.
  for (const [n, { eui64, serial }] of drawn.entries()) {
    if (n % 3 === 0) await timed(times.deviceId, () => findByEui64(store, eui64, 'device', now))
    else if (n % 3 === 1) await timed(times.serial, () => findBySerials(store, [serial], now))
    else await timed(times.bareSelect, () => bareSelect(store, serial))
  }
  const of = (all: readonly number[]): Times => ({
    p50: rounded(nth(all, 0.5), 3),
    p99: rounded(nth(all, 0.99), 3),
  })
  return { deviceId: of(times.deviceId), serial: of(times.serial), bareSelect: of(times.bareSelect) }
}

async function bareSelect(store: Store, serial: Buffer) {
  const text = `SELECT c.tbs FROM certificate c WHERE ${bySerial('$1::bytea')}`
  return (await store.query({ name: 'bare', text, values: [serial] })).rows
}

async function overHttps(
  home: Home,
  target: Parameters<typeof openStore>[0],
  drawn: readonly Drawn[],
  { signal }: Context,
): Promise<GrowthFigures['https']> {
  const door = startChild('repository-door.ts', signal)
  try {
    const { repository } = await door.ask<DoorPorts>({ do: 'open', home: home.path, target } satisfies DoorOrder)
    const { retrievals, searches } = questions(home, drawn)
    const common = { port: repository, ca: readFileSync(tlsFiles(home).ca), connections: 32, whole: isAnswered }
    const ask = async (messages: readonly Buffer[]): Promise<Rate> => {
      // What the runtime compiles in the first seconds is not measured: as many again come first.
      await roundTrips({ ...common, messages, count: drawn.length })
      const { perSecond, p50, p99 } = await roundTrips({ ...common, messages, count: drawn.length })
      return { perSecond: rounded(perSecond), p50: rounded(p50, 2), p99: rounded(p99, 2) }
    }
    return { deviceId: await ask(searches), serial: await ask(retrievals) }
  } finally {
    await door.end()
  }
}

function rows({ certificates, database, https, disk, startSeconds, batch }: GrowthFigures): string[][] {
  const ms = ({ p50, p99 }: Times) => `p50 ${shown(p50, 2)} ms, p99 ${shown(p99, 2)} ms`
  return [
    ['certificates', shown(certificates)],
    ['search by Device ID, database', ms(database.deviceId)],
    ['search by serial number, database', ms(database.serial)],
    ['bare SELECT', ms(database.bareSelect)],
    ['search by Device ID, HTTPS', `${ms(https.deviceId)}, ${shown(https.deviceId.perSecond)}/s`],
    ['retrieval by serial number, HTTPS', `${ms(https.serial)}, ${shown(https.serial.perSecond)}/s`],
    [
      'disk',
      `${shown(disk.octetsEach)} octets each, ${shown(disk.ratio, 2)} times the DER of ${shown(disk.derOctets)}`,
    ],
    ...Object.entries(disk.parts).map(([name, octets]) => [`  ${name}`, `${shown(octets, 1)} octets each`]),
    ['start-up, full', `${shown(startSeconds.full, 1)} s`],
    ...(startSeconds.empty === null ? [] : [['start-up, empty', `${shown(startSeconds.empty, 1)} s`]]),
    ...(batch
      ? [
          [
            `batch of ${shown(batch.count)}, empty`,
            `${shown(batch.emptySeconds, 1)} s, ${shown(batch.emptyCpuMicroseconds, 1)} µs each`,
          ],
          ['the same, full', `${shown(batch.fullSeconds, 1)} s, ${shown(batch.fullCpuMicroseconds, 1)} µs each`],
          [
            'disk of those that were issued',
            `${shown(batch.disk.octetsEach)} octets each, ${shown(batch.disk.ratio, 2)} times`,
          ],
          [
            'longer; more processor time',
            `${shown(batch.longerPercent, 1)} %; ${shown(batch.moreCpuPercent, 1)} %`,
          ],
        ]
      : []),
  ]
}
