/** The inventory that Relevant Devices are selected from: a port, with a file and a table behind it. */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { type Bytes, fromHex, toHex } from '../../ground/bytes.ts'
import type { Store } from '../../ground/store/store.ts'
import { cellText } from '../../policy/recovery/cases.ts'
import type { Holding } from './cells.ts'
import { byService, type RecoveryHands } from './hands.ts'
import { no } from './refusals.ts'

export interface InventoryDevice {
  /** 16 lower-case hexadecimal digits. */
  readonly device: string
  /** ESME, GSME, CHF, GPF, HCALCS. */
  readonly kind: string
  readonly smiStatus: string
  /** The status before the last change, and when that was. */
  readonly before?: { readonly smiStatus: string; readonly until: Date } | undefined
  /** SubjectPublicKeyInfo of its certificates, DER. */
  readonly signingKey: Bytes
  readonly agreementKey: Bytes
  readonly cells: readonly Holding[]
}

/** Whoever keeps the inventory. Each Device comes once; the order means nothing. */
export interface DeviceInventory {
  devices(): AsyncIterable<InventoryDevice>
}

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
const base64 = z.base64().transform(text => Buffer.from(text, 'base64'))
const cells = z.array(z.strictObject({ cell: z.string().regex(cellText), uniqueId: hex(16), keyId: hex(16) }))
const line = z.strictObject({
  device: hex(16),
  kind: z.string().min(1).max(16),
  smiStatus: z.string().min(1).max(40),
  before: z.strictObject({ smiStatus: z.string().min(1).max(40), until: z.coerce.date() }).optional(),
  signingKey: base64,
  agreementKey: base64,
  cells,
})

/** A file, one Device a line, as JSON; it may have as many lines as it likes. @throws Refusal INVENTORY_UNREADABLE */
export function inventoryInFile(path: string): DeviceInventory {
  return {
    async *devices() {
      let number = 0
      for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
        number++
        if (text.trim() !== '') yield parsed(text, number)
      }
    },
  }
}

/** The line of a Device in such a file. */
export function inventoryLine(one: InventoryDevice): string {
  const { device, kind, smiStatus, before, signingKey, agreementKey, cells: held } = one
  const text = (octets: Bytes) => Buffer.from(octets).toString('base64')
  return JSON.stringify({
    device,
    kind,
    smiStatus,
    ...(before && { before: { smiStatus: before.smiStatus, until: before.until.toISOString() } }),
    signingKey: text(signingKey),
    agreementKey: text(agreementKey),
    cells: held,
  })
}

function parsed(text: string, number: number): InventoryDevice {
  try {
    return line.parse(JSON.parse(text))
  } catch (cause) {
    throw no('INVENTORY_UNREADABLE', `line ${number}`, { cause: (cause as Error).name })
  }
}

interface Row {
  device: Buffer
  kind: string
  smi_status: string
  before: string | null
  since: Date | null
  signing_key: Buffer
  agreement_key: Buffer
  cells: Holding[]
}

/** The table `recovery_inventory`, a thousand rows at a time: memory stays flat. */
export function inventoryInStore(store: Pick<Store, 'query'>): DeviceInventory {
  return {
    async *devices() {
      for (let after: Bytes = Buffer.alloc(0); ; ) {
        const { rows } = await store.query<Row>(
          'SELECT * FROM recovery_inventory WHERE device > $1 ORDER BY device LIMIT 1000',
          [after],
        )
        for (const row of rows) yield read(row)
        if (rows.length < 1000) return
        after = rows.at(-1)!.device
      }
    },
  }
}

function read(row: Row): InventoryDevice {
  return {
    device: toHex(row.device),
    kind: row.kind,
    smiStatus: row.smi_status,
    ...(row.before !== null && { before: { smiStatus: row.before, until: row.since! } }),
    signingKey: row.signing_key,
    agreementKey: row.agreement_key,
    cells: cells.parse(row.cells),
  }
}

/**
 * Takes an inventory into the table, 500 Devices at a time; what it does not name stays as it is. If it stops on the way,
 * it is taken again from its beginning.
 * @returns how many it names
 * @throws Refusal INVENTORY_UNREADABLE
 */
export async function takeInventory(
  hands: Pick<RecoveryHands, 'store' | 'clock'>,
  inventory: DeviceInventory,
): Promise<number> {
  let count = 0
  let portion: InventoryDevice[] = []
  const enter = async () => {
    await enterInventory(hands.store, portion)
    count += portion.length
    portion = []
  }
  for await (const one of inventory.devices()) if (portion.push(one) === 500) await enter()
  if (portion.length > 0) await enter()
  await byService(hands, 'take inventory', {}, ({ note }) => note('take inventory', { devices: count }))
  return count
}

/** Enters Devices into the table, or replaces what is known of them. */
export async function enterInventory(
  store: Pick<Store, 'query'>,
  devices: readonly InventoryDevice[],
): Promise<void> {
  await store.query(
    `INSERT INTO recovery_inventory
     SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::bytea[],
       $8::jsonb[])
     ON CONFLICT (device) DO UPDATE SET kind = EXCLUDED.kind, smi_status = EXCLUDED.smi_status,
       before = EXCLUDED.before, since = EXCLUDED.since, signing_key = EXCLUDED.signing_key,
       agreement_key = EXCLUDED.agreement_key, cells = EXCLUDED.cells`,
    [
      devices.map(one => fromHex(one.device)),
      devices.map(one => one.kind),
      devices.map(one => one.smiStatus),
      devices.map(one => one.before?.smiStatus ?? null),
      devices.map(one => one.before?.until ?? null),
      devices.map(one => one.signingKey),
      devices.map(one => one.agreementKey),
      devices.map(one => JSON.stringify(one.cells)),
    ],
  )
}
