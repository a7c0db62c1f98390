/** Cosignatures that witnesses gave for our checkpoints, kept beside them. */

import type { Store } from '../store/store.ts'
import type { StoredCheckpoint } from './stored.ts'

type Reader = Pick<Store, 'query'>

/** The checkpoint with a signature line of each witness that cosigned it, in the order of their names. */
export async function cosignedNote(store: Reader, { size, note }: StoredCheckpoint): Promise<string> {
  const { rows } = await store.query<{ line: string }>({
    name: 'journal cosignatures',
    text: 'SELECT line FROM journal_cosignature WHERE size = $1 ORDER BY witness',
    values: [size],
  })
  return [note, ...rows.map(row => row.line)].join('')
}

/** Keeps the line of a witness. What it gave for the same checkpoint before is replaced: a later time says more. */
export async function keepCosignature(
  store: Reader,
  { size, witness, line, at }: { size: number; witness: string; line: string; at: Date },
): Promise<void> {
  await store.query(
    `INSERT INTO journal_cosignature (size, witness, line, at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (size, witness) DO UPDATE SET line = EXCLUDED.line, at = EXCLUDED.at`,
    [size, witness, line, at],
  )
}

/** The largest checkpoint over at least `size` entries that a witness cosigned, or nothing. */
export async function lastCosigned(store: Reader, size = 0): Promise<StoredCheckpoint | undefined> {
  const { rows } = await store.query<{ size: bigint; root: Buffer; note: string }>(
    `SELECT size, root, note FROM journal_checkpoint
      WHERE size IN (SELECT size FROM journal_cosignature WHERE size >= $1) ORDER BY size DESC LIMIT 1`,
    [size],
  )
  return rows[0] && { ...rows[0], size: Number(rows[0].size) }
}
