/** The DCO's door: one path, mutual TLS, a signed message in and a signed answer out. */

import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Bytes } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'

export const messagesPath = '/1.0/messages'
export const mediaType = 'application/vnd.opensmki.dco+json'

/** In octets: a file of inherited keys is the largest. */
export const longestMessage = 24 * 2 ** 20

export interface DcoDoor {
  /** Answers the message of that S1SP. */
  answer(envelope: Bytes, s1sp: string): Promise<Bytes>
  /** By SHA-256 of the client certificate, lower-case hexadecimal; undefined when it is nobody's. */
  s1spOf(certificate: string): string | undefined
  /** Names an incident: what is told instead of a fault. */
  incident(): string
  onFault(incident: string, cause: Error): void
}

export function dcoDoor(app: FastifyInstance, door: DcoDoor): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(mediaType, { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.setNotFoundHandler((_, reply) => reply.code(404).send())
  app.setErrorHandler((cause: Error & { statusCode?: number }, _, reply) => {
    if (cause.statusCode !== undefined && cause.statusCode < 500) return reply.code(cause.statusCode).send()
    const incident = door.incident()
    door.onFault(incident, cause)
    return reply.code(500).type('application/json').send({ incident })
  })
  app.post(messagesPath, async (request, reply) => {
    const s1sp = door.s1spOf(fingerprintOf(request.raw.socket as TLSSocket))
    if (s1sp === undefined) return reply.code(403).send()
    try {
      const answer = await door.answer(request.body as Buffer, s1sp)
      return reply.type(mediaType).send(answer)
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      // It could not be answered as a message; so it is not signed either.
      return reply
        .code(statusOf[cause.code] ?? 400)
        .type('application/json')
        .send({
          code: cause.code,
          says: cause.message,
        })
    }
  })
}

const statusOf: Readonly<Record<string, number>> = {
  SENDER_UNKNOWN: 403,
  MESSAGE_UNSIGNED: 403,
  MESSAGE_ID_REUSED: 409,
  MESSAGE_STALE: 409,
}

/** The handshake has checked the chain; which S1SP it is, only the certificate itself says. */
function fingerprintOf(socket: TLSSocket): string {
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  return peer ? peer.fingerprint256.replaceAll(':', '').toLowerCase() : ''
}
