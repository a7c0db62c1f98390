/** What each step of a recovery procedure does in a drill; the order comes from the steps that were laid down. */

import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, toHex } from '../ground/bytes.ts'
import { showCell } from '../ground/gbcs/cell.ts'
import { decidedActOf } from '../policy/recovery/cases.ts'
import type { StepAction } from '../policy/recovery/steps.ts'
import { listSchedules } from '../policy/revocation/schedules.ts'
import type { AuthorityRecord } from '../rooms/authority/register.ts'
import { recordDecision } from '../rooms/governance/decisions.ts'
import { wake } from '../rooms/recovery/custody.ts'
import { type DirectionText, openDirection, subjectOf } from '../rooms/recovery/direction.ts'
import { eventOf } from '../rooms/recovery/event.ts'
import { freezeDevices } from '../rooms/recovery/freeze.ts'
import { enterInventory, inventoryInFile, inventoryInStore, inventoryLine } from '../rooms/recovery/inventory.ts'
import { publishList } from '../rooms/revocation/list.ts'
import { contingencyOriginator, holders } from './recovery-pki.ts'
import {
  affected,
  cellsIn,
  layDownWave,
  type Play,
  procedureIn,
  revokeOne,
  sendAll,
  withContingencyStore,
} from './recovery-work.ts'

/** How long a step takes people, in simulated minutes; sending takes what its rounds take. */
export const minutesOf: Readonly<Record<StepAction, number>> = {
  'authenticate notifier': 30,
  'choose procedure': 60,
  'freeze devices': 20,
  'make contingency pair': 60,
  'make root': 120,
  'make issuing oca': 60,
  'issue certificates': 45,
  decide: 180,
  'convene custodians': 240,
  'send commands': 0,
  'hand over': 0,
  'stand down custodians': 15,
  revoke: 60,
  'publish lists': 15,
  'destroy keys': 60,
  report: 30,
}

/** What a step does. Those of notification and choice were done to get here. */
export const play: Readonly<Record<StepAction, (of: Play) => Promise<void>>> = {
  'authenticate notifier': async () => {},
  'choose procedure': async () => {},

  async 'freeze devices'({ hands, people, field, event, folder, procedure }) {
    const inventory = [...field.devices.values()].map(one => one.inventory)
    if (procedure.startsWith('method')) {
      const path = join(folder, 'inventory.ndjson')
      writeFileSync(path, `${inventory.map(inventoryLine).join('\n')}\n`)
      await freezeDevices(hands, people.clerk, event, inventoryInFile(path))
      return
    }
    for (let from = 0; from < inventory.length; from += 500)
      await enterInventory(hands.store, inventory.slice(from, from + 500))
    await freezeDevices(hands, people.clerk, event, inventoryInStore(hands.store))
  },

  async 'make contingency pair'(of) {
    // The store of the contingency keys is asleep: the custodians open it, and nothing is signed.
    await withContingencyStore(of, async () => {
      of.nextContingency = of.pki.makeContingency('contingency/2')
    })
  },

  async 'make root'(of) {
    const root = await of.pki.makeRoot('OB', of.nextContingency!)
    if (of.procedure === 'contingency') of.linked = (await of.pki.link(of.pki.now.root, root)).der
    of.next = { root, issuing: of.pki.now.issuing }
  },

  async 'make issuing oca'(of) {
    const root = of.next?.root ?? of.pki.now.root
    of.next = { root, issuing: await of.pki.makeIssuing('O2', root) }
  },

  async 'issue certificates'(of) {
    for (const [name, cell] of affected(of)) {
      const key = `${name} ${showCell(cell)}`
      of.fresh.set(key, await of.pki.issue(name, cell, (of.next ?? of.pki.now).issuing))
    }
    const broker = of.fresh.get('broker {4,KA}')
    if (broker) of.pki.renewBroker(broker)
  },

  async decide(of) {
    const { hands, people, pki, event, procedure } = of
    const { dccKey, says } = procedureIn(of)
    const { frozen } = await eventOf(hands.store, event)
    const now = hands.clock()
    const key = dccKey === 'recovery' ? pki.recoveryKeyOfDevices.publicKey : pki.contingency.publicKey
    const direction: DirectionText = {
      kind:
        procedure === 'method2' || procedure === 'method3'
          ? procedure
          : dccKey === 'recovery'
            ? 'furtherUse'
            : 'contingency',
      event,
      key: hash('sha256', key, 'hex'),
      purpose: says,
      grounds: ['Devices at risk', 'time that other procedures would take', 'exposure of the key that is used'],
      devices: { count: frozen!.devices, sha256: toHex(frozen!.digest) },
      cells: cellsIn(of),
      // One command each, and one more for those that have to be told again.
      maximum: frozen!.devices * 2,
    }
    const reference = `PMA-${event}`
    await recordDecision(hands, people.manager.person, {
      reference,
      acts: [decidedActOf[dccKey!]],
      subjects: [subjectOf(event)],
      meeting: 'extraordinary meeting of the SMKI PMA (drill)',
      text: `Direction for ${event}: ${direction.purpose}.`,
      members: [people.member.person],
      decidedAt: now,
      from: now,
      until: new Date(now.getTime() + 30 * 86_400_000),
      details: { direction },
    })
    await openDirection(hands, people.manager, event, reference, hash('sha256', key, 'buffer'))
  },

  async 'convene custodians'(of) {
    const { hands, people, pki, event } = of
    const dccKey = procedureIn(of).dccKey!
    const kept = dccKey === 'recovery' ? 'recovery key' : 'contingency key'
    const enough = <T>(all: readonly T[] | undefined) => all!.slice(0, hands.recovery.custodians.needed)
    of.awake = await wake(hands, people.manager, dccKey, {
      event,
      decision: `PMA-${event}`,
      envelopes: enough(pki.envelopes.get(kept)),
      open: pki.open(kept),
      label: dccKey === 'recovery' ? pki.recoveryKeyOfDevices.label : pki.contingency.label,
      originator: dccKey === 'recovery' ? Buffer.from(holders.recovery.eui64, 'hex') : contingencyOriginator,
      ...(dccKey === 'contingency' && {
        symmetric: {
          envelopes: enough(pki.envelopes.get('symmetric key')),
          root: pki.now.root.certificate.der,
        },
      }),
    })
  },

  async 'send commands'(of) {
    await layDownWave(of, 1)
    await sendAll(of)
  },

  async 'hand over'(of) {
    await layDownWave(of, 2)
    await sendAll(of)
  },

  async 'stand down custodians'(of) {
    const transcript = await of.awake!.sleep()
    writeFileSync(join(of.folder, `ceremony-${of.event}.txt`), transcript)
    of.awake = undefined
  },

  async revoke(of) {
    const { pki, procedure } = of
    const revoke = (
      authority: AuthorityRecord,
      serial: Bytes,
      part: string,
      ground: 'key compromise' | 'CA compromise' | 'replaced',
    ) => revokeOne(of, authority, serial, part, ground)
    if (procedure === 'issuing-oca') {
      const { root, issuing } = pki.now
      await revoke(root, issuing.certificate.serial, 'Issuing OCA', 'CA compromise')
      return
    }
    const ground = procedure.startsWith('method') || procedure === 'recovery' ? 'key compromise' : 'replaced'
    for (const [name, cell] of affected(of)) {
      const { certificate } = pki.held.get(`${name} ${showCell(cell)}`)!
      await revoke(pki.now.issuing, certificate.serial, `${name} ${showCell(cell)}`, ground)
    }
  },

  async 'publish lists'(of) {
    const { hands, pki } = of
    const schedules = listSchedules(pki.settings)
    for (const one of new Set([pki.now.issuing, of.next?.issuing ?? pki.now.issuing]))
      await publishList(hands, one, pki.keys.issuing, schedules(one)!)
    for (const one of new Set([pki.now.root, of.next?.root ?? pki.now.root]))
      await publishList(hands, one, pki.keys.root, schedules(one)!)
  },

  async 'destroy keys'(of) {
    // The Symmetric Key is public knowledge, or Compromised: what it opened is destroyed, and what follows is shared anew.
    await withContingencyStore(of, async store => store.destroy(of.pki.contingency.label))
    of.pki.contingency.symmetricKey.fill(0)
    of.pki.contingency = of.nextContingency!
    await of.pki.share('symmetric key')
  },

  report: async () => {},
}
