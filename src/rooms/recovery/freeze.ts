/** Relevant Devices: selected from the inventory, and frozen. What is decided later is decided about exactly these. */

import { createHash } from 'node:crypto'
import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import type { Client } from '../../ground/store/store.ts'
import { type Actor, act, type Given, readGiven, requireOffice } from '../registration/act.ts'
import { eventOf, heldEvent, type RecoveryEvent } from './event.ts'
import type { RecoveryHands } from './hands.ts'
import type { DeviceInventory, InventoryDevice } from './inventory.ts'
import { no } from './refusals.ts'

/**
 * Whether it is a Relevant Device (L10.30(a)): commissioned, or commissioned still when the event began, and believed to
 * hold data from a certificate that is Compromised.
 */
export function isRelevant(
  { smiStatus, before, cells }: Pick<InventoryDevice, 'smiStatus' | 'before' | 'cells'>,
  { keyIds, suspectedSince }: { readonly keyIds: ReadonlySet<string>; readonly suspectedSince: Date },
): boolean {
  const isCommissioned =
    smiStatus === 'commissioned' || (before?.smiStatus === 'commissioned' && before.until >= suspectedSince)
  return isCommissioned && cells.some(({ keyId }) => keyIds.has(keyId))
}

/**
 * Selects and freezes the Relevant Devices of an event.
 * @throws Refusal DEVICES_FROZEN, DEVICES_NONE, EVENT_STATE, INVENTORY_UNREADABLE
 */
export function freezeDevices(
  hands: RecoveryHands,
  by: Actor,
  reference: string,
  inventory: DeviceInventory,
  given: Given = {},
): Promise<RecoveryEvent> {
  return act(hands, by, { act: 'freeze Relevant Devices' }, async acting => {
    const { client, at, note } = acting
    requireOffice(acting.by, ['RA_PERSONNEL', 'RA_MANAGER'], undefined)
    const event = await heldEvent(client, reference, 'confirmed')
    if (event.frozen) throw no('DEVICES_FROZEN')
    const what = { keyIds: new Set(event.keyIds.map(toHex)), suspectedSince: event.suspectedSince }
    const portion: InventoryDevice[] = []
    for await (const one of inventory.devices()) {
      if (!isRelevant(one, what)) continue
      portion.push(one)
      if (portion.length === 500) await enter(client, reference, portion.splice(0))
    }
    await enter(client, reference, portion)

    const { count, digest } = await frozenSet(client, reference)
    if (count === 0) throw no('DEVICES_NONE')
    await client.query(
      'UPDATE recovery_event SET frozen_at = $2, devices = $3, devices_digest = $4 WHERE reference = $1',
      [reference, at, count, digest],
    )
    await note('freeze Relevant Devices', {
      event: reference,
      devices: count,
      digest: toHex(digest),
      ...readGiven(given),
    })
    return eventOf(client, reference)
  })
}

async function enter(client: Client, event: string, devices: readonly InventoryDevice[]): Promise<void> {
  if (devices.length === 0) return
  await client.query(
    `INSERT INTO recovery_device (event, device, kind, signing_key, agreement_key, cells)
     SELECT $1, * FROM unnest($2::bytea[], $3::text[], $4::bytea[], $5::bytea[], $6::jsonb[]) ON CONFLICT DO NOTHING`,
    [
      event,
      devices.map(one => fromHex(one.device)),
      devices.map(one => one.kind),
      devices.map(one => one.signingKey),
      devices.map(one => one.agreementKey),
      devices.map(one => JSON.stringify(one.cells)),
    ],
  )
}

/** How many, and SHA-256 over their Device IDs in ascending order, 8 octets each: how a direction names the set. */
async function frozenSet(client: Client, event: string): Promise<{ count: number; digest: Buffer }> {
  const ids = (async function* () {
    for (let after: Bytes = Buffer.alloc(0); ; ) {
      const { rows } = await client.query<{ device: Buffer }>(
        'SELECT device FROM recovery_device WHERE event = $1 AND device > $2 ORDER BY device LIMIT 10000',
        [event, after],
      )
      yield* rows.map(row => row.device)
      if (rows.length < 10_000) return
      after = rows.at(-1)!.device
    }
  })()
  const sha256 = createHash('sha256')
  let count = 0
  for await (const id of ids) {
    sha256.update(id)
    count++
  }
  return { count, digest: sha256.digest() }
}

/** The same of a list that somebody has in hand. @param devices 16 hexadecimal digits each */
export function digestOfDevices(devices: readonly string[]): Buffer {
  const sha256 = createHash('sha256')
  for (const id of devices.map(one => fromHex(one)).sort(Buffer.compare)) sha256.update(id)
  return sha256.digest()
}
