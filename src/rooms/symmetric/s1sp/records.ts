/** The key records of the S1SP: packages with their seals, by stage. It holds no other key, and opens none of these. */

import type { ClientBase } from 'pg'
import { type Bytes, fromHex } from '../../../ground/bytes.ts'
import { entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { appendMany } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Store } from '../../../ground/store/store.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { Stage } from '../../../policy/symmetric/stages.ts'
import type { KeyState } from '../messages.ts'
import { isSigned, readRecord } from '../record.ts'
import { no as refuse } from '../refusals.ts'
import type { S1spHands } from './hands.ts'
import { no } from './refusals.ts'

export interface StoredKey {
  /** Of the record. */
  readonly id: string
  readonly device: string
  readonly holder: KeyHolder
  readonly type: LastingType
  readonly generation: number
  readonly stage: Stage
  /** The sealed record; null when it was removed from the store. */
  readonly octets: Buffer | null
  readonly rotation: bigint | null
  /** The id of the message that it was asked for by. */
  readonly message: string | null
  readonly corrupt: boolean
}

const columns = 'id, device, holder, type, generation, stage, octets, rotation, message, corrupt'

/** All that is stored of a Device, the newest generation first. */
export async function keysOf(store: Pick<Store, 'query'> | ClientBase, device: string): Promise<StoredKey[]> {
  const { rows } = await (store as ClientBase).query<StoredKey>({
    name: 's1sp keys of',
    text: `SELECT ${columns} FROM key_record WHERE device = $1 ORDER BY generation DESC`,
    values: [device],
  })
  return rows
}

/** Whether it may be what the Device holds: neither superseded nor abandoned. */
export const isCurrent = ({ stage }: StoredKey): boolean => stage !== 'superseded' && stage !== 'abandoned'

/** The record in hexadecimal, as messages carry it. @throws Refusal KEY_LOST */
export function octetsOf(key: StoredKey | undefined, what = ''): string {
  if (key === undefined || key.octets === null || key.corrupt) throw no('KEY_LOST', what || key?.type)
  return key.octets.toString('hex')
}

/**
 * Stores a record that the DCO made. Its signature is checked here; its seal only a DCO can check.
 * @throws Refusal RECORD_UNREADABLE, RECORD_CORRUPT when the DCO's signature does not hold, RECORD_WRONG_DEVICE,
 * ANSWER_NOT_BELIEVED
 */
export async function storeRecord(
  client: ClientBase,
  hands: Pick<S1spHands, 'clock' | 'recordKey'>,
  octets: string,
  due: {
    device: string
    stage: Stage
    rotation?: bigint
    message?: string
    holder?: KeyHolder
    type?: LastingType
  },
): Promise<StoredKey> {
  const sealed = believed(fromHex(octets), hands.recordKey)
  const { id, device, holder, type, generation } = sealed.record
  if (device !== due.device) throw refuse('RECORD_WRONG_DEVICE')
  const other = (due.holder !== undefined && due.holder !== holder) || (due.type !== undefined && due.type !== type)
  if (other || type === 'DK') throw no('ANSWER_NOT_BELIEVED', 'a record of another key')
  const at = hands.clock()
  const rotation = due.rotation ?? null
  await client.query(
    `INSERT INTO key_record (id, device, holder, type, generation, stage, octets, rotation, message, stored, changed)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
    [id, device, holder, type, generation, due.stage, sealed.octets, rotation, due.message ?? null, at],
  )
  return {
    id,
    device,
    holder,
    type,
    generation,
    stage: due.stage,
    octets: Buffer.from(sealed.octets),
    rotation,
    message: due.message ?? null,
    corrupt: false,
  }
}

/** A record whose signature holds. @throws Refusal RECORD_UNREADABLE, RECORD_CORRUPT */
export function believed(octets: Bytes, recordKey: Bytes) {
  const sealed = readRecord(octets)
  if (!isSigned(sealed, recordKey)) throw refuse('RECORD_CORRUPT')
  return sealed
}

/** Whether what is stored is a record of that key, as its DCO signed it. */
export function isSound(key: StoredKey, recordKey: Bytes): boolean {
  if (key.octets === null || key.corrupt) return false
  try {
    const { record } = believed(key.octets, recordKey)
    const { id, device, holder, type, generation } = record
    return (
      id === key.id &&
      device === key.device &&
      holder === key.holder &&
      type === key.type &&
      generation === key.generation
    )
  } catch (cause) {
    if (cause instanceof Refusal) return false
    throw cause
  }
}

const actOf: Readonly<Record<Stage, string>> = {
  made: 'key.made',
  offered: 'key.offered',
  active: 'key.active',
  superseded: 'key.superseded',
  abandoned: 'key.abandoned',
}

/** What goes before makes room: at no moment are two keys of one kind active. */
const sequence: readonly Stage[] = ['superseded', 'abandoned', 'made', 'offered', 'active']

/**
 * Keeps what the DCO says of stages, and writes each change into the journal with what it rests on.
 * @returns how many stages changed
 */
export async function applyStages(
  client: ClientBase,
  { clock }: Pick<S1spHands, 'clock'>,
  device: string,
  states: readonly KeyState[],
  because: Readonly<Record<string, JsonValue>>,
): Promise<number> {
  const at = clock()
  const entries = []
  const ordered = [...states].sort((a, b) => sequence.indexOf(a.stage) - sequence.indexOf(b.stage))
  for (const { record, stage, holder, type, generation } of ordered) {
    const { rowCount } = await client.query({
      name: 's1sp stage',
      text: 'UPDATE key_record SET stage = $1, changed = $2 WHERE id = $3 AND device = $4 AND stage <> $1',
      values: [stage, at, record, device],
    })
    if (rowCount !== 1) continue
    entries.push(entry(actOf[stage], at, { ...because, device, holder, type, record, generation }))
  }
  await appendMany(client, entries)
  return entries.length
}
