/** The client of a batch, in a process of its own: submits a document, waits for its result, keeps it in a file. */

import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, type ClientOptions, fields, openClient, textOf } from '../src/doors/cli/client.ts'
import { resultPath, submitPath } from '../src/doors/device-csr/batch.ts'
import { answerParent } from './child.ts'

export interface Order extends ClientOptions {
  /** Path of the SubmitCSRBatch document. */
  readonly document: string
  /** Path of the CSRBatchResult document to be. */
  readonly result: string
}

/** Milliseconds since 1970. */
export interface Story {
  readonly batch: string
  /** Before the first octet of the request goes out: the handshake is in the time. */
  readonly began: number
  readonly answered: number
  /** The last octet of the result is here. */
  readonly ended: number
}

/** Between two questions whether the batch is completed. */
const pauseMs = 25

async function tell({ document, result, ...options }: Order): Promise<Story> {
  const client = openClient(options)
  try {
    const began = Date.now()
    const answer = fields(await textOf(await client.post(submitPath, createReadStream(document))))
    const answered = Date.now()
    const batch = answer.BatchId
    if (batch === undefined) throw new Error(`the batch was refused: ${JSON.stringify(answer)}`)
    while (!(await fetched(client, batch, result))) await sleep(pauseMs)
    return { batch, began, answered, ended: Date.now() }
  } finally {
    client.close()
  }
}

/** Asks once. The answer of a completed batch is its result, kept; any other is short. */
async function fetched(client: Client, batch: string, path: string): Promise<boolean> {
  const answer = await client.get(`${resultPath}?BatchId=${batch}`)
  // A short answer has a length; a result is streamed.
  if (answer.headers['content-length'] === undefined) {
    await pipeline(answer, createWriteStream(path))
    return true
  }
  const { BatchStatus } = fields(await textOf(answer))
  if (['PENDING', 'PARSING', 'QUEUED', 'PROCESSING'].includes(BatchStatus!)) return false
  throw new Error(`batch ${batch} came to ${BatchStatus}`)
}

answerParent(tell)
