/** How the door answers: one line in the log for each request, and no fault of ours shown. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { toHex } from '../../ground/bytes.ts'
import type { Chance, Clock } from '../../ground/clock.ts'
import type { Asker } from './api-key.ts'

export type Log = Pick<Logger, 'info' | 'warn' | 'error'>

/** What the log says of a request. The URL is never in it: it carries the API key. */
export interface Visit {
  /** AuditReference: seconds since 1970, then what only this door has, and the number of the request in it. */
  readonly reference: string
  party?: Asker
  /** In our words, once it could be read. */
  asked?: string
  /** How many certificates the answer tells of. */
  found?: number
}

declare module 'fastify' {
  interface FastifyRequest {
    visit: Visit
  }
}

export interface Answers {
  begin(): Visit
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    status: number,
    type: string,
    body: string | Buffer,
  ): FastifyReply
  /** One plain sentence. */
  say(request: FastifyRequest, reply: FastifyReply, status: number, sentence: string): FastifyReply
  /** What was thrown: by Fastify about a request that it could not read, or else a fault of ours. */
  excuse(request: FastifyRequest, reply: FastifyReply, cause: Error & { statusCode?: number }): FastifyReply
}

export function answers(clock: Clock, chance: Chance, log: Log): Answers {
  const own = toHex(chance(6))
  let count = 0
  const send: Answers['send'] = (request, reply, status, type, body) => {
    log.info({ ...request.visit, status }, 'answered')
    return reply.code(status).header('content-type', type).send(body)
  }
  const say: Answers['say'] = (request, reply, status, sentence) =>
    send(request, reply, status, 'text/plain; charset=utf-8', `${sentence}\n`)
  return {
    begin() {
      const seconds = String(Math.floor(clock().getTime() / 1000)).padStart(10, '0')
      return { reference: `${seconds}-${own}${(count++).toString(16).padStart(4, '0')}` }
    },
    send,
    say,
    excuse(request, reply, cause) {
      const { statusCode = 500 } = cause
      if (statusCode < 500)
        return say(request, reply, statusCode, unread[statusCode] ?? 'the request cannot be read')
      const incident = toHex(chance(8))
      log.error({ incident, reference: request.visit.reference, err: cause }, 'a fault of the Repository')
      return say(request, reply, 500, `incident ${incident}`)
    },
  }
}

const unread: Readonly<Record<number, string>> = {
  413: 'the request is too large',
  415: 'a request is application/xml in UTF-8',
}
