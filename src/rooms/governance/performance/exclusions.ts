/** Times that do not count for response times: planned maintenance and emergency suspension (GOV-A09). */

import type { Client, Store } from '../../../ground/store/store.ts'
import { act, type Hands } from '../act.ts'
import { isPlainText } from '../text.ts'
import { no } from './refusals.ts'

export type ExclusionKind = 'planned maintenance' | 'emergency suspension'

export interface NewExclusion {
  readonly kind: ExclusionKind
  /** The first instant, and the first that is not of it any more. */
  readonly from: Date
  readonly until: Date
  /** The notice of the maintenance, or the direction of the SMKI PMA. */
  readonly reference: string
}

export interface Exclusion extends NewExclusion {
  readonly id: number
  readonly withdrawnAt: Date | undefined
}

/** @returns its number @throws Refusal EXCLUSION_UNFIT */
export function recordExclusion(hands: Hands, by: string, exclusion: NewExclusion): Promise<number> {
  return act(hands, by, 'record exclusion', exclusion.reference, async ({ client, at, note }) => {
    const { kind, from, until, reference } = exclusion
    const known = kind === 'planned maintenance' || kind === 'emergency suspension'
    if (!known) throw no('EXCLUSION_UNFIT', 'planned maintenance or emergency suspension')
    if (!(from < until)) throw no('EXCLUSION_UNFIT', 'it ends after it begins')
    if (reference === '' || !isPlainText(reference, 100)) throw no('EXCLUSION_UNFIT', 'what it rests on')
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO exclusion (kind, begins, ends, reference, recorded_at, recorded_by)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
      [kind, from, until, reference, at, by],
    )
    const { id } = rows[0]!
    await note({ exclusion: id, kind, from: from.toISOString(), until: until.toISOString(), reference })
    return id
  })
}

/** From now on it counts no more; reports that were made stay as they are. @throws Refusal EXCLUSION_UNKNOWN */
export function withdrawExclusion(hands: Hands, by: string, id: number): Promise<void> {
  return act(hands, by, 'withdraw exclusion', String(id), async ({ client, at, note }) => {
    const { rowCount } = await client.query(
      'UPDATE exclusion SET withdrawn_at = $2, withdrawn_by = $3 WHERE id = $1 AND withdrawn_at IS NULL',
      [id, at, by],
    )
    if (rowCount === 0) throw no('EXCLUSION_UNKNOWN', String(id))
    await note({ exclusion: id })
  })
}

/** Those that touch that time, and were not withdrawn, in order. */
export async function exclusionsWithin(
  store: Pick<Store, 'query'> | Client,
  from: Date,
  until: Date,
): Promise<Exclusion[]> {
  const { rows } = await (store as Client).query<{
    id: number
    kind: ExclusionKind
    begins: Date
    ends: Date
    reference: string
  }>(
    `SELECT id, kind, begins, ends, reference FROM exclusion
      WHERE withdrawn_at IS NULL AND begins < $2 AND ends > $1 ORDER BY begins, id`,
    [from, until],
  )
  return rows.map(({ id, kind, begins, ends, reference }) => ({
    id,
    kind,
    from: begins,
    until: ends,
    reference,
    withdrawnAt: undefined,
  }))
}
