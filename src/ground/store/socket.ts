/** Where clients find the Unix socket of a data folder, however deep that folder lies. */

import { lstat, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** The number stands in the name of the socket; there is no TCP port. */
export const port = 5432

/** What PostgreSQL puts into its data folder. */
export const socketName = `.s.PGSQL.${port}`

export interface SocketFolder {
  readonly path: string
  /** Makes the link anew, so that cleaners of temporary folders see no old one. */
  renew(): Promise<void>
  remove(): Promise<void>
}

/**
 * PostgreSQL binds its socket by a relative name in the data folder, which nobody else may enter. A client needs a
 * path, and one holds 107 octets on Linux and 103 on macOS (unix(7)). Where the path would be longer, clients go
 * through a link in a private temporary folder, whose name stands in the file `socket` beside the data, so that
 * the next start uses it again instead of leaving it behind.
 */
export async function socketFolder(folder: string, data: string): Promise<SocketFolder> {
  if (fits(data)) return { path: data, renew: async () => {}, remove: async () => {} }

  const record = join(folder, 'socket')
  const before = await readFile(record, 'utf8').catch(absent)
  const path = before && (await isPrivate(dirname(before))) ? before : join(await privateFolder(), 'data')
  await writeFile(record, path, { mode: 0o600 })
  const renew = async (): Promise<void> => {
    await mkdir(dirname(path), { mode: 0o700 }).catch(unlessThere)
    if (!(await isPrivate(dirname(path)))) throw new Error(`${dirname(path)} is no longer ours alone`)
    await rm(`${path}.new`, { force: true })
    await symlink(data, `${path}.new`)
    await rename(`${path}.new`, path)
  }
  await renew()
  return {
    path,
    renew,
    remove: async () => {
      await rm(dirname(path), { recursive: true, force: true })
      await rm(record, { force: true })
    },
  }
}

function fits(data: string): boolean {
  return Buffer.byteLength(join(data, socketName)) <= 103
}

/** In /run when that is ours, because nothing cleans it while the machine runs. */
async function privateFolder(): Promise<string> {
  for (const place of ['/run', tmpdir(), '/tmp'].filter(place => fits(join(place, 'opensmki-123456', 'data')))) {
    const made = await mkdtemp(join(place, 'opensmki-')).catch(() => undefined)
    if (made !== undefined) return made
  }
  throw new Error('no temporary folder is both writable and short enough for the link to a socket')
}

async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(absent)
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT') throw cause
}

function unlessThere(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'EEXIST') throw cause
}
