/** The log of environment and infrastructure: collected, forwarded to protective monitoring, missed when it stops ((d)(xi)). */

import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import type { S1spHands } from './hands.ts'

/** An event of a module or a host: log-in, quorum, creation, import or deletion of an HSM Key, firmware, a failed attempt. */
export interface EnvironmentEvent {
  readonly source: string
  readonly at: Date
  readonly kind: string
  readonly says: string
}

/** A source that is to be heard at least so often. */
export async function expectSource(hands: S1spHands, source: string, everyMinutes: number): Promise<void> {
  await hands.store.query(
    `INSERT INTO environment_source (source, every_minutes, heard) VALUES ($1, $2, $3)
     ON CONFLICT (source) DO UPDATE SET every_minutes = $2`,
    [source, everyMinutes, hands.clock()],
  )
}

/** Takes events in: apart from the journal, which holds application transactions alone. No events is a sign of life too. */
export async function collect(
  hands: S1spHands,
  source: string,
  events: readonly EnvironmentEvent[],
): Promise<void> {
  await hands.store.transaction(async client => {
    for (const { at, kind, says } of events) {
      const values = [source, at, kind, says.slice(0, 2000)]
      await client.query('INSERT INTO environment_event (source, at, kind, says) VALUES ($1, $2, $3, $4)', values)
    }
    const values = [hands.clock(), source]
    await client.query('UPDATE environment_source SET heard = $1, alarmed = NULL WHERE source = $2', values)
  })
}

/**
 * Hands on what waits, oldest first; what protective monitoring did not take is handed on again.
 * @returns how many it took
 */
export async function forward(
  hands: S1spHands,
  take: (events: readonly (EnvironmentEvent & { readonly id: bigint })[]) => Promise<void>,
): Promise<number> {
  const { rows } = await hands.store.query<EnvironmentEvent & { id: bigint }>(
    'SELECT id, source, at, kind, says FROM environment_event WHERE forwarded IS NULL ORDER BY id LIMIT 500',
  )
  if (rows.length === 0) return 0
  await take(rows)
  const ids = rows.map(({ id }) => id)
  await hands.store.query('UPDATE environment_event SET forwarded = $1 WHERE id = ANY ($2)', [hands.clock(), ids])
  return rows.length
}

/** Sources that have been silent for too long, each said once, until it is heard again. */
export async function silentSources(hands: S1spHands): Promise<string[]> {
  const now = hands.clock()
  return hands.store.transaction(async client => {
    const { rows } = await client.query<{ source: string; heard: Date }>(
      `UPDATE environment_source SET alarmed = $1
       WHERE alarmed IS NULL AND heard + every_minutes * interval '1 minute' < $1 RETURNING source, heard`,
      [now],
    )
    for (const { source, heard } of rows) {
      await append(client, entry('environment.silent', now, { source, heard: heard.toISOString() }))
    }
    return rows.map(({ source }) => source)
  })
}
