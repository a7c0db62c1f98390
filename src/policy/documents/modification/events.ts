/** What happens to a modification of the Code, as data: from the Draft Proposal to the SEC Release (SEED-003). */

import { z } from 'zod'
import { day, words } from '../development/events.ts'

const name = words.max(300)

/** Categories as the Modification Report lists them. */
export const partyCategories = [
  'Large Suppliers',
  'Small Suppliers',
  'Electricity Network Operators',
  'Gas Network Operators',
  'Other SEC Parties',
  'DCC',
] as const

export const consumerAreas = [
  'Improved safety and reliability',
  'Lower bills than would otherwise be the case',
  'Reduced environmental damage',
  'Improved quality of service',
  'Benefits for society as a whole',
] as const

export const observationClasses = [
  'typographical',
  'cosmetic',
  'alignment',
  'inconsistency',
  'omission',
  'superseded standard',
  'clarity',
] as const

export const observationStatuses = [
  'open',
  'accepted',
  'drafted',
  'drafting withdrawn',
  'unresolved',
  'implemented',
] as const

/** Classes of the Panel Information Policy; White may be published. */
export const informationClasses = ['White', 'Green', 'Amber', 'Red'] as const

const impact = z.strictObject({ impacted: z.boolean(), words })

export const modificationEventSchema = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('raise'),
    on: day,
    title: name,
    /** A body, or the reference of a person on whose behalf of. */
    proposer: name,
    summary: z.array(words).min(1),
    issue: z.array(words).min(1),
    /** Documents that the issue says need a change. */
    issueDocuments: z.array(name).min(1),
    clauses: z.array(name).default([]),
    /** Who decides: the Change Board under Self-Governance, or the Authority after it. */
    path: z.enum(['Self-Governance', 'Authority']),
    informationClass: z.enum(informationClasses),
  }),
  z.strictObject({ step: z.literal('present'), on: day, words }),
  z.strictObject({ step: z.literal('solve'), solution: z.array(words).min(1) }),
  z.strictObject({
    step: z.literal('assessImpact'),
    parties: z.record(z.enum(partyCategories), z.boolean()),
    partyWords: z.array(words),
    dccSystems: impact,
    documents: z.array(name).min(1),
    consumers: impact,
    otherCodes: impact,
    emissions: impact,
    costs: z.strictObject({ dcc: words, secas: words, parties: words }),
  }),
  /** An observation of a review, or what became of one: the latest of an id counts. */
  z.strictObject({
    step: z.literal('observe'),
    /** `Appendix L, 5` */
    id: name,
    document: name,
    class: z.enum(observationClasses),
    status: z.enum(observationStatuses),
    words,
    /** A legal text change, or another route. */
    link: name.optional(),
  }),
  z.strictObject({ step: z.literal('consultText'), on: day, closesOn: day }),
  z.strictObject({
    step: z.literal('respond'),
    to: z.enum(['legal text', 'report']),
    respondent: name,
    confidential: z.boolean(),
    words,
    /** What became of it. */
    answer: words,
  }),
  z.strictObject({
    step: z.literal('assess'),
    views: z.array(z.strictObject({ body: name, words })),
    objectives: z.array(
      z.strictObject({ objective: z.string().regex(/^[a-h]$/), facilitates: z.boolean(), words }),
    ),
    consumers: z.record(z.enum(consumerAreas), z.enum(['better', 'neutral', 'worse'])),
  }),
  z.strictObject({ step: z.literal('convert'), on: day }),
  z.strictObject({
    step: z.literal('approveReport'),
    on: day,
    version: name,
    /** Releases agreed, each with the last day on which a decision is in time. */
    releases: z.array(z.strictObject({ on: day, decidedBy: day })).min(1),
    consultation: z.strictObject({ on: day, closesOn: day }),
    voteOn: day,
    annexes: z.array(name).default([]),
  }),
  z.strictObject({ step: z.literal('consultReport'), on: day, closesOn: day }),
  z.strictObject({ step: z.literal('vote'), on: day, outcome: z.enum(['approved', 'rejected']), words }),
  z.strictObject({ step: z.literal('release'), on: day, name }),
])

export type ModificationEvent = z.output<typeof modificationEventSchema>
export type NewModificationEvent = z.input<typeof modificationEventSchema>
export type ModificationEventOf<Step extends ModificationEvent['step']> = Extract<ModificationEvent, { step: Step }>
