/** Housekeeping of samples: groups of a second become groups of an hour, and those that are old are removed. */

import type { Store } from '../../../ground/store/store.ts'

/** Hours that are joined in one call: a backlog is worked off in pieces. */
const hoursAtOnce = 200

/**
 * Joins the groups of each channel and hour before that instant into one row: a row costs more than its samples do.
 * Whoever kept them does not keep them again so much later.
 * @returns how many hours were joined
 */
export async function joinGroups(store: Store, before: Date): Promise<number> {
  const { rows } = await store.query<{ channel: number; hour: Date }>(
    `SELECT channel, hour FROM response_group WHERE hour < $1 GROUP BY channel, hour HAVING count(*) > 1
      ORDER BY hour LIMIT $2`,
    [before, hoursAtOnce],
  )
  for (const { channel, hour } of rows) {
    await store.transaction(async client => {
      const gone = await client.query<{
        first_at: Date
        last_at: Date
        measured: number
        within: number
        samples: Buffer
      }>(
        'DELETE FROM response_group WHERE channel = $1 AND hour = $2 RETURNING first_at, last_at, measured, within, samples',
        [channel, hour],
      )
      const groups = gone.rows
      if (groups.length === 0) return
      const sum = (key: 'measured' | 'within') => groups.reduce((total, one) => total + one[key], 0)
      const times = (key: 'first_at' | 'last_at') => groups.map(one => one[key].getTime())
      await client.query(
        `INSERT INTO response_group (source, number, channel, hour, first_at, last_at, measured, within, samples)
         VALUES ($1, $2::int, $2::int, $3, $4, $5, $6, $7, $8)`,
        [
          `hour ${hour.toISOString()}`,
          channel,
          hour,
          new Date(times('first_at').reduce((a, b) => Math.min(a, b))),
          new Date(times('last_at').reduce((a, b) => Math.max(a, b))),
          sum('measured'),
          sum('within'),
          Buffer.concat(groups.map(one => one.samples)),
        ],
      )
    })
  }
  return rows.length
}

/** Response times of single requests that were received before are removed; what the reports say of them stays. */
export async function removeOldSamples(store: Pick<Store, 'query'>, before: Date): Promise<void> {
  await store.query('DELETE FROM response_group WHERE hour < $1', [before])
  await store.query('DELETE FROM response_breach WHERE received_at < $1', [before])
}
