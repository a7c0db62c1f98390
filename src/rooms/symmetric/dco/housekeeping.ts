/** Housekeeping: what has done its work is removed from the store. No key is among it: none is there. */

import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { Hands } from './hands.ts'

const day = 86_400_000

/**
 * Removes answers that can no longer be asked for (a message that old is refused), claims with them, associations that
 * are over, and old tallies. Safe at any time, and by several programs at once.
 * @returns how many rows were removed
 */
export async function housekeep(hands: Hands): Promise<number> {
  const now = hands.clock()
  const { answerDays, associationHours } = hands.settings.symmetric
  // A day more than a message may be old.
  const answers = new Date(now.getTime() - (answerDays + 1) * day)
  const associations = new Date(now.getTime() - associationHours * 3_600_000)
  return hands.store.transaction(async client => {
    let removed = 0
    for (const [text, before] of [
      ['DELETE FROM dco_message WHERE at < $1', answers],
      ['DELETE FROM dco_claim WHERE at < $1', answers],
      ['DELETE FROM dco_association WHERE opened_at < $1', associations],
      ['DELETE FROM dco_tally WHERE hour < $1', new Date(now.getTime() - day)],
    ] as const) {
      removed += (await client.query(text, [before])).rowCount ?? 0
    }
    if (removed > 0) {
      const body = { rows: removed, module: hands.module.identity }
      await append(client, entry('store.housekept', now, body))
    }
    return removed
  })
}
