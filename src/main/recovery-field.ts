/** The Devices of a recovery drill, in this process, and a network to them that loses, delays, repeats and mixes up. */

import { anchorOf } from '../../simulator/smets2/anchor.ts'
import { cellsOf, type DeviceKind, keyOf } from '../../simulator/smets2/cells.ts'
import { Smets2Device } from '../../simulator/smets2/device.ts'
import type { Bytes } from '../ground/bytes.ts'
import type { Clock } from '../ground/clock.ts'
import { showCell } from '../ground/gbcs/cell.ts'
import { readMessage } from '../ground/gbcs/message.ts'
import { holding } from '../rooms/recovery/cells.ts'
import type { InventoryDevice } from '../rooms/recovery/inventory.ts'
import type { Carrier } from '../rooms/recovery/send.ts'
import { cellsOfHolders, type DrillPki, type HolderName } from './recovery-pki.ts'

/** What a Device, or the way to it, is made to do. */
export type Fate =
  | 'well'
  | 'gone'
  | 'loses first command'
  | 'loses first answer'
  | 'answers late'
  | 'answers twice'
  | 'others answer for it'
  | 'lacks a cell'

export interface FieldDevice {
  readonly device: Smets2Device
  readonly fate: Fate
  readonly inventory: InventoryDevice
}

export interface Field {
  readonly devices: ReadonlyMap<string, FieldDevice>
  readonly carrier: Carrier
  /** Every command octet string that reached a Device's network, by originator and counter: one is there once. */
  readonly seen: ReadonlyMap<string, number>
}

/** In a thousand. Fates that are not named are `well`. */
export type Faults = Readonly<Partial<Record<Fate, number>>>

export const drillFaults: Faults = {
  gone: 10,
  'loses first command': 15,
  'loses first answer': 15,
  'answers late': 10,
  'answers twice': 10,
  'others answer for it': 5,
  'lacks a cell': 5,
}

const kinds: readonly DeviceKind[] = [
  ...Array<DeviceKind>(9).fill('ESME'),
  ...Array<DeviceKind>(5).fill('GSME'),
  ...Array<DeviceKind>(3).fill('CHF'),
  ...Array<DeviceKind>(2).fill('GPF'),
  'HCALCS',
]

/** @param count Devices in the inventory; three in five are the first supplier's, one in sixteen is not commissioned */
export function makeField(pki: DrillPki, clock: Clock, count: number, faults: Faults): Field {
  const roles = rolesOf()
  const fates = spread(faults, count)
  const devices = new Map<string, FieldDevice>()
  for (let i = 0; i < count; i++) {
    const id = `00db5a${i.toString(16).padStart(10, '0')}`
    const kind = kindOf(i)
    const supplier = supplierOf(i)
    const cells = new Map(
      cellsOf[kind].map(cell => {
        const name = cell.role === 2 ? supplier : roles.get(cell.role)
        const certificate = name ? pki.held.get(`${name} ${showCell(cell)}`)!.certificate : pki.now.root.certificate
        return [keyOf(cell), anchorOf(certificate)] as const
      }),
    )
    const device = new Smets2Device({ id, kind, cells, clock })
    const fate = fates[i]!
    devices.set(id, { device, fate, inventory: entryOf(device, kind, isCommissioned(i), fate) })
  }
  return { devices, ...network(devices, clock) }
}

function rolesOf(): Map<number, HolderName> {
  return new Map(cellsOfHolders().flatMap(([name, { role }]) => (role === 2 ? [] : [[role, name] as const])))
}

/** What the inventory believes: right, but of a Device that lacks a cell. */
function entryOf(device: Smets2Device, kind: DeviceKind, commissioned: boolean, fate: Fate): InventoryDevice {
  const held = cellsOf[kind].map(cell => holding(cell, device.held(cell)!))
  if (fate === 'lacks a cell') {
    const lost =
      cellsOf[kind].find(cell => cell.role === 2 && cell.keyUsage === 'keyAgreement') ?? cellsOf[kind].at(-1)!
    device.state.cells.delete(keyOf(lost))
    device.state.switches = { lacks: keyOf(lost) }
  }
  return {
    device: device.id,
    kind,
    smiStatus: commissioned ? 'commissioned' : 'installed not commissioned',
    signingKey: device.publicKey,
    agreementKey: device.agreementPublicKey,
    cells: held,
  }
}

/**
 * Which Device meets which fate: as many of each as there should be, one at least. Only Devices that every procedure
 * concerns are taken, so that no drill is without.
 */
function spread(faults: Faults, count: number): Fate[] {
  const fates = Array<Fate>(count).fill('well')
  const all = Array.from({ length: count }, (_, i) => i).filter(
    i => isCommissioned(i) && supplierOf(i) === 'supplier-a' && kindOf(i) !== 'CHF',
  )
  const wanted = (Object.entries(faults) as [Fate, number][]).flatMap(([fate, inThousand]) =>
    Array<Fate>(inThousand === 0 ? 0 : Math.max(1, Math.round((count * inThousand) / 1000))).fill(fate),
  )
  // Fates lie as far from one another as they can.
  for (const [i, fate] of wanted.slice(0, all.length).entries())
    fates[all[Math.floor((i * all.length) / wanted.length)]!] = fate
  return fates
}

const kindOf = (i: number): DeviceKind => kinds[(i * 7) % kinds.length]!
const supplierOf = (i: number): HolderName => (i % 5 < 3 ? 'supplier-a' : 'supplier-b')
const isCommissioned = (i: number): boolean => i % 16 !== 7

const minutes = (count: number) => count * 60_000

function network(devices: ReadonlyMap<string, FieldDevice>, clock: Clock): Pick<Field, 'carrier' | 'seen'> {
  const inbox: { octets: Bytes; at: number }[] = []
  const seen = new Map<string, number>()
  const met = new Set<string>()
  const heard = new Set<string>()
  let last: Bytes | undefined

  function reach(id: string, octets: Bytes): void {
    const { originator, counter } = readMessage(octets)
    const name = `${Buffer.from(originator).toString('hex')} ${counter}`
    seen.set(name, (seen.get(name) ?? 0) + 1)
    const found = devices.get(id)
    const now = clock().getTime()
    const first = !met.has(id)
    met.add(id)
    if (!found || found.fate === 'gone') return
    if (found.fate === 'loses first command' && first) return
    const reaction = found.device.receive(octets)
    if (!('answer' in reaction)) return
    const { answer } = reaction
    const firstAnswer = !heard.has(id)
    heard.add(id)
    if (found.fate === 'loses first answer' && firstAnswer) return
    if (found.fate === 'others answer for it' && firstAnswer) {
      // Another's answer, and its own with an octet changed, before its own.
      if (last) inbox.push({ octets: last, at: now })
      const changed = Buffer.from(answer)
      changed[changed.length - 20]! ^= 1
      inbox.push({ octets: changed, at: now })
    }
    inbox.push({ octets: answer, at: found.fate === 'answers late' && firstAnswer ? now + minutes(50) : now })
    if (found.fate === 'answers twice') inbox.push({ octets: answer, at: now + minutes(2) })
    last = answer
  }

  return {
    seen,
    carrier: {
      async send(messages) {
        for (const { device, octets } of messages) reach(device, octets)
      },
      async received() {
        const now = clock().getTime()
        const come = inbox.filter(one => one.at <= now)
        const later = inbox.filter(one => one.at > now)
        inbox.length = 0
        for (const one of later) inbox.push(one)
        return come.map(one => one.octets)
      },
    },
  }
}
