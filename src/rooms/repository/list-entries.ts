/** Lists as people look at them: every version, and the entries of the current one, a part at a time. */

import type { Bytes } from '../../ground/bytes.ts'
import type { Reader } from './find.ts'
import type { ListInterval } from './lists.ts'

export interface ListVersion {
  readonly number: bigint
  readonly name: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly lodgedAt: Date
  readonly octets: number
}

/** Newest first. */
export async function listVersions(store: Reader, authority: number, atMost: number): Promise<ListVersion[]> {
  const { rows } = await store.query<{
    number: bigint
    name: string
    this_update: Date
    next_update: Date
    lodged_at: Date
    octets: number
  }>(
    `SELECT number, name, this_update, next_update, lodged_at, octet_length(der) AS octets
       FROM list WHERE authority = $1 ORDER BY number DESC LIMIT $2`,
    [authority, atMost],
  )
  return rows.map(row => ({
    number: row.number,
    name: row.name,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    lodgedAt: row.lodged_at,
    octets: row.octets,
  }))
}

/** Its octets, DER; undefined when there is no such list. */
export async function listDer(store: Reader, authority: number, number: bigint): Promise<Buffer | undefined> {
  const { rows } = await store.query<{ der: Buffer }>('SELECT der FROM list WHERE authority = $1 AND number = $2', [
    authority,
    number,
  ])
  return rows[0]?.der
}

export interface ListEntry {
  /** 16 octets. */
  readonly serial: Buffer
  readonly at: Date
  /** RFC 5280 5.3.1. */
  readonly reason: number
}

// What a current list names: entered when it was made, and not dropped by one before it.
const onIt = 'authority = $1 AND seq <= $2 AND (last_list IS NULL OR last_list >= $3)'

/**
 * Entries of a current list, ascending by serial number: an index leads to them, however many there are.
 * @param from the first serial number that is wanted, 16 octets; from the beginning without it
 */
export async function entriesOfList(
  store: Reader,
  { authority, covers, number }: ListInterval,
  atMost: number,
  from?: Bytes,
): Promise<ListEntry[]> {
  const { rows } = await store.query<ListEntry>({
    name: 'entries_of_list',
    text: `SELECT serial, at, reason FROM revoked WHERE ${onIt} AND serial >= $5 ORDER BY serial LIMIT $4`,
    values: [authority, covers, number, atMost, from ?? Buffer.alloc(16)],
  })
  return rows
}

/** How many there are. Of one list it is always the same, so whoever asks again may remember it. */
export async function countOfList(store: Reader, { authority, covers, number }: ListInterval): Promise<number> {
  const { rows } = await store.query<{ count: bigint }>(`SELECT count(*) AS count FROM revoked WHERE ${onIt}`, [
    authority,
    covers,
    number,
  ])
  return Number(rows[0]!.count)
}
