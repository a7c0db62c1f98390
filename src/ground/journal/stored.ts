/** Reading the journal that lies in PostgreSQL. */

import type { ClientBase } from 'pg'
import { type TileAt, tileWidth } from './tiles.ts'
import { type JournalInQuestion, type JournalReport, type PlacedEntry, verifyJournal } from './verify.ts'

export interface StoredCheckpoint {
  readonly size: number
  readonly root: Buffer
  readonly note: string
}

/** The last checkpoint, or nothing before the first integration. */
export async function lastCheckpoint(client: ClientBase): Promise<StoredCheckpoint | undefined> {
  const { rows } = await client.query<CheckpointRow>({
    name: 'journal last checkpoint',
    text: 'SELECT size, root, note FROM journal_checkpoint ORDER BY size DESC LIMIT 1',
  })
  return rows[0] && { ...rows[0], size: Number(rows[0].size) }
}

/** Checkpoints in the order of their sizes, read in pages. */
export async function* readCheckpoints(client: ClientBase): AsyncGenerator<StoredCheckpoint> {
  for (let after = 0; ; ) {
    const { rows } = await client.query<CheckpointRow>({
      name: 'journal checkpoints',
      text: `SELECT size, root, note FROM journal_checkpoint WHERE size > $1 ORDER BY size LIMIT ${page}`,
      values: [after],
    })
    for (const { size, root, note } of rows) yield { size: Number(size), root, note }
    if (rows.length === 0) return
    after = Number(rows.at(-1)!.size)
  }
}

/** Entries that have their position, in its order, read in pages, from `from` on. */
export async function* readEntries(client: ClientBase, from = 0): AsyncGenerator<PlacedEntry> {
  for (let next = from; ; ) {
    const { rows } = await client.query<{ position: bigint; octets: Buffer }>({
      name: 'journal entries',
      text: `SELECT position, octets FROM journal_entry WHERE position >= $1 ORDER BY position LIMIT ${page}`,
      values: [next],
    })
    for (const { position, octets } of rows) yield { position: Number(position), octets }
    if (rows.length === 0) return
    next = Number(rows.at(-1)!.position) + 1
  }
}

/** Entries that were committed and have no position yet, in the order of their ids. */
export async function readPending(client: ClientBase): Promise<Buffer[]> {
  const { rows } = await client.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
  return rows.map(row => row.octets)
}

/** The stored hashes, for proofs and for checking them. */
export function storedTiles(client: ClientBase): TileAt {
  return async (level, index) => {
    const { rows } = await client.query<{ hashes: Buffer }>({
      name: 'journal tile',
      text: 'SELECT hashes FROM journal_tile WHERE level = $1 AND index = $2',
      values: [level, index],
    })
    return rows[0]?.hashes
  }
}

/** Where an entry stands that was appended with this id, or nothing while it is pending. */
export async function positionOf(client: ClientBase, id: number): Promise<number | undefined> {
  const { rows } = await client.query<{ position: bigint }>('SELECT position FROM journal_entry WHERE id = $1', [
    id,
  ])
  return rows[0] && Number(rows[0].position)
}

/**
 * Verifies the whole stored journal as it is at this instant, whatever is appended and integrated meanwhile. Must be
 * the first thing that its transaction does; `claims` may query the same client.
 */
export async function verifyStored(
  client: ClientBase,
  question: Pick<JournalInQuestion, 'verifierKeys' | 'kept' | 'claims'>,
): Promise<JournalReport & { readonly pending: number }> {
  await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
  const report = await verifyJournal({
    ...question,
    entries: readEntries(client),
    checkpoints: readCheckpoints(client),
    tileAt: storedTiles(client),
  })
  const { rows } = await client.query<{ pending: bigint }>('SELECT count(*) AS pending FROM journal_pending')
  return { ...report, pending: Number(rows[0]!.pending) }
}

/** Rows read at once. Entries may be 64 KiB long, and come as twice that in hexadecimal. */
const page = tileWidth

interface CheckpointRow {
  readonly size: bigint
  readonly root: Buffer
  readonly note: string
}
