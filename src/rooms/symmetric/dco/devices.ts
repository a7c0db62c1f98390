/** Devices and their keys as a DCO knows them: which there are and how far each has come, never what they are. */

import type { Client, Store } from '../../../ground/store/store.ts'
import type { KeyHolder, LastingType } from '../../../policy/symmetric/keys.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import type { Stage } from '../../../policy/symmetric/stages.ts'
import { gathered } from '../gathered.ts'
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

type Reader = Pick<Store, 'query'>

/** @throws Refusal DEVICE_UNKNOWN, DEVICE_NOT_YOURS, MODEL_UNKNOWN */
export async function deviceOf(hands: Hands, s1sp: string, device: string): Promise<DeviceRow> {
  const row = await storedDevice(hands.store, device)
  if (!row) throw no('DEVICE_UNKNOWN', device)
  if (row.s1sp !== s1sp) throw no('DEVICE_NOT_YOURS', device)
  return {
    device,
    s1sp,
    model: modelNamed(hands, row.model),
    title: row.title,
    titleProven: row.title_proven,
    commissionedAt: row.commissioned_at,
  }
}

interface StoredDevice {
  readonly device: string
  readonly s1sp: string
  readonly model: string
  readonly title: Buffer | null
  readonly title_proven: boolean
  readonly commissioned_at: Date | null
}

const storedDevice = gathered<Reader, string, StoredDevice | undefined>(async (reader, devices) => {
  const { rows } = await reader.query<StoredDevice>({
    name: 'dco devices',
    text: `SELECT encode(eui64, 'hex') AS device, s1sp, model, title, title_proven, commissioned_at
      FROM dco_device WHERE eui64 = ANY ($1)`,
    values: [devices.map(octets)],
  })
  const found = new Map(rows.map(row => [row.device, row] as const))
  return devices.map(device => found.get(device))
})

/** Every key of a Device, by holder, type and generation. */
export const keysOf = gathered<Reader, string, KeyRow[]>(async (reader, devices) => {
  const { rows } = await reader.query<KeyRow & { device: string }>({
    name: 'dco keys',
    text: `SELECT encode(device, 'hex') AS device, holder, type, generation, encode(record, 'hex') AS record,
        encode(former_record, 'hex') AS "formerRecord", stage, proven_at AS "provenAt", ground, reference,
        offered::float8 AS offered, offered_via AS "offeredVia", offered_in::float8 AS "offeredIn",
        under_mk AS "underMk", fenced::float8 AS fenced
      FROM dco_key WHERE device = ANY ($1) ORDER BY holder, type, generation`,
    values: [devices.map(octets)],
  })
  const found = Map.groupBy(rows, row => row.device)
  return devices.map(device => found.get(device) ?? [])
})

/** Whoever changes what is known of a Device takes turns by its row: order is drawn while it is held. */
export const lockDevice = gathered<Client, string, void>(async (client, devices) => {
  await client.query({
    name: 'dco lock devices',
    // In one order, whoever locks.
    text: 'SELECT FROM dco_device WHERE eui64 = ANY ($1) ORDER BY eui64 FOR UPDATE',
    values: [devices.map(octets)],
  })
})

/** The next place in the order of openings, offers and proofs. With the Device's row held. */
export async function nextInOrder(client: Client): Promise<number> {
  return drawn(client, undefined)
}

const drawn = gathered<Client, undefined, number>(async (client, all) => {
  const { rows } = await client.query<{ place: number }>({
    name: 'dco order',
    text: "SELECT nextval('dco_order')::float8 AS place FROM generate_series(1, $1)",
    values: [all.length],
  })
  return rows.map(({ place }) => place)
})

const octets = (device: string) => Buffer.from(device, 'hex')

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
