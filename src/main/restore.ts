/** Restores an environment from a backup and its archive; what the signer remembers is never put back. */

import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { equal } from '../ground/bytes.ts'
import { Refusal } from '../ground/refusal.ts'
import { damaged } from '../ground/store/digests.ts'
import { type Recovered, recover } from '../ground/store/recover.ts'
import { type Manifest, manifestOf } from './backup.ts'
import { marksFolder, walFolder } from './backup-archive.ts'
import { type Marks, marksIn } from './epoch.ts'
import type { Home } from './home.ts'
import { systemChance, systemClock } from './world.ts'

export interface RestoreOptions {
  /** A backup; by default the newest of the folder that began before the moment. */
  readonly from: string
  /** The folder of the archive, if there is one. */
  readonly archive?: string
  readonly to?: Date
  readonly timeline?: number
}

export interface Restored extends Recovered {
  readonly manifest: Manifest
  /** Files of the home that were put back because they were not there. */
  readonly files: readonly string[]
  /** Files that are there and differ from the backup's: they stay as they are. */
  readonly kept: readonly string[]
}

/**
 * Puts the store back to the latest moment, or to one. Files of the home are put where there are none; those that are
 * there stay, and so do the marks: a key that was destroyed does not come back, and what was signed is not forgotten.
 * @throws Refusal BACKUP_DAMAGED, BACKUP_OF_ANOTHER, BACKUP_NOT_OURS, STORE_IN_USE, RESTORE_NOT_REACHED
 */
export async function restore(home: Home, options: RestoreOptions): Promise<Restored> {
  if (process.env.DATABASE_URL)
    throw new Refusal(
      'BACKUP_NOT_OURS',
      'the store is that of DATABASE_URL: restore it with the means of its server',
    )
  // 1. Everything is there, and is what it was.
  const manifest = await manifestOf(options.from)
  const faults = await damaged(options.from, manifest.files)
  if (faults.length > 0) throw new Refusal('BACKUP_DAMAGED', `${options.from}: ${faults.slice(0, 5).join('; ')}`)
  await requireSame(home, manifest)
  if (options.to && options.to < new Date(manifest.madeAt))
    throw new Refusal('RESTORE_NOT_REACHED', `the backup is of ${manifest.madeAt}: take one from before the moment`)

  // 2. What was signed, from wherever it is known.
  const marks = marksIn(home.marks)
  gather(marks, marksIn(join(options.from, 'home', 'issuing', 'marks')))
  if (options.archive !== undefined) gather(marks, marksIn(marksFolder(options.archive)))
  const before = marks.restored.read() ?? { epoch: 0, at: '', to: null }
  // A moment was asked for: whatever the marks know, somebody acknowledges that what came after it is gone.
  const { to } = options
  if (to)
    marks.restored.write({ epoch: epochOf(marks, manifest), at: systemClock().toISOString(), to: to.toISOString() })

  // 3. The home, where it has nothing, and the store.
  const { files, kept } = await putHome(home, options.from, manifest)
  const recovered = await recover({
    home: home.store,
    from: options.from,
    firstSegment: manifest.firstSegment,
    segmentOctets: manifest.segmentOctets,
    ...(options.archive !== undefined && { archive: walFolder(options.archive) }),
    ...(to && { to }),
    ...(options.timeline !== undefined && { timeline: options.timeline }),
    chance: systemChance,
  }).catch((cause: unknown) => {
    // Nothing was put back, so nothing is to be acknowledged.
    if (to) marks.restored.write(before)
    throw cause
  })
  return { ...recovered, manifest, files, kept }
}

/** The newest backup in a folder that was begun before the moment. @throws Refusal BACKUP_DAMAGED when there is none */
export async function newestBackup(folder: string, before?: Date): Promise<string> {
  const names = (await readdir(folder)).filter(name => name.startsWith('backup-') && !name.endsWith('.new')).sort()
  for (const name of names.reverse()) {
    const path = join(folder, name)
    if (!before || new Date((await manifestOf(path)).madeAt) <= before) return path
  }
  throw new Refusal(
    'BACKUP_DAMAGED',
    `${folder} holds no backup${before ? ` from before ${before.toISOString()}` : ''}`,
  )
}

const epochOf = (marks: Marks, { epoch }: Manifest): number => Math.max(epoch, marks.store.read()?.epoch ?? 1)

/** Of two memories, what knows more. */
function gather(into: Marks, from: Marks): void {
  const known = into.lists()
  for (const [key, number] of from.lists())
    if ((known.get(key) ?? 0n) < number) into.list(key).write(String(number))
  const [mine, theirs] = [into.journal.read(), from.journal.read()]
  if (theirs && (!mine || (mine.log === theirs.log && mine.size < theirs.size))) into.journal.write(theirs)
  const store = from.store.read()
  if (store && (into.store.read()?.epoch ?? 0) < store.epoch) into.store.write(store)
}

/** @throws Refusal BACKUP_OF_ANOTHER: its keys would sign for another environment */
async function requireSame(home: Home, manifest: Manifest): Promise<void> {
  if (!existsSync(home.config)) return
  const { environment } = JSON.parse(await readFile(home.config, 'utf8')) as { environment?: string }
  if (environment === manifest.environment) return
  throw new Refusal(
    'BACKUP_OF_ANOTHER',
    `the backup is of the environment ${manifest.environment}, and ${home.path} is that of ${environment}`,
  )
}

async function putHome(home: Home, from: string, { files }: Manifest): Promise<Pick<Restored, 'files' | 'kept'>> {
  const put: string[] = []
  const kept: string[] = []
  const places = files.flatMap(({ path }) => {
    if (path === 'store/password') return [[path, join(home.store, 'password')] as const]
    // The marks were gathered: they only grow.
    return path.startsWith('home/') && !path.startsWith('home/issuing/marks/')
      ? [[path, join(home.path, path.slice('home/'.length))] as const]
      : []
  })
  // The configuration last, as at the ceremony: with it, the environment exists.
  for (const [path, to] of places.sort(
    ([a], [b]) => Number(a === 'home/config.json') - Number(b === 'home/config.json'),
  )) {
    if (path === 'store/password') {
      await mkdir(home.store, { recursive: true, mode: 0o700 })
      await copyFile(join(from, path), to)
    } else if (!existsSync(to)) {
      await mkdir(dirname(to), { recursive: true, mode: 0o700 })
      await copyFile(join(from, path), to)
      put.push(path.slice('home/'.length))
    } else if (!equal(await readFile(to), await readFile(join(from, path)))) kept.push(path.slice('home/'.length))
  }
  return { files: put, kept }
}
