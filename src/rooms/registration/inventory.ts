/** The Smart Metering Inventory, as far as eligibility asks: a port, and a stand-in for test environments. */

import { eui64 } from '../../policy/identifiers.ts'
import type { DeviceFacts } from '../../policy/registration/device-eligibility.ts'

/** Whoever keeps the inventory. A Device that it does not know is absent from the answer. */
export interface Inventory {
  /** @param deviceIds 16 lower-case hexadecimal digits each; as many as one batch has */
  devices(deviceIds: readonly string[]): Promise<ReadonlyMap<string, DeviceFacts>>
}

export interface InventoryInMemory extends Inventory {
  /** Enters a Device or replaces what is known of it. @throws RangeError for a word or an identifier that is none */
  enter(deviceId: string, facts: DeviceFacts): void
  remove(deviceId: string): void
}

/** @param smiStatuses the words for the SMI Status, from the settings */
export function inventoryInMemory(smiStatuses: readonly string[]): InventoryInMemory {
  const known = new Map<string, DeviceFacts>()
  const identifier = (text: string) => {
    const own = eui64(text)
    if (own === undefined) throw new RangeError(`not an EUI-64: ${text}`)
    return own
  }
  return {
    devices: async ids => new Map(ids.flatMap(id => (known.has(id) ? [[id, known.get(id)!]] : []))),
    enter(deviceId, { type, smiStatus, responsible }) {
      if (!smiStatuses.includes(smiStatus)) throw new RangeError(`not an SMI Status: ${smiStatus}`)
      const suppliers = Object.entries(responsible).map(([role, id]) => [role, identifier(id)])
      known.set(identifier(deviceId), { type, smiStatus, responsible: Object.fromEntries(suppliers) })
    },
    remove: deviceId => void known.delete(identifier(deviceId)),
  }
}
