/** Every version of a list with the interval in which it was current: given on request to whoever may ask (CERT-A11). */

import type { Store } from '../../ground/store/store.ts'

export interface ListVersion {
  readonly number: bigint
  readonly name: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly lodgedAt: Date
  /** Undefined of the one that is current. */
  readonly supersededAt: Date | undefined
}

/** Newest first, some at most. */
export async function listVersions(
  store: Pick<Store, 'query'>,
  authority: number,
  atMost = 1000,
): Promise<ListVersion[]> {
  const { rows } = await store.query<Row>(
    `SELECT number, name, this_update, next_update, lodged_at, superseded_at FROM list
      WHERE authority = $1 ORDER BY number DESC LIMIT $2`,
    [authority, atMost],
  )
  return rows.map(version)
}

/** The list of that number, or the current one, with its octets. */
export async function listOf(
  store: Pick<Store, 'query'>,
  authority: number,
  number?: bigint,
): Promise<(ListVersion & { readonly der: Buffer }) | undefined> {
  const { rows } = await store.query<Row & { der: Buffer }>(
    `SELECT number, name, this_update, next_update, lodged_at, superseded_at, der FROM list
      WHERE authority = $1 AND (number = $2 OR $2::int8 IS NULL AND superseded_at IS NULL)`,
    [authority, number ?? null],
  )
  const [row] = rows
  return row && { ...version(row), der: row.der }
}

interface Row {
  number: bigint
  name: string
  this_update: Date
  next_update: Date
  lodged_at: Date
  superseded_at: Date | null
}

function version(row: Row): ListVersion {
  return {
    number: row.number,
    name: row.name,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    lodgedAt: row.lodged_at,
    supersededAt: row.superseded_at ?? undefined,
  }
}
