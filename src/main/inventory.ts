/** The Smart Metering Inventory of a test environment: a file in its home, read anew when it changes. */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../ground/refusal.ts'
import { type Inventory, type InventoryInMemory, inventoryInMemory } from '../rooms/registration/inventory.ts'

const device = z.strictObject({
  deviceId: z.string(),
  type: z.string().min(1),
  smiStatus: z.string(),
  responsible: z.record(z.string(), z.string()).default({}),
})

/**
 * `inventory.ndjson` (one Device a line) or `inventory.json` (a list of them) in that folder, each Device as
 * `{"deviceId": "…", "type": "ESME", "smiStatus": "commissioned", "responsible": {"IS": "…"}}`. Without a file every Device
 * is unknown, and counts as not installed (REG-A07).
 * @param onFault is told of a file that cannot be read once it had been; what was read before then holds on
 * @throws Refusal INVENTORY_INVALID when the first reading fails
 */
export function inventoryOf(
  folder: string,
  smiStatuses: readonly string[],
  onFault: (fault: string) => void,
): Inventory {
  let known: { version: string; devices: InventoryInMemory } = read(folder, smiStatuses)
  let refused: string | undefined
  return {
    devices(ids) {
      const version = versionOf(folder)
      if (version !== known.version && version !== refused) {
        try {
          known = read(folder, smiStatuses)
        } catch (cause) {
          refused = version
          onFault((cause as Error).message)
        }
      }
      return known.devices.devices(ids)
    },
  }
}

const files = ['inventory.ndjson', 'inventory.json']

/** Which of the files there is, and what tells its versions apart; the first counts. */
function versionOf(folder: string): string {
  for (const name of files) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false })
    if (found) return `${name} ${found.ino} ${found.size} ${found.mtimeMs}`
  }
  return ''
}

function read(folder: string, smiStatuses: readonly string[]): { version: string; devices: InventoryInMemory } {
  const version = versionOf(folder)
  const devices = inventoryInMemory(smiStatuses)
  if (version === '') return { version, devices }
  const name = version.split(' ')[0]!
  const text = readFileSync(join(folder, name), 'utf8')
  const entries = name.endsWith('.ndjson')
    ? text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [[i + 1, () => JSON.parse(line)] as const]))
    : list(text, name).map((one, i) => [i + 1, () => one] as const)
  for (const [place, value] of entries) {
    try {
      const { deviceId, ...facts } = device.parse(value())
      devices.enter(deviceId, facts)
    } catch (cause) {
      throw invalid(`${name}, Device ${place}: ${(cause as Error).message.replace(/\s+/g, ' ')}`)
    }
  }
  return { version, devices }
}

function list(text: string, name: string): unknown[] {
  try {
    return z.array(z.unknown()).parse(JSON.parse(text))
  } catch {
    throw invalid(`${name} is no list in JSON`)
  }
}

function invalid(sentence: string): Refusal {
  return new Refusal('INVENTORY_INVALID', `the inventory cannot be read: ${sentence}`)
}
