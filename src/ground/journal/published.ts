/** What of the stored journal is public: its files, made from PostgreSQL as they are asked for. */

import type { Store } from '../store/store.ts'
import { writeBundle } from './bundle.ts'
import { cosignedNote } from './cosigned.ts'
import type { LogFiles } from './files.ts'
import { hashLength } from './merkle.ts'
import { checkpointPath, type Resource, resourceAt } from './paths.ts'
import { lastCheckpoint } from './stored.ts'
import { tileWidth } from './tiles.ts'

type Reader = Pick<Store, 'query'>

/**
 * The files of the stored log. Hashes, entries and the checkpoint over them were committed together, so what is there
 * is signed for; each beginning of a row that has grown since is as good as it was.
 */
export function publishedFiles(store: Reader): LogFiles {
  return async path => {
    if (path === checkpointPath) {
      const last = await lastCheckpoint(store)
      return last && Buffer.from(await cosignedNote(store, last))
    }
    const resource = resourceAt(path)
    if (resource === undefined) return undefined
    return resource.level === 'entries' ? bundle(store, resource) : tile(store, resource)
  }
}

async function tile(store: Reader, { level, index, width }: Resource): Promise<Buffer | undefined> {
  const { rows } = await store.query<{ hashes: Buffer }>({
    name: 'journal published tile',
    text: `SELECT substr(hashes, 1, $3::int) AS hashes FROM journal_tile
            WHERE level = $1 AND index = $2 AND octet_length(hashes) >= $3::int`,
    values: [level, index, width * hashLength],
  })
  return rows[0]?.hashes
}

async function bundle(store: Reader, { index, width }: Resource): Promise<Buffer | undefined> {
  const first = index * tileWidth
  const { rows } = await store.query<{ octets: Buffer }>({
    name: 'journal published entries',
    text: 'SELECT octets FROM journal_entry WHERE position >= $1 AND position < $2 ORDER BY position',
    values: [first, first + width],
  })
  return rows.length === width ? writeBundle(rows.map(row => row.octets)) : undefined
}
