/** Bare commits: one row, one transaction, one flush to the disk, on so many connections of the same store. */

import { randomBytes } from 'node:crypto'
import { type Connection, openStore } from '../../src/ground/store/store.ts'

/** Octets of a row: what is kept of a certificate. */
const row = randomBytes(500)

/** @returns commits a second. The table is the benchmark's own. */
export async function bareCommits(
  target: Connection,
  { connections, seconds, signal }: { connections: number; seconds: number; signal: AbortSignal },
): Promise<number> {
  const store = await openStore(target, { max: connections })
  const commit = () =>
    store.query({ name: 'commit', text: 'INSERT INTO bench_commit (octets) VALUES ($1)', values: [row] })
  try {
    await store.query(
      'CREATE TABLE IF NOT EXISTS bench_commit (id bigint GENERATED ALWAYS AS IDENTITY, octets bytea)',
    )
    // Every connection is open and has prepared its statement before the clock starts.
    await Promise.all(Array.from({ length: connections }, commit))
    let commits = 0
    const began = performance.now()
    const until = began + seconds * 1000
    await Promise.all(
      Array.from({ length: connections }, async () => {
        for (; performance.now() < until && !signal.aborted; commits++) await commit()
      }),
    )
    signal.throwIfAborted()
    return (commits * 1000) / (performance.now() - began)
  } finally {
    await store.close()
  }
}
