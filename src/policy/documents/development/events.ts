/** What happens while a document is developed (L14.8 and alike), as data: each step with what must be known of it. */

import { z } from 'zod'
import { isDay } from '../day.ts'

export const day = z.string().refine(isDay, 'a day that exists, YYYY-MM-DD')

/** Words of people: no character in them steers a terminal. */
export const words = z
  .string()
  .min(1)
  .max(10_000)
  .refine(text => text.isWellFormed() && !/[^\P{Cc}\n]/u.test(text), 'text without control characters')

const name = words.max(300)

/** What an answer says to its question. */
export const stances = ['agrees', 'objects', 'comments', 'no comment'] as const

/** `typographical` and `clarification` need no further consultation; `material` goes back to it (SEED-001). */
export const changeClasses = ['typographical', 'clarification', 'material'] as const

/** The SMKI PMA's decision under which it was satisfied. */
const decision = name

export const eventSchema = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('draft'),
    /** Absent where a source does not say when. */
    on: day.optional(),
    /** As it stands on the report. */
    title: name,
    /** References of documents of the register, the one it is about first. */
    documents: z.array(name).min(1),
    /** How the text calls it: `Policy`. */
    called: name,
    /** Clauses that ask for the document, and the one under which it is consulted on. */
    requiredBy: name,
    consultedUnder: name,
    context: z.array(words),
    /** What changes elsewhere because of it. */
    consequential: z.array(z.strictObject({ document: name, words })).default([]),
  }),
  z.strictObject({
    step: z.literal('review'),
    on: day.optional(),
    outcome: z.enum(['comments', 'satisfied']),
    words,
    /** Needed when satisfied. */
    decision: decision.optional(),
  }),
  z.strictObject({
    step: z.literal('consult'),
    on: day,
    closesOn: day,
    /** On what views are sought. */
    about: words,
    questions: z.array(z.strictObject({ id: name, text: words })).min(1),
    /** The day proposed for designation, and how many months after it are said to do as well. */
    designationOn: day,
    toleranceMonths: z.int().min(0).max(24).default(1),
    attachments: z.array(name).default([]),
  }),
  z.strictObject({
    step: z.literal('respond'),
    on: day.optional(),
    /** A reference, never a name. */
    respondent: name,
    /** Counted, not published. */
    confidential: z.boolean(),
    answers: z.array(z.strictObject({ question: name, stance: z.enum(stances), words: words.optional() })),
  }),
  z.strictObject({ step: z.literal('close'), on: day }),
  z.strictObject({
    step: z.literal('assure'),
    on: day.optional(),
    /** How many others were asked, when few had responded, and what they said. */
    from: z.int().min(1),
    words,
  }),
  z.strictObject({
    step: z.literal('analyse'),
    on: day.optional(),
    findings: z.array(words).min(1),
    conclusions: z.array(z.strictObject({ question: name, words })),
  }),
  z.strictObject({
    step: z.literal('change'),
    on: day.optional(),
    summary: z.array(words).min(1),
    /** None when nothing is changed. */
    changes: z.array(
      z.strictObject({
        document: name,
        where: name,
        class: z.enum(changeClasses),
        words,
        /** Why no further consultation is needed; for a clarification. */
        reason: words.optional(),
      }),
    ),
  }),
  z.strictObject({ step: z.literal('confirm'), on: day.optional(), words, decision }),
  z.strictObject({
    step: z.literal('conclude'),
    on: day.optional(),
    /** That the duties of the clauses were met. */
    statements: z.array(words).min(1),
    submissionOn: day,
    /** "on or shortly after". */
    designationOn: day,
    /** Under which powers: `Section X of the SEC`. */
    powers: name,
    attachments: z.array(name),
  }),
  z.strictObject({ step: z.literal('submit'), on: day }),
  z.strictObject({
    step: z.literal('designate'),
    on: day,
    /** Why it is later than was proposed. */
    explanation: words.optional(),
    /** What is in force from that day: drafts of the register. */
    versions: z
      .array(z.strictObject({ document: name, version: name, sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
      .default([]),
  }),
])

export type DevelopmentEvent = z.output<typeof eventSchema>
export type NewDevelopmentEvent = z.input<typeof eventSchema>
export type EventOf<Step extends DevelopmentEvent['step']> = Extract<DevelopmentEvent, { step: Step }>
