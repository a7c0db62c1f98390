/** Rejection after download: an Organisation Certificate is revoked by it, a Device Certificate investigated (L11.5, L11.6). */

import { z } from 'zod'
import {
  closeInvestigation,
  deviceRejections,
  rejectCertificate,
  rejectDeviceCertificate,
} from '../../../rooms/revocation/reject.ts'
import { mustBeCentral } from '../officer.ts'
import type { Group } from '../route.ts'
import { evidence, given, id, inPath, recorded, when } from '../shapes.ts'
import { caseShape, certificate, certificateRef, refOf, shownCase } from './revocations.ts'

export const rejections: Group = {
  name: 'rejections',
  says: 'Certificates that were rejected after download (L11.5, L11.6)',
  add({ door, add }) {
    const { store } = door

    add({
      method: 'POST',
      path: '/rejections',
      says: 'an ARO rejects what was downloaded: an Organisation Certificate is revoked by that, a Device Certificate investigated',
      status: 201,
      body: z.strictObject({ certificate, of: z.enum(['organisation', 'device']), ...recorded }),
      answer: z.strictObject({ case: caseShape.optional(), rejection: id.optional() }),
      async run({ by, body }) {
        const officer = by()
        const ref = await refOf(door, body.certificate)
        if (body.of === 'device') return { rejection: await rejectDeviceCertificate(door, officer, ref, body) }
        return { case: shownCase(await rejectCertificate(door, officer, ref, body)) }
      },
    })

    add({
      method: 'GET',
      path: '/rejections',
      says: 'rejected Device Certificates, oldest first: those under investigation, or all',
      query: z.strictObject({ open: z.enum(['true', 'false']).optional() }),
      answer: z.strictObject({
        rejections: z.array(
          z.strictObject({
            rejection: id,
            certificate: certificateRef,
            party: id,
            words: z.string(),
            evidence,
            logged: when,
            finding: z.string().optional(),
            investigated: when.optional(),
          }),
        ),
      }),
      async run({ caller, query }) {
        mustBeCentral(caller)
        const all = await deviceRejections(store, { open: query.open === 'true' })
        return {
          rejections: all.map(({ id: rejection, loggedAt, investigatedAt, ...rest }) => ({
            rejection,
            ...rest,
            logged: loggedAt,
            investigated: investigatedAt,
          })),
        }
      },
    })

    add({
      method: 'POST',
      path: '/rejections/:rejection/finding',
      says: 'what came of the investigation; the certificate is not revoked, whatever it is',
      params: z.object({ rejection: inPath }),
      body: z.strictObject({ finding: z.string().min(1).max(2000), ...given }),
      answer: z.strictObject({}),
      run: async ({ by, params, body }) => closeInvestigation(door, by(), params.rejection, body.finding, body),
    })
  },
}
