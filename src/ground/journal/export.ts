/** Writing a log out as static files, which any web server can serve and anybody can verify. */

import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equal } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import { openCheckpoint } from './checkpoint.ts'
import { checkpointIn, folderFiles, type LogFiles, tilesIn } from './files.ts'
import { flushed, writeWhole } from './kept.ts'
import type { VerifierKey } from './note.ts'
import { checkpointPath, pathOf, type Resource } from './paths.ts'
import { rootAt } from './proof.ts'
import { hashesOf, tileWidth } from './tiles.ts'

export type ExportRefusal = 'JOURNAL_EMPTY' | 'JOURNAL_FORKED' | 'JOURNAL_INCOMPLETE'

export interface Exported {
  readonly size: number
  /** Of the checkpoint that lay in the folder before; 0 when none did. */
  readonly before: number
  /** Files written now. */
  readonly files: number
}

/**
 * Writes what the folder has not yet. The order is the format's: entries and hashes are on the disk before the
 * checkpoint that speaks of them. A checkpoint in the folder is a promise: a log that is not its continuation is refused,
 * and nothing is written.
 * @throws Refusal ExportRefusal; BadNote when a checkpoint is not of these keys
 */
export async function exportLog(
  from: LogFiles,
  folder: string,
  keys: readonly VerifierKey[],
  onFile: (done: number, of: number) => void = () => {},
): Promise<Exported> {
  // 1. What is there now, and what was promised here before.
  const note = await checkpointIn(from)
  if (note === undefined) throw new Refusal<ExportRefusal>('JOURNAL_EMPTY', 'the journal has no checkpoint yet')
  const { size, root } = openCheckpoint(note, keys)
  const promised = await checkpointIn(folderFiles(folder))
  const last = promised === undefined ? undefined : openCheckpoint(promised, keys)
  const hashAt = hashesOf(tilesIn(from, size))
  const signed = equal(await rootAt(size, hashAt), root)
  if (!signed || (last && (last.size > size || !equal(await rootAt(last.size, hashAt), last.root)))) {
    const sentence = signed
      ? `the checkpoint in ${folder} is for ${last!.size} entries, and this journal, of ${size}, does not continue it`
      : `the stored hashes do not give the root that was signed at size ${size}`
    throw new Refusal<ExportRefusal>('JOURNAL_FORKED', `${sentence}: nothing was written`)
  }

  // 2. Entries and hashes. Full rows never change, so one that is there stays.
  const wanted = resources(size)
  const folders = new Set<string>()
  let files = 0
  for (const [done, resource] of wanted.entries()) {
    onFile(done, wanted.length)
    if (await writeRow(from, folder, resource, folders)) files += 1
  }
  for (const one of folders) await flushed(one)

  // 3. The checkpoint. If we stop before this line, the folder is still that of the checkpoint before.
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, checkpointPath), note)
  return { size, before: last?.size ?? 0, files: files + 1 }
}

/** Every file of a tree of `size` entries but its checkpoint. */
export function resources(size: number): Resource[] {
  const rows = (level: number | 'entries', count: number): Resource[] =>
    Array.from({ length: Math.ceil(count / tileWidth) }, (_, index) => ({
      level,
      index,
      width: Math.min(tileWidth, count - index * tileWidth),
    }))
  const all = rows('entries', size)
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    for (const row of rows(level, count)) all.push(row)
  }
  return all
}

async function writeRow(
  from: LogFiles,
  folder: string,
  resource: Resource,
  folders: Set<string>,
): Promise<boolean> {
  const path = join(folder, pathOf(resource))
  if (await isThere(path)) return false
  const octets = await from(pathOf(resource))
  if (octets === undefined) {
    const sentence = `${pathOf(resource)} cannot be had: the journal has not what its checkpoint signed for`
    throw new Refusal<ExportRefusal>('JOURNAL_INCOMPLETE', sentence)
  }
  await mkdir(dirname(path), { recursive: true })
  await writeWhole(path, octets)
  folders.add(dirname(path))
  // What was a partial row has become full: its beginnings may go (tlog-tiles, Partial Tiles).
  if (resource.width === tileWidth) await rm(`${path}.p`, { recursive: true, force: true })
  return true
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
