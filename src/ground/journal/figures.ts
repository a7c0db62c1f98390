/** How the journal stands: what is in it, what waits, when it was last signed, and how far its witnesses have followed. */

import type { Store } from '../store/store.ts'
import { lastCheckpoint } from './stored.ts'

export interface JournalFigures {
  /** Entries that have their position and are signed for. */
  readonly size: number
  /** Entries that were committed and are not signed for yet. */
  readonly pending: number
  /** Of the entries and hashes, as the store keeps them. */
  readonly octets: number
  readonly checkpoint: { readonly at: Date; readonly root: Buffer; readonly note: string } | undefined
  /** Each witness with the largest checkpoint that it signed too. */
  readonly witnesses: readonly { readonly name: string; readonly size: number; readonly at: Date }[]
}

export async function journalFigures(store: Pick<Store, 'query'>): Promise<JournalFigures> {
  const last = await lastCheckpoint(store)
  const { rows } = await store.query<{ pending: bigint; octets: bigint; at: Date | null }>(
    `SELECT (SELECT count(*) FROM journal_pending) AS pending,
            pg_total_relation_size('journal_entry') + pg_total_relation_size('journal_tile') AS octets,
            (SELECT at FROM journal_checkpoint WHERE size = $1) AS at`,
    [last?.size ?? 0],
  )
  const { pending, octets, at } = rows[0]!
  const witnesses = await store.query<{ name: string; size: bigint; at: Date }>(
    'SELECT DISTINCT ON (witness) witness AS name, size, at FROM journal_cosignature ORDER BY witness, size DESC',
  )
  return {
    size: last?.size ?? 0,
    pending: Number(pending),
    octets: Number(octets),
    checkpoint: last && at ? { at, root: last.root, note: last.note } : undefined,
    witnesses: witnesses.rows.map(row => ({ ...row, size: Number(row.size) })),
  }
}
