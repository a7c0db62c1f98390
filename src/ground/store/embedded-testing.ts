/** What the tests of the embedded store do to it from outside. */

import assert from 'node:assert/strict'
import { type Connection, openStore } from './store.ts'

/** By a connection of its own. */
export async function query(connection: Connection, sql: string): Promise<Record<string, unknown>[]> {
  const store = await openStore(connection, { max: 1 })
  try {
    return (await store.query(sql)).rows
  } finally {
    await store.close()
  }
}

/** At once, and without a word to it. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    // What a postmaster forked ends soon after it.
    assert.equal((cause as NodeJS.ErrnoException).code, 'ESRCH')
  }
}
