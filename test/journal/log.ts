/** A journal in a store of its own, and what the tests of it do again and again. */

import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before } from 'node:test'
import type { Bytes } from '../../src/ground/bytes.ts'
import { type Entry, entry, readEntry } from '../../src/ground/journal/entry.ts'
import { appendMany, integrate } from '../../src/ground/journal/journal.ts'
import { type NoteSigner, verifierKey } from '../../src/ground/journal/note.ts'
import { verifyStored } from '../../src/ground/journal/stored.ts'
import { pkcs8, testKey } from '../../src/ground/journal/testing.ts'
import type { JournalInQuestion } from '../../src/ground/journal/verify.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { type TestStore, testStore } from '../../src/ground/store/testing.ts'

export const at = new Date('2026-11-20T05:42:00.007Z')
export const key = createPrivateKey({ key: testKey.pkcs8, format: 'der', type: 'pkcs8' })
export const signer: NoteSigner = { ...testKey, sign: octets => sign(null, octets, key) }
export const verifierKeys = [verifierKey(testKey.name, testKey.publicKey)]
export const schema = await readFile(
  new URL('../../src/ground/store/migrations/0001-journal.sql', import.meta.url),
  'utf8',
)

export function act(number: number, more: Record<string, string> = {}): Entry {
  return entry('issued', at, { number, ...more })
}

export const otherKey = createPrivateKey({ key: pkcs8(Buffer.alloc(32, 7)), format: 'der', type: 'pkcs8' })
export const otherSigner = {
  name: testKey.name,
  publicKey: createPublicKey(otherKey).export({ format: 'der', type: 'spki' }).subarray(-32),
  sign: (octets: Bytes) => sign(null, octets, otherKey),
}

/** Opens before the tests of the file and closes after them; each test begins with `anew`. */
export function journalScene() {
  let test: TestStore
  let store: Store
  before(async () => {
    test = await testStore()
    store = test.store
  })
  after(() => test.close())

  /** An empty journal: the tables made anew. */
  async function anew(): Promise<void> {
    await store.query('DROP TABLE IF EXISTS journal_pending, journal_entry, journal_tile, journal_checkpoint')
    await store.query('DROP FUNCTION IF EXISTS journal_only_grows')
    await store.query(schema)
  }

  const grow = (more = {}) => integrate({ store, ...signer, at, ...more })
  const appendAll = (entries: Entry[]) => store.transaction(client => appendMany(client, entries))
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => act(from + n))
  const check = (more: Partial<JournalInQuestion> = {}) =>
    store.transaction(client => verifyStored(client, { verifierKeys, ...more }))
  const all = async () => {
    const { rows } = await store.query<{ position: bigint; octets: Buffer }>(
      'SELECT position, octets FROM journal_entry ORDER BY position',
    )
    assert.deepEqual(
      rows.map(({ position }) => Number(position)),
      [...rows.keys()],
      'positions have no gap',
    )
    return rows.map(({ octets }) => readEntry(octets).body.number as number)
  }
  /** As one who owns the database and wants to deceive: no guard stands in the way. */
  const tamper = (sql: string) =>
    store.transaction(async client => {
      await client.query('SET LOCAL session_replication_role = replica')
      assert.equal((await client.query(sql)).rowCount, 1)
    })

  return {
    get store() {
      return store
    },
    anew,
    grow,
    appendAll,
    numbers,
    check,
    all,
    tamper,
  }
}
