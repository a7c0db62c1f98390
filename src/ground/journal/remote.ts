/** A log at an address: its files over HTTP, and the way to a witness. */

import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Refusal } from '../refusal.ts'
import { longestEntry } from './entry.ts'
import type { LogFiles } from './files.ts'
import { tileWidth } from './tiles.ts'

export type RemoteRefusal = 'NO_ANSWER' | 'BAD_ANSWER'

export interface RemoteOptions {
  /** Authority of the other's TLS certificate, PEM; by default those that the runtime knows. */
  readonly ca?: string
  /** Nothing heard for so long is no answer. */
  readonly patienceMs?: number
}

/** A full bundle of the longest entries. Defends memory. */
const longestAnswer = tileWidth * (longestEntry + 2)

/** @param prefix `https://…`: the files' paths follow it. @throws Refusal RemoteRefusal, when a file is asked for */
export function remoteFiles(prefix: string, options: RemoteOptions = {}): LogFiles {
  const base = prefix.replace(/\/+$/, '')
  return async path => {
    const { status, body } = await ask(`${base}/${path}`, options)
    if (status === 404) return undefined
    if (status !== 200) throw new Refusal<RemoteRefusal>('BAD_ANSWER', `${base}/${path} answers ${status}`)
    return body
  }
}

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

/** GET, or POST when there is something to say. @throws Refusal RemoteRefusal */
export function ask(url: string, { ca, patienceMs = 15_000 }: RemoteOptions, said?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        cause instanceof Refusal
          ? cause
          : new Refusal<RemoteRefusal>('NO_ANSWER', `${url} does not answer: ${cause.message}`, { cause }),
      )
    const send = new URL(url).protocol === 'https:' ? tlsRequest : plainRequest
    const sent = send(url, {
      method: said === undefined ? 'GET' : 'POST',
      headers: { 'accept-encoding': 'gzip, identity' },
      timeout: patienceMs,
      ...(ca !== undefined && { ca }),
    })
    sent.once('timeout', () => sent.destroy(new Error(`nothing was heard for ${patienceMs / 1000} s`)))
    sent.once('error', fail)
    sent.once('response', answer => {
      const zipped = answer.headers['content-encoding'] === 'gzip'
      const content: Readable = zipped ? answer.pipe(createGunzip()) : answer
      answer.once('error', fail)
      whole(content).then(body => resolve({ status: answer.statusCode ?? 0, body }), fail)
    })
    sent.end(said)
  })
}

async function whole(content: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestAnswer)
      throw new Refusal<RemoteRefusal>('BAD_ANSWER', 'the answer is longer than any file of a log')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
