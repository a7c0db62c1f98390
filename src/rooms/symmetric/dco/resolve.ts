/** What a proof changes: which keys are active from now on, which superseded, which never were taken (section 7). */

import { fromHex } from '../../../ground/bytes.ts'
import type { Client } from '../../../ground/store/store.ts'
import { mayBecome, type Stage } from '../../../policy/symmetric/stages.ts'
import { gathered } from '../gathered.ts'
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
      change.fence(key, key.holder === association.client ? key.offered! : place)
    }
  }

  // 2. What was shown: GUEK and AK together.
  const shown = [
    change.find(association.client, 'AK', association.akGeneration),
    change.find(association.client, 'GUEK', association.guekGeneration),
  ]
  for (const key of shown) {
    change.prove(key)
    for (const other of change.keys) {
      const sibling = other.holder === key.holder && other.type === key.type && other !== key
      if (sibling && other.stage === 'offered' && isFenced(other, association)) {
        change.to(other, 'abandoned')
      }
    }
  }

  // 3. What that shows of the MK that a proven key was wrapped under.
  for (const key of shown.filter(({ underMk }) => underMk !== null)) {
    judgeMks(change, key)
  }

  await change.write()

  // 4. The Device's title is known by proof now, and its other associations with this client are over.
  const { title, titleProven } = association.device
  if (!titleProven || !title?.equals(association.title!)) await provenTitle(client, association)
  await overBut(client, association)
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
    change.prove(key)
  }
  await change.write()
  return change.tells
}

async function provenTitle(client: Client, { device, title }: Association): Promise<void> {
  await client.query('UPDATE dco_device SET title = $2, title_proven = true WHERE eui64 = $1', [
    fromHex(device.device),
    title,
  ])
}

/** Every other association with that client of the Device. */
const overBut = gathered<Client, Association, void>(async (client, standing) => {
  await client.query({
    name: 'dco close others',
    text: `UPDATE dco_association a SET state = 'closed', version = version + 1
      FROM unnest($1::bytea[], $2::text[], $3::bytea[]) AS standing (device, client, id)
      WHERE a.device = standing.device AND a.client = standing.client AND a.id <> standing.id AND a.state <> 'closed'`,
    values: [
      standing.map(({ device }) => fromHex(device.device)),
      standing.map(({ client }) => client),
      standing.map(({ id }) => fromHex(id)),
    ],
  })
})

/** Whether the offer can no longer be taken, and this association was opened after that was so. */
function isFenced(key: KeyRow, association: Association): boolean {
  return key.fenced !== null && key.fenced < association.opened
}

/**
 * A key that was proven was unwrapped by the Device under the MK of its offer. If that is the new MK, it holds it. If it is
 * the old one, through the client of the MK's offer and after it, the new MK was not taken.
 */
function judgeMks(change: Changes, key: KeyRow): void {
  for (const mk of change.keys.filter(({ type, stage }) => type === 'MK' && stage === 'offered')) {
    if (mk.generation === key.underMk) change.prove(mk)
    else if (mk.offeredVia === key.offeredVia && key.offeredIn! > mk.offered!) change.to(mk, 'abandoned')
  }
}

/** What becomes of the keys of one Device, decided here and written at once. */
class Changes {
  readonly keys: readonly KeyRow[]
  readonly tells: Told[] = []
  readonly #client: Client
  readonly #asking: Asking
  readonly #device: string
  readonly #stages = new Map<KeyRow, Stage>()
  readonly #touched = new Set<KeyRow>()

  constructor(client: Client, asking: Asking, device: string, keys: readonly KeyRow[]) {
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

  fence(key: KeyRow, place: number): void {
    Object.assign(key, { fenced: place })
    this.#touched.add(key)
  }

  /** Active from now on, and the one before superseded, at once (Policy (d)(iii)). */
  prove(key: KeyRow): void {
    if (key.provenAt === null) {
      // Two keys that are shown at once prove the MK of both once.
      Object.assign(key, { provenAt: this.#asking.now })
      this.#touched.add(key)
      this.#tell('key.proven', key)
    }
    // Nothing comes back: a key that was superseded or given up does not become active, nor end the one that is.
    if (!mayBecome(this.state(key).stage, 'active')) return
    const before = this.keys.find(
      other => other.holder === key.holder && other.type === key.type && this.state(other).stage === 'active',
    )
    if (before) this.to(before, 'superseded')
    this.to(key, 'active')
  }

  to(key: KeyRow, stage: Stage): void {
    if (!mayBecome(this.state(key).stage, stage)) return
    this.#stages.set(key, stage)
    this.#touched.add(key)
    this.#tell(`key.${stage}`, key)
  }

  /** What goes makes room first: at no moment are two keys of one kind active. */
  async write(): Promise<void> {
    const all = [...this.#touched].map(key => ({ ...key, device: this.#device, stage: this.state(key).stage }))
    const goes = ({ stage }: Changed) => stage === 'superseded' || stage === 'abandoned'
    await Promise.all(all.filter(goes).map(key => written(this.#client, key)))
    await Promise.all(all.filter(key => !goes(key)).map(key => written(this.#client, key)))
  }

  #tell(act: string, { holder, type, record, generation, ground, reference }: KeyRow): void {
    const body = { device: this.#device, client: holder, keyType: type, record, generation, ground, reference }
    this.tells.push({ act, body })
  }
}

type Changed = KeyRow & { readonly device: string }

const written = gathered<Client, Changed, void>(async (client, keys) => {
  await client.query({
    name: 'dco keys changed',
    text: `UPDATE dco_key k SET stage = c.stage, proven_at = c.proven_at, fenced = c.fenced
      FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[], $7::bigint[])
        AS c (device, holder, type, generation, stage, proven_at, fenced)
      WHERE k.device = c.device AND k.holder = c.holder AND k.type = c.type AND k.generation = c.generation`,
    values: [
      keys.map(({ device }) => fromHex(device)),
      keys.map(({ holder }) => holder),
      keys.map(({ type }) => type),
      keys.map(({ generation }) => generation),
      keys.map(({ stage }) => stage),
      keys.map(({ provenAt }) => provenAt),
      keys.map(({ fenced }) => fenced),
    ],
  })
})
