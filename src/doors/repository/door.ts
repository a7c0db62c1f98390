/** The SMKI Repository Web Service, as Smart DCC's client uses it, and the files that a Relying Party needs (repository 3). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Chance, Clock } from '../../ground/clock.ts'
import { Refusal } from '../../ground/refusal.ts'
import type { Store } from '../../ground/store/store.ts'
import type { Settings } from '../../policy/settings.ts'
import type { Measure } from '../../rooms/governance/performance/collect.ts'
import type { Stops } from '../../rooms/revocation/stops.ts'
import { type Answers, answers, type Log } from './answer.ts'
import { type Asker, apiKeys } from './api-key.ts'
import { chains } from './chain.ts'
import { addDocuments } from './documents.ts'
import { refusals, writeNothing } from './message.ts'
import { type Services, services } from './services.ts'

export interface RepositoryDoor {
  /** Becomes the door's own: its parsers, its hooks, its answers to what is not found and to what fails. */
  readonly app: FastifyInstance
  readonly store: Pick<Store, 'query'>
  readonly clock: Clock
  readonly chance: Chance
  readonly settings: Settings['repository']
  /** Whether this is a test environment. Elsewhere `settings.testKeys` open nothing. */
  readonly test: boolean
  readonly log: Log
  /** Told of each request for what is stored, once its answer is out. */
  readonly measure?: Measure | undefined
  /** What the SMKI PMA has suspended (L2.14): retrieval goes on unless it is named. */
  readonly stops?: Pick<Stops, 'stopped'>
}

/** The longest request that says anything has some 200 octets. Defends memory. */
export const bodyOctets = 16 * 1024

const paths: Readonly<Record<keyof Services, string>> = {
  search: '/services/certificatesearch',
  retrieve: '/services/retrievecertificate',
}

/**
 * Registers, all behind the API key in the query parameter `apikey`:
 * `POST /services/certificatesearch` and `POST /services/retrievecertificate`, which answer 200, 402 for nothing found
 * and 401 for a request that is no search, always with XML;
 * `GET /authorities/<key id>.crt` and `GET /lists/<issuer key id>.crl`, in DER;
 * `GET /documents` and `GET /documents/<reference>/<version>`, for what is public and published.
 * A fault of ours is a 500 with an incident number; everything else is one plain sentence.
 * @throws Refusal CONFIG_INVALID
 */
export function repositoryDoor(door: RepositoryDoor): void {
  const { app, store, clock, chance, settings, test, log, stops, measure } = door
  const { badKeyStatus, testKeys } = settings
  if (badKeyStatus === 401 || badKeyStatus === 402) {
    const sentence = `${badKeyStatus} means something else to the Repository's clients, and is no badKeyStatus`
    throw new Refusal('CONFIG_INVALID', sentence)
  }
  const answer = answers(clock, chance, log)
  app.decorateRequest('visit', undefined as never)
  app.setErrorHandler<Error>((cause, request, reply) => answer.excuse(request, reply, cause))

  // 1. The key, before the path, the body, or anything else is looked at.
  const askerOf = apiKeys(store, clock, test ? testKeys : [])
  app.addHook('onRequest', async (request, reply) => {
    const received = clock().getTime()
    request.visit = answer.begin()
    const party = await askerOf((request.query as { apikey?: unknown }).apikey)
    if (party === undefined) return answer.say(request, reply, badKeyStatus, 'the API key is missing or not valid')
    request.visit.party = party
    const stopped = stops?.stopped({ interface: 'REPO_WS', party: typeof party === 'number' ? party : undefined })
    if (stopped) return answer.say(request, reply, 503, stopped.message)
    if (request.is404) return absent(answer, request, reply)
    if (measure) measured(measure, clock, reply, party, received)
    return undefined
  })
  // Never called, because the hook has answered; but with it the hook is asked.
  app.setNotFoundHandler((request, reply) => absent(answer, request, reply))

  // 2. The services.
  readXml(app)
  serve(app, answer, services(store, clock, log, settings))

  // 3. Ours [DESIGN]: certificates and lists of authorities, by key identifier in hexadecimal.
  const chain = chains(store, clock)
  const files = (path: string, type: string, find: (keyId: string) => Promise<Buffer | undefined>) =>
    app.get<{ Params: { keyId: string } }>(path, async (request, reply) => {
      const keyId = request.params.keyId.toLowerCase()
      const der = await find(keyId)
      if (!der) return absent(answer, request, reply)
      request.visit.asked = path.replace(':keyId', keyId)
      return answer.send(request, reply, 200, type, der)
    })
  files('/authorities/:keyId.crt', 'application/pkix-cert', async keyId => (await chain()).certificates.get(keyId))
  files('/lists/:keyId.crl', 'application/pkix-crl', async keyId => (await chain()).lists.get(keyId))
  addDocuments(app, store, answer)
}

/**
 * Receipt is the arrival of the request, sending the document made available (repository.md section 1): what was found,
 * or that nothing was. What is no search has no receipt.
 */
function measured(measure: Measure, clock: Clock, reply: FastifyReply, asker: Asker, received: number): void {
  reply.raw.once('close', () => {
    const { statusCode, writableFinished } = reply.raw
    const answered = statusCode >= 500 ? 'fault' : statusCode === 200 || statusCode === 402 ? 'sent' : undefined
    const outcome = writableFinished ? answered : 'unanswered'
    if (outcome === undefined) return
    const party = asker === 'test key' ? undefined : asker
    measure({ channel: 'REPOSITORY', party, received, sent: clock().getTime(), outcome })
  })
}

/** Only XML in UTF-8 is read. */
function readXml(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/xml',
    { parseAs: 'buffer', bodyLimit: bodyOctets },
    (request, body, done) => {
      const [, charset = 'utf-8'] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(request.headers['content-type']!) ?? []
      if (charset.toLowerCase() === 'utf-8') done(null, body)
      else done(Object.assign(new Error('not UTF-8'), { statusCode: 415 }))
    },
  )
}

function serve(app: FastifyInstance, answer: Answers, services: Services): void {
  for (const to of ['search', 'retrieve'] as const) {
    app.post(paths[to], async (request, reply) => {
      const { visit } = request
      const xml = (status: number, body: string) =>
        answer.send(request, reply, status, 'application/xml; charset=utf-8', body)
      const nothing = (code: 401 | 402) => xml(code, writeNothing({ to, code, auditReference: visit.reference }))
      try {
        const found = await services[to]((request.body as Buffer | undefined) ?? Buffer.alloc(0), visit)
        return found === undefined ? nothing(402) : xml(200, found)
      } catch (cause) {
        if (!(cause instanceof Refusal) || cause.code !== 'INVALID_SEARCH') throw cause
        return nothing(refusals.INVALID_SEARCH.status)
      }
    })
  }
}

function absent(answer: Answers, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0]!
  const post = Object.values(paths).includes(path) && 'POST'
  const method = post || (/^\/(authorities|lists|documents)(\/|$)/.test(path) && 'GET')
  if (!method || method === request.method) return answer.say(request, reply, 404, 'there is nothing here')
  reply.header('allow', method)
  return answer.say(request, reply, 405, `this is asked with ${method}`)
}
