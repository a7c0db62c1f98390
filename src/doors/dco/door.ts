/** The DCO's door: one path, mutual TLS, signed messages in and signed answers out. */

import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { type Bytes, view } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'

export const messagesPath = '/1.0/messages'
export const mediaType = 'application/vnd.opensmki.dco+json'

/** In octets: a file of inherited keys is the largest. */
export const longestMessage = 24 * 2 ** 20

/** Messages that may come at once: what they cost together is bounded. */
export const mostMessages = 100

/**
 * What stands for one of several messages: its answer in its envelope; or, unsigned, why it could not be answered as a
 * message, or which incident it met.
 */
export type Line = { readonly code: string; readonly says: string } | { readonly incident: string }

export interface DcoDoor {
  /** Answers messages of that S1SP. */
  answer(envelopes: readonly Bytes[], s1sp: string): Promise<PromiseSettledResult<Bytes>[]>
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
    const body = request.body as Buffer
    const envelopes = severalIn(body)
    if (envelopes) return reply.type(mediaType).send(await answerAll(door, envelopes, s1sp))
    const [answered] = await door.answer([body], s1sp)
    if (answered!.status === 'fulfilled') return reply.type(mediaType).send(answered!.value)
    const cause: unknown = answered!.reason
    if (!(cause instanceof Refusal)) throw cause
    // It could not be answered as a message; so it is not signed either.
    const { code, message: says } = cause
    return reply
      .code(statusOf[code] ?? 400)
      .type('application/json')
      .send({ code, says })
  })
}

/** Several messages come as a JSON array of their envelopes; undefined when it is no such array, and so one message. */
function severalIn(body: Buffer): Buffer[] | undefined {
  if (body[0] !== arrayBegins) return undefined
  try {
    const all: unknown = JSON.parse(body.toString())
    // An envelope is signed over what stands in it, not over how it is written.
    if (Array.isArray(all) && all.length <= mostMessages) return all.map(one => Buffer.from(JSON.stringify(one)))
  } catch {
    // It is refused as the one message that it is not.
  }
  return undefined
}

const arrayBegins = 0x5b

/** In the order of the messages; what one of them meets is not the others'. */
async function answerAll(door: DcoDoor, envelopes: readonly Buffer[], s1sp: string): Promise<string> {
  const lines = (await door.answer(envelopes, s1sp)).map(one => {
    if (one.status === 'fulfilled') return view(one.value).toString()
    const cause: unknown = one.reason
    if (cause instanceof Refusal) return JSON.stringify({ code: cause.code, says: cause.message } satisfies Line)
    const incident = door.incident()
    door.onFault(incident, cause as Error)
    return JSON.stringify({ incident } satisfies Line)
  })
  return `[${lines.join(',')}]`
}

const statusOf: Readonly<Record<string, number>> = {
  SENDER_UNKNOWN: 403,
  MESSAGE_UNSIGNED: 403,
  MESSAGE_ID_REUSED: 409,
  MESSAGE_STALE: 409,
}

/** Of a connection it is asked once: whoever has the connection has shown that certificate. */
const fingerprints = new WeakMap<TLSSocket, string>()

/** The handshake has checked the chain; which S1SP it is, only the certificate itself says. */
function fingerprintOf(socket: TLSSocket): string {
  const known = fingerprints.get(socket)
  if (known !== undefined) return known
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  const fingerprint = peer ? peer.fingerprint256.replaceAll(':', '').toLowerCase() : ''
  fingerprints.set(socket, fingerprint)
  return fingerprint
}
