/** One thread of bare cryptography: synchronous calls, in the fastest way that is right. */

import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { Work } from './cryptography.ts'

const { requests, repeat, next } = workerData as Work
const total = requests.length * repeat
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
/** As many octets as the to-be-signed part of a Device Certificate has. */
const certificate = randomBytes(331)
/** Taken at a time. */
const slice = 32

function work(from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const [tbs, spki, signature] = requests[i % requests.length]!
    const key = { key: spki as Buffer, format: 'der', type: 'spki' } as const
    if (!verify('sha256', tbs, key, signature)) throw new Error('a request does not verify')
    sign('sha256', certificate, privateKey)
  }
}

parentPort!.once('message', () => {
  for (;;) {
    const from = Atomics.add(next, 0, slice)
    if (from >= total) break
    work(from, Math.min(from + slice, total))
  }
  parentPort!.postMessage('done')
})

// What the runtime compiles on first use is not measured.
work(0, Math.min(200, requests.length))
parentPort!.postMessage('ready')
