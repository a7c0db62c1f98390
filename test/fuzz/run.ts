/** Fuzzes targets, each in a process of its own: `node test/fuzz/run.ts [--minutes 10] [--seed 1] [--keep] <target> …` */

import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { Figures, Told, Work } from './fuzz-worker.ts'
import { keep, keptInputs } from './kept.ts'
import { targetNames } from './targets.ts'

/** One input may take so long, in processor time of the whole process. */
const patienceMs = 1000
const longest = 1 << 20

/** Fuzzes until the time is over; an input that hangs or fills the memory is a finding, and the thread begins anew. */
export async function fuzz(
  target: string,
  options: { minutes: number; seed: number; keep: boolean; say: (text: string) => void },
): Promise<{ findings: number; figures: Figures | undefined }> {
  const { say } = options
  const until = performance.now() + options.minutes * 60_000
  let [findings, seed, figures, lost] = [0, options.seed, undefined as Figures | undefined, 0]
  const found = (says: string, input: string) => {
    findings++
    say(`FINDING ${target}: ${says}\n  ${input}`)
  }
  while (performance.now() < until) {
    const done = await one(target, until - performance.now(), seed++, found, running => {
      say(`${target}: ${line(running)}`)
      lost = running.executions
    })
    if (!done) {
      if (figures) figures = { ...figures, executions: figures.executions + lost }
      continue
    }
    figures = { ...done.figures, executions: done.figures.executions + (figures?.executions ?? 0) }
    if (options.keep) keep(target, done.corpus)
    say(`${target}: ${line(figures)}; ${done.corpus.length} inputs kept`)
  }
  return { findings, figures }
}

/** @returns undefined when the thread had to be ended */
function one(
  target: string,
  milliseconds: number,
  seed: number,
  found: (says: string, input: string) => void,
  running: (figures: Figures) => void,
): Promise<Extract<Told, { kind: 'done' }> | undefined> {
  const shared = new SharedArrayBuffer(8 + longest)
  const state = new Int32Array(shared, 0, 2)
  const present = () => Buffer.from(new Uint8Array(shared, 8, state[1]!)).toString('base64')
  const workerData: Work = { target, milliseconds, seed, corpus: keptInputs(target), shared }
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  const { promise, resolve } = Promise.withResolvers<Extract<Told, { kind: 'done' }> | undefined>()
  let [last, since] = [0, process.cpuUsage()]
  // The main thread does nothing: what the process spends, the input spends.
  const watch = setInterval(() => {
    const now = Atomics.load(state, 0)
    if (now !== last || now === 0) [last, since] = [now, process.cpuUsage()]
    const { user, system } = process.cpuUsage(since)
    if (user + system < patienceMs * 1000) return
    found(`takes more than ${patienceMs} ms`, present())
    void worker.terminate()
    end(undefined)
  }, 100)
  const end = (done: Extract<Told, { kind: 'done' }> | undefined) => {
    clearInterval(watch)
    resolve(done)
  }
  worker.on('message', (told: Told) => {
    if (told.kind === 'finding') found(told.says, told.input)
    else if (told.kind === 'figures') running(told)
    else end(told)
  })
  worker.on('error', (cause: Error) => {
    found(`the thread ends: ${cause.message}`, present())
    end(undefined)
  })
  worker.on('exit', () => end(undefined))
  return promise
}

const line = (figures: Figures) =>
  `${figures.executions.toLocaleString('en-GB')} executions in ${figures.seconds} s, ` +
  `${figures.covered} of ${figures.of} characters, ${figures.corpus} in the corpus, ` +
  `${figures.answers} answers, slowest ${figures.slowestMilliseconds} ms`

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { minutes: { type: 'string' }, seed: { type: 'string' }, keep: { type: 'boolean' } },
  })
  const names = positionals.length > 0 ? positionals : targetNames
  let findings = 0
  for (const name of names) {
    const result = await fuzz(name, {
      minutes: Number(values.minutes ?? 10),
      seed: Number(values.seed ?? randomInt(1, 2 ** 31)),
      keep: values.keep === true,
      say: text => process.stdout.write(`${text}\n`),
    })
    findings += result.findings
  }
  process.exitCode = findings > 0 ? 1 : 0
}
