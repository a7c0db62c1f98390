/** Signing what was written down, and keeping it: only what stands in the store as intended is ever signed. */

import { type Bytes, equal, toHex } from '../../ground/bytes.ts'
import { writeWithMac } from '../../ground/gbcs/mac.ts'
import { readMessage } from '../../ground/gbcs/message.ts'
import { otherInfo, plainSignature } from '../../ground/gbcs/protect.ts'
import { modeOfCode } from '../../ground/gbcs/use-cases.ts'
import type { Client } from '../../ground/store/store.ts'
import { type ProcedureName, procedureOf, type RecoveryCure } from '../../policy/recovery/cases.ts'
import { signedMessage } from './build.ts'
import type { Holding } from './cells.ts'
import { type Direction, requireInForce } from './direction.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'
import { type PartySigner, type Signers, signerFor } from './signers.ts'

const directed = Symbol('directed') // not exported: only what was read from the store as intended is one

/** A command that was written down under a direction that was in force when this was read. */
export interface Directed {
  readonly [directed]: true
  readonly command: bigint
  /** What is to be signed, the Symmetric Key's place unrevealed. */
  readonly octets: Bytes
  /** SHA-256 of the SubjectPublicKeyInfo of the key that is directed to sign. */
  readonly key: Bytes
  readonly decision: string
  /** The first instant at which the direction is in force no more. */
  readonly until: Date | undefined
}

interface Intended {
  readonly id: bigint
  readonly originator: Buffer
  readonly message_code: number
  readonly signed_part: Buffer
  readonly wave: number
  readonly procedure: ProcedureName
  readonly cured_by: RecoveryCure
  readonly cells: Holding[]
  readonly direction: number | null
  readonly decision: string | null
  readonly key: Buffer | null
  readonly closed_at: Date | null
  readonly agreement_key: Buffer
}

/**
 * Signs up to so many commands that were written down, and keeps them. If we stop before they are kept, they are signed
 * again: none has left. One of a direction that is not in force any more is not signed.
 * @returns how many were signed
 * @throws Refusal DIRECTION_NOT_IN_FORCE, KEY_ASLEEP, KEY_NOT_DIRECTED, SIGNER_MISSING
 */
export async function signIntended(
  hands: RecoveryHands,
  event: string,
  signers: Signers,
  limit: number,
): Promise<number> {
  // 1. Read what is to be signed, and that its direction is in force.
  const found = await byService(hands, 'sign recovery commands', { event }, async ({ client, at }) => {
    const rows = await intended(client, event, limit)
    const decisions = new Map(rows.flatMap(row => (row.decision === null ? [] : [[row.decision, row] as const])))
    const until = new Map<string, Date | undefined>()
    for (const [decision, { closed_at }] of decisions) {
      const direction: Pick<Direction, 'decision' | 'closedAt'> = { decision, closedAt: closed_at ?? undefined }
      until.set(decision, await requireInForce(client, direction, at))
    }
    return rows.map(row => ({ row, until: row.decision === null ? undefined : until.get(row.decision) }))
  })
  if (found.length === 0) return 0

  // 2. Sign. The key that is awake looks at the clock again for each of them.
  const ready: { id: bigint; octets: Buffer }[] = []
  try {
    for (const { row, until } of found) ready.push({ id: row.id, octets: signOne(hands, signers, row, until) })
  } finally {
    // 3. Keep what was signed, even if the next was refused: from here on it may be sent.
    await keep(hands, event, ready)
  }
  return ready.length
}

async function intended(client: Client, event: string, limit: number): Promise<Intended[]> {
  const { rows } = await client.query<Intended>(
    `SELECT c.id, c.originator, c.message_code, c.signed_part, c.wave, e.procedure, e.cured_by, d.cells, d.agreement_key,
            c.direction, r.decision, r.key, r.closed_at
       FROM recovery_command c JOIN recovery_device d ON d.event = c.event AND d.device = c.device
       JOIN recovery_event e ON e.reference = c.event
       LEFT JOIN recovery_direction r ON r.id = c.direction
      WHERE c.event = $1 AND c.state = 'intended' AND c.kind = 'update' ORDER BY c.id LIMIT $2`,
    [event, limit],
  )
  return rows
}

function signOne(
  hands: Pick<RecoveryHands, 'clock'>,
  signers: Signers,
  row: Intended,
  until: Date | undefined,
): Buffer {
  const { broker, awake } = signers
  const mode = modeOfCode(row.message_code)!
  let signedPart: Bytes = row.signed_part
  let signature: Bytes
  if (row.direction === null) {
    signature = partyOf(signers, row, mode.mode).sign(row.signed_part)
  } else {
    if (!awake) throw no('KEY_ASLEEP')
    const command: Directed = {
      [directed]: true,
      command: row.id,
      octets: row.signed_part,
      key: row.key!,
      decision: row.decision!,
      until,
    }
    const signed = awake.sign(command, hands.clock())
    signedPart = signed.octets
    signature = signed.signature
  }
  const plain = plainSignature(signature)
  const message = signedMessage(signedPart, plain)
  if (mode.protection === 'signature') return message
  const parts = readMessage(message)
  const key = broker.agreement[0]!.macKey(row.agreement_key, otherInfo(parts))
  return writeWithMac(parts, plain, key)
}

/** Whose certificate the Device holds in the cell that authorises: after a renewal a party has two keys. */
function partyOf(signers: Signers, row: Intended, mode: number): PartySigner {
  const wave = procedureOf(row.procedure, row.cured_by).waves[row.wave - 1]!
  const found = signerFor(signers, wave, mode, row.cells)
  if (!found || !('sign' in found) || !equal(found.originator, row.originator))
    throw no('SIGNER_MISSING', toHex(row.originator))
  return found as PartySigner
}

async function keep(
  hands: RecoveryHands,
  event: string,
  ready: readonly { id: bigint; octets: Buffer }[],
): Promise<void> {
  if (ready.length === 0) return
  await byService(hands, 'keep recovery commands', { event }, async ({ client, note }) => {
    const { rowCount } = await client.query(
      `UPDATE recovery_command c SET octets = one.octets, state = 'ready'
         FROM unnest($1::bigint[], $2::bytea[]) AS one (id, octets) WHERE c.id = one.id AND c.state = 'intended'`,
      [ready.map(one => String(one.id)), ready.map(one => one.octets)],
    )
    await note('keep recovery commands', { event, commands: rowCount ?? 0 })
  })
}
