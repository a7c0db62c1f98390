/** Requests for DCCKI Certificates: submitted, looked at, decided where somebody decides, and connections with their hosts. */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { toHex } from '../../ground/bytes.ts'
import { dcckiDeciders, hostName } from '../../policy/dccki/requests.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import { submitDccki } from '../../rooms/issuance/dccki-submit.ts'
import { issuedDer } from '../../rooms/issuance/organisation-issue.ts'
import { decideRequest } from '../../rooms/issuance/profiled-decide.ts'
import { type ProfiledRequest, requestOf, requests } from '../../rooms/issuance/profiled-request.ts'
import { refuse as refuseRequest } from '../../rooms/issuance/refusals.ts'
import { askProfiled } from '../../rooms/issuance/signing.ts'
import { requestConnection } from '../../rooms/registration/dccki-connection.ts'
import { suspended, suspensionOf } from '../../rooms/revocation/suspended.ts'
import type { Caller } from './caller.ts'
import type { DcckiWorld } from './door.ts'
import { fit, given, json, officerOf } from './message.ts'
import { readParts } from './multipart.ts'
import { refuse } from './refusals.ts'
import { senderOf } from './sender.ts'

const numbered = z.strictObject({
  request: z
    .string()
    .regex(/^[1-9]\d{0,18}$/)
    .transform(BigInt),
})

export function addRequests(app: FastifyInstance, world: DcckiWorld): void {
  const { settings, store } = world
  const { dccki } = settings
  const submitting = { profiles: hierarchies(settings).dccki.endEntities, rules: dccki }
  const stopped: Parameters<typeof submitDccki>[4] = async (client, what, at) => {
    const found = await suspensionOf(client, what, at)
    return found && suspended(found)
  }
  /** Of what was approved: later than the target, answered or not (DCK-A04). */
  const isLate = ({ approvedAt, answeredAt }: ProfiledRequest) =>
    approvedAt !== undefined &&
    (answeredAt ?? world.clock()).getTime() - approvedAt.getTime() > dccki.answerSeconds * 1000
  const shown = (request: ProfiledRequest) => ({ ...recordOf(request), ...(isLate(request) && { late: true }) })
  let turn = 0
  /** It is on record: if the signer does not answer now, it is issued later all the same. */
  const issued = async (request: ProfiledRequest) => {
    if (request.state !== 'approved') return request
    await askProfiled(world.signers[turn++ % world.signers.length]!, request.id)
    return requestOf(store, request.id)
  }

  app.post('/requests', async (request, reply) => {
    const sender = await senderOf(world, request)
    const type = String(request.headers['content-type'])
    const body = request.body as Buffer
    const isOne = /^application\/pkcs10\s*(;|$)/i.test(type)
    if (!isOne && !/^multipart\/mixed\s*;/i.test(type)) throw refuse('MESSAGE_TYPE')
    const csrs = isOne ? [body] : readParts(type, body, dccki.requestsTogether)
    const answers = []
    // One after the other: each is a transaction of its own, and holds the Party.
    for (const csr of csrs)
      answers.push(shown(await issued(await submitDccki(world, submitting, sender, csr, stopped))))
    return json(reply, isOne ? answers[0] : { requests: answers }, 202)
  })

  app.get('/requests', async (request, reply) => {
    const { party } = request.dccki
    const found = await requests(store, { pki: 'dccki', party })
    return json(reply, { requests: found.map(shown) })
  })

  app.get('/requests/:request', async (request, reply) => {
    const found = await ownRequest(world, request.dccki, fit(numbered, request.params).request)
    const wantsJson = /\bapplication\/json\b/i.test(request.headers.accept ?? '')
    if (found.state !== 'issued' || wantsJson) return json(reply, shown(found))
    return certificate(reply, await issuedDer(store, found.certificate!, world.clock()))
  })

  app.post('/requests/:request/decision', async (request, reply) => {
    const by = officerOf(request.dccki, dcckiDeciders)
    const { request: id } = fit(numbered, request.params)
    const body = fit(z.strictObject({ approve: z.boolean(), ...given }), request.body)
    if ((await requestOf(store, id)).pki !== 'dccki') throw refuseRequest('REQUEST_UNKNOWN')
    return json(reply, shown(await issued(await decideRequest(world, () => dcckiDeciders, by, id, body))))
  })

  app.post('/connections', async (request, reply) => {
    const shape = z.strictObject({
      party: z.int().min(1).optional(),
      gateway: z.string().min(1).max(200),
      hosts: z.array(hostName).min(1).max(200),
      ...given,
    })
    const { party = request.dccki.party, ...asked } = fit(shape, request.body)
    if (party === undefined) throw refuse('MESSAGE_UNFIT', 'it names no Party')
    const by = officerOf(request.dccki, ['ARO', 'SRO', 'RA_PERSONNEL', 'RA_MANAGER'])
    return json(reply, await requestConnection(world, by, party, asked, asked), 201)
  })
}

/** A request of another Party does not exist for whoever asks. @throws Refusal REQUEST_UNKNOWN */
async function ownRequest({ store }: DcckiWorld, { party }: Caller, id: bigint): Promise<ProfiledRequest> {
  const found = await requestOf(store, id)
  if (found.pki !== 'dccki' || (party !== undefined && found.party !== party))
    throw refuseRequest('REQUEST_UNKNOWN')
  return found
}

export function certificate(reply: FastifyReply, der: Buffer): FastifyReply {
  return reply.type('application/pkix-cert').send(der)
}

function recordOf({
  id,
  party,
  by,
  sha256,
  receivedAt,
  asks,
  state,
  refusal,
  answeredAt,
  certificate,
}: ProfiledRequest) {
  return {
    request: String(id),
    party,
    sentBy: by,
    csr: sha256,
    received: receivedAt,
    ...asks,
    state,
    ...(refusal && { code: refusal.code, says: refusal.says }),
    answered: answeredAt,
    ...(certificate && { serial: toHex(certificate.serial) }),
  }
}
