/** Batches as people watch them: whose they are, how far each has come, and what became of its requests. */

import type { Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import { type Batch, readBatches } from './batch.ts'

type Reader = Pick<Store, 'query'>

/** Of one Party, newest first. @param before those with a smaller number only */
export function batchesOf(store: Reader, party: number, atMost: number, before?: bigint): Promise<Batch[]> {
  return readBatches(store, 'party = $1 AND ($3::int8 IS NULL OR id < $3) ORDER BY id DESC LIMIT $2', [
    party,
    atMost,
    before ?? null,
  ])
}

/** What waits for the Registration Authority, oldest first. */
export function batchesToDecide(store: Reader): Promise<Batch[]> {
  return readBatches(store, "state = 'PENDING' ORDER BY id LIMIT 500", [])
}

/** Any batch, whosever it is: for the Registration Authority. */
export async function anyBatch(store: Reader, id: bigint): Promise<Batch | undefined> {
  if (id > 9_223_372_036_854_775_807n) return undefined
  return (await readBatches(store, 'id = $1', [id]))[0]
}

/** SHA-256 of what was uploaded, hexadecimal. */
export async function uploadDigest(store: Reader, id: bigint): Promise<string> {
  const { rows } = await store.query<{ sha256: string }>(
    "SELECT encode(sha256, 'hex') AS sha256 FROM batch WHERE id = $1",
    [id],
  )
  return rows[0]?.sha256 ?? ''
}

/** Requests that are done, counted by what became of them: `SUCCESS`, or the code that says why not. */
export async function outcomesOf(store: Reader, id: bigint): Promise<ReadonlyMap<'SUCCESS' | DeviceCode, number>> {
  // Where as many certificates were signed as there were requests, the results need not be read: they are most portions,
  // and to take fifty thousand results apart takes a tenth of a second.
  const { rows } = await store.query<{ outcome: 'SUCCESS' | DeviceCode; count: bigint }>({
    name: 'outcomes_of',
    text: `WITH done AS (
             SELECT p.count, p.results, s.count IS NOT DISTINCT FROM p.count AS whole
               FROM portion p LEFT JOIN signing s ON s.id = p.signing AND s.state = 'complete'
              WHERE p.batch = $1 AND p.state = 'done')
           SELECT outcome, sum(count)::int8 AS count FROM (
             SELECT 'SUCCESS' AS outcome, count FROM done WHERE whole
             UNION ALL
             SELECT CASE json_typeof(one -> 1) WHEN 'number' THEN 'SUCCESS' ELSE one ->> 1 END, 1
               FROM done CROSS JOIN LATERAL json_array_elements(results) one WHERE NOT whole) counted
            GROUP BY outcome ORDER BY outcome`,
    values: [id],
  })
  return new Map(rows.map(row => [row.outcome, Number(row.count)]))
}
