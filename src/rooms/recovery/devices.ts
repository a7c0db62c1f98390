/** The Relevant Devices of an event, one by one: how far each is, and why it is listed. */

import { fromHex, toHex } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'
import type { DeviceState } from './campaign.ts'
import type { Holding } from './cells.ts'
import type { Reader } from './event.ts'

export interface RelevantDevice {
  /** 16 hexadecimal digits. */
  readonly device: string
  readonly kind: string
  readonly state: DeviceState
  readonly attempts: number
  readonly reason: string | undefined
  /** The last status that a cell answered with, where it was no success. */
  readonly status: number | undefined
  readonly provenAt: Date | undefined
}

interface Row {
  device: Buffer
  kind: string
  state: DeviceState
  attempts: number
  reason: string | null
  status_code: number | null
  proven_at: Date | null
}

/**
 * In the order of their EUI-64, so many at a time.
 * @param after the last of the part before
 */
export async function devicesOf(
  store: Reader,
  event: string,
  {
    state,
    after,
    limit,
  }: { readonly state?: DeviceState | undefined; readonly after?: string | undefined; readonly limit: number },
): Promise<RelevantDevice[]> {
  const { rows } = await (store as Client).query<Row>(
    `SELECT device, kind, state, attempts, reason, status_code, proven_at FROM recovery_device
      WHERE event = $1 AND ($2::text IS NULL OR state = $2) AND ($3::bytea IS NULL OR device > $3)
      ORDER BY device LIMIT $4`,
    [event, state ?? null, after === undefined ? null : fromHex(after), limit],
  )
  return rows.map(row => ({
    device: toHex(row.device),
    kind: row.kind,
    state: row.state,
    attempts: row.attempts,
    reason: row.reason ?? undefined,
    status: row.status_code ?? undefined,
    provenAt: row.proven_at ?? undefined,
  }))
}

/** What the frozen Devices of an event are believed to hold in a cell: each different content once. */
export async function holdingsIn(store: Reader, event: string, cell: string): Promise<Holding[]> {
  const { rows } = await (store as Client).query<{ uniqueId: string; keyId: string }>(
    `SELECT DISTINCT one->>'uniqueId' AS "uniqueId", one->>'keyId' AS "keyId"
       FROM recovery_device, jsonb_array_elements(cells) AS one WHERE event = $1 AND one->>'cell' = $2
      ORDER BY 1, 2 LIMIT 1000`,
    [event, cell],
  )
  return rows.map(({ uniqueId, keyId }) => ({ cell, uniqueId, keyId }))
}
