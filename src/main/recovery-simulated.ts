/** Simulated Devices for a live test environment: with the certificates of its Parties in their cells, and their inventory. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Anchor, anchorOf } from '../../simulator/smets2/anchor.ts'
import { cellsOf, type DeviceKind, keyOf } from '../../simulator/smets2/cells.ts'
import { Smets2Device } from '../../simulator/smets2/device.ts'
import { Refusal } from '../ground/refusal.ts'
import type { Certificate } from '../ground/x509/certificate.ts'
import { readKeyUsage } from '../ground/x509/extensions.ts'
import { attributes, attributeText } from '../ground/x509/name.ts'
import { oids } from '../ground/x509/names.ts'
import { roleFromOu } from '../policy/roles.ts'
import { certifyingRoot } from '../rooms/authority/register.ts'
import { holding } from '../rooms/recovery/cells.ts'
import type { RecoveryHands } from '../rooms/recovery/hands.ts'
import type { InventoryDevice } from '../rooms/recovery/inventory.ts'
import type { Home } from './home.ts'
import { certificateIn } from './recovery-officer.ts'

const kinds: readonly DeviceKind[] = ['ESME', 'GSME', 'ESME', 'GPF', 'CHF']

/**
 * So many Devices, of mixed kinds, all commissioned: their cells hold the Organisation Certificates in the folders of the
 * environment's Parties, the oldest of each role and usage; cells for which there is none are empty.
 * @throws Refusal NOT_A_TEST_ENVIRONMENT
 */
export async function simulatedDevices(
  { hands, home, isTest }: { readonly hands: RecoveryHands; readonly home: Home; readonly isTest: boolean },
  count: number,
): Promise<Map<string, Smets2Device>> {
  if (!isTest) throw new Refusal('NOT_A_TEST_ENVIRONMENT', 'simulated Devices are for test environments only')
  const root = await certifyingRoot(hands.store, 'smki-organisation', hands.clock())
  const held = certificatesIn(home)
  const devices = new Map<string, Smets2Device>()
  for (let i = 0; i < count; i++) {
    const id = `00db5b${i.toString(16).padStart(10, '0')}`
    const kind = kinds[i % kinds.length]!
    const cells = new Map<string, Anchor>()
    for (const cell of cellsOf[kind]) {
      const [first, second] = held.get(`${cell.role} ${cell.keyUsage}`) ?? []
      const certificate = cell.role === 0 ? root.certificate : cell.cellUsage === 'prePaymentTopUp' ? second : first
      if (certificate) cells.set(keyOf(cell), anchorOf(certificate))
    }
    devices.set(id, new Smets2Device({ id, kind, cells, clock: hands.clock }))
  }
  return devices
}

/** What the inventory knows of such a Device. */
export function inventoryOf(device: Smets2Device): InventoryDevice {
  const { kind } = device.state
  return {
    device: device.id,
    kind,
    smiStatus: 'commissioned',
    signingKey: device.publicKey,
    agreementKey: device.agreementPublicKey,
    cells: cellsOf[kind].flatMap(cell => {
      const anchor = device.held(cell)
      return anchor ? [holding(cell, anchor)] : []
    }),
  }
}

/** Organisation Certificates of the Parties, by `role usage`, the oldest first. */
function certificatesIn({ credentials }: Home): Map<string, Certificate[]> {
  const all = readdirSync(credentials, { recursive: true, encoding: 'utf8' })
    .filter(name => /(^|\/)organisation-[^/]*\.crt\.pem$/.test(name))
    .toSorted()
    .map(name => certificateIn(join(credentials, name)))
    .toSorted((a, b) => a.notBefore.ms - b.notBefore.ms)
  return Map.groupBy(all, ({ subject, extensions }) => {
    const [unit] = attributes(subject, oids.organizationalUnitName)
    const usage = extensions.find(one => one.oid === oids.keyUsage)
    return `${roleFromOu((unit && attributeText(unit)) ?? '')} ${usage && readKeyUsage(usage.value)[0]}`
  })
}
