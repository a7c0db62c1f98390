/** One route, from its description to its answer: shape, officer, one effect however often it is sent. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Attachment, attachmentHeaders, isHeld } from '../../ground/http/attachment.ts'
import type { Officer } from '../../rooms/registration/act.ts'
import type { Caller } from './caller.ts'
import type { OperatorDoor } from './door.ts'
import { officerOf, type SignedBy } from './officer.ts'
import { refuse } from './refusals.ts'
import { problem } from './shapes.ts'
import { takingFiles, type Upload } from './upload.ts'

type Shape = z.ZodObject

/** What the work of a route is given. */
export interface Asked<P extends Shape, Q extends Shape, B extends Shape> {
  readonly caller: Caller
  /** Who acts, in which office; in `signedBy`'s name when the body has it. @throws Refusal as `officerOf` */
  by(): Officer
  readonly params: z.output<P>
  readonly query: z.output<Q>
  readonly body: z.output<B>
  /** The file that is the body, where the route takes one. @throws Refusal FILE_TOO_LONG, UPLOADS_BUSY, REQUEST_UNFIT */
  file(): Promise<Upload>
}

export interface Route<P extends Shape, Q extends Shape, B extends Shape> {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  /** One line of the description. */
  readonly says: string
  readonly params?: P
  readonly query?: Q
  /** Unknown fields are refused. */
  readonly body?: B
  /** The body is a file of one of these types, of so many octets at most, and no JSON. */
  readonly takes?: { readonly types: readonly string[]; readonly octets: number }
  /** The answer is a file of one of these types, which `run` gives as an `Attachment`. */
  readonly gives?: readonly string[]
  readonly answer: z.ZodType
  /** Of the answer; 200 by default. */
  readonly status?: 200 | 201
  /** The answer has a secret in it, which is shown once: it is not kept for a repetition. */
  readonly secret?: true
  run(asked: Asked<P, Q, B>): Promise<unknown>
}

/** A group of routes: what each file of `routes/` gives. */
export interface Group {
  readonly name: string
  readonly says: string
  add(routes: Routes): void
}

export interface Routes {
  readonly door: OperatorDoor
  add<P extends Shape = Shape, Q extends Shape = Shape, B extends Shape = Shape>(route: Route<P, Q, B>): void
}

/** Where a group puts its routes. */
export function routesOf(scope: FastifyInstance, door: OperatorDoor, group: string): Routes {
  const readFile = takingFiles(scope)
  return {
    door,
    add(route) {
      const { method, path, status = 200 } = route
      scope.route({
        method,
        url: path,
        schema: describe(route, group),
        ...(route.takes && { config: { takesFile: true } }),
        handler: async (request, reply) => {
          const file = () => readFile(request, route.takes?.octets ?? 0)
          const answer = await answerOf(door, route, request, file)
          if (route.gives) return attach(request, reply, answer as Attachment)
          return reply
            .code(status)
            .type('application/json')
            .send(JSON.stringify(answer ?? {}))
        },
      })
    },
  }
}

function attach({ headers }: FastifyRequest, reply: FastifyReply, file: Attachment): FastifyReply {
  reply.headers(attachmentHeaders(file))
  return isHeld(headers['if-none-match'], file) ? reply.code(304).send() : reply.send(file.octets)
}

const nothing = z.strictObject({})

async function answerOf<P extends Shape, Q extends Shape, B extends Shape>(
  door: OperatorDoor,
  route: Route<P, Q, B>,
  request: FastifyRequest,
  file: () => Promise<Upload>,
): Promise<unknown> {
  const { caller, headers } = request
  const params = fit(route.params ?? nothing, request.params, 'address') as z.output<P>
  const query = fit(route.query ?? nothing, request.query, 'query') as z.output<Q>
  const body = fit(route.body ?? nothing, route.takes ? {} : (request.body ?? {}), 'body') as z.output<B>
  const actingAs = oneHeader(headers['acting-as'], 'Acting-As')
  const by = () => officerOf(caller, actingAs, (body as { signedBy?: SignedBy }).signedBy)
  const work = () => route.run({ caller, by, params, query, body, file })
  const key = oneHeader(headers['idempotency-key'], 'Idempotency-Key')
  if (key === undefined || route.method === 'GET' || route.secret || route.takes) return work()
  if (!/^[\x21-\x7e]{8,128}$/.test(key)) throw refuse('REQUEST_UNFIT', 'Idempotency-Key: 8 to 128 characters')
  const said = `${route.method} ${request.url} ${actingAs} ${JSON.stringify(body)}`
  return door.once({ person: caller.person, key, request: said }, work)
}

function oneHeader(value: string | string[] | undefined, name: string): string | undefined {
  if (Array.isArray(value)) throw refuse('REQUEST_UNFIT', `${name} stands there twice`)
  return value
}

/** Parsed strictly, or refused with what is wrong where; no value that was sent is repeated. */
function fit(shape: Shape, value: unknown, where: string): unknown {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${[where, ...path.map(String)].join('.').slice(0, 200)}: ${message.slice(0, 200)}`)
  throw refuse('REQUEST_UNFIT', faults.join('; '), { faults })
}

const headers = z.object({
  'acting-as': z.string().optional().meta({ description: 'the office you act in, when you hold several' }),
  'idempotency-key': z
    .string()
    .optional()
    .meta({ description: 'the same for every repetition of one request: it is done once' }),
})

/** For the published description; checking is ours. */
function describe<P extends Shape, Q extends Shape, B extends Shape>(
  { method, says, params, query, body, takes, gives, answer, status = 200, secret }: Route<P, Q, B>,
  group: string,
) {
  const once = 'the answer has a secret that is shown once; an Idempotency-Key is not heeded'
  const file = (types: readonly string[]) =>
    Object.fromEntries(types.map(type => [type, { schema: { contentMediaType: type } }]))
  return {
    summary: says,
    tags: [group],
    ...(secret && { description: once }),
    ...(method !== 'GET' && { headers: json(headers, 'input') }),
    ...(params && { params: json(params, 'input') }),
    ...(query && { querystring: json(query, 'input') }),
    ...(body && { body: json(body, 'input') }),
    ...(takes && { body: { content: file(takes.types) } }),
    response: {
      [status]: {
        description: 'done',
        content: gives ? file(gives) : { 'application/json': { schema: json(answer, 'output') } },
      },
      default: {
        description: 'no, or a fault',
        content: { 'application/problem+json': { schema: json(problem, 'output') } },
      },
    },
  }
}

function json(shape: z.ZodType, io: 'input' | 'output'): object {
  const { $schema, ...schema } = z.toJSONSchema(shape, { io, target: 'draft-2020-12' })
  return schema
}
