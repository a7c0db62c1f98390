/** The processes that sign, as they say themselves: who lives, who is gone, and which keys each holds no more. */

import { Refusal } from '../../ground/refusal.ts'
import type { Session } from '../../ground/store/session.ts'
import type { Client, Store } from '../../ground/store/store.ts'

type Asking = Pick<Session, 'query'>

/**
 * From now on, as long as the session lasts, that process is known to live. Its number is never another's: what it took is
 * known by it.
 */
export async function enrol(session: Asking, number: number, at: Date): Promise<number> {
  // Locked before it can be seen: a row whose lock is free is of a process that has ended.
  const { rows } = await session.query<{ id: number }>(
    "SELECT nextval(pg_get_serial_sequence('signer', 'id'))::int AS id",
  )
  const { id } = rows[0]!
  await session.query('SELECT pg_advisory_lock(hashtext($1), $2)', [lock, id])
  await session.query(
    'INSERT INTO signer (id, number, started_at, seen_at) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $3)',
    [id, number, at],
  )
  return id
}

const lock = 'opensmki signer process'

/**
 * One of them does what only one may do. One that was killed a moment ago may still have a connection: it is waited for.
 * @throws Refusal SIGNER_RUNS
 */
export async function lead(session: Asking): Promise<void> {
  await session.query(`SET lock_timeout = ${leadWaitMs}`)
  try {
    await session.query("SELECT pg_advisory_lock(hashtext('opensmki signer'))")
  } catch (cause) {
    if ((cause as { code?: string }).code !== '55P03') throw cause
    throw new Refusal('SIGNER_RUNS', 'another signer works on this store: stop it first')
  } finally {
    await session.query('RESET lock_timeout')
  }
}

const leadWaitMs = 3000

/**
 * Says that the process is there, and which keys it gave up; what is known already is not written again, so that nothing is
 * written while nothing happens but a note each half minute.
 * @returns the authorities that sign no more, of which it is to give up everything; undefined when others took it for gone
 */
export async function report(
  session: Asking,
  id: number,
  at: Date,
  givenUp: readonly number[],
): Promise<number[] | undefined> {
  const { rows } = await session.query<{ exhausted: number[] }>({
    name: 'signer_reports',
    text: `WITH said AS (UPDATE signer SET seen_at = $2, given_up = $3
                          WHERE id = $1 AND gone_at IS NULL AND (given_up <> $3 OR seen_at < $4))
           SELECT ARRAY(SELECT id FROM authority WHERE pki = 'smki-device' AND level = 'issuing'
                           AND state = 'exhausted' ORDER BY id) AS exhausted
             FROM signer WHERE id = $1 AND gone_at IS NULL`,
    values: [id, at, givenUp, new Date(at.getTime() - noteMs)],
  })
  return rows[0]?.exhausted
}

const noteMs = 30_000

/** Whether no living process holds anything of that authority's key any more. */
export async function givenUpByAll(store: Pick<Store, 'query'>, authority: number): Promise<boolean> {
  const { rows } = await store.query<{ all: boolean | null }>(
    'SELECT bool_and($1 = ANY(given_up)) AS all FROM signer WHERE gone_at IS NULL',
    [authority],
  )
  return rows[0]!.all === true
}

/** Marks those that have ended since, by their locks. @returns all that are known to have ended, and all that live */
export async function whoIsGone(client: Client, at: Date): Promise<{ gone: number[]; living: number[] }> {
  await client.query(
    'UPDATE signer SET gone_at = $2 WHERE gone_at IS NULL AND pg_try_advisory_xact_lock(hashtext($1), id)',
    [lock, at],
  )
  const { rows } = await client.query<{ id: number; gone: boolean }>(
    'SELECT id, gone_at IS NOT NULL AS gone FROM signer ORDER BY id',
  )
  const of = (gone: boolean) => rows.filter(row => row.gone === gone).map(row => row.id)
  return { gone: of(true), living: of(false) }
}

/** Nothing that it began is on its way any more. */
export async function forgetGone(client: Client, at: Date): Promise<void> {
  await client.query('DELETE FROM signer WHERE gone_at < $1', [new Date(at.getTime() - rememberedMs)])
}

/** A server may still work on the last statements of a process that was killed. */
const rememberedMs = 10 * 60_000
