/** What is under review, and when it was reviewed last: documents, and every five years the risk of symmetric keys. */

import type { Clock } from '../../ground/clock.ts'
import type { Client, Store } from '../../ground/store/store.ts'
import { type Day, dayOf, isDay } from '../../policy/documents/day.ts'
import { type Due, dueReviews, longestRiskInterval, type ReviewSubject } from '../../policy/documents/due.ts'
import { act, type Hands } from './act.ts'
import { citeDecision } from './decisions.ts'
import { no } from './refusals.ts'
import { isPlainText, isProse } from './text.ts'

/**
 * Puts something under review, or changes how often. `document:<ref>` or `risk:<where symmetric keys are used>`.
 * @param subject its `lastOn` is the day from which the first period counts; it is not changed afterwards
 * @throws Refusal REVIEW_UNFIT, also for a risk review at more than five years (SEED-002)
 */
export function putUnderReview(hands: Hands, by: string, subject: ReviewSubject): Promise<void> {
  return act(hands, by, 'put under review', subject.subject, async ({ client, at, note }) => {
    const { subject: name, everyMonths, lastOn } = subject
    const longest = name.startsWith('risk:') ? longestRiskInterval : 1200
    const fits =
      /^(document|risk):./.test(name) &&
      isPlainText(name, 200) &&
      Number.isInteger(everyMonths) &&
      everyMonths > 0 &&
      everyMonths <= longest &&
      isDay(lastOn)
    if (!fits) throw no('REVIEW_UNFIT', `every ${longest} months at most, counted from a day`)
    await client.query(
      `INSERT INTO review_subject (subject, every_months, starts_on, entered_at) VALUES ($1, $2, $3::date, $4)
       ON CONFLICT (subject) DO UPDATE SET every_months = $2`,
      [name, everyMonths, lastOn, at],
    )
    await note({ subject: name, everyMonths, from: lastOn })
  })
}

export interface Review {
  readonly subject: string
  readonly on: Day
  /** What was found; names no person. */
  readonly words: string
  /** Where the evidence lies that the SMKI PMA is given. */
  readonly evidence: readonly string[]
  /** The SMKI PMA's decision on it, to `risk review` on the same subject. */
  readonly decision?: string | undefined
}

/** @throws Refusal REVIEW_UNKNOWN, REVIEW_UNFIT, and those of `citeDecision` */
export function recordReview(hands: Hands, by: string, review: Review): Promise<void> {
  return act(hands, by, 'record review', review.subject, async ({ client, at, note }) => {
    const { subject, on, words, evidence, decision } = review
    const fits =
      isDay(on) &&
      on <= dayOf(at) &&
      words !== '' &&
      isProse(words, 10_000) &&
      evidence.length > 0 &&
      evidence.every(one => one !== '' && isPlainText(one, 200))
    if (!fits) throw no('REVIEW_UNFIT', 'a day that has come, what was found, and where its evidence lies')
    const known = await client.query('SELECT FROM review_subject WHERE subject = $1 FOR UPDATE', [subject])
    if (known.rowCount === 0) throw no('REVIEW_UNKNOWN', subject)
    if (decision !== undefined) {
      await citeDecision(client, { reference: decision, act: 'risk review', subjects: [subject], at })
    }
    await client.query(
      'INSERT INTO review (subject, reviewed_on, words, evidence, decision, at) VALUES ($1, $2::date, $3, $4, $5, $6)',
      [subject, on, words, evidence, decision ?? null, at],
    )
    await note({ subject, on, words, evidence, ...(decision !== undefined && { decision }) })
  })
}

/** What is due and when, the soonest first. */
export async function reviewsDue(store: Pick<Store, 'query'> | Client, clock: Clock): Promise<Due[]> {
  const { rows } = await (store as Client).query<{ subject: string; every_months: number; last_on: Day }>(
    `SELECT s.subject, s.every_months, coalesce(max(r.reviewed_on), s.starts_on)::text AS last_on
       FROM review_subject s LEFT JOIN review r USING (subject) GROUP BY s.subject`,
  )
  return dueReviews(
    rows.map(row => ({ subject: row.subject, everyMonths: row.every_months, lastOn: row.last_on })),
    clock,
  )
}
