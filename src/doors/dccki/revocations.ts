/** Revocation messages: a case of the revocation room, which others authenticate and approve (dccki.md sections 4, 6). */

import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { dcckiReasons } from '../../policy/dccki/requests.ts'
import { authorities } from '../../rooms/authority/register.ts'
import { bySender } from '../../rooms/issuance/dccki-sender.ts'
import type { Officer } from '../../rooms/registration/act.ts'
import { dcckiDuties, openDcckiDuties } from '../../rooms/revocation/dccki-duty.ts'
import { type OpenedCase, requestRevocation } from '../../rooms/revocation/request.ts'
import type { DcckiWorld } from './door.ts'
import { fit, given, json, officerOf } from './message.ts'
import { refuse } from './refusals.ts'
import { senderOf } from './sender.ts'

const message = z.strictObject({
  /** CN of the issuing authority. */
  issuer: z.string().min(1).max(64),
  serial: z.string().regex(/^[0-9a-fA-F]{32}$/),
  reason: z.enum(Object.keys(dcckiReasons) as [keyof typeof dcckiReasons, ...(keyof typeof dcckiReasons)[]]),
  urgent: z.boolean().optional(),
  /** In a system's message: the SRO or ARO whose request it is, by reference. */
  officer: z.strictObject({ person: z.string().regex(/^p-[0-9a-f]{12}$/), as: z.enum(['ARO', 'SRO']) }).optional(),
  ...given,
})

export function addRevocations(app: FastifyInstance, world: DcckiWorld): void {
  app.post('/revocations', async (request, reply) => {
    const body = fit(message, request.body)
    const { by, evidence } = await whose(world, request, body.officer)
    const authority = (await authorities(world.store)).find(
      one => one.pki === 'dccki' && one.level === 'issuing' && one.name === body.issuer,
    )
    if (!authority) throw refuse('MESSAGE_UNFIT', 'the issuer is no authority of the DCCKI')
    const opened = await requestRevocation(
      world,
      by,
      {
        certificate: { authority: authority.id, serial: body.serial.toLowerCase() },
        ground: dcckiReasons[body.reason],
        urgent: body.urgent,
      },
      { words: body.words, evidence: [...(body.evidence ?? []), ...evidence] },
    )
    return json(reply, shown(opened), 201)
  })

  app.get('/duties', async (request, reply) => {
    if (request.dccki.party !== undefined) throw refuse('NOT_YOURS_TO_SEE')
    return json(reply, { duties: await dcckiDuties(world.store, world.clock(), world.revocation) })
  })

  app.post('/duties', async (request, reply) => {
    const by = officerOf(request.dccki, ['RA_PERSONNEL', 'RA_MANAGER'])
    const { party, ...rest } = fit(z.strictObject({ party: z.int().min(1), ...given }), request.body)
    return json(reply, { cases: (await openDcckiDuties(world, by, party, rest)).map(shown) }, 201)
  })
}

function shown({ deferral, ...rest }: OpenedCase) {
  return { ...rest, ...(deferral && { deferral: deferral.id }) }
}

/** The officer who asks: the caller himself; or whom a signed message of his Party names, with that message as evidence. */
async function whose(
  world: DcckiWorld,
  request: FastifyRequest,
  named: { person: string; as: 'ARO' | 'SRO' } | undefined,
): Promise<{ by: Officer; evidence: { kind: string; reference: string }[] }> {
  const { party, person } = request.dccki
  if (person !== undefined) {
    const all = ['ARO', 'SRO', 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER'] as const
    return { by: officerOf(request.dccki, all), evidence: [] }
  }
  if (!named) throw refuse('MESSAGE_UNFIT', 'officer: the message of a system names whose request it is')
  // The credential that signed it is looked up within an act of its own: what is asked of the room follows.
  await bySender(world, await senderOf(world, request), 'ask for DCCKI revocation', async () => {})
  const reference = `sha256:${hash('sha256', request.body as Buffer, 'hex')}`
  return { by: { ...named, party }, evidence: [{ kind: 'signed message', reference }] }
}
