/** CSRs of SMETS1 Service Providers: entered by the Registration Authority, approved by another, issued by the signer. */

import { z } from 'zod'
import { toHex } from '../../../ground/bytes.ts'
import { toPem } from '../../../ground/x509/pem.ts'
import { type S1spki, s1spkiPolicy, s1spkis } from '../../../policy/s1spki/policy.ts'
import { readPortalCsr } from '../../../rooms/issuance/organisation-input.ts'
import { issuedDer } from '../../../rooms/issuance/organisation-issue.ts'
import { decideRequest } from '../../../rooms/issuance/profiled-decide.ts'
import { type ProfiledRequest, requestOf, requests } from '../../../rooms/issuance/profiled-request.ts'
import { refuse } from '../../../rooms/issuance/refusals.ts'
import { submitS1spki } from '../../../rooms/issuance/s1spki-submit.ts'
import { askSigner } from '../ask-signer.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { bigInPath, bigNumber, given, id, when } from '../shapes.ts'

const shape = z.strictObject({
  request: bigNumber,
  pki: z.enum(s1spkis),
  csr: z.string().meta({ description: 'SHA-256 of the CSR' }),
  received: when,
  profile: z.string().optional(),
  commonName: z.string().optional(),
  state: z.enum(['verified', 'approved', 'issued', 'refused', 'ineligible']),
  refusal: z.strictObject({ code: z.string(), says: z.string() }).optional(),
  answered: when.optional(),
  certificate: z.strictObject({ authority: id, serial: z.string() }).optional(),
})

function shown({ id: request, pki, sha256, receivedAt, asks, state, ...one }: ProfiledRequest) {
  return {
    request: String(request),
    pki,
    csr: sha256,
    received: receivedAt,
    profile: asks?.profile,
    commonName: asks?.subject.commonName,
    state,
    refusal: one.refusal,
    answered: one.answeredAt,
    certificate: one.certificate && { ...one.certificate, serial: toHex(one.certificate.serial) },
  }
}

const ofPki = z.object({ pki: z.enum(s1spkis) })
const ofRequest = z.object({ pki: z.enum(s1spkis), request: bigInPath })
const path = '/s1spki/:pki/csrs'

export const s1spki: Group = {
  name: 's1spki',
  says: 'CSRs of SMETS1 Service Providers, and the certificates that come of them',
  add({ door, add }) {
    const { store, settings } = door
    const signer = askSigner(door)
    const own = async (pki: S1spki, request: bigint) => {
      const found = await requestOf(store, request)
      if (found.pki !== pki) throw refuse('REQUEST_UNKNOWN')
      return found
    }

    add({
      method: 'POST',
      path,
      says: 'enter a CSR that an S1SP has sent; the request itself is named as evidence',
      status: 201,
      params: ofPki,
      body: z.strictObject({
        csr: z.string().max(16_384).meta({ description: 'PKCS#10: PEM, or base64 of the DER' }),
        ...given,
      }),
      answer: shape,
      async run({ by, params: { pki }, body: { csr, ...rest } }) {
        const policy = s1spkiPolicy(settings, pki)
        return shown(await submitS1spki(door, policy, by(), readPortalCsr(csr), rest, door.stopped))
      },
    })

    add({
      method: 'GET',
      path,
      says: 'what was entered, newest first, two hundred at most',
      params: ofPki,
      answer: z.strictObject({ requests: z.array(shape) }),
      async run({ caller, params: { pki } }) {
        mustBeCentral(caller)
        return { requests: (await requests(store, { pki })).map(shown) }
      },
    })

    add({
      method: 'POST',
      path: `${path}/:request/decision`,
      says: 'somebody else than who entered it approves or refuses it; approved, it is issued',
      params: ofRequest,
      body: z.strictObject({ approve: z.boolean(), ...given }),
      answer: shape,
      async run({ by, params: { pki, request }, body }) {
        await own(pki, request)
        const deciders = () => s1spkiPolicy(settings, pki).procedures.approve
        const decided = await decideRequest(door, deciders, by(), request, body)
        if (decided.state !== 'approved') return shown(decided)
        await signer.profiled(request)
        return shown(await requestOf(store, request))
      },
    })

    add({
      method: 'GET',
      path: `${path}/:request/certificate`,
      says: 'the certificate that was issued, to be handed to the S1SP',
      params: ofRequest,
      answer: z.strictObject({ certificate: z.string().meta({ description: 'PEM' }) }),
      async run({ caller, params: { pki, request } }) {
        mustBeCentral(caller)
        const { certificate, state } = await own(pki, request)
        if (!certificate) throw refuse('REQUEST_STATE', state)
        return { certificate: toPem('CERTIFICATE', await issuedDer(store, certificate, door.clock())) }
      },
    })
  },
}
