/** A file that comes in as the body of a request: read in a stream within bounds, a few at a time. */

import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refuse } from './refusals.ts'

export interface Upload {
  /** The Content-Type, as it was sent. */
  readonly type: string
  readonly octets: Buffer
}

/** Files in memory at a time. Defends it: each may have as many octets as its route allows. */
const atOnce = 3

/** So much more than the limit is read, and thrown away, so that a client that is still sending hears the answer. */
const drained = 4

/**
 * Has bodies of any type but JSON left as they come, for the routes of this scope that take files.
 * @returns what reads one; it throws Refusal FILE_TOO_LONG, UPLOADS_BUSY, REQUEST_UNFIT
 */
export function takingFiles(scope: FastifyInstance): (request: FastifyRequest, most: number) => Promise<Upload> {
  let busy = 0
  scope.addContentTypeParser('*', (request, body, done) => {
    const { takesFile } = request.routeOptions.config as { takesFile?: boolean }
    if (takesFile) done(null, body)
    else done(Object.assign(new Error('not JSON'), { statusCode: 415 }))
  })
  return async (request, most) => {
    const body = request.body as Readable | undefined
    if (typeof body?.read !== 'function')
      throw refuse('REQUEST_UNFIT', 'the body is the file, with its Content-Type')
    if (busy >= atOnce) {
      await readAll(body, 0, drained * most)
      throw refuse('UPLOADS_BUSY')
    }
    busy++
    try {
      const octets = await readAll(body, most, drained * most)
      if (!octets) throw refuse('FILE_TOO_LONG', `at most ${Math.floor(most / 1_048_576)} MiB`)
      return { type: request.headers['content-type'] ?? '', octets }
    } finally {
      busy--
    }
  }
}

/** @returns undefined for more than `most` octets, of which none are kept */
async function readAll(body: Readable, most: number, until: number): Promise<Buffer | undefined> {
  let kept: Buffer[] = []
  let octets = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    octets += chunk.length
    if (octets <= most) kept.push(chunk)
    else kept = []
    if (octets > until) break
  }
  return octets <= most ? Buffer.concat(kept) : undefined
}
