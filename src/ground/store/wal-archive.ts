/** The archive of the write-ahead log: what the server wrote is copied elsewhere, to restore it to any moment since a backup. */

import { constants } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

/** A piece of the log is called by its timeline and place, 24 hexadecimal digits: their order is that of writing. */
export const segmentName = /^[0-9A-F]{24}$/
const historyName = /^[0-9A-F]{8}\.history$/
/** The piece that was being written, as far as it had come: zeros follow. */
export const unfinished = '.partial'

/** The server keeps what was not archived yet, and no more than that: the slot's place moves when it was. */
const slot = 'opensmki_archive'

export interface Archived {
  /** Whole pieces that were copied now. */
  readonly segments: number
  /** Octets of the log that are in the archive, as the server counts them. */
  readonly upTo: bigint
}

/** From now on the server keeps what is not archived. To be called once before `archive`. */
export async function keepForArchive(store: Store): Promise<void> {
  await store.query(
    `SELECT pg_create_physical_replication_slot($1, true)
      WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`,
    [slot],
  )
}

/** Nobody archives any more: the server removes what it does not need itself. */
export async function keepNoMore(store: Store): Promise<void> {
  await store.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
    [slot],
  )
}

/**
 * Copies what was written since the last time, also of the piece that is being written: after it returns, everything
 * that was committed before it was called is on the disk of the archive. It may be called by two programs at a time.
 * @param data the server's data folder; @param folder the archive's
 */
export async function archive(store: Store, data: string, folder: string): Promise<Archived> {
  const { rows } = await store.query<{ lsn: string; octets: string; first: string; current: string; used: number }>(
    `SELECT lsn::text, (lsn - '0/0')::text AS octets, pg_walfile_name(restart_lsn) AS first,
            (pg_walfile_name_offset(lsn)).file_name AS current, (pg_walfile_name_offset(lsn)).file_offset AS used
       FROM pg_current_wal_flush_lsn() AS lsn, pg_replication_slots WHERE slot_name = $1`,
    [slot],
  )
  if (!rows[0]) throw new Error('the server keeps nothing for an archive')
  const { lsn, octets, first, current, used } = rows[0]
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const there = new Set(await readdir(folder))
  const log = join(data, 'pg_wal')
  let segments = 0
  for (const name of (await readdir(log)).sort()) {
    const whole = segmentName.test(name) && name >= first && name < current
    if (there.has(name) || !(whole || historyName.test(name))) continue
    await keep(join(log, name), join(folder, name))
    if (whole) {
      segments++
      await rm(join(folder, name + unfinished), { force: true })
    }
  }
  await keep(join(log, current), join(folder, current + unfinished), used)
  await flush(folder)
  // Now the server may remove it.
  await store.query(
    'SELECT pg_replication_slot_advance(slot_name, $2::pg_lsn) FROM pg_replication_slots WHERE slot_name = $1 AND restart_lsn < $2::pg_lsn',
    [slot, lsn],
  )
  return { segments, upTo: BigInt(octets) }
}

/**
 * What a server that stands still wrote and nobody archived. Pieces that were put ready for later, with old content, are
 * told by the address on their first page.
 * @returns how many pieces were added
 */
export async function harvest(data: string, folder: string): Promise<number> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const there = new Set(await readdir(folder))
  const log = join(data, 'pg_wal')
  let added = 0
  for (const name of (await readdir(log)).sort()) {
    if (there.has(name)) continue
    if (historyName.test(name)) await keep(join(log, name), join(folder, name))
    if (!segmentName.test(name) || !(await isItsOwn(join(log, name), name))) continue
    // It is perhaps not finished: a server that goes on after all replaces it.
    await keep(join(log, name), join(folder, name + unfinished))
    added++
  }
  await flush(folder)
  return added
}

/** XLogPageHeaderData (PostgreSQL, xlog_internal.h): magic and info, 16 bits each, timeline, 32, address, 64. */
async function isItsOwn(path: string, name: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(40), 0, 40, 0)
    if (bytesRead < 40) return false
    // The first page of a piece tells how long pieces are, too.
    const size = buffer.readUInt32LE(32)
    const perId = Math.floor(2 ** 32 / Math.max(1, size))
    const number = Number.parseInt(name.slice(8, 16), 16) * perId + Number.parseInt(name.slice(16), 16)
    return size > 0 && buffer.readBigUInt64LE(8) === BigInt(number) * BigInt(size)
  } finally {
    await file.close()
  }
}

/** Whole and on the disk, or not there. */
async function keep(from: string, to: string, octets?: number): Promise<void> {
  const draft = `${to}.new-${process.pid}`
  if (octets === undefined) await copyFile(from, draft, constants.COPYFILE_FICLONE)
  const file = await open(draft, octets === undefined ? 'r+' : 'w', 0o600)
  try {
    if (octets !== undefined) await file.writeFile((await readStart(from, octets)) as Uint8Array)
    await file.chmod(0o600)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, to)
}

async function readStart(path: string, octets: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const start = Buffer.alloc(octets)
    const { bytesRead } = await file.read(start, 0, octets, 0)
    return start.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function flush(folder: string): Promise<void> {
  const opened = await open(folder)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** The pieces that lead on from `first`, and the histories of timelines, with a whole piece before an unfinished one. */
export async function archived(folder: string, first: string): Promise<{ name: string; path: string }[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause
  })
  const whole = names.filter(
    name => historyName.test(name) || (segmentName.test(name) && place(name) >= place(first)),
  )
  const begun = names
    .filter(name => name.endsWith(unfinished))
    .map(name => name.slice(0, -unfinished.length))
    .filter(name => segmentName.test(name) && place(name) >= place(first) && !whole.includes(name))
  return [
    ...whole.map(name => ({ name, path: join(folder, name) })),
    ...begun.map(name => ({ name, path: join(folder, name + unfinished) })),
  ]
}

/** Without the timeline: a restored server goes on at the same place under another. */
const place = (name: string): string => name.slice(8)

/** Puts a piece where the server looks for it, at its full length. */
export async function putSegment(from: string, to: string, size: number): Promise<void> {
  const octets = await readFile(from)
  const file = await open(to, 'w', 0o600)
  try {
    await file.writeFile(octets)
    if (segmentName.test(to.slice(-24))) await file.truncate(size)
    await file.sync()
  } finally {
    await file.close()
  }
}
