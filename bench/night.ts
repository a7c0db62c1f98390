/** The national night: 375,000 Device CSRs in eight batches of three subscribers, sent at once; how long, how fair, how flat. */

import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeBatchXml, makeMany } from '../simulator/batch.ts'
import { progress } from '../src/doors/cli/progress.ts'
import type { Store } from '../src/ground/store/store.ts'
import type { Order, Story } from './batch-client.ts'
import { bench, type Context, eachRounded, nth, rounded, shown } from './bench.ts'
import { type Child, startChild } from './child.ts'
import { type Environment, withEnvironment } from './environment.ts'
import { watch } from './processes.ts'
import { check } from './submission.ts'

interface Night {
  readonly count: number
  readonly batches: number
  readonly subscribers: number
  /** Signer processes. */
  readonly signers: number
  /** From the first octet of the first request to the last of the last result. */
  readonly seconds: number
  readonly certificatesPerSecond: number
  /** When each batch was complete, seconds after the beginning, by the order in which they were sent. */
  readonly completed: readonly number[]
  /** While all three had work: the least that one got, of an equal share. */
  readonly leastShare: number
  /** By subscriber: certificates made while all three had work. */
  readonly shares: Readonly<Record<string, number>>
  /** Of the signers together, MiB: the most in the second quarter of the night, and in the last. */
  readonly signerMiB: { readonly early: number; readonly late: number }
  readonly memoryMiB: Readonly<Record<string, number>>
  readonly [key: string]: unknown
}

/** One subscriber sends as much as the other two together. */
const senders = ['meter-maker', 'import-supplier', 'meter-maker', 'network-operator'] as const
const senderOf = (batch: number) => senders[batch % senders.length]!

export const night = bench({
  says: 'the national night: 375,000 CSRs in eight batches of three subscribers at once',
  options: { count: 375_000, batches: 8, signers: 1 },
  quick: { count: 12_000 },
  promises: [
    {
      says: '375,000 certificates in one night',
      unit: 's',
      atMost: 120,
      figure: (it: Night) => whole(it, it.seconds),
    },
    {
      says: 'the least that one of three subscribers got, of an equal share',
      unit: '',
      atLeast: 0.8,
      figure: (it: Night) => it.leastShare,
    },
    {
      says: 'memory of the signer, last quarter to second quarter',
      unit: '',
      atMost: 1.15,
      figure: (it: Night) => it.signerMiB.late / it.signerMiB.early,
    },
  ],
  run,
  table: rows,
})

/** What is promised of the whole night is not shown by a part of it. */
function whole({ count }: Night, figure: number): number | undefined {
  return count >= 375_000 ? figure : undefined
}

interface Given {
  readonly count: number
  readonly batches: number
  readonly signers: number
}

async function run({ count, batches, signers }: Given, context: Context): Promise<Night> {
  const each = Math.ceil(count / batches)
  const documents = await makeDocuments(each, batches, context)
  const work = (environment: Environment) => play(environment, documents, each, context)
  return withEnvironment(context, each * batches, work, { signers })
}

/** Written as they are made: however many there are, one piece is in memory. */
async function makeDocuments(each: number, batches: number, { folder, signal, say }: Context): Promise<string[]> {
  say(`making ${shown(each * batches)} Device CSRs`)
  const bar = progress('Device CSRs', each * batches)
  let made = 0
  const documents: string[] = []
  for (let batch = 0; batch < batches; batch++) {
    const firstDeviceId = (0x02d0_0000_0000_0000n + BigInt(batch) * 0x1_0000_0000n).toString(16).padStart(16, '0')
    const many = makeMany({ count: each, firstDeviceId, usages: ['digitalSignature', 'keyAgreement'] })
    const counted = async function* () {
      for await (const one of many) {
        signal.throwIfAborted()
        bar.at(++made)
        yield one
      }
    }
    const document = join(folder, `batch-${batch}.xml`)
    await pipeline(makeBatchXml(counted(), { id: `night-${batch}` }), createWriteStream(document))
    documents.push(document)
  }
  bar.end()
  return documents
}

async function play(environment: Environment, documents: string[], each: number, context: Context): Promise<Night> {
  const { folder, signal, say } = context
  const clients = documents.map(() => startChild('batch-client.ts', signal))
  const watching = watch(environment.programs, environment.postmaster)
  const seen = observe(environment)
  try {
    say(`${documents.length} batches of ${shown(each)}`)
    const stories = await Promise.all(
      documents.map((document, i) => tell(clients[i]!, environment, { document, i, folder })),
    )
    const { memoryMiB } = watching.usage()
    const samples = await seen.stop()
    say('counting what was issued')
    for (const [i, { batch }] of stories.entries()) await check(environment, batch, each, resultIn(folder, i))
    const began = Math.min(...stories.map(one => one.began))
    const seconds = (Math.max(...stories.map(one => one.ended)) - began) / 1000
    return {
      count: each * documents.length,
      batches: documents.length,
      subscribers: new Set(documents.map((_, i) => senderOf(i))).size,
      signers: environment.settings.issuing.signers,
      seconds: rounded(seconds, 1),
      certificatesPerSecond: rounded((each * documents.length) / seconds),
      completed: await completions(environment.store, stories, began),
      ...fairness(samples),
      signerMiB: flatness(samples),
      memoryMiB: eachRounded(memoryMiB, 1),
    }
  } finally {
    await seen.stop()
    watching.stop()
    await Promise.all(clients.map(client => client.end()))
  }
}

const resultIn = (folder: string, i: number) => join(folder, `result-${i}.xml`)

function tell(
  client: Child,
  { home, settings, port }: Environment,
  { document, i, folder }: { document: string; i: number; folder: string },
): Promise<Story> {
  const { host } = settings.services
  const of = { folder: join(home.credentials, senderOf(i)), credential: 'batch-ws' as const, host, port }
  return client.ask<Story>({ ...of, document, result: resultIn(folder, i) } satisfies Order)
}

async function completions(store: Store, stories: readonly Story[], began: number): Promise<number[]> {
  const { rows } = await store.query<{ id: bigint; at: Date }>('SELECT id, completed_at AS at FROM batch')
  const at = new Map(rows.map(row => [String(row.id), row.at.getTime()]))
  return stories.map(({ batch }) => rounded((at.get(batch)! - began) / 1000, 1))
}

interface Sample {
  /** Made so far, and left of what was taken in and parsed; by Party. */
  readonly parties: readonly { readonly party: string; readonly done: number; readonly left: number }[]
  readonly signerMiB: number
}

/** Looks twice a second until it is stopped. */
function observe({ store, programs }: Environment): { stop(): Promise<Sample[]> } {
  const samples: Sample[] = []
  let stopped = false
  const look = async () => {
    while (!stopped) {
      const { rows } = await store.query<{ party: string; done: bigint | null; left: bigint | null }>(
        `SELECT y.trading_name AS party, sum(p.count) FILTER (WHERE p.state = 'done')::bigint AS done,
                sum(p.count) FILTER (WHERE p.state <> 'done')::bigint AS left
           FROM batch b JOIN portion p ON p.batch = b.id JOIN party y ON y.id = b.party GROUP BY 1`,
      )
      const parties = rows.map(row => ({
        party: row.party,
        done: Number(row.done ?? 0n),
        left: Number(row.left ?? 0n),
      }))
      samples.push({ parties, signerMiB: residentMiB(programs) })
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
  const looking = look()
  return {
    async stop() {
      stopped = true
      await looking
      return samples
    },
  }
}

/** From the first look at which all subscribers have work to the last. */
function fairness(samples: readonly Sample[]): Pick<Night, 'leastShare' | 'shares'> {
  const subscribers = new Set(senders).size
  const shared = samples.filter(({ parties }) => parties.filter(one => one.left > 0).length === subscribers)
  const [first, last] = [shared[0], shared.at(-1)]
  if (!first || !last || first === last) return { leastShare: Number.NaN, shares: {} }
  const before = new Map(first.parties.map(one => [one.party, one.done]))
  const shares = Object.fromEntries(last.parties.map(one => [one.party, one.done - (before.get(one.party) ?? 0)]))
  const sum = Object.values(shares).reduce((a, b) => a + b, 0)
  return { leastShare: rounded((Math.min(...Object.values(shares)) * subscribers) / sum, 2), shares }
}

function flatness(samples: readonly Sample[]): Night['signerMiB'] {
  const quarter = Math.floor(samples.length / 4)
  const most = (from: number, to?: number) =>
    rounded(Math.max(...samples.slice(from, to).map(one => one.signerMiB)), 1)
  return { early: most(quarter, 2 * quarter), late: most(3 * quarter) }
}

/** What the signers have in memory now (proc_pid_status(5)). */
function residentMiB(programs: Environment['programs']): number {
  const signers = Object.entries(programs).filter(([name]) => name.startsWith('signer'))
  const kilobytes = signers.map(([, pid]) =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0),
  )
  return kilobytes.reduce((a, b) => a + b, 0) / 1024
}

function rows(it: Night): string[][] {
  return [
    [
      `${shown(it.count)} in ${it.batches} batches of ${it.subscribers} subscribers, signers: ${it.signers}`,
      `${shown(it.seconds, 1)} s`,
    ],
    ['  certificates a second', shown(it.certificatesPerSecond)],
    ['  batches complete after, s', it.completed.map(one => shown(one, 1)).join('  ')],
    ['  median of these, s', shown(nth(it.completed, 0.5), 1)],
    [
      '  the least share, of an equal one',
      Number.isNaN(it.leastShare) ? 'not seen: too few' : shown(it.leastShare, 2),
    ],
    ...Object.entries(it.shares).map(([party, done]) => [`    ${party}`, shown(done)]),
    ['  signers, second quarter and last, MiB', `${shown(it.signerMiB.early)}  ${shown(it.signerMiB.late)}`],
    ...Object.entries(it.memoryMiB).map(([name, most]) => [`  ${name}, most, MiB`, shown(most)]),
  ]
}
