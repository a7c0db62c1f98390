/** The register of reviews: the risk of all use of symmetric keys, at most five years apart (Policy b(iii)). */

import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { nextReview } from '../../../policy/symmetric/grounds.ts'
import type { S1spHands } from './hands.ts'
import { no } from './refusals.ts'

export interface ReviewState {
  readonly last: Date | null
  readonly due: Date | null
  /** `warned`: six months are left; `overdue`; `none`: none was ever entered. */
  readonly state: 'current' | 'warned' | 'overdue' | 'none'
}

/**
 * @param evidence a reference to what was given to the SMKI PMA
 * @param by a reference to the person
 */
export async function enterReview(hands: S1spHands, done: Date, evidence: string, by: string): Promise<void> {
  if (evidence.trim() === '') throw no('REASON_MISSING', 'a review has its evidence')
  await hands.store.transaction(async client => {
    await client.query('INSERT INTO review (done, evidence, by_person) VALUES ($1, $2, $3)', [done, evidence, by])
    await append(client, entry('review.done', hands.clock(), { done: done.toISOString(), evidence, by }))
  })
}

export async function reviewState({ store, clock }: Pick<S1spHands, 'store' | 'clock'>): Promise<ReviewState> {
  const { rows } = await store.query<{ done: Date }>('SELECT done FROM review ORDER BY done DESC LIMIT 1')
  const last = rows[0]?.done ?? null
  if (last === null) return { last, due: null, state: 'none' }
  const { warn, due } = nextReview(last)
  const now = clock()
  return { last, due, state: now > due ? 'overdue' : now >= warn ? 'warned' : 'current' }
}

/** Says once for each review that it is due: called by the serving program now and then. */
export async function warnOfReview(hands: S1spHands): Promise<boolean> {
  const { last, due, state } = await reviewState(hands)
  if (state === 'current' || last === null || due === null) return false
  return hands.store.transaction(async client => {
    const { rowCount } = await client.query('UPDATE review SET warned = true WHERE done = $1 AND NOT warned', [
      last,
    ])
    if (rowCount === 0) return false
    await append(client, entry('review.due', hands.clock(), { due: due.toISOString(), state }))
    return true
  })
}
