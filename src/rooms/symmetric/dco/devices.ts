/** Devices and their keys as a DCO knows them: which there are and how far each has come, never what they are. */

import type { Client, Store } from '../../../ground/store/store.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import type { Stage } from '../../../policy/symmetric/stages.ts'
import type { KeyState } from '../messages.ts'
import type { KeyRecord } from '../record.ts'
import { no } from '../refusals.ts'
import { type Hands, modelNamed } from './hands.ts'
import type { Planner } from './plan.ts'

export interface DeviceRow {
  readonly device: string
  readonly s1sp: string
  readonly model: DeviceModel
  readonly title: Buffer | null
  readonly titleProven: boolean
  readonly commissionedAt: Date | null
}

export interface KeyRow {
  readonly holder: KeyHolder
  readonly type: LastingType
  readonly generation: number
  /** 32 hexadecimal digits. */
  readonly record: string
  readonly formerRecord: string | null
  readonly stage: Stage
  readonly provenAt: Date | null
  readonly ground: string
  readonly reference: string
  readonly offered: number | null
  readonly offeredVia: string | null
  readonly offeredIn: number | null
  readonly underMk: number | null
  readonly fenced: number | null
}

type Reader = Pick<Store, 'query'> | Client

/** @throws Refusal DEVICE_UNKNOWN, DEVICE_NOT_YOURS, MODEL_UNKNOWN */
export async function deviceOf(hands: Hands, s1sp: string, device: string, reader: Reader = hands.store) {
  const { rows } = await (reader as Pick<Store, 'query'>).query<{
    s1sp: string
    model: string
    title: Buffer | null
    title_proven: boolean
    commissioned_at: Date | null
  }>({
    name: 'dco device',
    text: 'SELECT s1sp, model, title, title_proven, commissioned_at FROM dco_device WHERE eui64 = $1',
    values: [Buffer.from(device, 'hex')],
  })
  const row = rows[0]
  if (!row) throw no('DEVICE_UNKNOWN', device)
  if (row.s1sp !== s1sp) throw no('DEVICE_NOT_YOURS', device)
  const found: DeviceRow = {
    device,
    s1sp,
    model: modelNamed(hands, row.model),
    title: row.title,
    titleProven: row.title_proven,
    commissionedAt: row.commissioned_at,
  }
  return found
}

/** Every key of a Device, by holder, type and generation. */
export async function keysOf(reader: Reader, device: string): Promise<KeyRow[]> {
  const { rows } = await (reader as Pick<Store, 'query'>).query<KeyRow>({
    name: 'dco keys',
    text: `SELECT holder, type, generation, encode(record, 'hex') AS record,
        encode(former_record, 'hex') AS "formerRecord", stage, proven_at AS "provenAt", ground, reference,
        offered::float8 AS offered, offered_via AS "offeredVia", offered_in::float8 AS "offeredIn",
        under_mk AS "underMk", fenced::float8 AS fenced
      FROM dco_key WHERE device = $1 ORDER BY holder, type, generation`,
    values: [Buffer.from(device, 'hex')],
  })
  return rows
}

/** Whoever changes what is known of a Device takes turns by its row: order is drawn while it is held. */
export async function lockDevice(client: Client, device: string): Promise<void> {
  await client.query({
    name: 'dco lock device',
    text: 'SELECT FROM dco_device WHERE eui64 = $1 FOR UPDATE',
    values: [Buffer.from(device, 'hex')],
  })
}

/** The next place in the order of openings, offers and proofs. With the Device's row held. */
export async function nextInOrder(client: Client): Promise<number> {
  const { rows } = await client.query<{ place: bigint }>({
    name: 'dco order',
    text: "SELECT nextval('dco_order') AS place",
  })
  return Number(rows[0]!.place)
}

/** The row of a record. @throws Refusal RECORD_NOT_KNOWN */
export function keyIn(keys: readonly KeyRow[], { id, holder, type, generation }: KeyRecord): KeyRow {
  const row = keys.find(key => key.holder === holder && key.type === type && key.generation === generation)
  if (!row || (row.record !== id && row.formerRecord !== id)) throw no('RECORD_NOT_KNOWN')
  return row
}

export const stateOf = ({ holder, type, generation, record, stage }: KeyRow): KeyState => ({
  holder,
  type,
  generation,
  record,
  stage,
})

export const tellDevice: Planner<'tell-device'> = async ({ hands, s1sp, question }) => {
  const { model, title } = await deviceOf(hands, s1sp.name, question.device)
  const keys = await keysOf(hands.store, question.device)
  return {
    content: { model: model.name, title: title?.toString('hex') ?? null, keys: keys.map(stateOf) },
    tells: [],
  }
}
