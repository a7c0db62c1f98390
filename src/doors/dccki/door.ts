/** The DCCKI door: the DCCKI Service Interface and the DCCKI Repository over mutual TLS (docs/operations/dccki.md). */

import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Channel } from '../../ground/channel.ts'
import type { Settings } from '../../policy/settings.ts'
import type { RoomAnswer, RoomQuestion } from '../../rooms/issuance/signing.ts'
import type { RevocationHands } from '../../rooms/revocation/hands.ts'
import { type Caller, callers } from './caller.ts'
import { addLists } from './lists.ts'
import { answerProblem } from './problem.ts'
import { refuse } from './refusals.ts'
import { addRepository } from './repository.ts'
import { addRequests } from './requests.ts'
import { addRevocations } from './revocations.ts'

/** What the door needs of the world: the hands of the rooms that it opens. */
export interface DcckiWorld extends RevocationHands {
  readonly settings: Settings
  /** Whoever holds the keys: asked in turn. */
  readonly signers: readonly Pick<Channel<RoomQuestion, RoomAnswer>, 'ask'>[]
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

/** Twenty CSRs of 4,096 octets with their headers, and a bit. */
export const bodyOctets = 131_072

declare module 'fastify' {
  interface FastifyRequest {
    dccki: Caller
  }
}

/** Puts both interfaces on a listener that asks for client certificates of the IKI and the DCCKI. */
export function dcckiDoor(app: FastifyInstance, world: DcckiWorld): void {
  const callerOf = callers(world)
  prepare(app, world)
  app.decorateRequest('dccki', undefined as unknown as Caller)
  app.addHook('onRequest', async request => {
    request.dccki = await callerOf(request.raw.socket as TLSSocket)
  })
  const { servicePath, repositoryPath } = world.settings.dccki
  app.register(async scope => addRequests(scope, world), { prefix: servicePath })
  app.register(async scope => addRevocations(scope, world), { prefix: servicePath })
  app.register(async scope => addRepository(scope, world), { prefix: repositoryPath })
  app.register(async scope => addLists(scope, world), { prefix: repositoryPath })
}

/** Lists alone, over plain HTTP, for Relying Parties without a credential. */
export function dcckiListsDoor(app: FastifyInstance, world: DcckiWorld): void {
  prepare(app, world)
  app.register(async scope => addLists(scope, world), { prefix: world.settings.dccki.repositoryPath })
}

function prepare(app: FastifyInstance, world: DcckiWorld): void {
  // The octets as they came: the signature is over them.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/pkcs10', 'multipart/mixed', 'application/json'],
    { parseAs: 'buffer' },
    (_, body, done) => done(null, body),
  )
  app.setNotFoundHandler((_, reply) => answerProblem(world, refuse('NOTHING_THERE'), reply))
  app.setErrorHandler((cause, _, reply) => answerProblem(world, cause, reply))
  app.addHook('onRequest', async (_, reply) => {
    const until = maintenanceAt(world)
    if (until === undefined) return
    reply.header('retry-after', Math.ceil((until - world.clock().getTime()) / 1000))
    throw refuse('PLANNED_MAINTENANCE')
  })
}

/** The end of the Planned Maintenance that is under way, if one is (H8.3). */
function maintenanceAt({ settings, clock }: DcckiWorld): number | undefined {
  const now = clock().getTime()
  const windows = settings.dccki.plannedMaintenance.map(({ from, until }) => [Date.parse(from), Date.parse(until)])
  return windows.find(([from, until]) => from! <= now && now < until!)?.[1]
}
