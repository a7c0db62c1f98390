/** The Ad Hoc and the Batched Device CSR Web Service: who may come in, and what each path does. */

import type { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Channel } from '../../ground/channel.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Codes } from '../../policy/smki-device/codes.ts'
import type { Hands } from '../../rooms/authority/issue-one.ts'
import type { Measure } from '../../rooms/governance/performance/collect.ts'
import { opens } from '../../rooms/registration/eligible.ts'
import { type Credential, type CredentialKind, credentialOf } from '../../rooms/registration/parties.ts'
import type { Stops } from '../../rooms/revocation/stops.ts'
import { adHocService } from './adhoc.ts'
import { batchService } from './batch.ts'
import type { PaceGuard } from './pace.ts'
import type { SigningAnswer, SigningQuestion } from './signing.ts'

export interface DeviceDoor extends Hands {
  readonly settings: Settings
  /** Of the server's software, in every answer. */
  readonly build: string
  readonly signers: readonly Channel<SigningQuestion, SigningAnswer>[]
  readonly log: Logger
  /** What the SMKI PMA has suspended (L2.14). */
  readonly stops: Pick<Stops, 'stopped'>
  /** The table of error codes with the environment's own changes. */
  readonly codes: Codes
  /** Told of each single request once its answer is out: for response times, and for demand. */
  readonly measure: Measure
  readonly pace: PaceGuard
}

export function deviceDoor(app: FastifyInstance, door: DeviceDoor): void {
  const credentials = credentialsOf(door)
  const admitKind = (kind: CredentialKind) => async (request: FastifyRequest, reply: FastifyReply) => {
    const credential = await credentials(request.raw.socket as TLSSocket)
    if (credential === undefined || !opens(credential, kind)) {
      door.log.warn(
        { party: credential?.partyName, kind: credential?.kind, wanted: kind },
        'a credential was refused',
      )
      return reply.code(403).send()
    }
    request.credential = credential
    return undefined
  }
  app.decorateRequest('credential')
  app.setNotFoundHandler((_, reply) => reply.code(404).send())
  app.setErrorHandler((cause: Error & { statusCode?: number }, _, reply) => {
    // What Fastify itself refuses: a body that is too long (413), a media type that is not XML (415).
    if (cause.statusCode !== undefined && cause.statusCode < 500) return reply.code(cause.statusCode).send()
    const incident = Buffer.from(door.chance(6)).toString('hex')
    door.log.error({ incident, fault: `${cause.name}: ${cause.message}` }, 'a request met a fault')
    return reply.code(500).type('text/plain').send(`incident ${incident}\n`)
  })
  app.register(async scope => adHocService(scope, door, admitKind('ADHOC_WS')))
  app.register(async scope => batchService(scope, door, admitKind('BATCH_WS')))
}

declare module 'fastify' {
  interface FastifyRequest {
    credential: Credential
  }
}

/** Read at most so long ago: a credential that was revoked stops within it, on connections that are open too. */
const freshMs = 1000

/**
 * The registration record of a connection's certificate. The handshake has checked chain and lists; the certificate
 * does not say what it is for, (issuer, serial) does.
 */
function credentialsOf({ store }: DeviceDoor): (socket: TLSSocket) => Promise<Credential | undefined> {
  const known = new WeakMap<
    TLSSocket,
    { issuer: Uint8Array; serial: Uint8Array; at: number; record: Promise<Credential | undefined> }
  >()
  return socket => {
    const before = known.get(socket)
    const now = performance.now()
    if (before && now - before.at < freshMs) return before.record
    const peer = before ?? identify(socket)
    if (!peer) return Promise.resolve(undefined)
    const record = credentialOf(store, peer.issuer, peer.serial)
    known.set(socket, { issuer: peer.issuer, serial: peer.serial, at: now, record })
    return record
  }
}

function identify(socket: TLSSocket): { issuer: Uint8Array; serial: Uint8Array } | undefined {
  const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!peer) return undefined
  const { issuer, serial } = readCertificate(peer.raw)
  return { issuer: issuer.der, serial }
}
