import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { DeviceFacts } from '../../src/policy/registration/device-eligibility.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import {
  aroPolicies,
  deviceEligibilities,
  deviceEligibility,
  ineligible,
  organisationEligibility,
  type Subscriber,
  subscriberOf,
} from '../../src/rooms/registration/eligible.ts'
import { inventoryInMemory } from '../../src/rooms/registration/inventory.ts'
import { parties, registerParty } from '../../src/rooms/registration/parties.ts'
import { hex, type Office, type Officers, openOffice, ranges, refusal } from './office.ts'

describe('an Eligible Subscriber', () => {
  let office: Office
  let supplier: Officers & { party: number }
  let maker: Officers & { party: number }
  const userRoles = ranges('IS', 'GS')
  const mine = userRoles[0]!.first
  before(async () => {
    office = await openOffice()
    supplier = await office.subscriber('supplier', { userRoles })
    maker = await office.subscriber('maker', { userRoles: ranges('OU') })
  })
  after(() => office.close())
  const subscriber = (party: number) => subscriberOf(office.store, party)

  it('for Device Certificates is judged by the inventory, a batch at one question', async () => {
    const { rules } = office.hands
    const inventory = inventoryInMemory(rules.smiStatuses)
    const device = (n: bigint, facts: DeviceFacts) => {
      inventory.enter(hex(n), facts)
      return hex(n)
    }
    const other = userRoles[1]!.first
    const ids = [
      device(1n, { type: 'ESME', smiStatus: 'commissioned', responsible: { IS: mine } }),
      device(2n, { type: 'ESME', smiStatus: 'commissioned', responsible: { IS: other } }),
      device(3n, { type: 'GSME', smiStatus: 'commissioned', responsible: { GS: other } }),
      device(4n, { type: 'CHF', smiStatus: 'pending', responsible: {} }),
      device(5n, { type: 'ESME', smiStatus: 'pending', responsible: {} }),
      hex(6n),
    ]
    const codes = async (party: number, by?: 'ADHOC_WS') =>
      (await deviceEligibilities(rules, inventory, await subscriber(party), ids, by)).map(one => one?.code)
    assert.deepEqual(await codes(supplier.party), [undefined, 'IN:GG3', undefined, 'IN:GG4', undefined, undefined])
    assert.deepEqual(await codes(maker.party), ['IN:GG2', 'IN:GG2', 'IN:GG2', 'IN:GG4', undefined, undefined])
    assert.deepEqual(await codes(supplier.party, 'ADHOC_WS'), await codes(supplier.party))
    assert.deepEqual(await codes(maker.party, 'ADHOC_WS'), Array(6).fill('IN:GG1'))
    inventory.remove(hex(2n))
    assert.equal((await codes(supplier.party))[1], undefined)
  })

  it('is none who is no Authorised Subscriber, whatever the Device', async () => {
    const none: Subscriber = {
      ...(await subscriber(supplier.party)),
      authorised: { 'smki-organisation': true, 'smki-device': false, dccki: false },
    }
    assert.equal(deviceEligibility(office.hands.rules, none, undefined)?.code, 'IN:GG1')
    assert.equal(ineligible({ deviceSubscriber: false })?.code, 'IN:GG1')
    await assert.rejects(subscriber(999_999), refusal('PARTY_UNKNOWN'))
  })

  it('for Organisation Certificates has an ARO for them, an identifier of its own, and a role that goes with it', async () => {
    const { rules, clock } = office.hands
    const judge = async (party: number, eui64: string, role: number, person = supplier.aro.person) =>
      organisationEligibility(
        rules,
        await subscriber(party),
        { eui64, role },
        await aroPolicies(office.store, person, party, clock()),
      )?.code
    assert.equal(await judge(supplier.party, mine, 0x02), undefined)
    assert.equal(await judge(supplier.party, mine, 0x87), undefined)
    assert.equal(await judge(supplier.party, mine, 0x7f), 'OU_ROLE_NOT_HELD')
    assert.equal(await judge(supplier.party, mine, 0x07), 'OU_ROLE_NOT_HELD')
    assert.equal(await judge(supplier.party, hex(1n), 0x02), 'EUI64_NOT_OWN')
    assert.equal(await judge(supplier.party, mine, 0x02, maker.aro.person), 'ARO_NOT_AUTHORISED')
    assert.equal(await judge(supplier.party, mine, 0x02, supplier.sro.person), 'ARO_NOT_AUTHORISED')
    assert.equal(await judge(maker.party, mine, 0x02, maker.aro.person), 'EUI64_NOT_OWN')
    const device = await office.appoint(supplier.sro, await office.person('Dev'), 'ARO', supplier.party, [
      'smki-device',
    ])
    assert.equal(await judge(supplier.party, mine, 0x02, device.person), 'ARO_NOT_AUTHORISED')
  })

  it('is none any more when a condition of being a Subscriber falls away', async () => {
    const { party, sro, aro } = await office.subscriber('falling')
    assert.deepEqual((await subscriber(party)).authorised, {
      'smki-organisation': true,
      'smki-device': true,
      dccki: false,
    })
    await cease(office.hands, aro, { person: sro.person, office: 'SRO', party }, {}).catch(
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    await cease(office.hands, office.personnel[0], { person: sro.person, office: 'SRO', party }, {})
    const now = await subscriber(party)
    assert.deepEqual(now.authorised, { 'smki-organisation': false, 'smki-device': false, dccki: false })
    assert.equal(deviceEligibility(office.hands.rules, now, undefined)?.code, 'IN:GG1')
    const first = { eui64: hex(now.ranges[0]!.first), role: 2 }
    assert.equal(
      organisationEligibility(office.hands.rules, now, first, ['smki-organisation'])?.code,
      'NOT_AUTHORISED_SUBSCRIBER',
    )
  })

  it('is also a Party that a test environment entered as one', async () => {
    const id = await office.store.transaction(client =>
      registerParty(
        client,
        { name: 'entered', tradingName: 'E', deviceSubscriber: true, roles: [] },
        office.hands.clock(),
      ),
    )
    assert.deepEqual((await subscriber(id)).authorised, {
      'smki-organisation': false,
      'smki-device': true,
      dccki: false,
    })
    const all = await parties(office.store)
    assert.equal(all.find(one => one.id === id)?.deviceSubscriber, true)
    assert.equal(all.find(one => one.id === supplier.party)?.deviceSubscriber, true)
    assert.equal(all.find(one => one.id === office.operator)?.deviceSubscriber, false)
  })
})

describe('the inventory in memory', () => {
  it('takes identifiers in either form, and only words that are statuses', async () => {
    const inventory = inventoryInMemory(['pending'])
    const facts = { type: 'ESME', smiStatus: 'pending', responsible: { IS: '02-A0-00-00-00-01-00-00' } }
    inventory.enter('90-B3-D5-1F-30-01-00-00', facts)
    const found = await inventory.devices(['90b3d51f30010000', '90b3d51f30010001'])
    assert.deepEqual([...found], [['90b3d51f30010000', { ...facts, responsible: { IS: '02a0000000010000' } }]])
    assert.throws(() => inventory.enter('90b3d51f30010000', { ...facts, smiStatus: 'Pending' }), RangeError)
    assert.throws(() => inventory.enter('90b3', facts), RangeError)
    assert.throws(() => inventory.enter('90b3d51f30010000', { ...facts, responsible: { IS: 'x' } }), RangeError)
  })
})
