/** Where Relevant Devices come from, in a file and in the store; and whose certificates an Issuing OCA's end leaves to replace. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { play as steps } from '../../src/main/recovery-play.ts'
import { outstanding, toReplace } from '../../src/rooms/recovery/coordination.ts'
import { freezeDevices, isRelevant } from '../../src/rooms/recovery/freeze.ts'
import {
  type DeviceInventory,
  enterInventory,
  type InventoryDevice,
  inventoryInFile,
  inventoryInStore,
  inventoryLine,
} from '../../src/rooms/recovery/inventory.ts'
import { refusal } from '../registration/office.ts'
import { openStage, type Stage } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await openStage('issuing-oca', 40, 'freeze devices')
})
after(() => stage.close())

async function all(inventory: DeviceInventory): Promise<InventoryDevice[]> {
  const found: InventoryDevice[] = []
  for await (const one of inventory.devices()) found.push(one)
  return found
}

describe('An inventory', () => {
  const before = { smiStatus: 'commissioned', until: new Date('2026-11-19T12:00:00.000Z') }

  it('says the same from a file and from the store', async () => {
    const known = [...stage.play.field.devices.values()].map((one, i) =>
      i === 0 ? { ...one.inventory, smiStatus: 'decommissioned', before } : one.inventory,
    )
    const path = join(stage.folder, 'inventory.ndjson')
    writeFileSync(path, `${known.map(inventoryLine).join('\n\n')}\n`)
    await enterInventory(stage.test.store, known)
    await enterInventory(stage.test.store, known.slice(0, 1))
    const plain = (some: InventoryDevice[]) => some.map(inventoryLine)
    assert.equal(known.length, 40)
    assert.deepEqual(plain(await all(inventoryInFile(path))), plain(known))
    assert.deepEqual(plain(await all(inventoryInStore(stage.test.store))), plain(known))
  })

  it('in a file that is not in its format is refused by its line, and nothing is frozen', async () => {
    const { hands, people, event, field } = stage.play
    const good = inventoryLine([...field.devices.values()][0]!.inventory)
    const path = join(stage.folder, 'bad.ndjson')
    for (const bad of ['{', good.replace('{1,DS}', '{1,XX}'), good.replace('"kind"', '"sort"'), '[]']) {
      writeFileSync(path, `${good}\n${bad}\n`)
      await assert.rejects(all(inventoryInFile(path)), refusal('INVENTORY_UNREADABLE'))
      await assert.rejects(freezeDevices(hands, people.clerk, event, inventoryInFile(path)), /line 2/)
    }
    assert.equal((await stage.test.store.query('SELECT FROM recovery_device')).rows.length, 0)
  })

  it('has Relevant Devices: commissioned now, or still when it began, and believed to hold what is Compromised', () => {
    const cells = [{ cell: '{2,DS}', uniqueId: '0'.repeat(16), keyId: 'ab'.repeat(8) }]
    const what = { keyIds: new Set(['ab'.repeat(8)]), suspectedSince: new Date('2026-11-19T12:00:00.000Z') }
    const gone = { smiStatus: 'decommissioned', cells }
    assert.ok(isRelevant({ smiStatus: 'commissioned', cells }, what))
    assert.ok(isRelevant({ ...gone, before }, what))
    assert.ok(!isRelevant({ ...gone, before: { ...before, until: new Date('2026-11-19T11:59:59.999Z') } }, what))
    assert.ok(!isRelevant(gone, what))
    assert.ok(!isRelevant({ smiStatus: 'commissioned', cells: [] }, what))
    assert.ok(!isRelevant({ smiStatus: 'commissioned', cells }, { ...what, keyIds: new Set(['cd'.repeat(8)]) }))
  })

  it('is frozen once, and not when it holds no Relevant Device', async () => {
    const { hands, people, event } = stage.play
    const none: DeviceInventory = { async *devices() {} }
    await assert.rejects(freezeDevices(hands, people.clerk, event, none), refusal('DEVICES_NONE'))
    await freezeDevices(hands, people.clerk, event, inventoryInStore(stage.test.store))
    await assert.rejects(
      freezeDevices(hands, people.clerk, event, inventoryInStore(stage.test.store)),
      refusal('DEVICES_FROZEN'),
    )
  })
})

describe('After an Issuing OCA was replaced', () => {
  it('each Organisation Certificate of the old one is to be replaced, until the new one has issued for it', async () => {
    const { hands, pki, people } = stage.play
    await steps['make issuing oca'](stage.play)
    const [from, to] = [pki.now.issuing.id, stage.play.next!.issuing.id]
    const look = () => toReplace(stage.test.store, from, to, hands.clock())
    const first = await look()
    assert.equal(first.length, pki.held.size)
    const [a, b] = people.suppliers
    const left = outstanding(first)
    assert.deepEqual([left.get(a.party), left.get(b.party), left.get(undefined)], [3, 3, pki.held.size - 6])
    await steps['issue certificates'](stage.play)
    const second = await look()
    assert.deepEqual([second.length, outstanding(second).size], [pki.held.size, 0])
    assert.equal(new Set(second.map(one => one.replacedBy)).size, pki.held.size)
  })
})
