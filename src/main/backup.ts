/** A backup of an environment: its store as it is at one moment, and of its home what is not made anew. */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { toHex } from '../ground/bytes.ts'
import type { Clock } from '../ground/clock.ts'
import { flushed } from '../ground/journal/kept.ts'
import { lastCheckpoint } from '../ground/journal/stored.ts'
import { Refusal } from '../ground/refusal.ts'
import { baseBackup } from '../ground/store/base-backup.ts'
import { type CopiedFile, copyWithDigest, namesBelow } from '../ground/store/digests.ts'
import type { Connection, Store } from '../ground/store/store.ts'
import type { Settings } from '../policy/settings.ts'
import { currentIntervals } from '../rooms/repository/lists.ts'
import { epochLog } from './epoch-log.ts'
import type { Home } from './home.ts'

const file = z.strictObject({ path: z.string(), octets: z.int(), sha256: z.string() })

/** What stands in `manifest.json`, which is written last: with it the backup is one. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  environment: z.string(),
  kind: z.string(),
  madeAt: z.string(),
  /** PostgreSQL's cluster and version, and the pieces of its log that belong to the copy. */
  cluster: z.string(),
  server: z.int(),
  segmentOctets: z.int(),
  firstSegment: z.string(),
  lastSegment: z.string(),
  /** The epoch of the store, its journal when the copy began, and the newest list of each authority then. */
  epoch: z.int(),
  journal: z.strictObject({ log: z.string(), size: z.int(), root: z.string() }),
  lists: z.array(z.strictObject({ name: z.string(), authority: z.int(), number: z.string() })),
  files: z.array(file),
})
export type Manifest = z.output<typeof manifestSchema>

/** Passphrases are kept elsewhere; logs and sockets say nothing about the environment; the store has a way of its own. */
const leftOut = (path: string): boolean =>
  /^(store|log|run\.json)(\/|$)/.test(path) || /(^|\/)passphrase$/.test(path) || path.endsWith('.new')

/**
 * Makes a folder `backup-<instant>` below `into`, while the service works.
 * @returns its path, and what is in it
 * @throws Refusal BACKUP_NOT_OURS where the store is that of DATABASE_URL
 */
export async function backup(
  { home, settings, store, target, clock }: BackupParts,
  into: string,
): Promise<{ path: string; manifest: Manifest }> {
  if (typeof target === 'string') throw notOurs()
  const at = clock()
  const path = join(into, `backup-${at.toISOString().replace(/[:.]/g, '-')}`)
  const draft = `${path}.new`
  await mkdir(into, { recursive: true, mode: 0o700 })
  await mkdir(draft, { mode: 0o700 })
  try {
    const log = await epochLog(store, settings)
    const journal = await lastCheckpoint(store)
    const lists = await currentIntervals(store)
    const { files, ...base } = await baseBackup(target, join(home.store, 'data'), draft)
    const password = await copyWithDigest(home.store, join(draft, 'store'), 'password')
    const manifest: Manifest = {
      format: 1,
      environment: settings.environment,
      kind: settings.kind,
      madeAt: at.toISOString(),
      ...base,
      epoch: log.epoch,
      journal: { log: log.name, size: journal?.size ?? 0, root: journal ? toHex(journal.root) : '' },
      lists: lists.map(({ name, authority, number }) => ({ name, authority, number: String(number) })),
      files: [
        ...files,
        ...(await copyHome(home, draft)),
        ...(password ? [{ ...password, path: 'store/password' }] : []),
      ],
    }
    await write(join(draft, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`)
    await rename(draft, path)
    await flushed(into)
    return { path, manifest }
  } catch (cause) {
    await rm(draft, { recursive: true, force: true })
    throw cause
  }
}

export interface BackupParts {
  readonly home: Home
  readonly settings: Settings
  readonly store: Store
  readonly target: Connection | string
  readonly clock: Clock
}

export function notOurs(): Refusal {
  return new Refusal(
    'BACKUP_NOT_OURS',
    'the store is that of DATABASE_URL: its backups are those of its own server (pg_basebackup, and an archive of its ' +
      'log), and the home is copied beside them',
  )
}

/** @throws Refusal BACKUP_DAMAGED when there is no manifest, or it is none */
export async function manifestOf(folder: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')))
  } catch (cause) {
    throw new Refusal('BACKUP_DAMAGED', `${folder} is no backup: it has no manifest, or one that cannot be read`, {
      cause,
    })
  }
}

async function copyHome(home: Home, draft: string): Promise<CopiedFile[]> {
  const copied: CopiedFile[] = []
  for (const path of (await namesBelow(home.path, leftOut)).files) {
    const one = await copyWithDigest(home.path, join(draft, 'home'), path)
    if (one) copied.push({ ...one, path: `home/${path}` })
  }
  return copied
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
