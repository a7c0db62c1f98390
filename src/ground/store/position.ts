/** Where a database server is in its own history: tells whether it went on since, or was put back or replaced. */

import type { Store } from './store.ts'

export interface Position {
  /** PostgreSQL's identifier of the cluster: a copy has the same, one that was made anew another. */
  readonly cluster: string
  /** Each restore to a moment begins another. */
  readonly timeline: string
  /** Octets of the write-ahead log that are on the disk: they only grow within a timeline. */
  readonly octets: string
}

export async function positionOf(store: Pick<Store, 'query'>): Promise<Position> {
  const { rows } = await store.query<Position>({
    name: 'store position',
    text: `SELECT system_identifier::text AS cluster,
                  substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8) AS timeline,
                  (pg_current_wal_flush_lsn() - '0/0')::text AS octets
             FROM pg_control_system()`,
  })
  return rows[0]!
}

/** Whether everything that was committed before `then` is still there `now`. */
export function wentOn(then: Position, now: Position): boolean {
  return then.cluster === now.cluster && then.timeline === now.timeline && BigInt(then.octets) <= BigInt(now.octets)
}
