/** Certificate Revocation Requests and their cases (RAPP 8). */

import { z } from 'zod'
import { fromHex } from '../../../ground/bytes.ts'
import { groundNames } from '../../../policy/revocation/grounds.ts'
import { objectNames } from '../../../policy/revocation/objects.ts'
import { findBySerials } from '../../../rooms/repository/find.ts'
import { caseOf, cases, type RevocationCase } from '../../../rooms/revocation/case.ts'
import { no } from '../../../rooms/revocation/refusals.ts'
import { requestRevocation } from '../../../rooms/revocation/request.ts'
import type { OperatorDoor } from '../door.ts'
import { mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { id, inPath, opened, recorded, serial, when } from '../shapes.ts'

/** A certificate, as it is named in a request: the authority is found where the serial number is enough. */
export const certificate = z
  .strictObject({ authority: id.optional(), serial })
  .meta({ description: 'the number of its authority here, and the serial number, 32 hexadecimal digits' })

export const certificateRef = z.strictObject({ authority: id, serial: z.string() })

const states = [
  'received',
  'authenticated',
  'deferred',
  'approved',
  'revoked',
  'listed',
  'refused',
  'cancelled',
] as const

export const caseShape = z.strictObject({
  case: id,
  object: z.enum(objectNames as [string, ...string[]]),
  certificate: certificateRef,
  sha256: z.string(),
  expires: when,
  party: id.optional(),
  credential: id.optional(),
  origin: z.string(),
  ground: z.enum(groundNames),
  reason: z.int().meta({ description: 'RFC 5280 5.3.1' }),
  form: z.string().optional(),
  decision: z.string().optional(),
  urgent: z.boolean(),
  state: z.enum(states),
  task: id.optional(),
  deferral: id.optional(),
  question: id.optional(),
  received: when,
  revoked: when.optional(),
  listDue: when.optional(),
  listed: when.optional(),
  list: z.string().optional().meta({ description: 'number of the list that names it' }),
})

export function shownCase(one: RevocationCase) {
  const { id: number, expiresAt, receivedAt, revokedAt, listDueAt, listNumber, listedAt, ...rest } = one
  return {
    case: number,
    ...rest,
    expires: expiresAt,
    received: receivedAt,
    revoked: revokedAt,
    listDue: listDueAt,
    listed: listedAt,
    list: listNumber === undefined ? undefined : String(listNumber),
  }
}

/** @throws Refusal CERTIFICATE_UNKNOWN, also for a serial number that several authorities have used */
export async function refOf(
  { store, clock }: Pick<OperatorDoor, 'store' | 'clock'>,
  { authority, serial: number }: z.output<typeof certificate>,
): Promise<{ authority: number; serial: string }> {
  if (authority !== undefined) return { authority, serial: number }
  const [found, ...more] = await findBySerials(store, [fromHex(number)], clock())
  if (!found) throw no('CERTIFICATE_UNKNOWN')
  if (more.length > 0) throw no('CERTIFICATE_UNKNOWN', 'several authorities have used that number: name one')
  return { authority: found.authority, serial: number }
}

const list = z.strictObject({ cases: z.array(caseShape) })

export const revocations: Group = {
  name: 'revocations',
  says: 'Certificate Revocation Requests and their cases',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'POST',
      path: '/revocations',
      says: 'request the revocation of a certificate; two others authenticate and approve',
      status: 201,
      body: z.strictObject({
        certificate,
        ground: z.enum(groundNames),
        form: z.string().max(16).optional().meta({ description: "A7, for the Registration Authority's own" }),
        decision: z.string().max(100).optional().meta({ description: 'the direction of the SMKI PMA it rests on' }),
        urgent: z.boolean().optional(),
        ...recorded,
      }),
      answer: z.strictObject({
        case: id,
        ...opened,
        deferral: id.optional().meta({ description: 'it waits under that deferral (L16)' }),
      }),
      async run({ by, body }) {
        const officer = by()
        const request = { ...body, certificate: await refOf(door, body.certificate) }
        const { case: number, task, digest, deferral } = await requestRevocation(door, officer, request, body)
        return { case: number, task, digest, deferral: deferral?.id }
      },
    })

    add({
      method: 'GET',
      path: '/revocations',
      says: 'cases, oldest first; an officer of an organisation sees its own',
      query: z.strictObject({ party: inPath.optional(), state: z.enum(states).optional() }),
      answer: list,
      async run({ caller, query }) {
        const party = query.party ?? caller.party
        mustSee(caller, party)
        const filter = { party, ...(query.state && { states: [query.state] }) }
        return { cases: (await cases(store, filter)).map(shownCase) }
      },
    })

    add({
      method: 'GET',
      path: '/revocations/:case',
      says: 'one case, and until when its list is due',
      params: z.object({ case: inPath }),
      answer: caseShape,
      async run({ caller, params }) {
        const one = await caseOf(store, params.case)
        mustSee(caller, one.party)
        return shownCase(one)
      },
    })
  },
}
