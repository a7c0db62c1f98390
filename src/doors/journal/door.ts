/** The journal as anybody may read it: its checkpoint, hashes and entries, as the static files of C2SP tlog-tiles. */

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { toHex, view } from '../../ground/bytes.ts'
import type { Chance } from '../../ground/clock.ts'
import type { LogFiles } from '../../ground/journal/files.ts'
import { checkpointPath, resourceAt } from '../../ground/journal/paths.ts'

export interface JournalDoor {
  /** Becomes the door's own: its hooks, its answers to what is not found and to what fails. */
  readonly app: FastifyInstance
  readonly files: LogFiles
  readonly chance: Chance
  readonly log: Pick<Logger, 'info' | 'error'>
}

/** Nobody sends anything here. */
export const bodyOctets = 1024

/** Answers in the making at a time: a bundle may have 16 MiB. Defends memory, and the store from a crowd. */
const atOnce = 16

/** What is there never changes; what is not there may come. The checkpoint changes every second. */
const caching = { row: 'public, max-age=31536000, immutable', checkpoint: 'public, max-age=1', nothing: 'no-store' }

const text = 'text/plain; charset=utf-8'

/**
 * Registers `GET /checkpoint`, `GET /tile/<L>/<N>[.p/<W>]` and `GET /tile/entries/<N>[.p/<W>]`, for everybody: what the
 * journal holds speaks of persons by reference only. Bundles are compressed for who takes gzip. 404 for what there is
 * not, 405 for another method, 503 when too many ask at once; a fault of ours is a 500 with an incident number.
 */
export function journalDoor({ app, files, chance, log }: JournalDoor): void {
  let underWay = 0
  const say = (reply: FastifyReply, status: number, sentence: string) =>
    reply.code(status).headers({ 'content-type': text, 'cache-control': caching.nothing }).send(`${sentence}\n`)

  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET') return undefined
    return say(reply.header('allow', 'GET'), 405, 'the journal is read with GET')
  })
  app.addHook('onResponse', async (request, reply) => {
    log.info({ path: pathIn(request), status: reply.statusCode }, 'answered')
  })
  app.setNotFoundHandler((_, reply) => say(reply, 404, 'there is nothing here'))
  app.setErrorHandler<Error & { statusCode?: number }>((cause, request, reply) => {
    if ((cause.statusCode ?? 500) < 500) return say(reply, cause.statusCode!, 'the request cannot be read')
    const incident = toHex(chance(8))
    log.error({ incident, path: pathIn(request), err: cause }, 'a fault of the journal')
    return say(reply, 500, `incident ${incident}`)
  })

  app.get('/*', async (request, reply) => {
    const path = pathIn(request)
    const resource = resourceAt(path)
    if (path !== checkpointPath && resource === undefined) return say(reply, 404, 'there is nothing here')
    if (underWay >= atOnce) return say(reply.header('retry-after', '1'), 503, 'too many ask at once: try again')
    underWay += 1
    try {
      const octets = await files(path)
      if (octets === undefined) return say(reply, 404, 'the journal has not come so far')
      if (resource === undefined) return send(reply, text, caching.checkpoint, view(octets))
      if (resource.level !== 'entries') return send(reply, binary, caching.row, view(octets))
      reply.header('vary', 'accept-encoding')
      if (!takesGzip(request)) return send(reply, binary, caching.row, view(octets))
      reply.header('content-encoding', 'gzip')
      return send(reply, binary, caching.row, await zipped(octets, { level: 1 }))
    } finally {
      underWay -= 1
    }
  })
}

const binary = 'application/octet-stream'
const zipped = promisify<Uint8Array, { level: number }, Buffer>(gzip)

function send(reply: FastifyReply, type: string, cache: string, octets: Buffer): FastifyReply {
  return reply
    .headers({ 'content-type': type, 'cache-control': cache, 'x-content-type-options': 'nosniff' })
    .send(octets)
}

/** As it was asked, without anything decoded: a path has one form only. */
function pathIn({ url }: FastifyRequest): string {
  return url.slice(1).split('?', 1)[0]!
}

function takesGzip({ headers }: FastifyRequest): boolean {
  return /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[^,]*)?(,|$)/i.test(String(headers['accept-encoding'] ?? ''))
}
