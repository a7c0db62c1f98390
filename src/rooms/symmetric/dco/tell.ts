/** What was said between this DCO and an S1SP: the ids, so that the two journals can be laid side by side (section 9). */

import { fromHex } from '../../../ground/bytes.ts'
import type { Planner } from './plan.ts'

/** In one answer. */
const page = 5000

export const tellMessages: Planner<'tell-messages'> = async ({ hands, s1sp, question }) => {
  const { from, until, after } = question
  const { rows } = await hands.store.query<{ id: string; type: string; outcome: string }>(
    `SELECT encode(id, 'hex') AS id, type, outcome FROM dco_message
      WHERE s1sp = $1 AND at >= $2 AND at < $3 AND id > $4 ORDER BY id LIMIT $5`,
    [s1sp.name, from, until, after ? fromHex(after) : Buffer.alloc(0), page + 1],
  )
  return { content: { messages: rows.slice(0, page), more: rows.length > page }, tells: [] }
}
