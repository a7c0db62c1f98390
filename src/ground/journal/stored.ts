/** Reading the journal that lies in PostgreSQL. */

import type { Client, Store } from '../store/store.ts'
import { readEntry } from './entry.ts'
import { type TileAt, tileWidth } from './tiles.ts'
import { type JournalInQuestion, type JournalReport, type PlacedEntry, verifyJournal } from './verify.ts'

type Reader = Pick<Store, 'query'>

export interface StoredCheckpoint {
  readonly size: number
  readonly root: Buffer
  readonly note: string
}

/** The last checkpoint, or nothing before the first integration. */
export async function lastCheckpoint(client: Reader): Promise<StoredCheckpoint | undefined> {
  const { rows } = await client.query<CheckpointRow>({
    name: 'journal last checkpoint',
    text: 'SELECT size, root, note FROM journal_checkpoint ORDER BY size DESC LIMIT 1',
  })
  return rows[0] && { ...rows[0], size: Number(rows[0].size) }
}

/** Checkpoints in the order of their sizes, read in pages. */
export async function* readCheckpoints(client: Reader): AsyncGenerator<StoredCheckpoint> {
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
export async function* readEntries(client: Reader, from = 0): AsyncGenerator<PlacedEntry> {
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
export async function readPending(client: Reader): Promise<Buffer[]> {
  const { rows } = await client.query<{ octets: Buffer }>('SELECT octets FROM journal_pending ORDER BY id')
  return rows.map(row => row.octets)
}

/** The stored hashes, for proofs and for checking them. */
export function storedTiles(client: Reader): TileAt {
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
export async function positionOf(client: Reader, id: number): Promise<number | undefined> {
  const { rows } = await client.query<{ position: bigint }>('SELECT position FROM journal_entry WHERE id = $1', [
    id,
  ])
  return rows[0] && Number(rows[0].position)
}

/** The entry at a position, or nothing while there is none. */
export async function entryAt(client: Reader, position: number): Promise<Buffer | undefined> {
  const { rows } = await client.query<{ octets: Buffer }>({
    name: 'journal entry at',
    text: 'SELECT octets FROM journal_entry WHERE position = $1',
    values: [position],
  })
  return rows[0]?.octets
}

/** What an entry is found by: its act, a piece of its text, and an instant that it is not much older than. */
export interface Sought {
  readonly act: string
  /** As it stands in the entry: `"signing":"17"`. */
  readonly contains: string
  readonly since: Date
}

/** The first such entry that has its position. Entries stand nearly in the order of time: a few reads find the place. */
export async function findEntry(client: Reader, sought: Sought): Promise<PlacedEntry | undefined> {
  const from = await firstSince(client, new Date(sought.since.getTime() - disorderMs))
  return (await findFrom(client, sought, from)) ?? (from === 0 ? undefined : findFrom(client, sought, 0))
}

/** Longer than a transaction lasts: by so much entries may stand before older ones. Beyond it, all are looked at. */
const disorderMs = 600_000

async function findFrom(client: Reader, { act, contains }: Sought, from: number): Promise<PlacedEntry | undefined> {
  // `act` is the first member of most entries, since members are sorted; whether it is that one, is read below. One at a
  // time: whoever asked for several would have the rest of the journal read in vain for the second.
  for (let next = from; ; ) {
    const { rows } = await client.query<{ position: bigint; octets: Buffer }>(
      `SELECT position, octets FROM journal_entry
        WHERE position >= $1 AND position(convert_to($2, 'UTF8') IN octets) > 0
          AND position(convert_to($3, 'UTF8') IN octets) > 0 ORDER BY position LIMIT 1`,
      [next, contains, `"act":${JSON.stringify(act)}`],
    )
    const [row] = rows
    if (row === undefined) return undefined
    const position = Number(row.position)
    if (readEntry(row.octets).act === act) return { position, octets: row.octets }
    next = position + 1
  }
}

async function firstSince(client: Reader, since: Date): Promise<number> {
  let [low, high] = [0, (await lastCheckpoint(client))?.size ?? 0]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const octets = await entryAt(client, middle)
    if (octets !== undefined && readEntry(octets).at < since) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Verifies the whole stored journal as it is at this instant, whatever is appended and integrated meanwhile. Must be
 * the first thing that its transaction does; `claims` may query the same client.
 */
export async function verifyStored(
  client: Client,
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
