/** The PostgreSQL that test processes share: found, or started when it is not there. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, statfsSync } from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { connectionOf } from './embedded.ts'
import { living } from './living.ts'
import { type Connection, clientConfig } from './store.ts'

export interface TestServer {
  readonly connection: Connection
  /** In the one session of this process, which does not keep the process from ending. */
  query(sql: string): Promise<pg.QueryResult>
}

/** Every test process holds this advisory lock, shared. The keeper ends the server when it can have it alone. */
export const inUse = 5_361_117_309_402_177n

/** The longest that a start may take, on a machine that is busy with something else. */
const patience = 60_000

/** @param linger milliseconds that the server waits for another process: within a run there are moments with none. */
export async function joinServer(folder = sharedFolder(), linger = 3000): Promise<TestServer> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${folder} must be ours alone`)

  let keeper: Keeper | undefined
  let trouble: unknown
  for (let waited = 0; waited < patience; waited += 20) {
    const connection = await connectionOf(folder)
    if (connection) {
      // It may be ending just now; then we start the next.
      const server = await enter(connection).catch(cause => {
        trouble = cause
      })
      if (server) return server
    } else if (!keeper || keeper.ended) {
      keeper = startKeeper(folder, linger)
    }
    if (keeper?.complaint) throw new Error(`the PostgreSQL for tests: ${keeper.complaint}`)
    await sleep(20)
  }
  throw new Error('the PostgreSQL for tests did not start', { cause: trouble })
}

/**
 * Where the data of a test may lie: in memory if there is enough of it. A database is 300 files, and the file system of
 * a disk is slow to make files after many were removed.
 */
export function placeForData(): string {
  return process.platform === 'linux' && roomOn('/dev/shm') >= 2 * 2 ** 30 ? '/dev/shm' : tmpdir()
}

/** One for each clone of the project, and for each boot: after a power cut its data would not be sound. */
function sharedFolder(): string {
  const digest = createHash('sha256')
    .update(`${import.meta.url} ${living(1)?.born}`)
    .digest('hex')
  return join(placeForData(), `opensmki-test-${process.getuid?.()}-${digest.slice(0, 16)}`)
}

/** Octets. */
function roomOn(place: string): number {
  if (!existsSync(place)) return 0
  const { bavail, bsize } = statfsSync(place)
  return bavail * bsize
}

async function enter(connection: Connection): Promise<TestServer> {
  // The published types leave out `ref` and `unref`.
  const client = new pg.Client(clientConfig(connection)) as pg.Client & Pick<Socket, 'ref' | 'unref'>
  client.on('error', () => {})
  await client.connect()
  await client.query('SELECT pg_advisory_lock_shared($1)', [inUse])
  client.unref()
  let running = 0
  const query = async (sql: string): Promise<pg.QueryResult> => {
    if (running++ === 0) client.ref()
    try {
      return await client.query(sql)
    } finally {
      if (--running === 0) client.unref()
    }
  }
  return { connection, query }
}

interface Keeper {
  ended: boolean
  /** Why it could not start, in its own words. */
  complaint: string
}

function startKeeper(folder: string, linger: number): Keeper {
  const keeper: Keeper = { ended: false, complaint: '' }
  const program = fileURLToPath(new URL('testing-keeper.ts', import.meta.url))
  const child = spawn(process.execPath, [program, folder, `${linger}`], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  child.stderr.on('data', octets => {
    words += octets
  })
  child.once('close', code => {
    keeper.ended = true
    if (code !== 0) keeper.complaint = words || `exit code ${code}`
  })
  child.unref()
  const stderr: unknown = child.stderr
  ;(stderr as Socket).unref()
  return keeper
}
