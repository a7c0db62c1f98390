/** Commands are written down before anything is signed: counted, numbered, each for one Device that waits for one. */

import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import { modeOf } from '../../ground/gbcs/use-cases.ts'
import type { Client } from '../../ground/store/store.ts'
import { modeFor, type Wave } from '../../policy/recovery/cases.ts'
import { draftOctets, type Replacement, targetsOf } from './build.ts'
import type { Holding } from './cells.ts'
import { takeCounters } from './counters.ts'
import { leftIn, takeFromDirection } from './direction.ts'
import { heldEvent, procedureIn, type RecoveryEvent } from './event.ts'
import { byService, type RecoveryHands, type Working } from './hands.ts'
import { no } from './refusals.ts'
import { materialOf } from './replacements.ts'
import { type Signers, signerFor } from './signers.ts'

interface Waiting {
  readonly device: Buffer
  readonly kind: string
  readonly cells: Holding[]
  readonly attempts: number
}

/** A command that is decided but for its counter. */
interface Decided {
  readonly device: Buffer
  readonly mode: number
  readonly originator: Bytes
  readonly targets: readonly Replacement[]
}

/**
 * Writes down commands for Devices that wait for one, in one transaction: under a direction where the procedure needs a
 * key of the DCC, which is held for it, so that its maximum is never exceeded whoever else writes. What the direction does
 * not cover is refused, and nothing of the group stands.
 * @param only these Devices and no others, 16 hexadecimal digits each
 * @returns how many commands were written down, and how many Devices went another way without one
 * @throws Refusal EVENT_STATE, DIRECTION_…, KEY_ASLEEP
 */
export function intendCommands(
  hands: RecoveryHands,
  reference: string,
  signers: Signers,
  limit: number,
  only?: readonly string[],
): Promise<{ intended: number; others: number }> {
  const about = { event: reference, ...(only && { devices: only.slice(0, 20) }) }
  return byService(hands, 'intend recovery commands', about, async working => {
    const { client, at } = working
    const event = await heldEvent(client, reference, 'running')
    const wave = waveOf(event)
    if (only) await requireFrozen(client, reference, only)
    const isDirected = wave.signer === 'recovery' || wave.signer === 'contingency'
    // No key, no counting: a ceremony that has not begun uses nothing up.
    if (isDirected && signers.awake?.signs !== wave.signer) throw no('KEY_ASLEEP')
    // What is left of a direction is used to its end; what was asked for by name is done as a whole or not at all.
    const left = isDirected && !only ? await leftIn(client, reference, signers.awake!.decision) : limit
    const waiting = await devicesWaiting(client, reference, at, Math.max(1, Math.min(limit, left)), only)
    if (waiting.length === 0) return { intended: 0, others: 0 }

    const material = await materialOf(client, reference, event.wave)
    const decided: Decided[] = []
    const listed: { device: Buffer; reason: string }[] = []
    const done: Buffer[] = []
    for (const { device, kind, cells, attempts } of waiting) {
      const targets = targetsOf(cells, material)
      const mode = modeFor(wave, kind)
      const signer = signerFor(signers, wave, mode, cells)
      if (targets.length === 0) done.push(device)
      else if (attempts >= hands.recovery.attempts)
        listed.push({ device, reason: `${attempts} commands had no full effect` })
      else if (!signer) listed.push({ device, reason: 'nobody is here who can sign for the party that it obeys' })
      else decided.push({ device, mode, originator: signer.originator, targets })
    }
    await list(client, reference, listed)
    await client.query(
      "UPDATE recovery_device SET state = 'accepted', next_at = NULL WHERE event = $1 AND device = ANY($2)",
      [reference, done],
    )
    if (decided.length > 0) await writeDown(working, event, wave, signers, decided, material.path)
    return { intended: decided.length, others: listed.length + done.length }
  })
}

/** The wave that is under way. @throws Refusal EVENT_STATE */
export function waveOf(event: RecoveryEvent): Wave {
  const found = procedureIn(event)?.waves[event.wave - 1]
  if (!found) throw no('EVENT_STATE', 'no commands are due')
  return found
}

async function devicesWaiting(
  client: Client,
  event: string,
  at: Date,
  limit: number,
  only?: readonly string[],
): Promise<Waiting[]> {
  const { rows } = await client.query<Waiting>(
    `SELECT device, kind, cells, attempts FROM recovery_device
      WHERE event = $1 AND state = 'pending' AND (next_at IS NULL OR next_at <= $2)
        AND ($4::bytea[] IS NULL OR device = ANY($4))
      ORDER BY device LIMIT $3 FOR UPDATE SKIP LOCKED`,
    [event, at, limit, only?.map(one => fromHex(one)) ?? null],
  )
  return rows
}

async function requireFrozen(client: Client, event: string, devices: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ device: Buffer }>(
    'SELECT device FROM recovery_device WHERE event = $1 AND device = ANY($2)',
    [event, devices.map(one => fromHex(one))],
  )
  const known = new Set(rows.map(row => toHex(row.device)))
  const outside = devices.filter(one => !known.has(one))
  if (outside.length > 0) throw no('DIRECTION_DEVICE_OUTSIDE', outside[0], { outside: outside.slice(0, 20) })
}

async function writeDown(
  { client, at, note }: Working,
  event: RecoveryEvent,
  wave: Wave,
  { awake }: Signers,
  decided: readonly Decided[],
  path: readonly Bytes[],
): Promise<void> {
  const isDirected = wave.signer === 'recovery' || wave.signer === 'contingency'
  const direction = isDirected
    ? await takeFromDirection(client, {
        event: event.reference,
        decision: awake!.decision,
        key: awake!.key,
        commands: decided.length,
        cells: new Set(decided.flatMap(one => one.targets.map(target => target.becomes.cell))),
        at,
      })
    : undefined
  const groups = [...Map.groupBy(decided, one => toHex(one.originator)).values()]
  for (const group of groups) {
    const { originator } = group[0]!
    const first = await takeCounters(client, originator, group.length)
    const drafts = group.map((one, i) => ({ ...one, counter: first + BigInt(i) }))
    await client.query(
      `INSERT INTO recovery_command (event, wave, device, direction, kind, originator, counter, message_code, signed_part,
         intended_at)
       SELECT $1, $2, device, $3, 'update', $4, counter, code, octets, $5
         FROM unnest($6::bytea[], $7::bigint[], $8::int[], $9::bytea[]) AS one (device, counter, code, octets)`,
      [
        event.reference,
        event.wave,
        direction?.id ?? null,
        originator,
        at,
        drafts.map(one => one.device),
        drafts.map(one => String(one.counter)),
        drafts.map(one => modeOf(one.mode)!.messageCode),
        drafts.map(one => draftOctets({ ...one, device: toHex(one.device), path })),
      ],
    )
    await note('intend recovery commands', {
      event: event.reference,
      wave: event.wave,
      originator: toHex(originator),
      counters: [String(first), String(first + BigInt(group.length - 1))],
      commands: group.length,
      ...(direction && { direction: direction.id, decision: direction.decision, used: direction.used }),
    })
  }
  await client.query(
    `UPDATE recovery_device SET state = 'commanded', attempts = attempts + 1, next_at = NULL
      WHERE event = $1 AND device = ANY($2)`,
    [event.reference, decided.map(one => one.device)],
  )
}

/** Devices that wait for a command get none, for that reason; they may have another try later. @returns how many */
export function listWaiting(hands: RecoveryHands, event: string, reason: string): Promise<number> {
  return byService(hands, 'list waiting Devices', { event }, async ({ client, note }) => {
    const { rowCount } = await client.query(
      `UPDATE recovery_device SET state = 'listed', reason = $2, next_at = NULL
        WHERE event = $1 AND state = 'pending'`,
      [event, reason],
    )
    await note('list waiting Devices', { event, devices: rowCount ?? 0, reason })
    return rowCount ?? 0
  })
}

/** Devices that get no more commands, each with its reason. */
export async function list(
  client: Client,
  event: string,
  listed: readonly { readonly device: Buffer; readonly reason: string; readonly status?: number }[],
): Promise<void> {
  if (listed.length === 0) return
  await client.query(
    `UPDATE recovery_device d SET state = 'listed', reason = one.reason, status_code = one.status, next_at = NULL
       FROM unnest($2::bytea[], $3::text[], $4::smallint[]) AS one (device, reason, status)
      WHERE d.event = $1 AND d.device = one.device`,
    [event, listed.map(one => one.device), listed.map(one => one.reason), listed.map(one => one.status ?? null)],
  )
}
