/** The group `dccki` of the settings: ports of its door, and what no text at hand settles about the DCCKI. */

import { z } from 'zod'
import { type DcckiEligibility, dcckiNeeds } from './requests.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

export const partyKindNames = ['party', 'rdp', 'dcc', 's1sp'] as const
export type PartyKindName = (typeof partyKindNames)[number]

const eligibility = z.strictObject({
  organisations: z.array(z.enum(partyKindNames)),
  needs: z.array(z.enum(dcckiNeeds)),
})

const byDefault: { infrastructure: DcckiEligibility; personnel: DcckiEligibility } = {
  infrastructure: { organisations: ['party', 'rdp', 'dcc'], needs: ['gateway connection'] },
  personnel: { organisations: ['party'], needs: ['User Role'] },
}

const decided = z.enum(['automatic', 'manual'])
const path = z.string().regex(/^\/[a-z0-9./-]*[a-z0-9]$/)

export const dcckiSettings = (assumed: Assumed) =>
  z.strictObject({
    port: z
      .int()
      .min(0)
      .max(65535)
      .default(8450)
      .meta({ says: 'DCCKI Service Interface and Repository; it opens where there are DCCKI authorities' }),
    plainPort: z
      .int()
      .min(0)
      .max(65535)
      .nullable()
      .default(null)
      .meta({ says: 'CRLs and ARLs over plain HTTP, for Relying Parties without a credential; null is off' }),
    reuseIdentity: assumed(
      'DCK-A01',
      'L',
      z.literal(true),
      true,
      'a Party is verified once for SMKI and DCCKI; its SRO acts for both, and an ARO who is authorised for both',
    ),
    kinds: assumed(
      'DCK-A03',
      'M',
      z.strictObject({ infrastructure: eligibility, personnel: eligibility }),
      byDefault as z.input<z.ZodObject<{ infrastructure: typeof eligibility; personnel: typeof eligibility }>>,
      'which Authorised DCCKI Subscribers are eligible for which kind of certificate',
    ),
    servicePath: assumed('DCK-A04', 'L', path, '/dccki/1.0', 'path of the DCCKI Service Interface'),
    clients: assumed(
      'DCK-A04',
      'L',
      z.array(z.enum(['iki', 'dccki'])).min(1),
      ['iki', 'dccki'],
      'PKIs whose certificates open a connection',
    ),
    approval: assumed(
      'DCK-A04',
      'L',
      z.strictObject({ infrastructure: decided, personnel: decided }),
      { infrastructure: 'automatic', personnel: 'automatic' },
      'automatic: what passes every check is issued; manual: an RA Manager decides',
    ),
    answerSeconds: assumed('DCK-A04', 'L', z.int().min(1), 30, 'target for the answer to an automatic request'),
    requestsTogether: assumed('DCK-A04', 'L', z.int().min(1).max(100), 20, 'CSRs in one multipart message'),
    visibility: assumed(
      'DCK-A05',
      'L',
      z.strictObject({ infrastructure: z.enum(['all', 'own']), personnel: z.enum(['all', 'own']) }),
      { infrastructure: 'all', personnel: 'own' },
      'whose certificates a Party finds in the DCCKI Repository; the DCC finds all',
    ),
    repositoryPath: assumed('DCK-A06', 'L', path, '/dccki', 'path of the DCCKI Repository'),
    plannedMaintenance: z
      .array(
        z
          .strictObject({ from: z.iso.datetime({ offset: true }), until: z.iso.datetime({ offset: true }) })
          .refine(({ from, until }) => Date.parse(from) < Date.parse(until), 'it ends after it begins'),
      )
      .default([])
      .meta({ says: 'Planned Maintenance as announced (H8.3), from and until: the door answers 503 meanwhile' }),
  })

export type DcckiRules = z.output<ReturnType<typeof dcckiSettings>>
