/** Bare cryptography: import the key of each request, verify its signature, sign as many octets as a certificate has. */

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Bytes } from '../../src/ground/bytes.ts'
import { readRequest } from '../../src/ground/x509/request.ts'

/** What the threads are given: all that must be parsed is parsed before the clock starts. */
export interface Work {
  /** For each request: the octets that were signed, the SubjectPublicKeyInfo, the signature. */
  readonly requests: readonly (readonly [tbs: Bytes, spki: Bytes, signature: Bytes])[]
  readonly repeat: number
  /** One number, shared: the next request that nobody has taken. */
  readonly next: Int32Array<SharedArrayBuffer>
}

/** Fewer requests are gone over several times: below that a rate is chance. */
const atLeast = 20_000

export interface Bare {
  /** Requests a second, all threads together. */
  readonly perSecond: number
  /** Of processor time for each request. */
  readonly cpuMicroseconds: number
}

export async function bareCryptography(
  csrs: readonly Bytes[],
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<Bare> {
  const requests = csrs.map(csr => {
    const { tbs, publicKey, signature } = readRequest(csr)
    return [tbs, publicKey.spki, signature].map(one => Uint8Array.from(one)) as [Bytes, Bytes, Bytes]
  })
  const repeat = Math.ceil(atLeast / requests.length)
  const work: Work = { requests, repeat, next: new Int32Array(new SharedArrayBuffer(4)) }
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./cryptography-worker.ts', import.meta.url), { workerData: work }),
  )
  const said = (word: string) => Promise.all(workers.map(worker => heard(worker, word, signal)))
  try {
    await said('ready')
    const done = said('done')
    const cpu = process.cpuUsage()
    const began = performance.now()
    for (const worker of workers) worker.postMessage('go')
    await done
    const total = requests.length * repeat
    const perSecond = (total * 1000) / (performance.now() - began)
    const { user, system } = process.cpuUsage(cpu)
    return { perSecond, cpuMicroseconds: (user + system) / total }
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

/** Before and after what is measured against it: the machine may have been kept busy during one of them. */
export async function better<T>(
  bare: () => Promise<Bare>,
  work: () => Promise<T>,
): Promise<{ best: Bare; runs: number[]; result: T }> {
  const before = await bare()
  const result = await work()
  const after = await bare()
  const best = before.perSecond > after.perSecond ? before : after
  return { best, runs: [before, after].map(one => Math.round(one.perSecond)), result }
}

/** As many threads as the signer has by default. */
export const threadsByDefault = availableParallelism()

function heard(worker: Worker, word: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
    worker.once('error', reject)
    worker.on('message', (said: string) => {
      if (said !== word) return
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}
