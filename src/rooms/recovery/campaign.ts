/** How the commands of an event go on: begun, held, slowed, ended, and one round of work after another. */

import { Refusal } from '../../ground/refusal.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { takeAnswers } from './answer.ts'
import { closeDirections } from './direction.ts'
import { eventOf, heldEvent, procedureIn, type Reader, type RecoveryEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { intendCommands } from './intend.ts'
import { askDue, markOverdue } from './question.ts'
import { no } from './refusals.ts'
import { type Carrier, dropEnded, sendReady } from './send.ts'
import { signIntended } from './sign.ts'
import type { Signers } from './signers.ts'

const ours = ['RA_MANAGER', 'RA_PERSONNEL'] as const

/**
 * Begins the next wave of commands: every frozen Device for the first, those that are proven for the one after it.
 * @throws Refusal EVENT_STATE, DEVICES_NOT_FROZEN
 */
export function beginWave(hands: RecoveryHands, by: Actor, reference: string): Promise<RecoveryEvent> {
  return act(hands, by, { act: 'begin recovery commands' }, async acting => {
    const { client, note } = acting
    requireOffice(acting.by, ours, undefined)
    const event = await heldEvent(client, reference, 'confirmed', 'running')
    if (!event.frozen) throw no('DEVICES_NOT_FROZEN')
    const wave = event.wave + 1
    const procedure = procedureIn(event)
    if (!procedure || procedure.waves.length < wave) throw no('EVENT_STATE', 'there is no further wave of commands')
    const counts = await countsOf(client, reference)
    if (event.wave > 0 && openIn(counts) > 0) throw no('EVENT_STATE', 'a wave of commands is under way')
    await client.query("UPDATE recovery_event SET state = 'running', wave = $2 WHERE reference = $1", [
      reference,
      wave,
    ])
    const { rowCount } = await client.query(
      `UPDATE recovery_device SET wave = $2, state = 'pending', attempts = 0, questions = 0, shown = '{}',
         accepted_at = NULL, proven_at = NULL, next_at = NULL WHERE event = $1 AND ($2 = 1 OR state = 'proven')`,
      [reference, wave],
    )
    await note('begin recovery commands', { event: reference, wave, devices: rowCount ?? 0 })
    return eventOf(client, reference)
  })
}

/** Holds everything: nothing is written down, signed or sent until it goes on. Answers are taken all the same. */
export const pauseRecovery = (hands: RecoveryHands, by: Actor, reference: string, given: Given = {}) =>
  changeState(hands, by, reference, 'pause recovery', 'running', 'paused', given)

export const resumeRecovery = (hands: RecoveryHands, by: Actor, reference: string, given: Given = {}) =>
  changeState(hands, by, reference, 'resume recovery', 'paused', 'running', given)

function changeState(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  name: string,
  from: 'running' | 'paused',
  to: 'running' | 'paused',
  given: Given,
): Promise<void> {
  return act(hands, by, { act: name }, async acting => {
    requireOffice(acting.by, ours, undefined)
    await heldEvent(acting.client, reference, from)
    await acting.client.query('UPDATE recovery_event SET state = $2 WHERE reference = $1', [reference, to])
    await acting.note(name, { event: reference, ...readGiven(given) })
  })
}

/** @param pace commands a minute, 1 to a million */
export function setPace(hands: RecoveryHands, by: Actor, reference: string, pace: number): Promise<void> {
  return act(hands, by, { act: 'set recovery pace' }, async acting => {
    requireOffice(acting.by, ours, undefined)
    await heldEvent(acting.client, reference)
    if (!Number.isInteger(pace) || pace < 1 || pace > 1_000_000) throw no('EVENT_UNFIT', 'its pace')
    await acting.client.query('UPDATE recovery_event SET pace = $2 WHERE reference = $1', [reference, pace])
    await acting.note('set recovery pace', { event: reference, pace })
  })
}

/** Lets Devices that are listed have another try; each command of it counts against the direction. @returns how many */
export function retryListed(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  given: Given = {},
): Promise<number> {
  return act(hands, by, { act: 'retry listed Devices' }, async acting => {
    requireOffice(acting.by, ours, undefined)
    await heldEvent(acting.client, reference, 'running', 'paused')
    // What its last command did may be unknown: it is asked before it is commanded.
    const { rowCount } = await acting.client.query(
      `UPDATE recovery_device SET state = 'unresolved', reason = NULL, status_code = NULL, attempts = 0, questions = 0,
         shown = '{}', next_at = NULL WHERE event = $1 AND state = 'listed'`,
      [reference],
    )
    await acting.note('retry listed Devices', { event: reference, devices: rowCount ?? 0, ...readGiven(given) })
    return rowCount ?? 0
  })
}

export type DeviceState = 'pending' | 'commanded' | 'sending' | 'unresolved' | 'accepted' | 'proven' | 'listed'
export type Counts = Readonly<Record<DeviceState, number>>

export async function countsOf(store: Reader, event: string): Promise<Counts> {
  const { rows } = await (store as Client).query<{ state: DeviceState; count: bigint }>(
    'SELECT state, count(*) FROM recovery_device WHERE event = $1 GROUP BY state',
    [event],
  )
  const none = { pending: 0, commanded: 0, sending: 0, unresolved: 0, accepted: 0, proven: 0, listed: 0 }
  return { ...none, ...Object.fromEntries(rows.map(row => [row.state, Number(row.count)])) }
}

/** Devices of which something is still to be done or to come. */
export const openIn = ({ proven, listed, ...open }: Counts): number =>
  Object.values(open).reduce((a, b) => a + b, 0)

export interface Round {
  readonly believed: number
  readonly refused: Readonly<Record<string, number>>
  /** Commands and questions that left. */
  readonly sent: number
  /** Why no more commands are written down, if that is so: a person has to act, or the Devices that wait are listed. */
  readonly held?: Refusal | undefined
}

/**
 * One round of work, everything in order: what came is taken, what is overdue is marked, what was written down is signed,
 * and up to `allowance` commands and questions leave. It can be stopped anywhere and done again by another process.
 * @throws Refusal those of signing: nothing goes on then until a person has acted
 */
export async function workRound(
  hands: RecoveryHands,
  event: string,
  signers: Signers,
  carrier: Carrier,
  allowance: number,
): Promise<Round> {
  const { believed, refused } = await takeAnswers(hands, event, await carrier.received(), signers.broker)
  if ((await eventOf(hands.store, event)).state !== 'running') return { believed, refused, sent: 0 }
  await markOverdue(hands, event)
  let sent = 0
  let held: Refusal | undefined
  // What earlier rounds left behind goes first.
  await dropEnded(hands, event)
  await signAll(hands, event, signers)
  sent += await sendReady(hands, event, carrier, allowance)
  while (sent < allowance) {
    const group = Math.min(hands.recovery.group, allowance - sent)
    const { asked, others: settled } = await askDue(hands, event, signers.broker, group)
    const { intended, others } =
      asked < group && !held
        ? await intendCommands(hands, event, signers, group - asked).catch(cause => {
            if (!(cause instanceof Refusal)) throw cause
            held = cause
            return { intended: 0, others: 0 }
          })
        : { intended: 0, others: 0 }
    if (intended > 0) await signAll(hands, event, signers)
    const left = await sendReady(hands, event, carrier, allowance - sent)
    sent += left
    if (left + settled + others === 0) break
  }
  return { believed, refused, sent, ...(held && { held }) }
}

async function signAll(hands: RecoveryHands, event: string, signers: Signers): Promise<void> {
  while ((await signIntended(hands, event, signers, hands.recovery.group)) === hands.recovery.group);
}

/** Closes an event: what is open is listed with the reason, directions are closed with their outcome. */
export function closeRecovery(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  reason: string,
  given: Given = {},
): Promise<Counts> {
  return act(hands, by, { act: 'close recovery' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    await heldEvent(client, reference, 'running', 'paused', 'confirmed')
    await client.query(
      "UPDATE recovery_command SET state = 'dropped' WHERE event = $1 AND state IN ('intended', 'ready')",
      [reference],
    )
    await client.query(
      `UPDATE recovery_device SET state = 'listed', reason = $2, next_at = NULL
        WHERE event = $1 AND state NOT IN ('proven', 'listed')`,
      [reference, reason],
    )
    const counts = await countsOf(client, reference)
    await closeDirections(client, reference, counts, at)
    await client.query("UPDATE recovery_event SET state = 'closed', closed_at = $2 WHERE reference = $1", [
      reference,
      at,
    ])
    await note('close recovery', { event: reference, counts, ...readGiven(given) })
    return counts
  })
}
