/** The group `registration` of the settings: what the Code's texts at hand leave open about registration. */

import { z } from 'zod'
import { defaultEligibility, defaultSmiStatuses, eligibilitySchema } from './device-eligibility.ts'
import { defaultUserRoles, userRolesSchema } from './user-roles.ts'

/** As in `policy/settings.ts`, which owns it and hands it in. */
type Assumed = <T extends z.ZodType>(
  id: string,
  confidence: 'H' | 'M' | 'L',
  type: T,
  byDefault: z.input<T>,
  says: string,
) => z.ZodDefault<T>

/** Fields of the Organisation Information Form that may be required. */
export const formFields = [
  'legalName',
  'tradingName',
  'identifier',
  'companyNumber',
  'address',
  'contactNumber',
  'declaration',
] as const

/** Identity and vetting have no ID in the register: their clause stands for it. */
const vetting = 'registration-revocation.md 2'

export const registrationSettings = (assumed: Assumed) =>
  z
    .strictObject({
      twoPersons: assumed(
        'REG-A01',
        'M',
        z.boolean(),
        true,
        'the one who verifies or requests is not the one who approves',
      ),
      sroMayBeAro: assumed('REG-A02', 'L', z.boolean(), true, 'one person may be SRO and ARO of an organisation'),
      formFields: assumed(
        'REG-A03',
        'M',
        z.array(z.enum(formFields)),
        [...formFields],
        'fields that the Organisation Information Form must have',
      ),
      sharedRoles: assumed(
        'REG-A04',
        'L',
        z.array(z.tuple([z.string(), z.string()])),
        [],
        'pairs of User Roles that may share an EUI-64 (H1.5)',
      ),
      oneOrganisation: assumed('REG-A05', 'H', z.boolean(), true, 'an identifier belongs to one organisation only'),
      userRoles: assumed('REG-A06', 'M', userRolesSchema, defaultUserRoles, 'User Roles and their OU roles'),
      deviceEligibility: assumed(
        'REG-A07',
        'M',
        eligibilitySchema,
        defaultEligibility,
        'who is Eligible for a Device Certificate (L3.16)',
      ),
      dcckiEntryTest: assumed(
        'DCK-A02',
        'L',
        z.boolean(),
        false,
        'SREPT comes before an application under the DCCKI Certificate Policy too',
      ),
      smiStatuses: assumed(
        'REG-A08',
        'M',
        z.array(z.string().min(1)),
        defaultSmiStatuses,
        'words for the SMI Status',
      ),
      identityLevel: assumed(
        vetting,
        'H',
        z.int().min(1).max(4),
        3,
        'level that the identity of a person is verified at',
      ),
      organisationEvidence: assumed(
        vetting,
        'M',
        z.array(z.string().min(1)),
        ['Party or RDP', 'public register', 'call-back'],
        'evidence for the identity of an organisation',
      ),
      personEvidence: assumed(
        vetting,
        'M',
        z.array(z.string().min(1)),
        ['identity', 'meeting'],
        'evidence for the identity of a person',
      ),
      screeningEvidence: assumed(
        vetting,
        'M',
        z.array(z.string().min(1)),
        ['screening'],
        'evidence that an ARO or a member of the RA was screened (BS 7858)',
      ),
      expiryNoticeDays: z
        .array(z.int().min(1))
        .min(1)
        .default([90, 30, 7])
        .meta({ says: 'days before its end at which the Party of a credential is told' }),
      repositoryCredentialDays: z
        .int()
        .min(1)
        .nullable()
        .default(null)
        .meta({ says: 'days that an API key, an SSH key or a portal account is good for; null is without end' }),
      passwordCharacters: z
        .int()
        .min(8)
        .max(128)
        .default(12)
        .meta({ says: 'fewest characters of a password of the Repository portal' }),
      passwordLog2N: z
        .int()
        .min(14)
        .max(20)
        .default(15)
        .meta({ says: 'cost of trying a password: scrypt with N = 2^n, r = 8, p = 1' }),
    })
    .superRefine((rules, context) => {
      // A misspelt word would silently open what it should close.
      const wrong = (key: string, word: string) =>
        context.addIssue({ code: 'custom', path: [key], message: `${word} is in no table` })
      const roles = [...rules.sharedRoles.flat(), ...rules.deviceEligibility.flatMap(row => row.userRoles ?? [])]
      for (const role of roles) if (!Object.hasOwn(rules.userRoles, role)) wrong('userRoles', role)
      for (const status of rules.deviceEligibility.flatMap(row => row.notIn ?? []))
        if (!rules.smiStatuses.includes(status)) wrong('smiStatuses', status)
    })
