/** Organisation CSRs: submitted by an ARO, issued by the signer, downloaded, accepted or rejected (L11.5 to L11.7). */

import { z } from 'zod'
import { toHex } from '../../../ground/bytes.ts'
import { toPem } from '../../../ground/x509/pem.ts'
import { acceptOrganisation, downloadOrganisation, rejectOrganisation } from '../../../rooms/issuance/acceptance.ts'
import {
  heldSubmissions,
  type Submission,
  submissionOf,
  submissionsOf,
} from '../../../rooms/issuance/organisation-csr.ts'
import { decideHeld } from '../../../rooms/issuance/organisation-held.ts'
import { submitOrganisation } from '../../../rooms/issuance/organisation-submit.ts'
import { askSigner } from '../ask-signer.ts'
import { mustBeCentral, mustSee } from '../officer.ts'
import type { Group } from '../route.ts'
import { bigInPath, bigNumber, given, id, inPath, recorded, reference, when } from '../shapes.ts'

const shape = z.strictObject({
  submission: bigNumber,
  party: id,
  person: reference,
  reference: z.string().optional().meta({ description: "the client's own mark" }),
  csr: z.string().meta({ description: 'SHA-256 of the CSR' }),
  received: when,
  asks: z
    .strictObject({
      eui64: z.string(),
      role: z.int(),
      usage: z.enum(['digitalSignature', 'keyAgreement']),
      commonName: z.string().optional(),
      keyId: z.string(),
    })
    .optional(),
  state: z.enum(['refused', 'held', 'approved', 'issued']),
  refusal: z.strictObject({ code: z.string(), says: z.string() }).optional(),
  answered: when.optional(),
  certificate: z.strictObject({ authority: id, serial: z.string() }).optional(),
  downloaded: when.optional(),
  acceptance: z.enum(['open', 'accepted', 'accepted by silence', 'rejected']).optional(),
  rejectableUntil: when.optional(),
})

function shown(one: Submission) {
  const { id: submission, sha256, receivedAt, approvedAt, answeredAt, downloadedAt, certificate, ...rest } = one
  return {
    submission: String(submission),
    ...rest,
    csr: sha256,
    received: receivedAt,
    answered: answeredAt,
    downloaded: downloadedAt,
    certificate: certificate && { authority: certificate.authority, serial: toHex(certificate.serial) },
  }
}

const own = z.object({ party: inPath, submission: bigInPath })
const list = z.strictObject({ submissions: z.array(shape) })
const path = '/organisations/:party/csrs'

export const organisationCsrs: Group = {
  name: 'organisation-csrs',
  says: 'Organisation CSRs and the Certificates that come of them',
  add({ door, add }) {
    const { store, settings } = door
    const { organisationNameCharacters } = settings.certificates
    const rule = { rejectionDays: settings.issuing.rejectionDays, organisationNameCharacters }
    const signer = askSigner(door)

    add({
      method: 'POST',
      path,
      says: 'submit an Organisation CSR; what is decided of it, for or against, is the answer and on record',
      status: 201,
      params: z.object({ party: inPath }),
      body: z.strictObject({
        csr: z.string().max(16_384).meta({ description: 'PKCS#10: PEM, or base64 of the DER' }),
        reference: z
          .string()
          .max(64)
          .optional()
          .meta({ description: 'your own mark: under it the same comes again' }),
      }),
      answer: z.strictObject({ ...shape.shape, pem: z.string().optional() }),
      async run({ caller, params, body }) {
        mustSee(caller, params.party)
        const submitted = await submitOrganisation(
          door,
          rule,
          { credential: caller.shown, csr: body.csr, reference: body.reference },
          door.stopped,
        )
        if (submitted.state !== 'approved') return shown(submitted)
        // It is on record: if the signer does not answer now, it is issued later all the same.
        await signer.organisation(submitted.id)
        return shown(await submissionOf(store, submitted, rule, door.clock()))
      },
    })

    add({
      method: 'GET',
      path,
      says: 'what was submitted, newest first, a hundred at most',
      params: z.object({ party: inPath }),
      answer: list,
      async run({ caller, params }) {
        mustSee(caller, params.party)
        return { submissions: (await submissionsOf(store, params.party, rule, door.clock())).map(shown) }
      },
    })

    add({
      method: 'GET',
      path: `${path}/:submission`,
      says: 'one submission, and whether its Certificate may still be rejected',
      params: own,
      answer: shape,
      async run({ caller, params: { party, submission } }) {
        mustSee(caller, party)
        return shown(await submissionOf(store, { party, id: submission }, rule, door.clock()))
      },
    })

    add({
      method: 'POST',
      path: `${path}/:submission/download`,
      says: 'the Certificate; the first download is noted, and from then on it is to be compared (L11.5)',
      params: own,
      body: z.strictObject({}),
      answer: z.strictObject({ certificate: z.string().meta({ description: 'PEM' }), submission: shape }),
      async run({ by, params: { party, submission } }) {
        const found = await downloadOrganisation(door, rule, by(), { party, id: submission })
        return { certificate: toPem('CERTIFICATE', found.der), submission: shown(found.submission) }
      },
    })

    add({
      method: 'POST',
      path: `${path}/:submission/acceptance`,
      says: 'it agrees with its CSR',
      params: own,
      body: z.strictObject(recorded),
      answer: shape,
      run: async ({ by, params: { party, submission }, body }) =>
        shown(await acceptOrganisation(door, rule, by(), { party, id: submission }, body)),
    })

    add({
      method: 'POST',
      path: `${path}/:submission/rejection`,
      says: 'it does not agree: it is revoked by that, and investigated (L11.5)',
      params: own,
      body: z.strictObject(recorded),
      answer: shape,
      run: async ({ by, params: { party, submission }, body }) =>
        shown(await rejectOrganisation(door, rule, by(), { party, id: submission }, body, door.revokeRejected)),
    })

    add({
      method: 'GET',
      path: '/held-csrs',
      says: 'those that the Registration Authority must act on first, of every Party, oldest first',
      answer: list,
      async run({ caller }) {
        mustBeCentral(caller)
        return { submissions: (await heldSubmissions(store, rule, door.clock())).map(shown) }
      },
    })

    add({
      method: 'POST',
      path: '/held-csrs/:submission/decision',
      says: 'an RA Manager lets a held CSR go on, or refuses it, with words that say why',
      params: z.object({ submission: bigInPath }),
      body: z.strictObject({ approve: z.boolean(), ...given }),
      answer: shape,
      async run({ by, params, body }) {
        const decided = await decideHeld(door, rule, by(), params.submission, body)
        if (decided.state !== 'approved') return shown(decided)
        await signer.organisation(decided.id)
        return shown(await submissionOf(store, decided, rule, door.clock()))
      },
    })
  },
}
