/** The steps of an event: each is done once, in the order that was laid down when its procedure was chosen. */

import type { Client } from '../../ground/store/store.ts'
import { type Phase, recordersOf, type StepAction, type StepActor } from '../../policy/recovery/steps.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { heldEvent, type Reader, type RecoveryEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export interface RecoveryStep {
  readonly number: number
  readonly phase: Phase
  readonly actor: StepActor
  readonly action: StepAction
  readonly done: { readonly at: Date; readonly by: string; readonly words: string } | undefined
}

interface Row {
  number: number
  phase: Phase
  actor: StepActor
  action: StepAction
  done_at: Date | null
  done_by: string | null
  words: string
}

/** In their order. */
export async function recoverySteps(store: Reader, event: string): Promise<RecoveryStep[]> {
  const { rows } = await (store as Pick<RecoveryHands['store'], 'query'>).query<Row>(
    'SELECT number, phase, actor, action, done_at, done_by, words FROM recovery_step WHERE event = $1 ORDER BY number',
    [event],
  )
  return rows.map(({ number, phase, actor, action, done_at, done_by, words }) => ({
    number,
    phase,
    actor,
    action,
    done: done_at === null ? undefined : { at: done_at, by: done_by!, words },
  }))
}

/** The step that is due, or undefined when all are done. */
export async function dueStep(store: Reader, event: string): Promise<RecoveryStep | undefined> {
  return (await recoverySteps(store, event)).find(step => step.done === undefined)
}

/**
 * Records that the step that is due was done, by somebody of its actor. What this room can see is looked at: a step whose
 * work is not there is not done.
 * @throws Refusal STEP_ORDER, STEP_NOT_DONE, EVENT_UNKNOWN, NOT_FOR_THIS_OFFICE, OTHER_ORGANISATION
 */
export function doneStep(
  hands: RecoveryHands,
  by: Actor,
  event: string,
  action: StepAction,
  given: Given = {},
): Promise<RecoveryStep | undefined> {
  return act(hands, by, { act: 'recovery step' }, async ({ client, at, note, by: officer }) => {
    const held = await heldEvent(client, event)
    const due = await dueStep(client, event)
    if (due?.action !== action) throw no('STEP_ORDER', due ? `“${due.action}” is due` : 'all steps are done')
    requireOffice(officer, recordersOf[due.actor], held.party)
    const missing = await missingOf(client, held, action)
    if (missing !== undefined) throw no('STEP_NOT_DONE', missing)
    const { words, evidence } = readGiven(given)
    await client.query(
      'UPDATE recovery_step SET done_at = $3, done_by = $4, words = $5 WHERE event = $1 AND number = $2',
      [event, due.number, at, String(officer.says.person), words],
    )
    await note('recovery step', { event, number: due.number, phase: due.phase, action, words, evidence })
    return dueStep(client, event)
  })
}

/** What is not there of a step that is said to be done; undefined when nothing is missing, or nothing can be seen here. */
async function missingOf(client: Client, event: RecoveryEvent, action: StepAction): Promise<string | undefined> {
  const { reference, wave } = event
  const some = async (table: string, where = '') =>
    (await client.query(`SELECT FROM ${table} WHERE event = $1 ${where} LIMIT 1`, [reference])).rowCount !== 0
  const underWay = () => some('recovery_device', "AND state NOT IN ('proven', 'listed')")
  switch (action) {
    case 'choose procedure':
      return event.procedure ? undefined : 'no procedure is chosen'
    case 'freeze devices':
      return event.frozen ? undefined : 'the Relevant Devices are not frozen'
    case 'decide':
      return (await some('recovery_direction')) ? undefined : 'no direction is open'
    case 'convene custodians':
      return (await some('recovery_ceremony')) ? undefined : 'no key has woken'
    case 'send commands':
    case 'hand over': {
      const last = action === 'send commands' ? 1 : 2
      return wave < last || (await underWay()) ? 'Devices are still under way' : undefined
    }
    case 'stand down custodians':
      return (await some('recovery_ceremony', 'AND closed_at IS NULL')) ? 'a key is awake' : undefined
    case 'report':
      return event.state === 'closed' ? undefined : 'the recovery is not closed'
    default:
      return undefined
  }
}
