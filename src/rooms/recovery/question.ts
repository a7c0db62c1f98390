/** Questions by CS02a: what a Device really holds, asked of those that did not answer and of those that said yes. */

import { toHex } from '../../ground/bytes.ts'
import { writeWithMac } from '../../ground/gbcs/mac.ts'
import { signedOctets } from '../../ground/gbcs/message.ts'
import { otherInfo } from '../../ground/gbcs/protect.ts'
import { later } from './apply.ts'
import { nextQuestion, questionOf } from './build.ts'
import type { Holding } from './cells.ts'
import { takeCounters } from './counters.ts'
import { heldEvent } from './event.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { list } from './intend.ts'
import { materialOf } from './replacements.ts'
import type { Broker } from './signers.ts'

interface Due {
  readonly device: Buffer
  readonly state: 'unresolved' | 'accepted'
  readonly cells: Holding[]
  readonly shown: number[]
  readonly questions: number
  readonly agreement_key: Buffer
}

/**
 * Writes down questions to Devices whose turn has come, with their MAC: no key of the DCC is needed for them, and no
 * direction. A Device that leaves too many unanswered is listed.
 * @returns how many questions were written down, and how many Devices were listed or are shown already
 */
export function askDue(
  hands: RecoveryHands,
  event: string,
  broker: Broker,
  limit: number,
): Promise<{ asked: number; others: number }> {
  return byService(hands, 'ask Devices', { event }, async ({ client, at, note }) => {
    const { wave } = await heldEvent(client, event, 'running')
    const { rows } = await client.query<Due>(
      `SELECT device, state, cells, shown, questions, agreement_key FROM recovery_device
        WHERE event = $1 AND state IN ('unresolved', 'accepted') AND (next_at IS NULL OR next_at <= $2)
        ORDER BY device LIMIT $3 FOR UPDATE SKIP LOCKED`,
      [event, at, limit],
    )
    if (rows.length === 0) return { asked: 0, others: 0 }
    const material = await materialOf(client, event, wave)
    const silent = rows.filter(row => row.questions >= hands.recovery.questions)
    await list(
      client,
      event,
      silent.map(({ device, state, questions }) => ({
        device,
        reason:
          state === 'accepted'
            ? `it accepted, and ${questions} questions were not answered: not proven`
            : `no answer to its command, nor to ${questions} questions`,
      })),
    )
    const asked = rows
      .filter(row => !silent.includes(row))
      .map(row => ({ ...row, wanted: nextQuestion(row.cells, material, row.shown) }))
    const nothingLeft = asked.filter(row => row.wanted === undefined)
    await client.query(
      `UPDATE recovery_device SET state = 'proven', proven_at = $3 WHERE event = $1 AND device = ANY($2)`,
      [event, nothingLeft.map(row => row.device), at],
    )
    const asking = asked.flatMap(row => (row.wanted ? [{ ...row, wanted: row.wanted }] : []))
    if (asking.length > 0) {
      const first = await takeCounters(client, broker.originator, asking.length)
      const drafts = asking.map((row, i) => {
        const parts = questionOf(toHex(row.device), broker.originator, first + BigInt(i), row.wanted)
        // A Device that was not reached yet knows the key that was before.
        const own = broker.agreement[row.questions % broker.agreement.length]!
        const octets = writeWithMac(parts, 'none', own.macKey(row.agreement_key, otherInfo(parts)))
        return { parts, octets, device: row.device }
      })
      await client.query(
        `INSERT INTO recovery_command (event, wave, device, kind, originator, counter, message_code, signed_part, octets,
           state, intended_at)
         SELECT $1, $2, device, 'question', $3, counter, code, signed, octets, 'ready', $4
           FROM unnest($5::bytea[], $6::bigint[], $7::int[], $8::bytea[], $9::bytea[])
             AS one (device, counter, code, signed, octets)`,
        [
          event,
          wave,
          broker.originator,
          at,
          drafts.map(one => one.device),
          drafts.map(one => String(one.parts.counter)),
          drafts.map(one => one.parts.messageCode),
          drafts.map(one => signedOctets(one.parts)),
          drafts.map(one => one.octets),
        ],
      )
      await client.query(
        `UPDATE recovery_device SET questions = questions + 1, next_at = $3 WHERE event = $1 AND device = ANY($2)`,
        [event, asking.map(row => row.device), later(at, hands.recovery.patienceMinutes)],
      )
      await note('ask Devices', { event, questions: asking.length })
    }
    return { asked: asking.length, others: silent.length + nothingLeft.length }
  })
}

/**
 * Commands whose answer is overdue: nobody knows what they did, and nothing more is commanded until the Device has said
 * what it holds. Questions that are overdue are asked anew, as something new.
 * @returns how many commands
 */
export function markOverdue(hands: RecoveryHands, event: string): Promise<number> {
  return byService(hands, 'mark overdue', { event }, async ({ client, at, note }) => {
    const since = later(at, -hands.recovery.patienceMinutes)
    const { rows } = await client.query<{ device: Buffer; kind: string }>(
      `UPDATE recovery_command SET state = 'unanswered'
        WHERE event = $1 AND state = 'sending' AND sent_at <= $2 RETURNING device, kind`,
      [event, since],
    )
    const updates = rows.filter(row => row.kind === 'update').map(row => row.device)
    if (updates.length === 0) return 0
    await client.query(
      `UPDATE recovery_device SET state = 'unresolved', next_at = NULL, questions = 0, shown = '{}'
        WHERE event = $1 AND device = ANY($2) AND state = 'sending'`,
      [event, updates],
    )
    await note('overdue', { event, commands: updates.length })
    return updates.length
  })
}
