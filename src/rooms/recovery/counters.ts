/** Counters of originators: given out in rows, each once, never again and never backwards. */

import type { Bytes } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'

/**
 * The first of `count` counters that follow one another; the originator's row is held until the caller's transaction
 * ends. What was given out and not used is lost.
 */
export async function takeCounters(client: Client, originator: Bytes, count: number): Promise<bigint> {
  const { rows } = await client.query<{ last: bigint }>(
    `INSERT INTO recovery_counter AS known (originator, last) VALUES ($1, $2)
     ON CONFLICT (originator) DO UPDATE SET last = known.last + $2 RETURNING last`,
    [originator, count],
  )
  return rows[0]!.last - BigInt(count) + 1n
}

/** From now on counters are given out above that one: a Device, or another system, has seen it. Never lowers anything. */
export async function raiseCounter(client: Client, originator: Bytes, seen: bigint): Promise<void> {
  await client.query(
    `INSERT INTO recovery_counter AS known (originator, last) VALUES ($1, $2)
     ON CONFLICT (originator) DO UPDATE SET last = $2 WHERE known.last < $2`,
    [originator, String(seen)],
  )
}
