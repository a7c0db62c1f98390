/** Decisions and directions of the SMKI PMA: recorded once, cited by what is done under them, never edited, only withdrawn. */

import { entry, type JsonValue, longestEntry } from '../../ground/journal/entry.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { act, type Hands, isActor, isPerson } from './act.ts'
import { no } from './refusals.ts'
import { isPlainText, isProse } from './text.ts'

/** What a decision may be about. */
export const decidedActs = [
  'approve document',
  'revoke',
  'suspend',
  'resume',
  'defer revocation',
  'extend deferral',
  'end deferral',
  'use recovery key',
  'use contingency key',
  'rotate symmetric keys',
  's1spki approval',
  'event of default',
  'risk review',
] as const

export type DecidedAct = (typeof decidedActs)[number]

export interface NewDecision {
  /** The SMKI PMA's own reference; used once, for ever. */
  readonly reference: string
  readonly acts: readonly DecidedAct[]
  /** Exact subjects: `party:7`, `certificate:<issuer authority>:<serial, hexadecimal>`, `document:<ref>`, …; `*` is all. */
  readonly subjects: readonly string[]
  /** The meeting, or the written procedure. */
  readonly meeting: string
  /** What was decided. It names no person and nothing secret: it stands for good in the journal, which is public. */
  readonly text: string
  /** References of the people who decided. */
  readonly members: readonly string[]
  readonly decidedAt: Date
  readonly from: Date
  /** The first instant at which it is in force no more; absent: until it is withdrawn. */
  readonly until?: Date | undefined
  /** How many times it may be cited, for directions with a maximum count. */
  readonly limit?: number | undefined
  /** In the journal too. */
  readonly details?: JsonValue | undefined
}

export interface Decision extends NewDecision {
  /** How many times it was cited. */
  readonly uses: number
  readonly recordedAt: Date
  readonly recordedBy: string
  readonly withdrawn?: { readonly at: Date; readonly by: string; readonly words: string } | undefined
}

/** Throws a Refusal unless each of these people is an SMKI PMA Member at that instant; asked in the transaction. */
export type RequireMembers = (client: Client, members: readonly string[], at: Date) => Promise<void>

/**
 * Records a decision.
 * @param by who recorded it: a person's reference or `ceremony`; whether that person may is for the door to know
 * @param requireMembers who is a Member is known to registration, which stands above this room: the door hands in how
 *   to ask it, and the question is put for the instant of the decision
 * @throws Refusal DECISION_UNFIT, DECISION_EXISTS, and those of `requireMembers`
 */
export function recordDecision(
  hands: Hands,
  by: string,
  decision: NewDecision,
  requireMembers?: RequireMembers,
): Promise<Decision> {
  return act(hands, by, 'record decision', decision.reference, async ({ client, at, note }) => {
    requireFit(by, decision, at)
    await requireMembers?.(client, decision.members, decision.decidedAt)
    const { reference, acts, subjects, meeting, text, members, decidedAt, from, until, limit, details } = decision
    const { rows } = await client.query(
      `INSERT INTO pma_decision (reference, acts, subjects, meeting, words, members, decided_at, in_force_from,
         in_force_until, most_uses, details, recorded_at, recorded_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING RETURNING reference`,
      [
        reference,
        acts,
        subjects,
        meeting,
        text,
        members,
        decidedAt,
        from,
        until ?? null,
        limit ?? null,
        details === undefined ? null : JSON.stringify(details),
        at,
        by,
      ],
    )
    if (rows.length === 0) throw no('DECISION_EXISTS', reference)
    await note(says(decision))
    return (await decisionOf(client, reference))!
  })
}

/**
 * Withdraws a decision: from now on nothing is done under it. What was done under it stays done.
 * @param words why; they name no person
 * @throws Refusal DECISION_UNKNOWN, DECISION_WITHDRAWN, DECISION_UNFIT
 */
export function withdrawDecision(hands: Hands, by: string, reference: string, words: string): Promise<void> {
  return act(hands, by, 'withdraw decision', reference, async ({ client, at, note }) => {
    if (!isActor(by) || words === '' || !isProse(words, 2000))
      throw no('DECISION_UNFIT', 'who withdraws it, and why')
    const decision = await held(client, reference)
    if (decision.withdrawn) throw no('DECISION_WITHDRAWN', reference)
    await client.query(
      'UPDATE pma_decision SET withdrawn_at = $2, withdrawn_by = $3, withdrawn_words = $4 WHERE reference = $1',
      [reference, at, by, words],
    )
    await note({ reference, words })
  })
}

/** What is about to be done, and under which decision. */
export interface Cited {
  readonly reference: string
  readonly act: DecidedAct
  /** Every one of them is covered, or none. At least one. */
  readonly subjects: readonly string[]
  readonly at: Date
}

/**
 * Finds that a decision allows an act, and counts one use of it, in the caller's transaction: if what is done under it
 * is rolled back, so is the use. The decision is held until then, so it is neither withdrawn meanwhile nor cited more
 * often than it allows. The caller journals its act with the reference; and a refusal, as it does its other ones.
 * @throws Refusal DECISION_UNKNOWN, DECISION_NOT_IN_FORCE, DECISION_NOT_COVERING, DECISION_USED_UP
 */
export async function citeDecision(client: Client, { reference, act, subjects, at }: Cited): Promise<Decision> {
  const decision = await held(client, reference)
  const reason = notInForce(decision, at)
  if (reason !== undefined) throw no('DECISION_NOT_IN_FORCE', `${reference} ${reason}`, { reference })
  if (!decision.acts.includes(act))
    throw no('DECISION_NOT_COVERING', `${reference} is not to ${act}`, { reference })
  const outside = subjects.filter(one => !decision.subjects.includes(one) && !decision.subjects.includes('*'))
  // An act upon nothing would be covered by everything.
  if (subjects.length === 0) throw no('DECISION_NOT_COVERING', 'no subject is named', { reference })
  if (outside.length > 0) {
    const first = `${reference} does not name ${outside[0]}`
    throw no('DECISION_NOT_COVERING', first, { reference, outside: outside.slice(0, 20), count: outside.length })
  }
  if (decision.limit !== undefined && decision.uses >= decision.limit) {
    throw no('DECISION_USED_UP', `${reference} allows ${decision.limit}`, { reference, limit: decision.limit })
  }
  await client.query('UPDATE pma_decision SET uses = uses + 1 WHERE reference = $1', [reference])
  return { ...decision, uses: decision.uses + 1 }
}

/** Why a decision is not in force at that instant, or undefined when it is. */
export function notInForce(decision: Decision, at: Date): string | undefined {
  if (decision.withdrawn) return `was withdrawn on ${decision.withdrawn.at.toISOString()}`
  const from = Math.max(decision.from.getTime(), decision.decidedAt.getTime())
  if (at.getTime() < from) return `is in force from ${new Date(from).toISOString()}`
  if (decision.until && at >= decision.until) return `was in force until ${decision.until.toISOString()}`
  return undefined
}

type Reader = Pick<Store, 'query'> | Client

export async function decisionOf(store: Reader, reference: string): Promise<Decision | undefined> {
  const { rows } = await (store as Client).query<Row>('SELECT * FROM pma_decision WHERE reference = $1', [
    reference,
  ])
  return rows[0] && read(rows[0])
}

export interface DecisionFilter {
  readonly act?: DecidedAct | undefined
  /** Those that cover this subject. */
  readonly subject?: string | undefined
  readonly inForceAt?: Date | undefined
}

/** Latest first. */
export async function decisions(
  store: Reader,
  { act, subject, inForceAt }: DecisionFilter = {},
): Promise<Decision[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT * FROM pma_decision WHERE ($1::text IS NULL OR acts @> ARRAY[$1])
        AND ($2::text IS NULL OR subjects && ARRAY[$2, '*']) ORDER BY decided_at DESC, reference`,
    [act ?? null, subject ?? null],
  )
  return rows.map(read).filter(one => inForceAt === undefined || notInForce(one, inForceAt) === undefined)
}

async function held(client: Client, reference: string): Promise<Decision> {
  const { rows } = await client.query<Row>('SELECT * FROM pma_decision WHERE reference = $1 FOR UPDATE', [
    reference,
  ])
  if (!rows[0]) throw no('DECISION_UNKNOWN', undefined, { reference })
  return read(rows[0])
}

function requireFit(by: string, decision: NewDecision, at: Date): void {
  const { reference, acts, subjects, meeting, text, members, decidedAt, from, until, limit } = decision
  const wrong =
    (!isActor(by) && 'who records it is a person’s reference') ||
    (!/^[A-Za-z0-9][\w .:/#-]{0,99}$/.test(reference) && 'its reference is up to 100 plain characters') ||
    ((acts.length === 0 || !acts.every(one => decidedActs.includes(one))) && 'it names acts that may be decided') ||
    ((subjects.length === 0 || !subjects.every(isSubject)) && 'it names what it covers') ||
    ((meeting === '' || !isPlainText(meeting, 200)) && 'it names its meeting or written procedure') ||
    ((text === '' || !isProse(text, 10_000)) && 'it says what was decided') ||
    ((members.length === 0 || !members.every(isPerson)) &&
      'it names its members by reference (p- and 12 digits)') ||
    (new Set(members).size < members.length && 'a member decides once') ||
    (decidedAt > at && 'it was decided in the past') ||
    (until && until <= from && 'it ends after it begins') ||
    (limit !== undefined && !(Number.isInteger(limit) && limit > 0) && 'its limit is a whole number above zero')
  if (wrong) throw no('DECISION_UNFIT', wrong)
  const misfit = misfitOf(decision)
  if (misfit !== undefined) throw no('DECISION_UNFIT', `it has no place in the journal (${misfit})`)
}

const isSubject = (subject: unknown): subject is string => isPlainText(subject, 300) && subject !== ''

/** Why it would be no journal entry; room is left for who recorded it. */
function misfitOf(decision: NewDecision): string | undefined {
  try {
    const { length } = entry('record decision', decision.decidedAt, says(decision))
    return length > longestEntry - 100 ? `${length} octets` : undefined
  } catch (cause) {
    if (cause instanceof RangeError) return cause.message
    throw cause
  }
}

function says({ acts, subjects, members, decidedAt, from, until, limit, details, ...rest }: NewDecision) {
  const { reference, meeting, text } = rest
  return {
    reference,
    acts,
    subjects,
    meeting,
    text,
    members,
    decidedAt: decidedAt.toISOString(),
    from: from.toISOString(),
    ...(until && { until: until.toISOString() }),
    ...(limit !== undefined && { limit }),
    ...(details !== undefined && { details }),
  } satisfies Record<string, JsonValue>
}

interface Row {
  readonly reference: string
  readonly acts: DecidedAct[]
  readonly subjects: string[]
  readonly meeting: string
  readonly words: string
  readonly members: string[]
  readonly decided_at: Date
  readonly in_force_from: Date
  readonly in_force_until: Date | null
  readonly most_uses: number | null
  readonly details: JsonValue | null
  readonly recorded_at: Date
  readonly recorded_by: string
  readonly uses: number
  readonly withdrawn_at: Date | null
  readonly withdrawn_by: string | null
  readonly withdrawn_words: string | null
}

function read(row: Row): Decision {
  const { reference, acts, subjects, meeting, members, uses } = row
  return {
    reference,
    acts,
    subjects,
    meeting,
    text: row.words,
    members,
    decidedAt: row.decided_at,
    from: row.in_force_from,
    ...(row.in_force_until && { until: row.in_force_until }),
    ...(row.most_uses !== null && { limit: row.most_uses }),
    ...(row.details !== null && { details: row.details }),
    uses,
    recordedAt: row.recorded_at,
    recordedBy: row.recorded_by,
    ...(row.withdrawn_at && {
      withdrawn: { at: row.withdrawn_at, by: row.withdrawn_by!, words: row.withdrawn_words! },
    }),
  }
}
