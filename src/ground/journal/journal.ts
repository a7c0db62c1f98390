/** The journal in PostgreSQL: acts append entries, an integrator gives them their places and signs the tree. */

import type { ClientBase } from 'pg'
import { equal } from '../bytes.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import type { Entry } from './entry.ts'
import { BadNote, type NoteSigner, type VerifierKey, verifierKey } from './note.ts'
import { lastCheckpoint, type StoredCheckpoint, storedTiles } from './stored.ts'
import { GrowingTiles, split, type Tile, TileMissing } from './tiles.ts'

/** What runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export interface Transactions {
  transaction<T>(work: (client: ClientBase) => Promise<T>): Promise<T>
}

export interface Integration extends NoteSigner {
  readonly store: Transactions
  /** When the checkpoint is made; kept beside it, not signed. */
  readonly at: Date
  /** Keys that this log had before, so that the tree of their last checkpoint may grow under the new one. */
  readonly formerKeys?: readonly VerifierKey[]
  /** Names of the logs that this one begins with: those of epochs that ended (docs/formats/journal.md, A new log). */
  readonly formerNames?: readonly string[]
  /** How many entries one checkpoint takes up at most: bounds the transaction. */
  readonly atMost?: number
  /** What one integrator remembers from run to run; its own, and empty at first. */
  readonly memory?: Memory
}

/** The tree as this integrator signed it last, which saves it reading and checking its own work four times a second. */
export interface Memory {
  kept?: { readonly tree: GrowingTiles; readonly note: string; readonly uses: number }
}

/** So often in a row memory is believed; then the store is read again, and what is wrong with it is found. */
const usesAtMost = 240

/** The stored log contradicts its own last checkpoint: nothing more is signed until a person has looked. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged'
}

/** "journal" in ASCII: the advisory lock that integrators take turns by. */
const integrating = '29958897753022828'

/** Rows placed by one statement: bounds what it sorts and what it answers. */
const placedAtOnce = 8192

/**
 * Writes one entry in the caller's transaction, so that the act and its entry stand or fall together.
 * @returns the entry's id; its position is known once it is integrated
 */
export async function append(client: ClientBase, entry: Entry): Promise<number> {
  const { rows } = await client.query<{ id: bigint }>({
    name: 'journal append',
    text: 'INSERT INTO journal_pending (octets) VALUES ($1) RETURNING id',
    values: [entry],
  })
  return Number(rows[0]!.id)
}

/** As `append`, for many entries in one statement. @returns their ids, in the order of the entries */
export async function appendMany(client: ClientBase, entries: readonly Entry[]): Promise<number[]> {
  if (entries.length === 0) return []
  const { rows } = await client.query<{ id: bigint }>(
    `INSERT INTO journal_pending (octets)
     SELECT octets FROM unnest($1::bytea[]) WITH ORDINALITY AS given (octets, place) ORDER BY place RETURNING id`,
    [entries],
  )
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

/**
 * Gives every committed entry that has none its position, in the order of ids, and signs the grown tree: positions,
 * tiles and checkpoint in one transaction. Entries that commit late are taken by a later run. Several integrators may
 * run at once; they take turns, and the chain of checkpoints admits no branch even if they did not.
 * @returns how many entries were integrated; 0 writes nothing
 * @throws JournalDamaged
 */
export async function integrate({
  store,
  at,
  formerKeys = [],
  formerNames = [],
  atMost = 131_072,
  memory = {},
  ...signer
}: Integration): Promise<number> {
  const names = [signer.name, ...formerNames]
  const keys = [...names.map(name => verifierKey(name, signer.publicKey)), ...formerKeys]
  const { grown, kept } = await store.transaction(async client => {
    // Taken out of the memory while it grows: if this fails, or is done again, it is of no use any more.
    const known = memory.kept
    delete memory.kept
    if (known && known.uses < usesAtMost && !(await somePending(client))) {
      return { grown: 0, kept: { ...known, uses: known.uses + 1 } }
    }

    // 1. Take turns. The lock falls with the transaction, whatever ends it.
    await client.query(`SELECT pg_advisory_xact_lock(${integrating})`)

    // 2. Go on from the last checkpoint, if the hashes still say what it says.
    const last = await lastCheckpoint(client)
    const remembered = known && known.uses < usesAtMost && known.note === last?.note ? known : undefined
    const uses = remembered ? remembered.uses + 1 : 0
    const tree = remembered?.tree ?? (await grownSoFar(client, last, names, keys))
    const before = tree.size

    // 3. Place what is committed.
    await place(client, tree, atMost)
    if (tree.size === before) return { grown: 0, kept: last && { tree, note: last.note, uses } }

    // 4. Keep the hashes.
    await keepTiles(client, [...tree.takeFull(), ...tree.partial()])

    // 5. Sign, and keep the checkpoint. If we stop before the commit, all of this never was: the note leaves this
    //    function by the table alone, so a signature that was rolled back is known to nobody.
    const root = tree.root()
    const note = await signCheckpoint(tree.size, root, signer)
    await client.query(
      'INSERT INTO journal_checkpoint (size, previous, root, note, at) VALUES ($1, $2, $3, $4, $5)',
      [tree.size, before === 0 ? null : before, root, note, at],
    )
    return { grown: tree.size - before, kept: { tree, note, uses } }
  })
  if (kept) memory.kept = kept
  return grown
}

async function somePending(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ some: boolean }>({
    name: 'journal some pending',
    text: 'SELECT EXISTS (SELECT FROM journal_pending) AS some',
  })
  return rows[0]!.some
}

// The signature too is checked: one who can write the tables but not sign must not have us sign what grew from theirs.
async function grownSoFar(
  client: ClientBase,
  last: StoredCheckpoint | undefined,
  names: readonly string[],
  keys: readonly VerifierKey[],
): Promise<GrowingTiles> {
  if (last === undefined) return GrowingTiles.at(0, storedTiles(client))
  try {
    const { origin, size, root } = openCheckpoint(last.note, keys)
    if (!names.includes(origin)) throw new JournalDamaged(`this is the log of ${origin}, not of ${names[0]}`)
    if (size !== last.size || !equal(root, last.root)) {
      throw new JournalDamaged(`the checkpoint of size ${last.size} differs from its own signed note`)
    }
    const tree = await GrowingTiles.at(size, storedTiles(client))
    if (!equal(tree.root(), root)) {
      throw new JournalDamaged(`the stored hashes do not give the root that was signed at size ${size}`)
    }
    return tree
  } catch (cause) {
    if (cause instanceof BadNote || cause instanceof TileMissing) {
      throw new JournalDamaged(`the checkpoint of size ${last.size} does not hold: ${cause.message}`, { cause })
    }
    throw cause
  }
}

// One statement a round, so what is pending and what is placed are one snapshot. Ids below those already placed that
// commit meanwhile stay pending, and are the first of the next run.
async function place(client: ClientBase, tree: GrowingTiles, atMost: number): Promise<void> {
  const end = tree.size + atMost
  for (let after = 0; tree.size < end; ) {
    const wanted = Math.min(placedAtOnce, end - tree.size)
    const { rows } = await client.query<{ leaves: Buffer | null; last: bigint | null }>(
      `WITH taken AS (
         DELETE FROM journal_pending WHERE id > $1 AND id <= (
           SELECT max(id) FROM (SELECT id FROM journal_pending WHERE id > $1 ORDER BY id LIMIT $2) AS first
         ) RETURNING id, octets
       ), placed AS (
         INSERT INTO journal_entry (position, id, octets)
         SELECT $3::bigint - 1 + row_number() OVER (ORDER BY id), id, octets FROM taken
         RETURNING position, id, sha256('\\x00'::bytea || octets) AS leaf
       )
       SELECT string_agg(leaf, ''::bytea ORDER BY position) AS leaves, max(id) AS last FROM placed`,
      [after, wanted, tree.size],
    )
    const leaves = split(rows[0]!.leaves ?? Buffer.alloc(0))
    for (const leaf of leaves) tree.append(leaf)
    if (leaves.length < wanted) return
    after = Number(rows[0]!.last)
  }
}

async function keepTiles(client: ClientBase, tiles: readonly Tile[]): Promise<void> {
  await client.query(
    `INSERT INTO journal_tile AS tile SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
     ON CONFLICT (level, index) DO UPDATE SET hashes = EXCLUDED.hashes WHERE tile.hashes <> EXCLUDED.hashes`,
    [tiles.map(tile => tile.level), tiles.map(tile => tile.index), tiles.map(tile => tile.hashes)],
  )
}
