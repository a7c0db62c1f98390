/** The embedded store: a PostgreSQL of our own on a data folder, for as long as this process lives. */

import { mkdir, rename, rm } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { type BinariesOptions, binariesFor } from './binaries.ts'
import { type ClusterOptions, makeCluster, type Place, superuser } from './cluster.ts'
import { clearLeftovers } from './leftovers.ts'
import { heldBy, type Lock, takeLock } from './lock.ts'
import { openLog } from './log.ts'
import { isReady, startPostmaster } from './postmaster.ts'
import { port, socketFolder } from './socket.ts'
import type { Connection } from './store.ts'
import { dataArgument, serverUser } from './user.ts'

export interface StartOptions extends BinariesOptions, ClusterOptions {
  /** Settings of PostgreSQL by name; they go before ours. */
  readonly settings?: Readonly<Record<string, string>>
  /** For tests: nothing is forced to the disk, and the whole folder is removed when the store stops. */
  readonly temporary?: boolean
}

export interface Embedded {
  readonly connection: Connection
  /** The postmaster's process id. */
  readonly pid: number
  /**
   * Resolves when the server has ended and the folder is free: after `stop`, or by itself, which is a fault. Like the
   * server, it does not keep a process from ending that has nothing else to do.
   */
  readonly ended: Promise<void>
  /** A fast shutdown: open transactions are rolled back, everything is written. */
  stop(): Promise<void>
}

/**
 * Starts the store in `<folder>/data`, which the first start makes. Beside it lie the password, the server's log, the
 * lock and, where the path is deep, a note of where the socket is. The folder is made for our user alone.
 *
 * @throws Refusal STORE_IN_USE, STORE_UNREACHABLE, STORE_NO_BINARIES
 */
export async function startEmbedded(folder: string, options: StartOptions): Promise<Embedded> {
  const home = resolve(folder)
  await mkdir(home, { recursive: true, mode: 0o700 })
  const lock = await takeLock<Connection>(home)
  const leaving: Leaving = [() => (options.temporary ? discard(home) : lock.release())]
  try {
    return await start(home, lock, options, leaving)
  } catch (cause) {
    await leave(leaving)
    throw cause
  }
}

/** How to reach the store that a process runs in this folder; undefined when none is ready. */
export async function connectionOf(folder: string): Promise<Connection | undefined> {
  return (await heldBy<Connection>(resolve(folder)))?.note
}

/** What must be undone, the last first, once. */
type Leaving = (() => void | Promise<void>)[]

async function start(
  home: string,
  lock: Lock<Connection>,
  options: StartOptions,
  leaving: Leaving,
): Promise<Embedded> {
  const data = join(home, 'data')
  const passwordFile = join(home, 'password')
  const user = serverUser(data)
  const place: Place = { home, data, passwordFile, user, binaries: await binariesFor(user, options) }

  // 1. The data, made once.
  await makeCluster(place, options)

  // 2. Nobody else lives there, and no dead server's files are in the way.
  const socket = await socketFolder(home, data)
  leaving.push(() => socket.remove())
  await clearLeftovers(data, socket.path, user)

  // 3. The server, which from here on ends when we do.
  const log = openLog(join(home, 'postgres.log'))
  leaving.push(() => log.close())
  const postmaster = startPostmaster({
    ...place,
    dataArgument: dataArgument(data, user),
    settings: { ...settings, ...(options.temporary ? forgetful : {}), ...options.settings },
    log: log.descriptor,
  })
  let lastWords = ''
  const ended = postmaster.ended.then(how => {
    lastWords = `${how}: ${log.tail()}`
    return leave(leaving)
  })
  // Whoever awaits it is told what went wrong; nobody has to.
  ended.catch(() => {})
  leaving.push(postmaster.stop)
  const everyMinute = setInterval(() => Promise.allSettled([log.bound(), socket.renew()]), 60_000).unref()
  leaving.push(() => clearInterval(everyMinute))

  // 4. Others may use it when it is ready.
  if (!(await isReady(postmaster, data))) {
    await ended
    throw new Error(`PostgreSQL did not start in ${data} (${lastWords})`)
  }
  const connection = { host: socket.path, port, user: superuser, database: 'postgres', passwordFile }
  await lock.tell(connection)
  const stop = async (): Promise<void> => {
    await postmaster.stop()
    await ended
  }
  return { connection, pid: postmaster.pid, ended, stop }
}

/**
 * For two cores and eight gigabytes, shared with the program. Durability (fsync, synchronous_commit, full_page_writes)
 * is not named because it stays as PostgreSQL has it: what is acknowledged is on the disk.
 */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: `${port}`,
  // Relative to the data folder, which is the server's working directory and closed to others.
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  // Eight signer processes, and every door.
  max_connections: '160',
  // Whoever was killed lets go of what it held, also when its statement waits for somebody else.
  client_connection_check_interval: '1s',
  // A fourth of the memory: what many certificates' indexes need, and what is not needed is not taken.
  shared_buffers: `${Math.max(128, Math.min(2048, Math.floor(totalmem() / 2 ** 22)))}MB`,
  max_wal_size: '4GB',
  // Once written, so much of the log is used again: a new segment is written twice.
  min_wal_size: '1GB',
  checkpoint_timeout: '15min',
  wal_compression: 'off',
  // Both cores are wanted for issuing; a large question waits its time on one.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  // An error's statement and details may hold personal data, and whoever sent the statement is told them anyway.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  // For roles that an operator adds; ours has its password from before.
  scram_iterations: '4096',
}

/** For tests: what a power cut would lose, nobody will miss. */
const forgetful: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
}

async function leave(leaving: Leaving): Promise<void> {
  const step = leaving.pop()
  if (!step) return
  try {
    await step()
  } finally {
    await leave(leaving)
  }
}

/** First out of the way under another name, so that whoever takes the old name meets none of it. */
async function discard(home: string): Promise<void> {
  const gone = `${home}.gone-${process.pid}`
  await rm(gone, { recursive: true, force: true })
  await rename(home, gone)
  await rm(gone, { recursive: true, force: true })
}
