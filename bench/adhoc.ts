/** Single requests over keep-alive mutual TLS on 1, 8 and 32 connections, beside bare cryptography, commits and a TLS echo. */

import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeBatchXml, makeMany } from '../simulator/batch.ts'
import { toPem } from '../src/ground/x509/pem.ts'
import { tlsFiles } from '../src/main/tls-ca.ts'
import { authorities } from '../src/rooms/authority/register.ts'
import { currentLists } from '../src/rooms/repository/lists.ts'
import { families } from '../src/rooms/repository/register.ts'
import type { Measured, Question } from './adhoc-client.ts'
import { bench, type Context, eachRounded, rounded, shown } from './bench.ts'
import { type Child, startChild } from './child.ts'
import { type Environment, withEnvironment } from './environment.ts'
import { type Watch, watch } from './processes.ts'
import { bareCommits } from './reference/commits.ts'
import { bareCryptography, better, threadsByDefault } from './reference/cryptography.ts'
import type { EchoOrder } from './reference/echo.ts'
import { check, submit } from './submission.ts'

export const adhoc = bench({
  says: 'requests a second of the Ad Hoc web service, beside bare cryptography, bare commits and a TLS echo',
  options: { seconds: 5 },
  run: ({ seconds }, context) => run(seconds, context),
  table: rows,
})

type Level = {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly answers: number
  /** Of one row each, on as many connections. */
  readonly commitsPerSecond: number
  /** Of one request's length each, on as many connections. */
  readonly echoesPerSecond: number
  /** Of processor time for each answer. */
  readonly cpuMicroseconds: Readonly<Record<string, number>>
}

export type AdHoc = {
  readonly connections: Readonly<Record<number, Level>>
  /** The best of them. */
  readonly requestsPerSecond: number
  /** The better of a run before and a run after. */
  readonly bareCryptographyPerSecond: number
  readonly bareCryptographyRuns: readonly number[]
  /** Of processor time for each request. */
  readonly bareCryptographyCpuMicroseconds: number
  readonly ratioToBareCryptography: number
  readonly threads: number
  readonly peakMemoryMiB: number
  readonly memoryMiB: Readonly<Record<string, number>>
}

const levels = [1, 8, 32] as const
/** Devices ask for so many certificates each; the service's threshold is a hundred. */
const rounds = 10
const firstDeviceId = '02d0000000000000'

async function run(seconds: number, context: Context): Promise<AdHoc> {
  const threads = threadsByDefault
  // One connection waits for one commit after another; many keep every processor busy. More than this is not expected,
  // and should it come, the level ends sooner.
  const most = { 1: 3000 * seconds, 8: 4000 * threads * seconds, 32: 4000 * threads * seconds }
  const devices = Math.ceil((warmUp.atMost + most[1] + most[8] + most[32]) / rounds)
  context.say(`making ${shown(devices * (rounds + 1))} Device CSRs`)
  const { csrs, document } = await makeDevices(devices, context)
  const bare = await better(
    () => {
      context.say('bare cryptography')
      return bareCryptography(csrs, { threads, signal: context.signal })
    },
    () =>
      withEnvironment(context, devices * (rounds + 1), environment =>
        measureAll({ environment, context, devices, document, seconds, most }),
      ),
  )
  const { connections, memoryMiB } = bare.result
  const best = Math.max(...Object.values(connections).map(level => level.perSecond))
  return {
    requestsPerSecond: best,
    ratioToBareCryptography: rounded(best / bare.best.perSecond, 3),
    peakMemoryMiB: Math.max(...Object.values(memoryMiB)),
    connections,
    bareCryptographyPerSecond: rounded(bare.best.perSecond),
    bareCryptographyRuns: bare.runs,
    bareCryptographyCpuMicroseconds: rounded(bare.best.cpuMicroseconds, 1),
    threads,
    memoryMiB,
  }
}

/** The service replaces certificates: each Device has its first one from a batch. */
async function makeDevices(count: number, { folder, signal }: Context) {
  const made = []
  for await (const one of makeMany({ count, firstDeviceId, usages: ['digitalSignature'] })) {
    signal.throwIfAborted()
    made.push(one)
  }
  const document = join(folder, 'batch.xml')
  await pipeline(makeBatchXml(made, { id: 'bench' }), createWriteStream(document))
  return { csrs: made.map(one => one.csr), document }
}

interface Plan {
  readonly environment: Environment
  readonly context: Context
  readonly devices: number
  readonly document: string
  readonly seconds: number
  readonly most: Readonly<Record<(typeof levels)[number], number>>
}

/** What the runtime compiles on first use is not measured. */
const warmUp = { connections: 8, seconds: 2, atMost: 2000 }

async function measureAll(plan: Plan): Promise<Pick<AdHoc, 'connections' | 'memoryMiB'>> {
  const { environment, context, seconds } = plan
  const { home, settings, port, programs, postmaster, store } = environment
  const { say, signal } = context
  const client = startChild('adhoc-client.ts', signal)
  const echo = startChild('reference/echo.ts', signal)
  const watching = watch({ ...programs, client: client.pid }, postmaster)
  try {
    await certifyDevices(plan)
    const many = { count: plan.devices, firstDeviceId, usages: ['keyAgreement'] as const }
    const path = settings.services.adHocPath
    await client.ask<number>({
      do: 'make',
      path,
      rounds: Array.from({ length: rounds }, () => many),
    } satisfies Question)
    const service = {
      do: 'measure',
      folder: join(home.credentials, 'import-supplier'),
      port,
      to: 'service',
    } as const

    let { answers } = await client.ask<Measured>({ ...service, ...warmUp } satisfies Question)
    const measured = new Map<number, { level: Measured; cpuMicroseconds: Record<string, number> }>()
    for (const connections of levels) {
      say(`${connections} connections`)
      const question: Question = { ...service, connections, seconds, atMost: plan.most[connections] }
      const one = await measureOne(client, watching, question)
      answers += one.level.answers
      await count(environment, plan.devices, answers)
      measured.set(connections, one)
    }
    const { memoryMiB } = watching.usage()

    const echoPort = await echo.ask<number>({
      server: { key: readFileSync(tlsFiles(home).key), chain: readFileSync(tlsFiles(home).chain) },
      clients: await trust(store),
    } satisfies EchoOrder)
    const found: Record<number, Level> = {}
    for (const [connections, { level, cpuMicroseconds }] of measured) {
      say(`references with ${connections} connections`)
      const most = { connections, seconds: Math.min(2, seconds), atMost: 0 }
      const echoed = await client.ask<Measured>({
        ...service,
        ...most,
        port: echoPort,
        to: 'echo',
      } satisfies Question)
      found[connections] = {
        perSecond: rounded(level.perSecond),
        p50: rounded(level.p50, 2),
        p99: rounded(level.p99, 2),
        answers: level.answers,
        commitsPerSecond: rounded(await bareCommits(environment.target, { ...most, signal })),
        echoesPerSecond: rounded(echoed.perSecond),
        cpuMicroseconds,
      }
    }
    return { connections: found, memoryMiB: eachRounded(memoryMiB, 1) }
  } finally {
    watching.stop()
    await Promise.all([client.end(), echo.end()])
  }
}

async function certifyDevices({ environment, context, devices, document }: Plan): Promise<void> {
  context.say(`${shown(devices)} Devices get their first certificate`)
  const client = startChild('batch-client.ts', context.signal)
  try {
    const result = join(context.folder, 'result.xml')
    const { batch } = await submit(client, environment, { document, result })
    await check(environment, batch, devices, result)
  } finally {
    await client.end()
  }
}

async function measureOne(client: Child, watching: Watch, question: Question) {
  watching.mark()
  const level = await client.ask<Measured>(question)
  const { cpuSeconds } = watching.usage()
  const each = Object.entries(cpuSeconds).map(([name, spent]) => [name, (spent * 1e6) / level.answers] as const)
  return { level, cpuMicroseconds: eachRounded(Object.fromEntries(each.filter(([, spent]) => spent > 0)), 0) }
}

/**
 * Counts, as soon as the last answer is here, what each answer said: that a certificate is complete in the store, and
 * in the journal.
 * @throws Error when there are more or fewer than answers
 */
async function count({ store }: Environment, byBatch: number, answers: number): Promise<void> {
  const { rows } = await store.query<{ complete: bigint; serials: bigint; journalled: bigint | null }>(
    `SELECT count(*) AS complete, count(DISTINCT serial) AS serials,
            (SELECT sum((convert_from(octets, 'UTF8')::json ->> 'count')::bigint)::bigint
               FROM (SELECT octets FROM journal_entry UNION ALL SELECT octets FROM journal_pending) AS journal
              WHERE convert_from(octets, 'UTF8')::json ->> 'act' = 'issue'
                AND convert_from(octets, 'UTF8')::json ->> 'channel' = 'ADHOC_WS') AS journalled
       FROM certificate c JOIN signing s ON s.id = c.signing
      WHERE s.state = 'complete' AND s.signatures IS NOT NULL AND c.family = $1`,
    [families.device],
  )
  const { complete, serials, journalled } = rows[0]!
  const kept = Number(complete) - byBatch
  if (kept === answers && complete === serials && Number(journalled) === answers) return
  throw new Error(
    `${answers} answers, but ${kept} certificates in the store, ${journalled} in the journal, ` +
      `and ${serials} serial numbers for ${complete} certificates`,
  )
}

/** As the door has it: who may connect. */
async function trust(store: Environment['store']) {
  const iki = (await authorities(store)).filter(one => one.pki === 'iki')
  const lists = (await currentLists(store)).filter(list => iki.some(one => one.id === list.authority))
  return {
    authorities: iki.map(one => toPem('CERTIFICATE', one.certificate.der)),
    lists: lists.map(list => toPem('X509 CRL', list.der)),
  }
}

function rows(figures: AdHoc): string[][] {
  const all = Object.entries(figures.connections)
  const row = (name: string, cell: (level: Level) => string) => [name, ...all.map(([, level]) => cell(level))]
  const rest = all.slice(1).map(() => '')
  const programs = [...new Set(all.flatMap(([, level]) => Object.keys(level.cpuMicroseconds)))]
  return [
    ['connections', ...all.map(([connections]) => connections)],
    row('requests/s', level => shown(level.perSecond)),
    row('p50, ms', level => shown(level.p50, 2)),
    row('p99, ms', level => shown(level.p99, 2)),
    row('bare commits/s', level => shown(level.commitsPerSecond)),
    row('TLS echoes/s', level => shown(level.echoesPerSecond)),
    ...programs.map(name => row(`${name}, µs of CPU each`, level => shown(level.cpuMicroseconds[name] ?? 0))),
    ['bare cryptography, µs of CPU each', shown(figures.bareCryptographyCpuMicroseconds), ...rest],
    ['bare cryptography/s', shown(figures.bareCryptographyPerSecond), ...rest],
    ['best, of bare cryptography', shown(figures.ratioToBareCryptography, 3), ...rest],
    ['largest process, MiB', shown(figures.peakMemoryMiB), ...rest],
  ]
}
