/** The pages of recovery, in a browser: notified by a Party, confirmed and chosen by the Registration Authority, seen by each. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { homeAt } from '../../src/main/home.ts'
import { inventoryOf, simulatedDevices } from '../../src/main/recovery-simulated.ts'
import { beginWave, closeRecovery } from '../../src/rooms/recovery/campaign.ts'
import { freezeDevices } from '../../src/rooms/recovery/freeze.ts'
import type { RecoveryHands } from '../../src/rooms/recovery/hands.ts'
import { enterInventory, inventoryInStore } from '../../src/rooms/recovery/inventory.ts'
import { hasBrowser } from '../portal/browser.ts'
import { type BackOffice, type Desk, openBackOffice } from '../portal/registration-scene.ts'

describe('The pages of recovery', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let supplier: Desk
  let network: Desk
  let manager: Desk
  let clerk: Desk
  let hands: RecoveryHands
  const event = 'SUP-2026-004'
  before(async () => {
    here = await openBackOffice()
    hands = { ...here.hands, recovery: here.settings.recovery }
    supplier = await here.enter('import-supplier')
    network = await here.enter('network-operator')
    manager = await here.enter('ra-manager-1')
    clerk = await here.enter('ra-clerk-1')
  })
  after(() => here?.close())
  const banner = (desk: Desk) =>
    desk.page.locator('.govuk-notification-banner', { hasText: 'Recovery under way' }).count()

  it('show that nothing was notified, and which drills are due', async () => {
    assert.equal(await manager.go('/operations/recoveries'), 200)
    assert.match(await manager.text(), /No Compromise was notified\.[\s\S]*method3\s+Due now/i)
    await manager.judge('recoveries, empty')
    assert.equal(await supplier.go('/operations/recoveries'), 403)
    assert.equal(await supplier.go('/officer/recoveries'), 200)
    await supplier.judge('own recoveries, empty')
  })

  it('let a Party notify what is its own; what is not whole is said beside its field', async () => {
    assert.equal(await supplier.go('/recoveries/new'), 200)
    await supplier.judge('notify')
    await supplier.press('Notify')
    assert.match(
      await supplier.text(),
      /There is a problem[\s\S]*Enter a reference[\s\S]*Enter the certificates in PEM/,
    )
    await supplier.judge('notify, with faults')
    const { page } = supplier
    await page.fill('#event', event)
    await page.check('input[name="kind"][value="organisation"]')
    // In London's summer.
    await page.fill('#since', '2026-07-19 08:00')
    const folder = join(homeAt(here.office.home).credentials, 'import-supplier')
    const pem = readFileSync(join(folder, 'organisation-1-supplier-ds.crt.pem'), 'utf8')
    await page.fill('#certificates', pem)
    await page.selectOption('#case', 'method3')
    await supplier.press('Notify')
    assert.equal(await supplier.heading(), event)
    const { rows } = await here.hands.store.query(
      'SELECT suspected_since FROM recovery_event WHERE reference = $1',
      [event],
    )
    assert.deepEqual(rows, [{ suspected_since: new Date('2026-07-19T07:00:00Z') }])
    assert.match(await supplier.text(), /Notified, to be confirmed[\s\S]*Organisation key of Test Import Supplier/i)
    await supplier.judge('an event, notified')
  })

  it('show an event, and the banner while it runs, to its Party and to those who look after all of them', async () => {
    await network.go('/home')
    assert.equal(await banner(network), 0)
    assert.equal(await network.go(`/recoveries/${event}`), 403)
    assert.equal(await network.go('/recoveries/NONE-1'), 404)
    for (const desk of [supplier, manager, clerk]) {
      await desk.go('/home')
      assert.equal(await banner(desk), 1)
    }
    // Nobody of the Party confirms it.
    await supplier.go(`/recoveries/${event}`)
    assert.equal(await supplier.page.locator('button', { hasText: 'Confirm the Compromise' }).count(), 0)
  })

  it('let the Registration Authority confirm it, and a Manager choose the procedure', async () => {
    await clerk.go(`/recoveries/${event}`)
    await clerk.press('Confirm the Compromise')
    assert.match(await clerk.text(), /Choose by which means/)
    await clerk.page.check('input[name="means"][value="call back"]')
    await clerk.press('Confirm the Compromise')
    assert.match(await clerk.text(), /The Compromise is confirmed/)
    assert.equal(await clerk.page.locator('button', { hasText: 'Choose' }).count(), 0, 'a clerk does not choose')
    await manager.go(`/recoveries/${event}`)
    await manager.press('Choose')
    assert.match(await manager.text(), /Due now\s+authenticate notifier, by DCC/i)
    await manager.press('Record as done: authenticate notifier')
    assert.match(await manager.text(), /Due now\s+choose procedure/i)
    await manager.press('Record as done: choose procedure')
    // What was not done is not on record as done, and the refusal has its code.
    await manager.press('Record as done: freeze devices')
    assert.match(await manager.text(), /STEP_NOT_DONE/)
    await manager.judge('an event, with a refusal')
  })

  it('count its Devices, hold it and let it go on, list Devices with their reasons, and hand out the report', async () => {
    const home = homeAt(here.office.home)
    const devices = await simulatedDevices({ hands, home, isTest: true }, 10)
    await enterInventory(hands.store, [...devices.values()].map(inventoryOf))
    const [by, officer] = [await here.officer('ra-clerk-1'), await here.officer('ra-manager-1')]
    await freezeDevices(hands, by, event, inventoryInStore(hands.store))
    await beginWave(hands, by, event)
    await manager.go(`/recoveries/${event}`)
    assert.match(await manager.text(), /0 of 8 Devices are settled[\s\S]*Waits for a command\s+8/)
    await manager.judge('an event, under way')
    await manager.press('Pause')
    assert.match(await manager.text(), /Everything is held\.[\s\S]*Paused/i)
    await manager.press('Resume')
    assert.match(await manager.text(), /Commands under way/i)
    await closeRecovery(hands, officer, event, 'the rehearsal ends here')
    await manager.go(`/recoveries/${event}`)
    assert.match(
      await manager.text(),
      /Listed Devices\s[\s\S]*00-DB-5B-[0-9A-F-]+\s+ESME\s+the rehearsal ends here/,
    )
    await manager.judge('an event, closed')
    const waiting = manager.page.waitForEvent('download')
    await manager.page.click('text=Report for the SMKI PMA')
    const download = await waiting
    assert.equal(download.suggestedFilename(), `${event}.html`)
    assert.match(readFileSync(await download.path(), 'utf8'), /8 are listed|the rehearsal ends here/)
    here.office.pass(2000)
    await supplier.go('/home')
    assert.equal(await banner(supplier), 0, 'it is over')
  })
})
