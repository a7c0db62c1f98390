/** One Device that is being worked on: its row, its model, its keys as they stand, and the line to it. */

import type { Bytes } from '../../../ground/bytes.ts'
import { Refusal } from '../../../ground/refusal.ts'
import type { KeyedClient } from '../../../policy/symmetric/keys.ts'
import type { DeviceModel } from '../../../policy/symmetric/models.ts'
import type { S1spHands } from './hands.ts'
import { type Address, type Line, LineBroken } from './line.ts'
import { keysOf, type StoredKey } from './records.ts'
import { no } from './refusals.ts'

export interface DeviceRow {
  readonly device: string
  readonly model: string
  readonly title: Buffer | null
  readonly commissioned: Date | null
  readonly host: string | null
  readonly port: number | null
  readonly server: number | null
  readonly cannot: string | null
}

export const deviceColumns = 'device, model, title, commissioned, host, port, server, cannot'

/** @throws Refusal DEVICE_NOT_TAKEN_ON */
export async function deviceRow(store: S1spHands['store'], device: string): Promise<DeviceRow> {
  const { rows } = await store.query<DeviceRow>({
    name: 's1sp device',
    text: `SELECT ${deviceColumns} FROM device WHERE device = $1`,
    values: [device],
  })
  if (rows[0] === undefined) throw no('DEVICE_NOT_TAKEN_ON', device)
  return rows[0]
}

export class Work {
  readonly hands: S1spHands
  readonly device: DeviceRow
  readonly model: DeviceModel
  keys: readonly StoredKey[] = []
  #line: Line | undefined

  private constructor(hands: S1spHands, device: DeviceRow, model: DeviceModel) {
    this.hands = hands
    this.device = device
    this.model = model
  }

  /** @throws Refusal DEVICE_NOT_TAKEN_ON, MODEL_UNKNOWN */
  static async on(hands: S1spHands, id: string): Promise<Work> {
    const device = await deviceRow(hands.store, id)
    const model = hands.models.get(device.model)
    if (model === undefined) throw new Refusal('MODEL_UNKNOWN', `there is no Device model ${device.model}`)
    const work = new Work(hands, device, model)
    await work.refresh()
    return work
  }

  /** The keys as they stand now. */
  async refresh(): Promise<void> {
    this.keys = await keysOf(this.hands.store, this.device.device)
  }

  key(
    holder: StoredKey['holder'],
    type: StoredKey['type'],
    ...stages: StoredKey['stage'][]
  ): StoredKey | undefined {
    return this.keys.find(key => key.holder === holder && key.type === type && stages.includes(key.stage))
  }

  /** Whether a line stands, so that nothing has to be reached. */
  get address(): Address {
    const { host, port, server } = this.device
    if (host === null || port === null) throw no('DEVICE_UNADDRESSED')
    return { host, port, server: server ?? this.model.serverAddress }
  }

  /**
   * Sends an APDU from that client, and waits for the answer; over a new connection if the one before broke.
   * @returns undefined when no answer came: nobody knows then whether the Device acted on it
   * @throws Refusal DEVICE_UNREACHABLE
   */
  async exchange(client: KeyedClient | 'public', apdu: Bytes): Promise<Bytes | undefined> {
    this.#line ??= await this.hands.dial(this.address, this.model.maxPdu)
    try {
      return await this.#line.exchange(this.model.clients[client].address, apdu)
    } catch (cause) {
      if (!(cause instanceof LineBroken)) throw cause
      this.hangUp()
      return undefined
    }
  }

  hangUp(): void {
    this.#line?.close()
    this.#line = undefined
  }
}
