/** The key records of the S1SP: packages with their seals, by stage. It holds no other key, and opens none of these. */

import type { ClientBase } from 'pg'
import { type Bytes, fromHex } from '../../../ground/bytes.ts'
import { type Entry, entry, type JsonValue } from '../../../ground/journal/entry.ts'
import { appendMany } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { Store } from '../../../ground/store/store.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { Stage } from '../../../policy/symmetric/stages.ts'
import { gathered } from '../gathered.ts'
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
export const keysOf = gathered<Pick<Store, 'query'>, string, StoredKey[]>(async (store, devices) => {
  const { rows } = await store.query<StoredKey>({
    name: 's1sp keys of',
    text: `SELECT ${columns} FROM key_record WHERE device = ANY ($1) ORDER BY generation DESC`,
    values: [devices],
  })
  const found = Map.groupBy(rows, ({ device }) => device)
  return devices.map(device => found.get(device) ?? [])
})

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
  const key: StoredKey = {
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
  await stored(client, { ...key, at })
  return key
}

const stored = gathered<ClientBase, StoredKey & { readonly at: Date }, void>(async (client, keys) => {
  await client.query({
    name: 's1sp store records',
    text: `INSERT INTO key_record (id, device, holder, type, generation, stage, octets, rotation, message, stored, changed)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::bytea[],
        $8::bigint[], $9::text[], $10::timestamptz[], $10::timestamptz[])`,
    values: [
      keys.map(({ id }) => id),
      keys.map(({ device }) => device),
      keys.map(({ holder }) => holder),
      keys.map(({ type }) => type),
      keys.map(({ generation }) => generation),
      keys.map(({ stage }) => stage),
      keys.map(({ octets }) => octets),
      keys.map(({ rotation }) => rotation),
      keys.map(({ message }) => message),
      keys.map(({ at }) => at),
    ],
  })
})

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
  const ordered = [...states].sort((a, b) => sequence.indexOf(a.stage) - sequence.indexOf(b.stage))
  let count = 0
  // What makes room has made it before the rest is written.
  for (const goes of [true, false]) {
    const some = ordered.filter(({ stage }) => (stage === 'superseded' || stage === 'abandoned') === goes)
    const changed = await Promise.all(
      some.map(({ record, stage }) => staged(client, { device, record, stage, at })),
    )
    const entries = some
      .filter((_, i) => changed[i])
      .map(({ record, stage, holder, type, generation }) =>
        entry(actOf[stage], at, { ...because, device, holder, type, record, generation }),
      )
    await Promise.all(entries.map(one => appended(client, one)))
    count += entries.length
  }
  return count
}

interface Staged {
  readonly device: string
  readonly record: string
  readonly stage: Stage
  readonly at: Date
}

/** @returns of each whether it came to another stage by it */
const staged = gathered<ClientBase, Staged, boolean>(async (client, all) => {
  const { rows } = await client.query<{ id: string }>({
    name: 's1sp stages',
    text: `UPDATE key_record k SET stage = s.stage, changed = s.at
      FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS s (id, device, stage, at)
      WHERE k.id = s.id AND k.device = s.device AND k.stage <> s.stage RETURNING k.id`,
    values: [
      all.map(({ record }) => record),
      all.map(({ device }) => device),
      all.map(({ stage }) => stage),
      all.map(({ at }) => at),
    ],
  })
  const changed = new Set(rows.map(({ id }) => id))
  return all.map(({ record }) => changed.has(record))
})

/** As `append`, for what many write at the same time into one transaction. */
export const appended = gathered<ClientBase, Entry, void>(async (client, entries) => {
  await appendMany(client, entries)
})
