/** Sending: a command is marked before its octets leave, so that none leaves twice, whatever stops us. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import { Refusal } from '../../ground/refusal.ts'
import { requireInForce } from './direction.ts'
import { byService, type RecoveryHands } from './hands.ts'

/** The way to the Devices and back. */
export interface Carrier {
  /** Takes octets for Devices, in that order. It does not wait for answers. */
  send(messages: readonly { readonly device: string; readonly octets: Bytes }[]): Promise<void>
  /** What has come since it was asked last, as it came, from whomever. */
  received(): Promise<readonly Bytes[]>
}

/**
 * Marks up to so many commands that are ready, and hands them to the carrier. If we stop in between, nobody knows whether
 * they left: the Devices are asked. What is under a direction that has ended does not leave any more.
 * @returns how many left
 */
export async function sendReady(
  hands: RecoveryHands,
  event: string,
  carrier: Carrier,
  limit: number,
): Promise<number> {
  await dropEnded(hands, event)
  const leaving = await byService(hands, 'send recovery commands', { event }, async ({ client, at, note }) => {
    const { rows } = await client.query<{ id: bigint; device: Buffer; octets: Buffer; kind: string }>(
      `UPDATE recovery_command SET state = 'sending', sent_at = $2 WHERE id IN (
         SELECT id FROM recovery_command WHERE event = $1 AND state = 'ready' ORDER BY id LIMIT $3
            FOR UPDATE SKIP LOCKED)
       RETURNING id, device, octets, kind`,
      [event, at, limit],
    )
    const updates = rows.filter(row => row.kind === 'update').map(row => row.device)
    await client.query(
      "UPDATE recovery_device SET state = 'sending' WHERE event = $1 AND device = ANY($2) AND state = 'commanded'",
      [event, updates],
    )
    if (rows.length > 0) {
      const questions = rows.length - updates.length
      await note('send recovery commands', { event, commands: updates.length, questions })
    }
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  })
  // From here on each counts as sent, whether or not it leaves.
  if (leaving.length > 0)
    await carrier.send(leaving.map(({ device, octets }) => ({ device: toHex(device), octets })))
  return leaving.length
}

/** Commands that were signed in time and not sent in time: the refusal is on record, and their Devices wait again. */
export async function dropEnded(hands: RecoveryHands, event: string): Promise<void> {
  const { rows } = await hands.store.query<{ id: number; decision: string; closed_at: Date | null }>(
    `SELECT r.id, r.decision, r.closed_at FROM recovery_direction r WHERE r.event = $1 AND EXISTS (
       SELECT FROM recovery_command c WHERE c.event = $1 AND c.direction = r.id AND c.state IN ('intended', 'ready'))`,
    [event],
  )
  for (const { id, decision, closed_at } of rows) {
    try {
      await requireInForce(hands.store, { decision, closedAt: closed_at ?? undefined }, hands.clock())
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      await drop(hands, event, id, cause)
    }
  }
}

function drop(hands: RecoveryHands, event: string, direction: number, { code }: Refusal): Promise<void> {
  return byService(hands, 'drop recovery commands', { event, direction }, async ({ client, note }) => {
    const { rows } = await client.query<{ device: Buffer }>(
      `UPDATE recovery_command SET state = 'dropped'
        WHERE event = $1 AND direction = $2 AND state IN ('intended', 'ready') RETURNING device`,
      [event, direction],
    )
    await client.query(
      "UPDATE recovery_device SET state = 'pending' WHERE event = $1 AND device = ANY($2) AND state = 'commanded'",
      [event, rows.map(row => row.device)],
    )
    await note('refused', { attempt: 'send recovery commands', code, event, direction, commands: rows.length })
  })
}
