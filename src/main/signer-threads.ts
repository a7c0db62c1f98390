/** The threads of a signer process, as the process sees them: what each is told to do, and what they say of it. */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { Settings } from '../policy/settings.ts'
import type { RoomQuestion } from '../rooms/issuance/signing.ts'
import type { Order, Report, WorkerStart } from './signer-worker.ts'

export interface ThreadsStart
  extends Pick<WorkerStart, 'target' | 'settings' | 'seen' | 'grant' | 'home' | 'signer'> {
  /** Of the process: 1 is the lead. */
  readonly number: number
  /** The folder of the sockets. */
  readonly run: string
  readonly log: Logger
}

export interface Threads {
  readonly sockets: readonly string[]
  /** Something was wrong a moment ago: whatever it is may be right by then, and one trouble does not fill the log. */
  held(): boolean
  /** Those that have nothing to do look for portions. */
  portions(): void
  parse(batch: bigint): void
  answer(question: RoomQuestion): void
  /** Of these authorities, which sign no more, each thread gives up what it holds; the others are forgotten. */
  retire(exhausted: readonly number[]): void
  /** Of these no thread holds anything any more. */
  givenUp(): number[]
  close(): Promise<void>
}

interface Thread {
  readonly thread: Worker
  readonly socket: string
  readonly order: (order: Order) => void
}

export async function startThreads(start: ThreadsStart): Promise<Threads> {
  const { log } = start
  const parsing = new Set<bigint>()
  const idle = new Set<Thread>()
  const retired = new Map<number, number>()
  let heldUntil = 0
  let turn = 0

  const hear = (from: Thread, report: Report) => {
    if (report.report === 'idle') idle.add(from)
    else if (report.report === 'parsed') {
      // One that met a fault waits before it is tried again: what made it fail may take a while to pass.
      setTimeout(() => parsing.delete(report.batch), report.state === undefined ? 2000 : 0).unref()
    } else if (report.report === 'retired') retired.set(report.authority, (retired.get(report.authority) ?? 0) + 1)
    else if (report.report === 'fault' || report.report === 'held') {
      if (report.report === 'fault') log.error({ fault: report.fault }, 'a group was not issued; it is tried again')
      else if (Date.now() > heldUntil) log.error({ why: report.why }, 'issuing is held')
      heldUntil = Date.now() + 1000
    }
  }

  const count = threadsOf(start.settings)
  const threads = await Promise.all(Array.from({ length: count }, (_, i) => startThread(start, i, hear)))
  for (const one of threads) idle.add(one)
  const next = () => threads[turn++ % threads.length]!
  return {
    sockets: threads.map(one => one.socket),
    held: () => Date.now() <= heldUntil,
    portions() {
      for (const one of idle) one.order({ order: 'portions' })
      idle.clear()
    },
    parse(batch) {
      if (parsing.has(batch)) return
      parsing.add(batch)
      next().order({ order: 'parse', batch })
    },
    answer: question => next().order({ order: 'answer', question }),
    retire(exhausted) {
      for (const authority of exhausted.filter(one => !retired.has(one))) {
        retired.set(authority, 0)
        for (const one of threads) one.order({ order: 'retire', authority })
      }
      // Its key was destroyed, and none of us keeps a copy of what it was.
      const destroyed = [...retired.keys()].filter(one => !exhausted.includes(one))
      for (const one of destroyed) retired.delete(one)
      if (destroyed.length > 0) for (const one of threads) one.order({ order: 'reload' })
    },
    givenUp: () => [...retired].filter(([, agreed]) => agreed === count).map(([authority]) => authority),
    close: async () => void (await Promise.all(threads.map(one => one.thread.terminate()))),
  }
}

/** As many as there are processors, all signer processes together; at least one in each. */
export function threadsOf({ issuing }: Pick<Settings, 'issuing'>): number {
  return issuing.threads || Math.max(1, Math.floor(availableParallelism() / issuing.signers))
}

async function startThread(
  { number, run, log, target, grant, settings, home, seen, signer }: ThreadsStart,
  i: number,
  hear: (from: Thread, report: Report) => void,
): Promise<Thread> {
  const socket = join(run, `signer-${number}-${i}.sock`)
  const workerData: WorkerStart = { name: `${signer}/${i}`, signer, target, grant, settings, socket, home, seen }
  const thread = new Worker(new URL('./signer-worker.ts', import.meta.url), { workerData })
  const made: Thread = { thread, socket, order: order => thread.postMessage(order) }
  await new Promise<void>((resolve, reject) => {
    thread.once('error', reject)
    thread.on('message', (report: Report) => (report.report === 'ready' ? resolve() : hear(made, report)))
  })
  // A thread that dies leaves work half done: the whole process starts anew, and what it had goes to others.
  thread.on('error', (cause: unknown) => {
    log.fatal({ fault: String(cause) }, 'a thread of the signer died')
    process.exit(1)
  })
  return made
}
