/** The requests of a batch one by one, each with what came of it: for whoever looks at one of fifty thousand. */

import type { Store } from '../../ground/store/store.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'
import { certificatesOf } from '../repository/signings.ts'
import { decodeItems, type ResultRow } from './portion.ts'

type Reader = Pick<Store, 'query'>

/** Where a request stands: the number of its portion, and its place in that, both from 0. */
export interface Place {
  readonly portion: number
  readonly place: number
}

export interface BatchRequest extends Place {
  /** As its sender calls it. */
  readonly id: string
  readonly outcome: 'SUCCESS' | DeviceCode
}

/** One of them with its octets. */
export interface BatchRequestWhole extends BatchRequest {
  /** DER as it was sent; what is no CSR is there too. */
  readonly csr: Buffer
  readonly certificate: Buffer | undefined
  /** Why there is no certificate. */
  readonly says: string | undefined
}

/** Those of a completed batch from a place on, in the order of submission. */
export async function requestsFrom(
  store: Reader,
  batch: bigint,
  { portion, place }: Place,
  atMost: number,
): Promise<BatchRequest[]> {
  const found: BatchRequest[] = []
  // One portion after the other: all of them together are the whole batch.
  for (let [number, from] = [portion, place]; found.length < atMost; [number, from] = [number + 1, 0]) {
    const some = await requestsOf(store, batch, number, from, atMost - found.length)
    if (!some) break
    found.push(...some)
  }
  return found
}

/** Undefined where there is no such portion, or it is not done. */
async function requestsOf(
  store: Reader,
  batch: bigint,
  portion: number,
  from: number,
  atMost: number,
): Promise<BatchRequest[] | undefined> {
  const { rows } = await store.query<{ place: bigint | null; id: string; outcome: string | null }>({
    name: 'requests_of',
    text: `SELECT one.n - 1 AS place, one.row ->> 0 AS id,
                  CASE json_typeof(one.row -> 1) WHEN 'number' THEN NULL ELSE one.row ->> 1 END AS outcome
             FROM portion p LEFT JOIN LATERAL (
                  SELECT * FROM json_array_elements(p.results) WITH ORDINALITY AS r (row, n)
                   WHERE n > $3 ORDER BY n LIMIT $4) one ON true
            WHERE p.batch = $1 AND p.number = $2 AND p.state = 'done' ORDER BY 1`,
    values: [batch, portion, from, atMost],
  })
  if (rows.length === 0) return undefined
  return rows
    .filter(row => row.place !== null)
    .map(row => ({
      portion,
      place: Number(row.place),
      id: row.id,
      outcome: (row.outcome ?? 'SUCCESS') as BatchRequest['outcome'],
    }))
}

/** The first of that name. */
export async function requestNamed(store: Reader, batch: bigint, id: string): Promise<Place | undefined> {
  // The portion by its text first: to take every result apart would take a tenth of a second.
  const { rows } = await store.query<{ portion: number; place: bigint }>(
    `SELECT p.number AS portion, one.n - 1 AS place
       FROM portion p CROSS JOIN LATERAL json_array_elements(p.results) WITH ORDINALITY AS one (row, n)
      WHERE p.batch = $1 AND p.state = 'done' AND strpos(p.results::text, $3) > 0 AND one.row ->> 0 = $2
      ORDER BY 1, 2 LIMIT 1`,
    [batch, id, JSON.stringify(id)],
  )
  return rows[0] && { portion: rows[0].portion, place: Number(rows[0].place) }
}

/** Undefined where the batch has none there, or none yet. */
export async function requestAt(
  store: Reader,
  batch: bigint,
  { portion, place }: Place,
): Promise<BatchRequestWhole | undefined> {
  const { rows } = await store.query<{ items: Buffer; signing: bigint | null; result: ResultRow | null }>(
    `SELECT coalesce(items, (SELECT octets FROM batch_part of WHERE of.batch = p.batch AND of.number = p.number)) AS items,
            signing, results -> $3::int AS result
       FROM portion p WHERE batch = $1 AND number = $2 AND state = 'done'`,
    [batch, portion, place],
  )
  const row = rows[0]
  const item = row && decodeItems(row.items)[place]
  if (!row?.result || !item) return undefined
  const [id, outcome, says] = row.result
  const common = { portion, place, id, csr: Buffer.from(item.csr), says }
  if (typeof outcome !== 'number') return { ...common, outcome, certificate: undefined }
  return { ...common, outcome: 'SUCCESS', certificate: (await certificatesOf(store, row.signing!))[outcome] }
}
