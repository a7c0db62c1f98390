/** What a compromise reaches: the report that goes to the SMKI PMA, which decides about rotation (Policy (d)(vi)). */

import { roleOf } from '../../../ground/keystore/symmetric.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { S1spHands } from './hands.ts'
import { believed, type StoredKey } from './records.ts'

export interface Exposed {
  readonly device: string
  readonly holder: KeyHolder
  readonly type: LastingType
  readonly generation: number
  readonly record: string
  /** The HSM Key that its package is under: whoever has that and the record has the key. */
  readonly hsmKey: string
}

/**
 * Every key that a Device may hold now and that is within reach: of whoever has the HSM Keys named; or of the S1SP, which
 * has every package and the use of the Shared Key; or of the DCO, which opens them all. Read a page at a time.
 */
export async function* exposed(
  hands: Pick<S1spHands, 'store' | 'recordKey'>,
  reach: { readonly hsmKeys: readonly string[] } | 'S1SP' | 'DCO',
): AsyncGenerator<Exposed> {
  for (let after = ''; ; ) {
    const { rows } = await hands.store.query<StoredKey>(
      `SELECT id, device, holder, type, generation, stage, octets, rotation, message, corrupt FROM key_record
       WHERE id > $1 AND stage IN ('offered', 'active') AND octets IS NOT NULL AND NOT corrupt ORDER BY id LIMIT 1000`,
      [after],
    )
    if (rows.length === 0) return
    after = rows.at(-1)!.id
    for (const { device, holder, type, generation, id: record, octets } of rows) {
      const { hsmKey } = believed(octets!, hands.recordKey).record
      const reached =
        reach === 'DCO' || (reach === 'S1SP' ? roleOf[type] === 'Shared Key' : reach.hsmKeys.includes(hsmKey))
      if (reached) yield { device, holder, type, generation, record, hsmKey }
    }
  }
}
