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

/** @returns requests a second, all threads together. */
export async function bareCryptography(
  csrs: readonly Bytes[],
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<number> {
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
    const began = performance.now()
    for (const worker of workers) worker.postMessage('go')
    await done
    return (requests.length * repeat * 1000) / (performance.now() - began)
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
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
