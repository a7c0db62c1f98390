/** Restores a server from a backup and its archive: to the latest moment there is, or to one before. */

import { chown, cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chance } from '../clock.ts'
import { Refusal } from '../refusal.ts'
import { startEmbedded } from './embedded.ts'
import { takeLock } from './lock.ts'
import { openStore } from './store.ts'
import { serverUser, type User } from './user.ts'
import { archive, archived, harvest, keepForArchive, putSegment } from './wal-archive.ts'

export interface Recovery {
  /** The folder of the store, which may hold a server's data already: they are put aside, not removed. */
  readonly home: string
  /** A backup as `baseBackup` makes it. */
  readonly from: string
  readonly firstSegment: string
  readonly segmentOctets: number
  /** The folder of the archive; without it, what lies in the backup is all. */
  readonly archive?: string
  /** The moment; without it, the latest. */
  readonly to?: Date
  /** Which timeline is followed where the archive has several; by default the newest. */
  readonly timeline?: number
  readonly chance: Chance
}

export interface Recovered {
  /** When the last transaction that is in it was committed; undefined when there was none since the backup. */
  readonly last: Date | undefined
  readonly timeline: number
  /** Where the data lie that were there before. */
  readonly aside: string | undefined
}

/**
 * @throws Refusal STORE_IN_USE; RESTORE_NOT_REACHED when the log ends before the moment that is asked for: what was there
 * before is in its place again then
 */
export async function recover(recovery: Recovery): Promise<Recovered> {
  const { home } = recovery
  const data = join(home, 'data')
  const draft = join(home, 'data.restoring')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const lock = await takeLock(home)
  let aside: string | undefined
  try {
    // 1. What the server that was there wrote last is in no archive yet.
    if (recovery.archive !== undefined && (await exists(join(data, 'pg_wal'))))
      await harvest(data, recovery.archive)

    // 2. The copy and its log, beside what is there.
    await rm(draft, { recursive: true, force: true })
    await lay(recovery, draft)
    await give(draft, serverUser(draft))

    // 3. In its place.
    if (await exists(data)) {
      aside = `${data}.before-${new Date().toISOString().replace(/[:.]/g, '-')}`
      await rename(data, aside)
    }
    await rename(draft, data)
  } finally {
    await lock.release()
  }
  try {
    return { ...(await replay(recovery)), aside }
  } catch (cause) {
    await rm(draft, { recursive: true, force: true })
    await rename(data, draft)
    if (aside !== undefined) await rename(aside, data)
    throw cause
  }
}

async function lay({ from, archive: folder, firstSegment, segmentOctets }: Recovery, draft: string): Promise<void> {
  await cp(join(from, 'data'), draft, { recursive: true, errorOnExist: true })
  const log = join(draft, 'pg_wal')
  await mkdir(log, { recursive: true, mode: 0o700 })
  for (const folder of [
    'pg_replslot',
    'pg_dynshmem',
    'pg_notify',
    'pg_serial',
    'pg_snapshots',
    'pg_stat_tmp',
    'pg_subtrans',
  ])
    await mkdir(join(draft, folder), { recursive: true, mode: 0o700 })
  // What is in the archive is whole where the backup has it unfinished, and never the other way round.
  for (const pieces of [join(from, 'wal'), ...(folder === undefined ? [] : [folder])])
    for (const { name, path } of await archived(pieces, firstSegment))
      await putSegment(path, join(log, name), segmentOctets)
  await writeFile(join(draft, 'recovery.signal'), '', { mode: 0o600 })
}

/** To the server's user, who insists on owning everything. */
async function give(folder: string, user: User | undefined): Promise<void> {
  if (!user) return
  await chown(folder, user.uid, user.gid)
  for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), user.uid, user.gid)
}

/** The server reads the log to the moment, and begins a timeline of its own there. */
async function replay({
  home,
  to,
  timeline,
  archive: folder,
  chance,
}: Recovery): Promise<Omit<Recovered, 'aside'>> {
  const target = {
    // Everything lies where the server looks when there is no archive that it could ask.
    restore_command: 'false',
    // It is ready when it has arrived, and not before.
    hot_standby: 'off',
    recovery_target_action: 'promote',
    recovery_target_timeline: timeline === undefined ? 'latest' : String(timeline),
    ...(to && { recovery_target_time: to.toISOString().replace('T', ' ').replace('Z', '+00') }),
  }
  const server = await startEmbedded(home, { chance, settings: target }).catch((cause: Error) => {
    if (/recovery ended before configured recovery target was reached/.test(cause.message))
      throw new Refusal(
        'RESTORE_NOT_REACHED',
        `the archive ends before ${to?.toISOString()}: restore to an earlier moment, or to the latest`,
      )
    throw cause
  })
  try {
    const store = await openStore(server.connection, { max: 1 })
    try {
      const { rows } = await store.query<{ last: Date | null; timeline: string }>(
        `SELECT pg_last_xact_replay_timestamp() AS last, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline`,
      )
      // The archive knows the new timeline from its first record on.
      if (folder !== undefined) {
        await keepForArchive(store)
        await archive(store, join(home, 'data'), folder)
      }
      // So that the timeline stands in the control file, whatever ends the server next.
      await store.query('CHECKPOINT')
      return { last: rows[0]!.last ?? undefined, timeline: Number.parseInt(rows[0]!.timeline, 16) }
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}

async function exists(path: string): Promise<boolean> {
  return !!(await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
  }))
}
