/** What a proof changes: which keys are active from now on, which superseded, which never were taken (section 7). */

import { fromHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { mayBecome, type Stage } from '../../../policy/symmetric/stages.ts'
import type { KeyState } from '../messages.ts'
import { type KeyRow, keysOf, nextInOrder, stateOf } from './devices.ts'
import type { Asking, Told } from './plan.ts'
import type { Association } from './session.ts'

export interface Outcome {
  /** AK and GUEK that the Device has shown to hold. */
  readonly proven: readonly KeyState[]
  /** Keys whose stage it changed. */
  readonly changed: readonly KeyState[]
  readonly tells: readonly Told[]
}

/**
 * After a pass 4 was verified, with the Device's row held. A key that was offered and is not the one that is proven was not
 * taken, and cannot be any more, only when the offer is past: the association was opened after the offer, and through
 * the client that the offer went through its counters have moved on (`fenced`). Until then an offer may still be on its
 * way, and stays `offered`.
 */
export async function proven(client: Client, asking: Asking, association: Association): Promise<Outcome> {
  const device = association.device.device
  const change = new Changes(client, asking, device, await keysOf(client, device))
  const place = await nextInOrder(client)

  // 1. Offers that went through this client before it was opened can no longer be taken.
  const past = (key: KeyRow) => key.offered !== null && key.offered < association.opened
  for (const key of change.keys) {
    if (key.stage === 'offered' && key.offeredVia === association.client && past(key) && key.fenced === null) {
      // Of its own keys an association shows both at once; of those of another client, what is opened from now on does.
      await change.fence(key, key.holder === association.client ? key.offered! : place)
    }
  }

  // 2. What was shown: GUEK and AK together.
  const shown = [
    change.find(association.client, 'AK', association.akGeneration),
    change.find(association.client, 'GUEK', association.guekGeneration),
  ]
  for (const key of shown) {
    await change.prove(key)
    for (const other of change.keys) {
      const sibling = other.holder === key.holder && other.type === key.type && other !== key
      if (sibling && other.stage === 'offered' && isFenced(other, association)) {
        await change.to(other, 'abandoned')
      }
    }
  }

  // 3. What that shows of the MK that a proven key was wrapped under.
  for (const key of shown.filter(({ underMk }) => underMk !== null)) {
    await judgeMks(change, key)
  }

  // 4. The Device's title is known by proof now, and its other associations with this client are over.
  await client.query('UPDATE dco_device SET title = $2, title_proven = true WHERE eui64 = $1', [
    fromHex(device),
    association.title,
  ])
  await client.query(
    `UPDATE dco_association SET state = 'closed', version = version + 1
      WHERE device = $1 AND client = $2 AND id <> $3 AND state <> 'closed'`,
    [fromHex(device), association.client, fromHex(association.id)],
  )
  return { proven: shown.map(key => change.state(key)), changed: change.changed(), tells: change.tells }
}

/**
 * A broadcast key cannot be probed for by an association. The nearest to a proof is a verified "success" in reply to its
 * offer, so that is what makes it active; with the Device's row held.
 */
export async function broadcastTaken(
  client: Client,
  asking: Asking,
  association: Association,
  offered: readonly string[],
): Promise<Told[]> {
  const device = association.device.device
  const change = new Changes(client, asking, device, await keysOf(client, device))
  for (const key of change.keys.filter(({ type, record }) => type === 'GBEK' && offered.includes(record))) {
    await change.prove(key)
  }
  return change.tells
}

/** Whether the offer can no longer be taken, and this association was opened after that was so. */
function isFenced(key: KeyRow, association: Association): boolean {
  return key.fenced !== null && key.fenced < association.opened
}

/**
 * A key that was proven was unwrapped by the Device under the MK of its offer. If that is the new MK, it holds it. If it is
 * the old one, through the client of the MK's offer and after it, the new MK was not taken.
 */
async function judgeMks(change: Changes, key: KeyRow): Promise<void> {
  for (const mk of change.keys.filter(({ type, stage }) => type === 'MK' && stage === 'offered')) {
    if (mk.generation === key.underMk) await change.prove(mk)
    else if (mk.offeredVia === key.offeredVia && key.offeredIn! > mk.offered!) await change.to(mk, 'abandoned')
  }
}

class Changes {
  readonly keys: KeyRow[]
  readonly tells: Told[] = []
  readonly #client: Client
  readonly #asking: Asking
  readonly #device: string
  readonly #stages = new Map<KeyRow, Stage>()

  constructor(client: Client, asking: Asking, device: string, keys: KeyRow[]) {
    this.#client = client
    this.#asking = asking
    this.#device = device
    this.keys = keys
  }

  find(holder: string, type: string, generation: number): KeyRow {
    return this.keys.find(key => key.holder === holder && key.type === type && key.generation === generation)!
  }

  state(key: KeyRow): KeyState {
    return { ...stateOf(key), stage: this.#stages.get(key) ?? key.stage }
  }

  changed(): KeyState[] {
    return [...this.#stages.keys()].map(key => this.state(key))
  }

  async fence(key: KeyRow, place: number): Promise<void> {
    await this.#update(key, 'fenced = $5', place)
    Object.assign(key, { fenced: place })
  }

  /** Active from now on, and the one before superseded, at once (Policy (d)(iii)). */
  async prove(key: KeyRow): Promise<void> {
    if (key.provenAt === null) {
      await this.#update(key, 'proven_at = $5', this.#asking.now)
      // Two keys that are shown at once prove the MK of both once.
      Object.assign(key, { provenAt: this.#asking.now })
      this.#tell('key.proven', key)
    }
    // Nothing comes back: a key that was superseded or given up does not become active, nor end the one that is.
    if (!mayBecome(this.state(key).stage, 'active')) return
    const before = this.keys.find(
      other => other.holder === key.holder && other.type === key.type && this.state(other).stage === 'active',
    )
    if (before) await this.to(before, 'superseded')
    await this.to(key, 'active')
  }

  async to(key: KeyRow, stage: Stage): Promise<void> {
    if (!mayBecome(this.state(key).stage, stage)) return
    await this.#update(key, 'stage = $5', stage)
    this.#stages.set(key, stage)
    this.#tell(`key.${stage}`, key)
  }

  #tell(act: string, { holder, type, record, generation, ground, reference }: KeyRow): void {
    const body = { device: this.#device, client: holder, keyType: type, record, generation, ground, reference }
    this.tells.push({ act, body })
  }

  async #update({ holder, type, generation }: KeyRow, set: string, value: unknown): Promise<void> {
    await this.#client.query(
      `UPDATE dco_key SET ${set} WHERE device = $1 AND holder = $2 AND type = $3 AND generation = $4`,
      [fromHex(this.#device), holder, type, generation, value],
    )
  }
}
