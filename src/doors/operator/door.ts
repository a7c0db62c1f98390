/** The operator API: everything that officers do, as JSON over mutual TLS (docs/operations/registration.md). */

import type { TLSSocket } from 'node:tls'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Channel } from '../../ground/channel.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Revoke } from '../../rooms/issuance/acceptance.ts'
import type { Refuse } from '../../rooms/issuance/hold.ts'
import type { RoomAnswer, RoomQuestion } from '../../rooms/issuance/signing.ts'
import type { RevocationHands } from '../../rooms/revocation/hands.ts'
import { type Caller, callers } from './caller.ts'
import { groups } from './groups.ts'
import { type Once, onlyOnce } from './once.ts'
import { answerProblem } from './problem.ts'
import { refuse } from './refusals.ts'
import { routesOf } from './route.ts'

/** What the door needs of the world: the hands of the rooms that it opens. */
export interface OperatorWorld extends RevocationHands {
  readonly settings: Settings
  /** Whoever holds the keys: asked in turn. */
  readonly signers: readonly Pick<Channel<RoomQuestion, RoomAnswer>, 'ask'>[]
  /** Why an act is stopped just now, by a suspension; and how a rejected certificate is revoked: of the room above issuance. */
  readonly stopped: Refuse
  readonly revokeRejected: Revoke
  /** Of this program, in the description. */
  readonly build: string
  readonly log: Logger
}

export interface OperatorDoor extends OperatorWorld {
  readonly once: Once
}

/** Requests are small: an Organisation Information Form with all it may have is some 20,000 octets. */
export const bodyOctets = 65_536

/** Of the addresses; an incompatible change of the interface would be another. */
export const prefix = '/1.0'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
}

/** Puts the API on a listener that asks for client certificates of the IKI. */
export function operatorDoor(app: FastifyInstance, world: OperatorWorld): void {
  const door: OperatorDoor = { ...world, once: onlyOnce(world.clock) }
  const callerOf = callers(door)
  app.decorateRequest('caller')
  // JSON and nothing else.
  app.removeContentTypeParser('text/plain')
  // Shapes are checked, and answers written, by route.ts.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => data => String(data))
  app.setNotFoundHandler((_, reply) => answerProblem(door, refuse('NOTHING_THERE'), reply))
  app.setErrorHandler((cause, _, reply) => answerProblem(door, cause, reply))
  app.addHook('onSend', async (_, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.register(swagger, { openapi: description(door) })
  app.register(async scope => {
    scope.addHook('onRequest', async request => {
      request.caller = await callerOf(request.raw.socket as TLSSocket)
    })
    for (const group of groups) {
      scope.register(async of => group.add(routesOf(of, door, group.name)), { prefix })
    }
  })
  app.get('/openapi.json', { schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  )
}

function description({ settings, build }: OperatorDoor) {
  return {
    openapi: '3.1.0',
    info: {
      title: `OpenSMKI operator API of ${settings.environment}`,
      version: build,
      description:
        'Officers act here by the credential of their connection. Whoever holds several offices says in Acting-As which he acts in. A refusal is application/problem+json with a stable code.',
    },
    tags: groups.map(({ name, says }) => ({ name, description: says })),
    components: {
      securitySchemes: {
        // The types of the package know OpenAPI 3.0's schemes; this one came with 3.1.
        officer: {
          type: 'mutualTLS',
          description: 'a client certificate of the IKI that is on record as RA_STAFF, PORTAL_ORG or PORTAL_DEVICE',
        } as never,
      },
    },
    security: [{ officer: [] }],
  }
}
