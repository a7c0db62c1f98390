/** Lists in the Repository: every version is kept, one of each authority is current. */

import type { ClientBase } from 'pg'
import type { Bytes } from '../../ground/bytes.ts'
import { copyInto } from '../../ground/store/copy.ts'
import { copyOut, timestampMs } from '../../ground/store/copy-out.ts'
import type { Store } from '../../ground/store/store.ts'

/** What a list is, and from when until when it holds. */
export interface ListInterval {
  readonly authority: number
  readonly number: bigint
  /** As people say it: `IKI CRL`. */
  readonly name: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  /** The newest revocation that it names; 0n when there is none. */
  readonly covers: bigint
}

export interface LodgedList extends ListInterval {
  readonly der: Buffer
}

/** As `highestNumber`, locked until the caller's transaction ends. */
export async function latestNumber(client: ClientBase, authority: number): Promise<bigint> {
  await client.query("SELECT pg_advisory_xact_lock(hashtext('list'), $1)", [authority])
  return highestNumber(client, authority)
}

/** Number of the newest list of that authority, or the last that was skipped after it; 0n when there is none. */
export async function highestNumber(store: Pick<Store, 'query'>, authority: number): Promise<bigint> {
  const { rows } = await store.query<{ number: bigint }>(
    `SELECT greatest(coalesce((SELECT max(number) FROM list WHERE authority = $1), 0),
                     coalesce((SELECT max(number) FROM list_skipped WHERE authority = $1), 0)) AS number`,
    [authority],
  )
  return rows[0]!.number
}

/** Numbers up to this one were given in an epoch of the store that is lost: none is given again. */
export async function skipNumbers(
  client: ClientBase,
  authority: number,
  epoch: number,
  number: bigint,
): Promise<void> {
  await client.query('INSERT INTO list_skipped (authority, epoch, number) VALUES ($1, $2, $3)', [
    authority,
    epoch,
    number,
  ])
}

const listColumns = {
  authority: 'int2',
  number: 'int8',
  name: 'text',
  this_update: 'timestamptz',
  next_update: 'timestamptz',
  covers: 'int8',
  der: 'bytea',
  lodged_at: 'timestamptz',
} as const

/** Lodges a list: it is current from the commit on, and the one before it is history. */
export async function lodgeList(client: ClientBase, list: LodgedList, at: Date): Promise<void> {
  await client.query('UPDATE list SET superseded_at = $2 WHERE authority = $1 AND superseded_at IS NULL', [
    list.authority,
    at,
  ])
  // By COPY, which takes the octets from where they are: a query would hold them twice more.
  await copyInto(client, 'list', listColumns, [
    [list.authority, list.number, list.name, list.thisUpdate, list.nextUpdate, list.covers, list.der, at],
  ])
}

/** The current list of every authority that has one, without its octets, which may be many. */
export async function currentIntervals(store: Pick<Store, 'query'>): Promise<ListInterval[]> {
  const { rows } = await store.query<Row>(
    `SELECT authority, number, name, this_update, next_update, covers
       FROM list WHERE superseded_at IS NULL ORDER BY authority`,
  )
  return rows.map(interval)
}

/** The current list of every authority that has one. */
export async function currentLists(store: Pick<Store, 'query'>): Promise<LodgedList[]> {
  const { rows } = await store.query<Row & { der: Buffer }>(
    `SELECT authority, number, name, this_update, next_update, covers, der
       FROM list WHERE superseded_at IS NULL ORDER BY authority`,
  )
  return rows.map(row => ({ ...interval(row), der: row.der }))
}

interface Row {
  authority: number
  number: bigint
  name: string
  this_update: Date
  next_update: Date
  covers: bigint
}

function interval(row: Row): ListInterval {
  return {
    authority: row.authority,
    number: row.number,
    name: row.name,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    covers: row.covers,
  }
}

/** A certificate that its authority's lists name. */
export interface Revoked {
  /** 16 octets. */
  readonly serial: Bytes
  readonly at: Date
  /** RFC 5280 5.3.1; 0 (unspecified) is left out. */
  readonly reason: number
  /** The end of the certificate's period: it may leave the lists after one that was made later. */
  readonly expiresAt: Date
}

/** Marks a certificate as revoked; it stands on the authority's next list. False when it was revoked before. */
export async function markRevoked(client: ClientBase, authority: number, revoked: Revoked): Promise<boolean> {
  // Not while a list is being made: what is entered stands on it, or is newer than what it covers.
  await client.query("SELECT pg_advisory_xact_lock_shared(hashtext('list'), $1)", [authority])
  const { rowCount } = await client.query(
    `INSERT INTO revoked (authority, serial, at, reason, expires_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [authority, revoked.serial, revoked.at, revoked.reason, revoked.expiresAt],
  )
  return rowCount === 1
}

/** Whether something was revoked that the list does not cover. */
export async function isWaiting(store: Pick<Store, 'query'>, list: ListInterval): Promise<boolean> {
  const { rows } = await store.query<{ waiting: boolean }>(
    'SELECT EXISTS (SELECT FROM revoked WHERE authority = $1 AND seq > $2) AS waiting',
    [list.authority, list.covers],
  )
  return rows[0]!.waiting
}

export interface Listed {
  readonly entries: number
  readonly withReason: number
  /** The newest revocation among all that were entered. */
  readonly covers: bigint
}

/** What stands on the next list, counted; the caller holds the lock of `latestNumber`, so it stays so. */
export async function countListed(client: ClientBase, authority: number): Promise<Listed> {
  const { rows } = await client.query<{ entries: bigint; reasons: bigint; covers: bigint }>(
    `SELECT count(*) FILTER (WHERE last_list IS NULL) AS entries,
            count(*) FILTER (WHERE last_list IS NULL AND reason <> 0) AS reasons, coalesce(max(seq), 0) AS covers
       FROM revoked WHERE authority = $1`,
    [authority],
  )
  const { entries, reasons, covers } = rows[0]!
  return { entries: Number(entries), withReason: Number(reasons), covers }
}

/** What stands on the next list, ascending by serial number; buffers are good until the next call only. */
export async function eachListed(
  client: ClientBase,
  authority: number,
  onRevoked: (serial: Buffer, ms: number, reason: number) => void,
): Promise<void> {
  // COPY takes no parameters; the number is one of ours.
  const where = `authority = ${Math.trunc(authority)} AND last_list IS NULL`
  await copyOut(
    client,
    `SELECT serial, at, reason FROM revoked WHERE ${where} ORDER BY serial`,
    ([serial, at, reason]) => onRevoked(serial!, timestampMs(at!), reason!.readInt16BE(0)),
  )
}

/** Entries that had expired before `thisUpdate` were on list `number` for the last time. */
export async function dropExpired(
  client: ClientBase,
  authority: number,
  number: bigint,
  thisUpdate: Date,
): Promise<void> {
  await client.query(
    'UPDATE revoked SET last_list = $2 WHERE authority = $1 AND last_list IS NULL AND expires_at < $3',
    [authority, number, thisUpdate],
  )
}
