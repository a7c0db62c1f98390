/** A log as its published files, wherever they lie: what a stranger reads it from. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, view } from '../bytes.ts'
import { NotABundle, readBundle } from './bundle.ts'
import { hashLength } from './merkle.ts'
import { checkpointPath, pathOf } from './paths.ts'
import { type TileAt, tileWidth } from './tiles.ts'
import type { PlacedEntry } from './verify.ts'

/** A file of a log by its path, or nothing when it is not there. */
export type LogFiles = (path: string) => Promise<Bytes | undefined>

/** A folder that a log was exported to. @throws the system's errors, but for a file that is not there */
export function folderFiles(folder: string): LogFiles {
  return async path => {
    try {
      return await readFile(join(folder, path))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw cause
    }
  }
}

/** The text at `checkpoint`, or nothing. Nothing of it is believed yet. */
export async function checkpointIn(files: LogFiles): Promise<string | undefined> {
  const octets = await files(checkpointPath)
  return octets && view(octets).toString()
}

/** The hashes of a tree of `size` entries. The last few rows are remembered: proofs ask for the upper ones each time. */
export function tilesIn(files: LogFiles, size: number): TileAt {
  const seen = new Map<string, Promise<Bytes | undefined>>()
  return (level, index) => {
    const width = widthAt(size / tileWidth ** level, index)
    if (width === 0) return undefined
    const name = `${level}/${index}`
    const known = seen.get(name)
    if (known) return known
    const found = row(files, { level, index, width }).then(octets => octets?.subarray(0, width * hashLength))
    seen.set(name, found)
    if (seen.size > remembered) seen.delete(seen.keys().next().value!)
    return found
  }
}

/**
 * The first `size` entries from `from` on, in order of position. Where a bundle is absent or cannot be read its
 * entries are missing, and whoever verifies sees that; `onFault` is told why.
 */
export async function* entriesIn(
  files: LogFiles,
  size: number,
  { from = 0, onFault = () => {} }: { from?: number; onFault?: (path: string, says: string) => void } = {},
): AsyncGenerator<PlacedEntry> {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index++) {
    const resource = { level: 'entries', index, width: widthAt(size, index) } as const
    const octets = await row(files, resource)
    if (octets === undefined) continue
    let bundle: Buffer[]
    try {
      bundle = readBundle(octets)
      if (bundle.length < resource.width)
        throw new NotABundle(`${bundle.length} entries instead of ${resource.width}`)
    } catch (cause) {
      if (!(cause instanceof NotABundle)) throw cause
      onFault(pathOf(resource), cause.message)
      continue
    }
    for (const [at, octets] of bundle.slice(0, resource.width).entries()) {
      const position = index * tileWidth + at
      if (position >= from) yield { position, octets }
    }
  }
}

const remembered = 64

/** A partial row may be gone once it is full: then the full one begins with it (tlog-tiles, Partial Tiles). */
async function row(
  files: LogFiles,
  resource: { level: number | 'entries'; index: number; width: number },
): Promise<Bytes | undefined> {
  const octets = await files(pathOf(resource))
  if (octets !== undefined || resource.width === tileWidth) return octets
  return files(pathOf({ ...resource, width: tileWidth }))
}

/** How many of row `index` there are when there are `count` in all. */
function widthAt(count: number, index: number): number {
  return Math.max(0, Math.min(tileWidth, Math.floor(count) - index * tileWidth))
}
