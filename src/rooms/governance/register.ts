/** What there is in this room, for whoever looks for it: developments, modifications, and the reviews of a subject. */

import type { Client, Store } from '../../ground/store/store.ts'
import type { Day } from '../../policy/documents/day.ts'
import type { Development } from '../../policy/documents/development/development.ts'
import type { Modification } from '../../policy/documents/modification/modification.ts'
import { developmentFrom } from './developments.ts'
import { modificationFrom } from './modifications.ts'
import type { Review } from './reviews.ts'

type Reader = Pick<Store, 'query'> | Client

/** Every development with what it has come to, the latest begun first. */
export async function developments(
  store: Reader,
): Promise<{ readonly ref: string; readonly begunAt: Date; readonly development: Development }[]> {
  const refs = await refsOf(store, 'development')
  const found = []
  // One after the other: where the reader is a client, it answers one question at a time.
  for (const { ref, begunAt } of refs)
    found.push({ ref, begunAt, development: (await developmentFrom(store, ref))! })
  return found
}

/** Every modification likewise. */
export async function modifications(
  store: Reader,
): Promise<{ readonly ref: string; readonly begunAt: Date; readonly modification: Modification }[]> {
  const refs = await refsOf(store, 'modification')
  const found = []
  for (const { ref, begunAt } of refs)
    found.push({ ref, begunAt, modification: (await modificationFrom(store, ref))! })
  return found
}

/** Reviews of a subject, or of all, the latest first. */
export async function reviewsDone(store: Reader, subject?: string): Promise<Review[]> {
  const { rows } = await (store as Client).query<{
    subject: string
    on: Day
    words: string
    evidence: string[]
    decision: string | null
  }>(
    `SELECT subject, reviewed_on::text AS on, words, evidence, decision FROM review
      WHERE $1::text IS NULL OR subject = $1 ORDER BY reviewed_on DESC, id DESC`,
    [subject ?? null],
  )
  return rows.map(({ decision, ...row }) => ({ ...row, ...(decision !== null && { decision }) }))
}

async function refsOf(
  store: Reader,
  table: 'development' | 'modification',
): Promise<{ ref: string; begunAt: Date }[]> {
  const { rows } = await (store as Client).query<{ ref: string; begun_at: Date }>(
    `SELECT ref, begun_at FROM ${table} WHERE EXISTS (SELECT FROM ${table}_event e WHERE e.${table} = ref)
      ORDER BY begun_at DESC, ref`,
  )
  return rows.map(row => ({ ref: row.ref, begunAt: row.begun_at }))
}
