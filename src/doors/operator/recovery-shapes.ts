/** The shapes of a recovery as it is answered: one event, and its report. */

import { z } from 'zod'
import { toHex } from '../../ground/bytes.ts'
import { keyKinds, procedureNames } from '../../policy/recovery/cases.ts'
import { actions, actors, phases } from '../../policy/recovery/steps.ts'
import type { RecoveryEvent } from '../../rooms/recovery/event.ts'
import type { RecoveryHands } from '../../rooms/recovery/hands.ts'
import { type RecoveryReport, reportOf } from '../../rooms/recovery/report.ts'
import type { OperatorWorld } from './door.ts'
import { digest, id, reference, when } from './shapes.ts'

export const procedureName = z.enum(procedureNames)
export const keyKind = z.enum(keyKinds)
export const deviceStates = [
  'pending',
  'commanded',
  'sending',
  'unresolved',
  'accepted',
  'proven',
  'listed',
] as const
export const counts = z.strictObject(
  Object.fromEntries(deviceStates.map(state => [state, z.int()])) as Record<
    (typeof deviceStates)[number],
    z.ZodInt
  >,
)

const event = {
  event: z.string().meta({ description: 'its reference' }),
  keyKind,
  key: digest.meta({ description: 'SHA-256 of the SubjectPublicKeyInfo of the key, hexadecimal' }),
  keyIds: z.array(z.string()),
  party: id.optional(),
  suspectedSince: when,
  notifiedAt: when,
  notifiedBy: reference,
  askedFor: z.string().optional(),
  state: z.enum(['notified', 'rejected', 'confirmed', 'running', 'paused', 'closed']),
  means: z.string().optional(),
  procedure: procedureName.optional(),
  wave: z.int(),
  pace: z.int().meta({ description: 'commands a minute' }),
  devices: z
    .strictObject({ count: z.int(), sha256: digest, frozenAt: when })
    .optional()
    .meta({ description: 'the Relevant Devices, once they are frozen: what a direction names' }),
  closedAt: when.optional(),
}

export const eventShape = z.strictObject(event)

export function shownEvent({ reference: name, key, keyIds, frozen, curedBy, ...rest }: RecoveryEvent) {
  return {
    ...rest,
    event: name,
    key: toHex(key),
    keyIds: keyIds.map(toHex),
    ...(frozen && { devices: { count: frozen.devices, sha256: toHex(frozen.digest), frozenAt: frozen.at } }),
  }
}

export const stepShape = z.strictObject({
  number: z.int(),
  phase: z.enum(phases),
  actor: z.enum(actors),
  action: z.enum(actions),
  done: z.strictObject({ at: when, by: reference, words: z.string() }).optional(),
})

export const reportShape = z.strictObject({
  ...event,
  says: z.string(),
  due: stepShape.optional().meta({ description: 'the step that is due' }),
  steps: z.array(stepShape),
  counts,
  kinds: z.array(z.strictObject({ kind: z.string(), devices: z.int(), proven: z.int() })),
  reasons: z.array(z.strictObject({ reason: z.string(), devices: z.int() })),
  curve: z.array(z.strictObject({ at: when, proven: z.int() })),
  commands: z.strictObject({ updates: z.int(), questions: z.int(), answered: z.int() }),
  directions: z.array(
    z.strictObject({
      decision: z.string(),
      kind: z.string(),
      key: digest,
      used: z.int(),
      maximum: z.int(),
    }),
  ),
  ceremonies: z.array(
    z.strictObject({
      thing: z.string(),
      custodians: z.int(),
      openedAt: when,
      closedAt: when.optional(),
      signatures: z.int(),
      refused: z.int(),
    }),
  ),
  refused: z.record(z.string(), z.int()).meta({ description: 'answers that were not believed, by code' }),
})

/** As the room has it, with the step that is due. */
export async function shownReport(door: OperatorWorld, name: string) {
  const { event: of, firstProven, lastProven, ...rest }: RecoveryReport = await reportOf(door.store, name)
  return { ...shownEvent(of), ...rest, due: rest.steps.find(step => step.done === undefined) }
}

/** What the room of recovery needs, of what the door has. */
export const handsOf = (door: OperatorWorld): RecoveryHands => ({ ...door, recovery: door.settings.recovery })
