/** A backup of a running server: its files, copied while it works, and the piece of its log that makes them one moment. */

import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { type CopiedFile, copyWithDigest, namesBelow } from './digests.ts'
import { type Connection, clientConfig } from './store.ts'
import { segmentName } from './wal-archive.ts'

export interface BaseBackup {
  /** PostgreSQL's identifier of the cluster. */
  readonly cluster: string
  /** `server_version_num`: a backup is restored by the same major version. */
  readonly server: number
  readonly segmentOctets: number
  /** The first piece of the log that a restore needs. */
  readonly firstSegment: string
  readonly lastSegment: string
  readonly files: readonly CopiedFile[]
}

/**
 * Copies the data of a server into `<out>/data` and the log of that while into `<out>/wal`, which is enough to restore it
 * to the moment at which this returns. The server works on meanwhile (PostgreSQL, Continuous Archiving, 25.3.4).
 * @param data the server's data folder
 */
export async function baseBackup(connection: Connection, data: string, out: string): Promise<BaseBackup> {
  const client = new pg.Client(clientConfig(connection))
  client.on('error', () => {})
  await client.connect()
  const ask = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows[0]!
  try {
    // 1. The server keeps its log from here on, as long as this session lasts; and it may be copied.
    await ask('SELECT pg_create_physical_replication_slot($1, true, true)', [`opensmki_backup_${process.pid}`])
    const begun = await ask<{ first: string }>(
      "SELECT pg_walfile_name(pg_backup_start('smki backup', fast => true)) AS first",
    )

    // 2. The files, as they come. What changes while it is copied is made right by the log.
    const files = await copyData(data, out)

    // 3. The end of the copy, and what a restore needs to know of its beginning.
    const ended = await ask<{ last: string; labelfile: string; spcmapfile: string }>(
      'SELECT pg_walfile_name(lsn) AS last, labelfile, spcmapfile FROM pg_backup_stop(wait_for_archive => false)',
    )
    files.push(await write(out, 'data/backup_label', ended.labelfile))
    if (ended.spcmapfile !== '') files.push(await write(out, 'data/tablespace_map', ended.spcmapfile))

    // 4. The log from the beginning to the end; its last piece is closed, so that it is whole.
    await ask('SELECT pg_switch_wal()')
    const from = await segments(data, begun.first, ended.last)
    for (const name of from) {
      const copied = await copyWithDigest(join(data, 'pg_wal'), join(out, 'wal'), name)
      if (!copied) throw new Error(`the log's piece ${name} was removed while it was copied`)
      files.push({ ...copied, path: `wal/${name}` })
    }
    const about = await ask<{ cluster: string; server: number; size: string }>(
      `SELECT system_identifier::text AS cluster, current_setting('server_version_num')::int AS server,
              pg_size_bytes(current_setting('wal_segment_size'))::text AS size FROM pg_control_system()`,
    )
    return {
      cluster: about.cluster,
      server: about.server,
      segmentOctets: Number(about.size),
      firstSegment: begun.first,
      lastSegment: ended.last,
      files,
    }
  } finally {
    await client.end()
  }
}

/** Of no use to another server, or made anew by it (PostgreSQL, 25.3.4.2); folders stay, empty. */
const emptied = [
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]
const leftOut =
  /(^|\/)(postmaster\.(pid|opts)|pg_internal\.init[^/]*|pgsql_tmp[^/]*|\.s\.PGSQL\.[^/]*|backup_label(\.old)?|tablespace_map(\.old)?|recovery\.signal|standby\.signal)$/
const control = 'global/pg_control'

async function copyData(data: string, out: string): Promise<CopiedFile[]> {
  const skip = (path: string) => leftOut.test(path) || emptied.some(name => path.startsWith(`${name}/`))
  const { files, folders } = await namesBelow(data, skip)
  for (const folder of ['', ...folders]) await mkdir(join(out, 'data', folder), { recursive: true, mode: 0o700 })
  const copied: CopiedFile[] = []
  // Where the server recovers from stands in the control file: it is of the end, as pg_basebackup has it.
  for (const path of [...files.filter(name => name !== control), control]) {
    const one = await copyWithDigest(data, join(out, 'data'), path)
    if (one) copied.push({ ...one, path: `data/${path}` })
  }
  return copied
}

async function segments(data: string, first: string, last: string): Promise<string[]> {
  const names = (await readdir(join(data, 'pg_wal'))).filter(name => segmentName.test(name)).sort()
  return names.filter(name => name >= first && name <= last)
}

async function write(out: string, path: string, text: string): Promise<CopiedFile> {
  const file = await open(join(out, path), 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  const { createHash } = await import('node:crypto')
  return { path, octets: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') }
}
