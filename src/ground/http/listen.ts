/** TLS listeners as the service interface wants them: TLS 1.2, four suites, and a client certificate that holds. */

import { constants } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { Refusal } from '../refusal.ts'
import { guard, ordinaryCrowd } from './guard.ts'
import { cutSlowBodies, ordinaryOctetsPerSecond } from './slow.ts'
import { sparing } from './sparing.ts'

/** Appendix M: these four, and no others. */
export const suites = [
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-SHA256',
] as const

export interface ServerCredentials {
  readonly key: Buffer | string
  /** The server's certificate and those above it, PEM. */
  readonly chain: Buffer | string
}

/** Who may come in: a client certificate that chains to these authorities and stands on none of these lists. */
export interface ClientTrust {
  /** PEM. */
  readonly authorities: readonly string[]
  /** PEM; a list for each of the authorities, current, or nobody comes in. */
  readonly lists: readonly string[]
}

export interface Limits {
  readonly idleSeconds: number
  readonly headSeconds: number
  readonly requestSeconds: number
  readonly bodyOctets: number
  readonly connections: number
  /** Those of `ordinaryCrowd` unless said. */
  readonly connectionsOfAddress?: number
  readonly newOfAddress?: number
  /** The least that a body must bring in the mean; `ordinaryOctetsPerSecond` unless said. */
  readonly octetsPerSecond?: number
  readonly tls13: boolean
}

/** What stays as it is when lists are renewed. */
export function tlsOptions(server: ServerCredentials, limits: Pick<Limits, 'tls13'>, clients?: ClientTrust) {
  return {
    key: server.key,
    cert: server.chain,
    minVersion: 'TLSv1.2',
    maxVersion: limits.tls13 ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: suites.join(':') + (limits.tls13 ? ':TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256' : ''),
    honorCipherOrder: true,
    // A session is not resumed on a certificate that was checked some time ago: no tickets.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION,
    ...(clients && { ca: [...clients.authorities], crl: [...clients.lists] }),
  } as const
}

/**
 * A Fastify instance over TLS. With `clients`, a connection without a valid certificate ends in the handshake
 * (SVC-A02). `renew` changes the lists, or the server's own certificate, for the connections to come.
 */
export function tlsListener(
  server: ServerCredentials,
  limits: Limits,
  clients?: ClientTrust,
  /** Told of every handshake that was refused, and where it came from. */
  onRefused: (fault: string, from: string) => void = () => {},
): { app: FastifyInstance; renew(server: ServerCredentials, clients?: ClientTrust): void } {
  let https: Server | undefined
  const told = sparing(onRefused)
  const app = Fastify({
    ...common(limits),
    serverFactory(handler) {
      https = createServer(
        {
          ...tlsOptions(server, limits, clients),
          requestCert: clients !== undefined,
          rejectUnauthorized: clients !== undefined,
          handshakeTimeout: limits.headSeconds * 1000,
          sessionTimeout: limits.idleSeconds,
          ...nodeLimits,
          ...patience(limits),
          highWaterMark: 65_536,
        },
        handler,
      )
      https.on('tlsClientError', (cause, socket) => told(cause.message, socket.remoteAddress ?? ''))
      bound(https, limits)
      return https
    },
  })
  return { app, renew: (server, clients) => https?.setSecureContext(tlsOptions(server, limits, clients)) }
}

/** Plain HTTP, for test environments only. */
export function plainListener(limits: Limits): FastifyInstance {
  const app = Fastify({ ...common(limits), http: { ...nodeLimits, ...patience(limits) } })
  bound(app.server, limits)
  return app
}

/** Returns the port that the listener got. @throws Refusal PORT_IN_USE, PORT_DENIED */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new Refusal('PORT_IN_USE', `port ${port} of ${host} is in use by another program`, { cause })
    if (code === 'EACCES')
      throw new Refusal('PORT_DENIED', `we may not listen on port ${port} of ${host}`, { cause })
    throw cause
  }
  return (app.server.address() as AddressInfo).port
}

/** Of a request’s head. */
export const headOctets = 16_384

const nodeLimits = {
  maxHeaderSize: headOctets,
  // Smuggling lives from lenient readers.
  insecureHTTPParser: false,
  requireHostHeader: true,
  keepAlive: true,
  noDelay: true,
} as const

/** How often the runtime looks for requests that take too long; by itself every half minute, which is longer than some may. */
function patience({ headSeconds, requestSeconds }: Limits) {
  return { connectionsCheckingInterval: Math.min(30_000, 500 * Math.min(headSeconds, requestSeconds)) }
}

function common(limits: Limits) {
  return {
    bodyLimit: limits.bodyOctets,
    logger: false,
    // Requests that are under way are answered before the listener closes; idle connections are closed at once.
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    trustProxy: false,
    // A path that cannot be read never reaches a hook; the answer must not carry it, for it may hold an API key.
    frameworkErrors: (_: unknown, __: unknown, reply: FastifyReply) => reply.code(400).send(),
  } as const
}

function bound(server: import('node:http').Server, limits: Limits): void {
  server.keepAliveTimeout = limits.idleSeconds * 1000
  server.headersTimeout = limits.headSeconds * 1000
  server.requestTimeout = limits.requestSeconds * 1000
  // An answer that nobody reads holds its connection no longer than one on which nothing is said.
  server.timeout = limits.idleSeconds * 1000
  guard(server, { ...ordinaryCrowd, ...limits })
  const { headSeconds: graceSeconds, octetsPerSecond = ordinaryOctetsPerSecond } = limits
  cutSlowBodies(server, { graceSeconds, octetsPerSecond })
  server.maxRequestsPerSocket = 0
}
