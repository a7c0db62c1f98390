/** The shapes that requests and answers of several routes have in common. */

import { z } from 'zod'
import { certificatePolicies, type Office, offices } from '../../policy/registration/offices.ts'

const largest = 2_147_483_647

/** A number of a row, as it stands in an address. */
export const inPath = z
  .string()
  .regex(/^[1-9]\d{0,9}$/)
  .transform(Number)
  .pipe(z.int().max(largest))

export const id = z.int().min(1).max(largest)
export const reference = z
  .string()
  .regex(/^p-[0-9a-f]{12}$/)
  .meta({ description: 'a person, by reference' })
export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256 of what is to be approved, hexadecimal' })
export const office = z.enum(Object.keys(offices) as [Office, ...Office[]])
export const policy = z.enum(certificatePolicies)
/** An instant in an answer. */
export const when = z.iso.datetime()
/** An instant that was sent. */
export const instant = z.iso.datetime({ offset: true }).transform(text => new Date(text))
/** A number that may be larger than JSON's are exact: as text. */
export const bigNumber = z.string().regex(/^[1-9]\d{0,18}$/)
export const bigInPath = bigNumber.transform(BigInt)
export const serial = z
  .string()
  .regex(/^[0-9a-fA-F]{32}$/)
  .transform(text => text.toLowerCase())

const short = z.string().min(1).max(200)
export const evidence = z
  .array(z.strictObject({ kind: short, reference: short }))
  .max(20)
  .meta({ description: 'what the step rests on: references, not the documents themselves' })

/** What goes with every act. */
export const given = {
  words: z.string().max(2000).optional().meta({ description: 'why; names nobody, for it stands in the journal' }),
  evidence: evidence.optional(),
}

/** For acts that an officer of an organisation, or an SMKI PMA Member, signs and the Registration Authority records. */
export const recorded = {
  ...given,
  signedBy: z
    .strictObject({ person: reference, as: z.enum(['NO', 'SRO', 'ARO', 'PMA_MEMBER']), party: id.optional() })
    .optional()
    .meta({ description: 'whose signed paper is recorded; its reference is evidence' }),
}

/** What whoever opened a task is told. */
export const opened = { task: id, digest }

export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'stable: never renamed or given another meaning' }),
  detail: z.string(),
  about: z.record(z.string(), z.unknown()).optional(),
  reference: z.string().optional(),
})
