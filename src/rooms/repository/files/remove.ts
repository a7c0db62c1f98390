/** Takes away the files of the Repository that were kept long enough, and what a maker that was cut short left behind. */

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Client } from '../../../ground/store/store.ts'
import { alone, type FileKind, folderOf, type Making } from './make.ts'

/** Files of each kind are kept so many days. */
export type Kept = Readonly<Record<FileKind, number>>

const day = 86_400_000

/** @returns their names */
export async function removeOld({ store, clock, folder }: Making, kept: Kept): Promise<string[]> {
  const removed = await store.transaction(async client => {
    await alone(client)
    const at = clock()
    const before = (kind: FileKind) => new Date(at.getTime() - kept[kind] * day)
    const { rows } = await client.query<{ name: string }>(
      `UPDATE repository_file SET removed_at = $1
        WHERE removed_at IS NULL AND created_at < CASE kind WHEN 'DELTA' THEN $2::timestamptz ELSE $3 END
        RETURNING name`,
      [at, before('DELTA'), before('FULL')],
    )
    const names = rows.map(row => row.name).sort()
    for (const name of names) await append(client, entry('remove repository file', at, { name }))
    return names
  })
  // From here on nobody is shown them. If we stop now, the octets go at the next turn.
  await store.transaction(client => removeUnknown(client, folder))
  return removed
}

/** Whoever makes a file holds the same lock until it is on record: what is not, belongs to nobody. */
async function removeUnknown(client: Client, folder: string): Promise<void> {
  await alone(client)
  const { rows } = await client.query<{ name: string }>('SELECT name FROM repository_file WHERE removed_at IS NULL')
  const known = new Set(rows.flatMap(row => [row.name, `${row.name}.p7s`]))
  for (const kind of ['DELTA', 'FULL'] as const) {
    const place = folderOf(folder, kind)
    for (const name of await namesIn(place)) if (!known.has(name)) await rm(join(place, name), { force: true })
  }
}

async function namesIn(place: string): Promise<string[]> {
  try {
    return await readdir(place)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
