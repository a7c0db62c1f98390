/** The last checkpoint of each log in a folder: what a witness and a watcher remember. */

import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { WitnessMemory } from './witness.ts'

/** One file for each log, named by its origin. The folder is made when it is not there. */
export function keptIn(folder: string): WitnessMemory {
  return {
    async last(origin) {
      try {
        return await readFile(fileOf(folder, origin), 'utf8')
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw cause
      }
    },
    async keep(origin, note) {
      await mkdir(folder, { recursive: true })
      await writeWhole(fileOf(folder, origin), note)
    },
  }
}

/** The file is there whole, and on the disk, when this returns; whoever reads meanwhile sees the one before. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.new-${process.pid}`
  const file = await open(draft, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await flushed(join(path, '..'))
}

/** What was created and renamed in a folder survives a power cut when this returns. */
export async function flushed(folder: string): Promise<void> {
  const directory = await open(folder)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function fileOf(folder: string, origin: string): string {
  return join(folder, `${encodeURIComponent(origin)}.checkpoint`)
}
