/** A soak: a mixed load for as long as one likes, and a verdict on what it left in memory, descriptors, lists and answers. */

import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { listSchedules } from '../src/policy/revocation/schedules.ts'
import { authorities } from '../src/rooms/authority/register.ts'
import { markRevoked } from '../src/rooms/repository/lists.ts'
import { families } from '../src/rooms/repository/register.ts'
import { listWatch } from '../src/rooms/revocation/watch.ts'
import { bench, type Context, nth, rounded, shown } from './bench.ts'
import { startChild } from './child.ts'
import { type Environment, withEnvironment } from './environment.ts'
import type { SoakAnswers, SoakLoad } from './soak-load.ts'

export const soak = bench({
  says: 'a mixed load for --minutes, and whether memory, descriptors, lists and answers are as they should be after it',
  options: { minutes: 20 },
  quick: { minutes: 1 },
  promises: [
    {
      says: 'a mixed load: how much is not as it should be after it',
      unit: '',
      atMost: 0,
      figure: ({ faults }: SoakFigures) => faults.length,
      beside: ({ minutes, certificatesInStore, lateLists, faults }) =>
        faults.join('; ') ||
        `${shown(minutes)} minutes, ${shown(certificatesInStore)} certificates, ${shown(lateLists)} late lists, memory flat`,
    },
  ],
  run: run,
  table: rows,
})

interface ProcessFigures {
  /** Resident, MiB: the median of the first and of the last quarter of the looks after warming up. */
  readonly beganMiB: number
  readonly endedMiB: number
  /** Theil and Sen's: the median of the slopes between all pairs of looks, so that no single one decides. */
  readonly mibPerHour: number
  readonly peakMiB: number
  readonly descriptorsBegan: number
  readonly descriptorsEnded: number
}

type SoakFigures = {
  readonly minutes: number
  readonly looks: number
  readonly answers: SoakAnswers
  readonly certificatesInStore: number
  readonly revoked: number
  /** Lists that were made while it lasted, and looks at which one was late. */
  readonly listsMade: number
  readonly lateLists: number
  /** The longest that a revocation waited for its list, seconds. */
  readonly longestWaitSeconds: number
  readonly processes: Readonly<Record<string, ProcessFigures>>
  /** What is not as it should be; nothing when all is. */
  readonly faults: readonly string[]
}

const load = { batch: 600, batchSeconds: 30, adHocPerSecond: 4, retrievalsPerSecond: 10 }

/** Between two looks; a short soak looks more often. */
const everyMs = (minutes: number) => Math.min(10_000, minutes * 1000)

/** Until then code is compiled, pools fill and caches grow: looks before are not judged. */
const warmUpShare = 0.25

/**
 * What is taken for flat. A heap breathes by some tens of MiB, and slower than looks are far apart: what grew by less
 * than this over the whole run is not told from that, and what grew by more is a leak until somebody shows otherwise.
 */
const grownMiB = 32
/** A pool may have opened a connection or two. */
const grownDescriptors = 8

async function run({ minutes }: { minutes: number }, context: Context): Promise<SoakFigures> {
  const batches = Math.ceil((minutes * 60) / load.batchSeconds) + 2
  const certificates = batches * load.batch + minutes * 60 * load.adHocPerSecond + 1000
  return withEnvironment(context, certificates, environment => soaked(minutes, environment, context))
}

interface Look {
  readonly hours: number
  readonly memory: ReadonlyMap<string, number>
  readonly descriptors: ReadonlyMap<string, number>
}

async function soaked(minutes: number, environment: Environment, context: Context): Promise<SoakFigures> {
  const { settings, home, port, ports } = environment
  const client = startChild('soak-load.ts', context.signal)
  const order: SoakLoad = {
    ...load,
    credentials: home.credentials,
    devicePort: port,
    repositoryPort: ports.repository!,
    adHocPath: settings.services.adHocPath,
    seconds: minutes * 60,
  }
  const before = await howMany(environment)
  const listsBefore = await listsOf(environment)
  const looks: Look[] = []
  const seen = { late: 0, longestWait: 0, revoked: 0 }
  const began = performance.now()
  let over = false
  const answered = client.ask<SoakAnswers>(order).finally(() => {
    over = true
  })
  // Whoever fails is heard below.
  answered.catch(() => {})
  try {
    for (let at = 0; !over; at += everyMs(minutes)) {
      while (!over && performance.now() - began < at) await sleep(100)
      if (over) break
      context.signal.throwIfAborted()
      looks.push(look(environment, (performance.now() - began) / 3_600_000))
      seen.revoked += await revokeSome(environment)
      await watchLists(environment, seen)
    }
    const answers = await answered
    // What was revoked last stands on a list within the minute in which the signer looks.
    for (let wait = 0; wait < 150 && (await waiting(environment)) > 0; wait++) await sleep(1000)
    const figures = {
      minutes,
      looks: looks.length,
      answers,
      certificatesInStore: (await howMany(environment)) - before,
      revoked: seen.revoked,
      listsMade: (await listsOf(environment)) - listsBefore,
      lateLists: seen.late,
      longestWaitSeconds: rounded(seen.longestWait),
      processes: judged(looks, environment),
    }
    const left = await waiting(environment)
    return { ...figures, faults: faultsOf(figures, left) }
  } finally {
    await client.end()
  }
}

function look({ programs, postmaster }: Environment, hours: number): Look {
  const memory = new Map<string, number>()
  const descriptors = new Map<string, number>()
  for (const [name, pid] of Object.entries({ ...programs, postgres: postmaster })) {
    memory.set(name, Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024)
    descriptors.set(name, readdirSync(`/proc/${pid}/fd`).length)
  }
  return { hours, memory, descriptors }
}

/** As decided cases would leave them: entered in the store, for the service to list. */
async function revokeSome({ store }: Environment): Promise<number> {
  const authority = (await authorities(store)).find(
    ({ pki, level }) => pki === 'smki-organisation' && level === 'issuing',
  )!
  const expiresAt = new Date(Date.now() + 10 * 365 * 86_400_000)
  await store.transaction(async client => {
    for (let i = 0; i < 2; i++) {
      const serial = randomBytes(16)
      serial[0] = (serial[0]! & 0x3f) | 0x40
      await markRevoked(client, authority.id, { serial, at: new Date(), reason: 1, expiresAt })
    }
  })
  return 2
}

async function watchLists(
  { store, settings }: Environment,
  seen: { late: number; longestWait: number },
): Promise<void> {
  const at = new Date()
  const lists = await listWatch(store, at, listSchedules(settings))
  if (lists.some(({ state }) => state === 'late')) seen.late++
  const { rows } = await store.query<{ since: Date | null }>(
    `SELECT min(r.at) AS since FROM revoked r
      WHERE r.seq > (SELECT max(covers) FROM list l WHERE l.authority = r.authority AND l.superseded_at IS NULL)`,
  )
  const since = rows[0]?.since
  if (since) seen.longestWait = Math.max(seen.longestWait, (at.getTime() - since.getTime()) / 1000)
}

const waiting = async ({ store, settings }: Environment): Promise<number> =>
  (await listWatch(store, new Date(), listSchedules(settings))).reduce((sum, list) => sum + list.waiting, 0)

async function howMany({ store }: Environment): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>(
    "SELECT count(*) AS count FROM certificate c JOIN signing s ON s.id = c.signing WHERE s.state = 'complete' AND c.family = $1",
    [families.device],
  )
  return Number(rows[0]!.count)
}

async function listsOf({ store }: Environment): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>('SELECT count(*) AS count FROM list')
  return Number(rows[0]!.count)
}

function judged(looks: readonly Look[], { programs }: Environment): Record<string, ProcessFigures> {
  const kept = looks.slice(Math.floor(looks.length * warmUpShare))
  const quarter = Math.max(1, Math.floor(kept.length / 4))
  const part = (values: readonly number[]) => nth(values, 0.5)
  return Object.fromEntries(
    [...Object.keys(programs), 'postgres'].map(name => {
      const memory = kept.map(one => one.memory.get(name)!)
      const descriptors = kept.map(one => one.descriptors.get(name)!)
      return [
        name,
        {
          beganMiB: rounded(part(memory.slice(0, quarter)), 1),
          endedMiB: rounded(part(memory.slice(-quarter)), 1),
          mibPerHour: rounded(
            slope(
              kept.map(({ hours }) => hours),
              memory,
            ),
            1,
          ),
          peakMiB: rounded(Math.max(...looks.map(one => one.memory.get(name)!)), 1),
          descriptorsBegan: part(descriptors.slice(0, quarter)),
          descriptorsEnded: part(descriptors.slice(-quarter)),
        },
      ]
    }),
  )
}

function slope(x: readonly number[], y: readonly number[]): number {
  const slopes: number[] = []
  for (let i = 0; i < x.length; i++)
    for (let j = i + 1; j < x.length; j++) slopes.push((y[j]! - y[i]!) / (x[j]! - x[i]!))
  return slopes.length === 0 ? 0 : nth(slopes, 0.5)
}

function faultsOf(figures: Omit<SoakFigures, 'faults'>, left: number): string[] {
  const { answers, certificatesInStore, lateLists, listsMade, processes } = figures
  const faults = Object.entries(answers.faults).map(([what, times]) => `${times} times: ${what}`)
  const certificates = answers.batched + answers.single
  if (certificates !== certificatesInStore)
    faults.push(`${certificates} certificates were answered, and ${certificatesInStore} are in the store`)
  if (lateLists > 0) faults.push(`a list was late at ${lateLists} looks`)
  if (left > 0 || listsMade === 0) faults.push(`${left} revocations are on no list, of ${listsMade} that were made`)
  for (const [name, one] of Object.entries(processes)) {
    const grown = one.endedMiB - one.beganMiB
    if (grown > grownMiB) faults.push(`${name} grew by ${rounded(grown)} MiB`)
    if (one.descriptorsEnded > one.descriptorsBegan + grownDescriptors)
      faults.push(`${name} has ${one.descriptorsEnded} descriptors, and had ${one.descriptorsBegan}`)
  }
  return faults
}

function rows(figures: SoakFigures): string[][] {
  const { answers, processes, faults } = figures
  return [
    ['process', 'MiB at first', 'at last', 'MiB an hour', 'at most', 'descriptors'],
    ...Object.entries(processes).map(([name, one]) => [
      name,
      shown(one.beganMiB, 1),
      shown(one.endedMiB, 1),
      shown(one.mibPerHour, 1),
      shown(one.peakMiB, 1),
      `${one.descriptorsBegan} to ${one.descriptorsEnded}`,
    ]),
    ['batches', shown(answers.batches), `${shown(answers.batched)} certificates`, '', '', ''],
    ['single requests', shown(answers.single), '', '', '', ''],
    ['retrievals', shown(answers.retrieved), '', '', '', ''],
    [
      'revocations',
      shown(figures.revoked),
      `${figures.listsMade} lists`,
      `waited ${figures.longestWaitSeconds} s at most`,
      '',
      '',
    ],
    ['verdict', faults.length === 0 ? 'as it should be' : faults.join('; '), '', '', '', ''],
  ]
}
