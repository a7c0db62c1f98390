/** Recovery Key Directions: what the SMKI PMA decided about one key, and that nothing is done beyond it. */

import { z } from 'zod'
import { equal, fromHex, toHex } from '../../ground/bytes.ts'
import type { JsonValue } from '../../ground/journal/entry.ts'
import type { Client } from '../../ground/store/store.ts'
import { cellText, decidedActOf } from '../../policy/recovery/cases.ts'
import { citeDecision, type Decision, decisionOf, notInForce } from '../governance/decisions.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { heldEvent, procedureIn, type Reader } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

/** What the decision says in its details; its window is that of the decision itself (REC-A03). */
export const directionSchema = z.strictObject({
  kind: z.enum(['method2', 'method3', 'contingency', 'furtherUse']),
  event: z.string(),
  /** SHA-256 of the SubjectPublicKeyInfo of the key, hexadecimal. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  purpose: z.string().min(1).max(2000),
  /** Factors of the Recovery Key Guidance that were considered. */
  grounds: z.array(z.string().min(1).max(200)).min(1).max(50),
  devices: z.strictObject({ count: z.int().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  cells: z.array(z.string().regex(cellText)).min(1).max(64),
  /** Commands, each that was written down counting. */
  maximum: z.int().min(1).max(2_000_000_000),
})
export type DirectionText = z.output<typeof directionSchema>

export interface Direction {
  readonly id: number
  readonly event: string
  readonly decision: string
  readonly kind: DirectionText['kind']
  readonly key: Buffer
  readonly cells: readonly string[]
  readonly maximum: number
  readonly used: number
  readonly openedAt: Date
  readonly closedAt: Date | undefined
}

/** The subject by which a decision covers an event: it stands among the decision's subjects. */
export const subjectOf = (event: string): string => `recovery:${event}`

/**
 * Takes a decision as the direction of an event: the key, the set of Devices and the event must be those it names.
 * @throws Refusal DECISION_…, DIRECTION_UNFIT, DIRECTION_OTHER_…, DIRECTION_EXISTS, DEVICES_NOT_FROZEN, PROCEDURE_UNFIT
 */
export function openDirection(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  decision: string,
  key: Uint8Array,
  given: Given = {},
): Promise<Direction> {
  return act(hands, by, { act: 'open recovery direction' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_MANAGER'], undefined)
    const event = await heldEvent(client, reference, 'confirmed', 'running', 'paused')
    const dccKey = procedureIn(event)?.dccKey
    if (dccKey === undefined) throw no('PROCEDURE_UNFIT', 'it needs no key of the DCC')
    if (!event.frozen) throw no('DEVICES_NOT_FROZEN')
    const cited = await citeDecision(client, {
      reference: decision,
      act: decidedActOf[dccKey],
      subjects: [subjectOf(reference)],
      at,
    })
    const said = textOf(cited)
    if (said.event !== reference) throw no('DIRECTION_OTHER_EVENT')
    if (!equal(fromHex(said.key), key)) throw no('DIRECTION_OTHER_KEY')
    const { count, sha256 } = said.devices
    if (count !== event.frozen.devices || sha256 !== toHex(event.frozen.digest)) throw no('DIRECTION_OTHER_DEVICES')
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO recovery_direction (event, decision, kind, key, cells, maximum, opened_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (decision) DO NOTHING RETURNING id`,
      [reference, decision, said.kind, key, said.cells, said.maximum, at],
    )
    if (!rows[0]) throw no('DIRECTION_EXISTS', decision)
    await note('open recovery direction', { ...said, decision, direction: rows[0].id, ...readGiven(given) })
    return (await directionsOf(client, reference)).find(one => one.id === rows[0]!.id)!
  })
}

/** @throws Refusal DIRECTION_UNFIT */
export function textOf({ details, reference }: Pick<Decision, 'details' | 'reference'>): DirectionText {
  const found = directionSchema.safeParse((details as { direction?: JsonValue } | undefined)?.direction)
  if (!found.success) {
    const [first] = found.error.issues
    throw no('DIRECTION_UNFIT', `${reference}: ${first!.path.join('.') || 'direction'}: ${first!.message}`)
  }
  return found.data
}

/** Latest last. */
export async function directionsOf(store: Reader, event: string): Promise<Direction[]> {
  const { rows } = await (store as Client).query<Row>(
    'SELECT * FROM recovery_direction WHERE event = $1 ORDER BY id',
    [event],
  )
  return rows.map(read)
}

/** What is about to be written down under a direction. */
export interface Asked {
  readonly event: string
  /** Under which decision the key is awake that is to sign, and the SHA-256 of its SubjectPublicKeyInfo. */
  readonly decision: string
  readonly key: Uint8Array
  readonly commands: number
  readonly cells: Iterable<string>
  readonly at: Date
}

/**
 * Takes so many commands from the direction that the key woke for, which is held until the caller's transaction ends: if what was
 * taken for is rolled back, so is the count.
 * @throws Refusal DIRECTION_NEEDED, DIRECTION_OTHER_KEY, DIRECTION_NOT_IN_FORCE, DIRECTION_CELL_OUTSIDE,
 * DIRECTION_USED_UP
 */
export async function takeFromDirection(
  client: Client,
  { event, decision, key, commands, cells, at }: Asked,
): Promise<Direction & { readonly until: Date | undefined }> {
  const { rows } = await client.query<Row>(
    'SELECT * FROM recovery_direction WHERE event = $1 AND decision = $2 FOR UPDATE',
    [event, decision],
  )
  if (!rows[0]) throw no('DIRECTION_NEEDED', decision)
  const direction = read(rows[0])
  if (!equal(direction.key, key)) throw no('DIRECTION_OTHER_KEY')
  const { until, text } = await inForce(client, direction, at)
  // What was decided counts, and not what stands in our table of it.
  if (!equal(fromHex(text.key), key)) throw no('DIRECTION_OTHER_KEY')
  for (const cell of cells) if (!text.cells.includes(cell)) throw no('DIRECTION_CELL_OUTSIDE', cell)
  if (direction.used + commands > text.maximum)
    throw no('DIRECTION_USED_UP', `${direction.used} of ${text.maximum} were used`)
  await client.query('UPDATE recovery_direction SET used = used + $2 WHERE id = $1', [direction.id, commands])
  return { ...direction, used: direction.used + commands, until }
}

/** The first instant at which the direction is in force no more. @throws Refusal DIRECTION_NOT_IN_FORCE */
export async function requireInForce(
  store: Reader,
  direction: Pick<Direction, 'decision' | 'closedAt'>,
  at: Date,
): Promise<Date | undefined> {
  return (await inForce(store, direction, at)).until
}

async function inForce(
  store: Reader,
  { decision: reference, closedAt }: Pick<Direction, 'decision' | 'closedAt'>,
  at: Date,
): Promise<{ until: Date | undefined; text: DirectionText }> {
  const decision = await decisionOf(store, reference)
  const reason = closedAt ? 'was closed' : decision ? notInForce(decision, at) : 'is unknown'
  if (reason !== undefined || !decision) throw no('DIRECTION_NOT_IN_FORCE', `${reference} ${reason}`)
  return { until: decision.until, text: textOf(decision) }
}

/** How many commands the direction by that decision allows still. */
export async function leftIn(store: Reader, event: string, decision: string): Promise<number> {
  const found = (await directionsOf(store, event)).find(one => one.decision === decision)
  return found ? found.maximum - found.used : 0
}

/** Closes what is open of an event; `outcome` counts Devices by their state. */
export async function closeDirections(
  client: Client,
  event: string,
  outcome: Readonly<Record<string, number>>,
  at: Date,
): Promise<void> {
  await client.query(
    'UPDATE recovery_direction SET closed_at = $2, outcome = $3 WHERE event = $1 AND closed_at IS NULL',
    [event, at, JSON.stringify(outcome)],
  )
}

interface Row {
  id: number
  event: string
  decision: string
  kind: DirectionText['kind']
  key: Buffer
  cells: string[]
  maximum: number
  used: number
  opened_at: Date
  closed_at: Date | null
}

function read({ opened_at, closed_at, ...rest }: Row): Direction {
  return { ...rest, openedAt: opened_at, closedAt: closed_at ?? undefined }
}
