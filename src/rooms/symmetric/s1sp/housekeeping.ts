/** Superseded records leave the store after a time. That destroys nothing: no Symmetric Key is ever destroyed ((d)(x)). */

import { entry } from '../../../ground/journal/entry.ts'
import { appendMany } from '../../../ground/journal/journal.ts'
import type { S1spHands } from './hands.ts'

/** @returns how many records were removed; at most 1,000 at a time */
export async function removeFromStore(hands: S1spHands): Promise<number> {
  const at = hands.clock()
  const before = new Date(at.getTime() - hands.symmetric.supersededDays * 86_400_000)
  return hands.store.transaction(async client => {
    const { rows } = await client.query<{ id: string; device: string; holder: string; type: string }>(
      `UPDATE key_record SET octets = NULL WHERE id IN (
         SELECT id FROM key_record WHERE stage IN ('superseded', 'abandoned') AND octets IS NOT NULL AND changed < $1
         LIMIT 1000) RETURNING id, device, holder, type`,
      [before],
    )
    const entries = rows.map(({ id: record, device, holder, type }) =>
      entry('key.removed-from-store', at, { record, device, holder, type }),
    )
    await appendMany(client, entries)
    return rows.length
  })
}
