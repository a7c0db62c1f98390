/** What became of one certificate since it was issued: replaced, withdrawn, revoked, listed. */

import type { Lodged, Reader } from './find.ts'
import { families } from './register.ts'

export interface History {
  /** Of a Device Certificate: when the next of its Device and usage was issued (REP-A04). */
  readonly replacedAt: Date | undefined
  /** No longer in use on request of its Subscriber, or by recovery. */
  readonly withdrawnAt: Date | undefined
  readonly revokedAt: Date | undefined
  /** RFC 5280 5.3.1. */
  readonly reason: number | undefined
  /** The first list that names it, and when it was lodged. */
  readonly listedAt: Date | undefined
  readonly listNumber: bigint | undefined
}

export async function historyOf(store: Reader, one: Lodged): Promise<History> {
  const { rows } = await store.query<{
    replaced_at: Date | null
    withdrawn_at: Date | null
    revoked_at: Date | null
    reason: number | null
    listed_at: Date | null
    list_number: bigint | null
  }>({
    name: 'history_of',
    text: `SELECT
      CASE WHEN c.family = ${families.device} THEN (SELECT t.at FROM certificate o JOIN signing t ON t.id = o.signing AND t.state = 'complete'
        WHERE o.eui64 = c.eui64 AND o.family = c.family AND o.usage = c.usage AND o.ordinal > c.ordinal
        ORDER BY o.ordinal LIMIT 1) END AS replaced_at,
      (SELECT n.since FROM not_in_use n WHERE n.signing = c.signing AND n.position = c.position) AS withdrawn_at,
      r.at AS revoked_at, r.reason, l.lodged_at AS listed_at, l.number AS list_number
      FROM certificate c LEFT JOIN revoked r ON r.authority = c.authority AND r.serial = c.serial
      LEFT JOIN LATERAL (SELECT lodged_at, number FROM list WHERE list.authority = r.authority AND list.covers >= r.seq
        ORDER BY list.number LIMIT 1) l ON true
      WHERE c.signing = $1 AND c.position = $2`,
    values: [one.signing, one.position],
  })
  const row = rows[0]
  return {
    replacedAt: row?.replaced_at ?? undefined,
    withdrawnAt: row?.withdrawn_at ?? undefined,
    revokedAt: row?.revoked_at ?? undefined,
    reason: row?.reason ?? undefined,
    listedAt: row?.listed_at ?? undefined,
    listNumber: row?.list_number ?? undefined,
  }
}
