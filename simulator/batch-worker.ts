/** The thread of `makeMany`: for each message it gets, the next of its chunks. */

import { parentPort, workerData } from 'node:worker_threads'
import { makeChunk, type Work } from './batch.ts'

const { many, chunk, step } = workerData as Work
let next = chunk

parentPort!.on('message', () => {
  const made = makeChunk(many, next)
  next += step
  parentPort!.postMessage(made, [made.octets, made.lengths.buffer, ...(made.privateKeys ? [made.privateKeys] : [])])
})
