/** The steps of an event: each is done once, in the order that was laid down when its procedure was chosen. */

import type { Phase, StepAction, StepActor } from '../../policy/recovery/steps.ts'
import { type Actor, act, type Given, readGiven } from '../registration/act.ts'
import { heldEvent, type Reader } from './event.ts'
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

/** Records that the step that is due was done. @throws Refusal STEP_ORDER, EVENT_UNKNOWN */
export function doneStep(
  hands: RecoveryHands,
  by: Actor,
  event: string,
  action: StepAction,
  given: Given = {},
): Promise<RecoveryStep | undefined> {
  return act(hands, by, { act: 'recovery step' }, async ({ client, at, note, by: officer }) => {
    await heldEvent(client, event)
    const due = await dueStep(client, event)
    if (due?.action !== action) throw no('STEP_ORDER', due ? `“${due.action}” is due` : 'all steps are done')
    const { words, evidence } = readGiven(given)
    await client.query(
      'UPDATE recovery_step SET done_at = $3, done_by = $4, words = $5 WHERE event = $1 AND number = $2',
      [event, due.number, at, String(officer.says.person), words],
    )
    await note('recovery step', { event, number: due.number, phase: due.phase, action, words, evidence })
    return dueStep(client, event)
  })
}
