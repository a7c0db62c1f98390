/** The thread in which a target is fuzzed: makes inputs, reads them, keeps those that reach something new, reduces them. */

import { parentPort, workerData } from 'node:worker_threads'
import { Coverage } from './coverage.ts'
import { type Dice, mutate } from './mutate.ts'
import { newOnes } from './seek.ts'
import { targetNamed } from './targets.ts'

/** What the thread is given. */
export interface Work {
  readonly target: string
  readonly milliseconds: number
  readonly seed: number
  /** Kept from before, base64. */
  readonly corpus: readonly string[]
  /** Words 0 and 1: number of the input being read, 0 for none, and its length; its octets behind them. */
  readonly shared: SharedArrayBuffer
}

export type Told =
  | { readonly kind: 'finding'; readonly says: string; readonly input: string }
  | ({ readonly kind: 'figures' } & Figures)
  | { readonly kind: 'done'; readonly corpus: readonly string[]; readonly figures: Figures }

export interface Figures {
  readonly executions: number
  readonly seconds: number
  readonly corpus: number
  /** Different answers: "read", or a code with its sentence without the numbers in it. */
  readonly answers: number
  readonly covered: number
  readonly of: number
  /** Of any one input. */
  readonly slowestMilliseconds: number
}

const work = workerData as Work
const target = await targetNamed(work.target)
const state = new Int32Array(work.shared, 0, 2)
const place = new Uint8Array(work.shared, 8)
const tell = (told: Told) => parentPort!.postMessage(told)
const dice = diceOf(work.seed)
const coverage = new Coverage(target.watches)

const corpus: Buffer[] = []
const answers = new Set<string>()
const told = new Set<string>()
/** Of all the inputs that a target keeps. */
const keptOctets = 40_000
const begun = performance.now()
let [executions, slowest] = [0, 0]

// A stack is taken for each refusal: the places in the readers are enough.
Error.stackTraceLimit = 6
await main()

async function main(): Promise<void> {
  const seeds = (await target.seeds()).filter(({ length }) => length <= target.longest)
  const kept = work.corpus.map(text => Buffer.from(text, 'base64'))
  corpus.push(...(seeds.length > 0 ? seeds : [Buffer.alloc(0)]), ...kept)
  for (const one of corpus) await answer(one)
  notice()
  let [size, shown] = [64, performance.now()]
  while (performance.now() - begun < work.milliseconds) {
    const inputs = Array.from({ length: size }, fresh)
    const before = performance.now()
    corpus.push(
      ...(await newOnes(inputs, coverage, async input => void ((await answer(input)) && corpus.push(input)))),
    )
    const spent = performance.now() - before
    // A quarter of a second between two looks, of which one costs some milliseconds.
    size = Math.max(16, Math.min(20_000, Math.round((size * 250) / Math.max(1, spent))))
    if (process.memoryUsage.rss() > 1200 * 2 ** 20) finding('memory grows', inputs.at(-1)!)
    if (performance.now() - shown > 15_000) {
      shown = performance.now()
      tell({ kind: 'figures', ...figures() })
    }
  }
  const last = figures()
  tell({ kind: 'done', corpus: (await reduced(seeds)).map(one => one.toString('base64')), figures: last })
  coverage.close()
}

function fresh(): Buffer {
  // The newer half the time: what was reached last is where nobody has been.
  const from = dice(2) === 0 ? corpus.length - 1 - dice(Math.min(corpus.length, 32)) : dice(corpus.length)
  return mutate(corpus[from]!, corpus[dice(corpus.length)]!, target, dice)
}

/** @returns whether anything ran since the last look that never ran before */
function notice(): boolean {
  const ran = coverage.fresh()
  if (ran) coverage.mark(ran)
  return ran !== undefined
}

/** @returns whether nobody has been answered so before */
async function answer(input: Buffer): Promise<boolean> {
  const before = performance.now()
  place.set(input)
  state[1] = input.length
  Atomics.store(state, 0, (++executions & 0x3fffffff) + 1)
  let said: string
  try {
    // What is read must not be changed: the copy is what stays.
    const done = target.read(Buffer.from(input))
    if (done !== undefined) await done
    said = 'read'
  } catch (cause) {
    const code = target.no(cause)
    if (code === undefined) finding(saysOf(cause), input)
    said = `${code} ${(cause as Error).message.replace(/[0-9A-F]{2,}|\d+|“[^”]*”|"[^"]*"/g, '#').slice(0, 90)}`
  }
  Atomics.store(state, 0, 0)
  const spent = performance.now() - before
  if (spent > slowest) slowest = spent
  if (answers.has(said)) return false
  // Names of a document that are repeated make every answer another: so many are enough.
  if (answers.size >= 400) return false
  answers.add(said)
  return true
}

function saysOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `thrown: ${String(cause)}`
  const where = /\((?:file:\/\/)?([^)]*?(?:src|test)\/[^)]*)\)|at (?:file:\/\/)?(\S*(?:src|test)\/\S+)/.exec(
    cause.stack ?? '',
  )
  return `${cause.name}: ${cause.message.slice(0, 300)} [${where?.[1] ?? where?.[2] ?? 'nowhere'}]`
}

function finding(says: string, input: Buffer): void {
  const name = says.replace(/[0-9a-f]{2,}|\d+/g, '#').slice(0, 120) + says.slice(says.lastIndexOf('['))
  if (told.has(name)) return
  told.add(name)
  tell({ kind: 'finding', says, input: input.toString('base64') })
}

/** The smallest inputs that together reach what all of them reach, beyond what the seeds reach by themselves. */
async function reduced(seeds: readonly Buffer[]): Promise<Buffer[]> {
  coverage.forget()
  answers.clear()
  for (const seed of seeds) await answer(seed)
  notice()
  const kept: Buffer[] = []
  let octets = 0
  for (const one of corpus.toSorted((a, b) => a.length - b.length)) {
    const isNew = await answer(one)
    const reaches = notice()
    if ((!isNew && !reaches) || seeds.some(seed => seed.equals(one)) || octets + one.length > keptOctets) continue
    octets += one.length
    kept.push(one)
  }
  return kept
}

function figures(): Figures {
  const { covered, of } = coverage.figures
  return {
    executions,
    seconds: Math.round((performance.now() - begun) / 1000),
    corpus: corpus.length,
    answers: answers.size,
    covered,
    of,
    slowestMilliseconds: Math.round(slowest),
  }
}

/** Numbers from 0 up to a bound, evenly (xorshift32). */
function diceOf(seed: number): Dice {
  let state = seed >>> 0 || 1
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
