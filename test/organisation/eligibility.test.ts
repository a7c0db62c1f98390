/** L3.16 for Device CSRs by the inventory (registration-revocation.md section 5.2), with no question for each of them. */

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { inventoryOf } from '../../src/main/inventory.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { defaultSmiStatuses } from '../../src/policy/registration/device-eligibility.ts'
import { advance, decideBatch, parse } from '../../src/rooms/issuance/batch.ts'
import { eligibilityFor, eligibilityOfEach } from '../../src/rooms/issuance/device-eligible.ts'
import { issueDevices } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { issuePortion, takePortion } from '../../src/rooms/issuance/portion.ts'
import { resultsOf } from '../../src/rooms/issuance/results.ts'
import { beginUpload } from '../../src/rooms/issuance/upload.ts'
import { inventoryInMemory } from '../../src/rooms/registration/inventory.ts'
import { type Officers, ranges, refusal } from '../registration/office.ts'
import { openPortal, type Portal } from './portal.ts'

describe('a group of Device CSRs', () => {
  let portal: Portal
  let supplier: Officers & { party: number }
  let maker: Officers & { party: number }
  let organisationOnly: Officers & { party: number }
  let own: string

  before(async () => {
    portal = await openPortal({ pkis: ['smki-device'] })
    const userRoles = ranges('IS')
    own = userRoles[0]!.first
    supplier = await portal.office.subscriber('supplier', { userRoles })
    maker = await portal.office.subscriber('maker', { userRoles: ranges('OU') })
    organisationOnly = await portal.office.subscriber('organisation-only', { userRoles: ranges('ED') }, [
      'smki-organisation',
    ])
  })
  after(() => portal.close())

  const rules = { threshold: 100, knownDevicesOnly: false }
  let next = 0x02e6_0000_0000_0000n
  const newId = () => (next++).toString(16).padStart(16, '0')
  const csrOf = (deviceId: string) => makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr

  /** Every statement and transaction counts. */
  function counted(store: Store): { store: Store; calls: () => number } {
    let calls = 0
    return {
      store: {
        ...store,
        query: (statement, values) => {
          calls++
          return store.query(statement, values)
        },
        transaction: (work, options) => {
          calls++
          return store.transaction(work, options)
        },
      },
      calls: () => calls,
    }
  }

  function devicesOver(store: Store) {
    const hands = { ...portal.office.hands, store }
    const keyUse = hierarchies(portal.settings)['smki-device'].issuing.keyUse!
    const profile = profileNamed(portal.settings, 'Device Certificate')
    return { ...hands, authorities: issuingDcas(hands, portal.keys.issuing, profile, keyUse, 256) }
  }

  async function issue(
    store: Store,
    requests: readonly Uint8Array[],
    eligibility: ReturnType<typeof eligibilityFor>,
  ) {
    const outcomes = await issueDevices(devicesOver(store), { requests, eligibility, rules, says: {} })
    return outcomes.map(one => ('refusal' in one ? one.refusal.code : 'SUCCESS'))
  }

  it('is refused what the inventory speaks against, each with the reason; what it does not know is not installed', async () => {
    const { store } = portal.office
    const inventory = inventoryInMemory(portal.office.hands.rules.smiStatuses)
    const installed = (type: string, smiStatus: string, responsible: Record<string, string>) => {
      const id = newId()
      inventory.enter(id, { type, smiStatus, responsible })
      return id
    }
    const ids = [
      installed('ESME', 'commissioned', { IS: own }),
      installed('ESME', 'commissioned', { IS: '02e6ffffffffffff' }),
      installed('CHF', 'pending', {}),
      installed('ESME', 'pending', {}),
      newId(),
    ]
    // Of what is no CSR nothing is asked.
    const requests = () => [...ids.map(csrOf), Buffer.from([1])]
    const of = (party: number) => eligibilityFor(store, portal.office.hands.rules, inventory, party)
    const success = ['SUCCESS', 'SUCCESS']
    assert.deepEqual(await issue(store, requests(), of(supplier.party)), [
      'SUCCESS',
      'IN:GG3',
      'IN:GG4',
      ...success,
      'CR:CC2',
    ])
    assert.deepEqual(await issue(store, requests(), of(maker.party)), [
      'IN:GG2',
      'IN:GG2',
      'IN:GG4',
      ...success,
      'CR:CC2',
    ])
    assert.deepEqual(await issue(store, requests(), of(organisationOnly.party)), [
      ...Array(5).fill('IN:GG1'),
      'CR:CC2',
    ])
    // Several Parties in one group, each by its own standing.
    const each = eligibilityOfEach([supplier.party, maker.party, supplier.party], of)
    assert.deepEqual(await issue(store, [csrOf(ids[0]!), csrOf(ids[0]!), csrOf(ids[1]!)], each), [
      'SUCCESS',
      'IN:GG2',
      'IN:GG3',
    ])
    const said = (await portal.office.journal()).filter(one => one.act === 'refuse')
    assert.ok(
      said.some(one => JSON.stringify(one.body).includes('IN:GG3')),
      'refusals stand in the journal',
    )
  })

  it('of a batch is judged in the same way, and its result says so', async () => {
    const { hands, store } = portal.office
    const inventory = inventoryInMemory(hands.rules.smiStatuses)
    const theirs = newId()
    inventory.enter(theirs, { type: 'ESME', smiStatus: 'commissioned', responsible: { IS: '02e6ffffffffffff' } })
    const items = [theirs, newId()].map((id, i) => ({ id: `item-${i}`, csr: csrOf(id) }))
    const upload = await beginUpload(hands, 10)
    for (const item of items) upload.take(item)
    await upload.accept({ party: supplier.party, reference: 'x' })
    const batch = upload.id
    await decideBatch(hands, batch, { approve: true, by: 'test' })
    await parse(hands, batch)
    await advance(hands, true)
    const portion = (await takePortion(hands, 'worker'))!
    const eligibility = eligibilityFor(store, hands.rules, inventory, portion.party)
    await issuePortion(devicesOver(store), portion, 'worker', rules, undefined, eligibility)
    const results = (await Array.fromAsync(resultsOf(store, { id: batch, count: 2 }))).flat()
    assert.deepEqual(
      results.map(one => ('certificate' in one ? 'SUCCESS' : one.code)),
      ['IN:GG3', 'SUCCESS'],
    )
  })

  it('costs as many questions to the store whether it is of three or of two hundred', async () => {
    const inventory = inventoryInMemory(portal.office.hands.rules.smiStatuses)
    const calls: number[] = []
    for (const count of [3, 200]) {
      let asked = 0
      const counting = {
        devices: (ids: readonly string[]) => {
          asked++
          return inventory.devices(ids)
        },
      }
      const through = counted(portal.office.store)
      const eligibility = eligibilityFor(through.store, portal.office.hands.rules, counting, supplier.party)
      const codes = await issue(
        through.store,
        Array.from({ length: count }, () => csrOf(newId())),
        eligibility,
      )
      assert.deepEqual(new Set(codes), new Set(['SUCCESS']))
      assert.equal(asked, 1)
      calls.push(through.calls())
    }
    assert.equal(calls[0], calls[1])
  })
})

describe('the inventory of a test environment', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'opensmki-inventory-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const device = (deviceId: string, smiStatus = 'commissioned') => ({ deviceId, type: 'ESME', smiStatus })
  const typesOf = async (inventory: ReturnType<typeof inventoryOf>, ids: readonly string[]) =>
    [...(await inventory.devices(ids)).values()].map(one => one.smiStatus)
  let home = 0
  const at = (): string => {
    const made = join(folder, String(++home))
    mkdirSync(made)
    return made
  }

  it('is empty without a file, and read anew when one comes, changes or goes', async () => {
    const path = at()
    const inventory = inventoryOf(path, defaultSmiStatuses, fault => assert.fail(fault))
    const id = '02e7000000000001'
    assert.deepEqual(await typesOf(inventory, [id]), [])
    writeFileSync(join(path, 'inventory.json'), JSON.stringify([device('02-E7-00-00-00-00-00-01')]))
    assert.deepEqual(await typesOf(inventory, [id]), ['commissioned'])
    writeFileSync(join(path, 'inventory.ndjson'), `${JSON.stringify(device(id, 'pending'))}\n\n`)
    assert.deepEqual(await typesOf(inventory, [id]), ['pending'])
    rmSync(join(path, 'inventory.ndjson'))
    assert.deepEqual(await typesOf(inventory, [id]), ['commissioned'])
    rmSync(join(path, 'inventory.json'))
    assert.deepEqual(await typesOf(inventory, [id]), [])
  })

  it('that cannot be read refuses to start, with the place; once it was read, it holds on to what it had', async () => {
    const bad: [string, string, RegExp][] = [
      ['inventory.ndjson', `${JSON.stringify(device('02e7000000000001'))}\n{`, /Device 2/],
      ['inventory.ndjson', JSON.stringify({ ...device('02e7000000000001'), colour: 'red' }), /Device 1.*colour/],
      ['inventory.json', JSON.stringify([device('02e7000000000001', 'bought')]), /Device 1.*bought/],
      ['inventory.json', JSON.stringify([device('02e7')]), /Device 1.*02e7/],
      ['inventory.json', '{}', /no list/],
      ['inventory.json', 'no JSON', /no list/],
    ]
    for (const [name, text, says] of bad) {
      const path = at()
      writeFileSync(join(path, name), text)
      const open = () => inventoryOf(path, defaultSmiStatuses, () => {})
      assert.throws(open, refusal('INVENTORY_INVALID'))
      assert.throws(open, (cause: Error) => says.test(cause.message))
    }
    const path = at()
    const file = join(path, 'inventory.ndjson')
    writeFileSync(file, JSON.stringify(device('02e7000000000001')))
    const faults: string[] = []
    const inventory = inventoryOf(path, defaultSmiStatuses, fault => faults.push(fault))
    writeFileSync(file, 'x'.repeat(10))
    for (let i = 0; i < 3; i++) assert.deepEqual(await typesOf(inventory, ['02e7000000000001']), ['commissioned'])
    assert.equal(faults.length, 1, 'told once, not at every question')
    writeFileSync(file, JSON.stringify(device('02e7000000000001', 'pending')))
    utimesSync(file, new Date(), new Date(Date.now() + 5000))
    assert.deepEqual(await typesOf(inventory, ['02e7000000000001']), ['pending'])
  })
})
