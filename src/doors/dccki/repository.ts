/** The DCCKI Repository but its lists: authorities, certificates, documents, meetings; each for whoever may read it (dccki.md 5). */

import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { fromHex, toHex } from '../../ground/bytes.ts'
import { attachmentHeaders, isHeld } from '../../ground/http/attachment.ts'
import { dcckiKindOf } from '../../policy/dccki/requests.ts'
import { isDay } from '../../policy/documents/day.ts'
import { meetingsFor, recordMeeting, tellMeeting, toldBodies } from '../../rooms/governance/dccki-meetings.ts'
import { documentOf, documentsFor, versionsFor } from '../../rooms/governance/documents.ts'
import { readFile } from '../../rooms/governance/files.ts'
import { no } from '../../rooms/governance/refusals.ts'
import { type ProfiledRequest, requests } from '../../rooms/issuance/profiled-request.ts'
import { findBySerials } from '../../rooms/repository/find.ts'
import type { Caller } from './caller.ts'
import type { DcckiWorld } from './door.ts'
import { dcckiAuthorities, fileName } from './lists.ts'
import { fit, json, officerOf } from './message.ts'
import { refuse } from './refusals.ts'
import { certificate } from './requests.ts'

const file = z.strictObject({
  file: z
    .string()
    .max(100)
    .regex(/^[a-z0-9-]+\.crt$/),
})
const serial = z.strictObject({ serial: z.string().regex(/^[0-9a-fA-F]{32}$/) })
const reference = z.strictObject({ ref: z.string().min(1).max(200) })
const ofVersion = z.strictObject({ ref: z.string().min(1).max(200), version: z.string().min(1).max(200) })
const asked = z.strictObject({ named: z.string().min(1).max(200) })

export function addRepository(app: FastifyInstance, world: DcckiWorld): void {
  const { store, clock } = world

  app.get('/authorities', async (_, reply) => {
    const known = await dcckiAuthorities(world)
    const shown = known.map(one => ({
      part: one.part,
      file: `${fileName(one)}.crt`,
      serial: toHex(one.certificate.serial),
    }))
    return json(reply, { authorities: shown })
  })

  app.get('/authorities/:file', async (request, reply) => {
    const { file: name } = fit(file, request.params)
    const found = (await dcckiAuthorities(world)).find(one => `${fileName(one)}.crt` === name)
    if (!found) throw refuse('NOTHING_THERE')
    return certificate(reply, Buffer.from(found.certificate.der))
  })

  app.get('/certificates', async (request, reply) => {
    const { named } = fit(asked, request.query)
    const found = await requests(store, { pki: 'dccki', state: 'issued', named })
    const visible = found.filter(one => maySee(world, request.dccki, one))
    return json(reply, { certificates: visible.map(shown) })
  })

  app.get('/certificates/:serial', async (request, reply) => {
    const { serial: text } = fit(serial, request.params)
    const [found] = await requests(store, { pki: 'dccki', serial: text.toLowerCase() })
    // What he may not see does not exist for whoever asks.
    if (!found || !maySee(world, request.dccki, found)) throw refuse('NOTHING_THERE')
    const lodged = await findBySerials(store, [fromHex(text)], clock())
    const own = lodged.find(one => one.authority === found.certificate!.authority)
    reply.header('dccki-status', own!.status)
    return certificate(reply, own!.der)
  })

  app.get('/documents', async (request, reply) => {
    const all = await documentsFor(store, request.dccki.reader)
    const own = all.filter(one => one.sets.includes('DCCKI Document Set'))
    return json(reply, {
      documents: own.map(({ ref, title, kind, owner, approver }) => ({ ref, title, kind, owner, approver })),
    })
  })

  app.get('/documents/:ref', async (request, reply) => {
    const { ref } = fit(reference, request.params)
    const { reader } = request.dccki
    const known = (await documentsFor(store, 'DCC')).find(one => one.ref === ref)
    if (!known?.sets.includes('DCCKI Document Set')) throw no('DOCUMENT_UNKNOWN')
    const versions = await versionsFor(store, reader, ref)
    // Drafts are for those who look after them.
    const visible = versions.filter(one => reader !== 'public' || one.from !== undefined)
    return json(reply, {
      ref,
      versions: visible.map(({ version, sha256, octets, mediaType, heldAt, kept, state, from, until }) => ({
        version,
        kept,
        sha256,
        octets,
        mediaType,
        heldAt,
        state,
        from,
        until,
      })),
    })
  })

  app.get('/documents/:ref/versions/:version/file', async (request, reply) => {
    const { ref, version } = fit(ofVersion, request.params)
    const { person, party, reader } = request.dccki
    const known = await documentOf(store, ref)
    if (!known?.sets.includes('DCCKI Document Set')) throw no('DOCUMENT_UNKNOWN')
    const file = await readFile(world, { person, party, reader }, ref, version)
    reply.headers(attachmentHeaders(file))
    return isHeld(request.headers['if-none-match'], file) ? reply.code(304).send() : reply.send(file.octets)
  })

  app.get('/meetings', async (request, reply) =>
    json(reply, { meetings: await meetingsFor(store, request.dccki.reader) }),
  )

  app.post('/meetings', async (request, reply) => {
    const { person } = officerOf(request.dccki, carryingOut)
    const body = fit(meeting, request.body)
    return json(reply, await recordMeeting(world, person, body), 201)
  })

  app.post('/meetings/told', async (request, reply) => {
    const { person } = officerOf(request.dccki, carryingOut)
    const { reference: ref, body } = fit(told, request.body)
    return json(reply, await tellMeeting(world, person, ref, body))
  })
}

/** The DCC carries the DCCKI PMA Functions out (dccki.md 7). */
const carryingOut = ['RA_MANAGER', 'RA_PERSONNEL'] as const

const texts = z.array(z.string().min(1).max(2000)).max(100)
const meeting = z.strictObject({
  reference: z.string().max(100),
  heldOn: z.string().refine(isDay),
  attendees: texts,
  agenda: texts,
  papers: texts,
  notifications: texts,
  recommendations: texts,
})
const told = z.strictObject({ reference: z.string().max(100), body: z.enum(toldBodies) })

/** DCK-A05: Infrastructure Certificates are found by all, those of people by their Subscriber and the DCC. */
function maySee(
  { settings }: DcckiWorld,
  { party, reader }: Caller,
  { party: owner, asks }: ProfiledRequest,
): boolean {
  if (party === owner || reader === 'DCC') return true
  return settings.dccki.visibility[dcckiKindOf(asks!.profile)] === 'all'
}

function shown({ party, asks, certificate: issued, answeredAt }: ProfiledRequest) {
  return { party, ...asks, serial: toHex(issued!.serial), issued: answeredAt }
}
