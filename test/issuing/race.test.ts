/** Several issuers at once, each with connections of its own: no rule is broken by two of them together. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr, makeKeyPair, type Usage } from '../../simulator/device.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { openStore, type Store } from '../../src/ground/store/store.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import type { DeviceIssuing, Outcome } from '../../src/rooms/issuance/issue.ts'
import { anyDevice, issue, makeRooms, newCsr, newDeviceId, type Rooms, signings } from './rooms.ts'

let rooms: Rooms
let stores: Store[] = []
let issuers: DeviceIssuing[] = []

before(async () => {
  rooms = await makeRooms({ settings: { certificates: { issuingDcaCertificates: 100, issuingDcaStock: 20 } } })
  stores = await Promise.all([1, 2, 3].map(() => openStore(rooms.connection, { max: 4 })))
  issuers = stores.map(store => rooms.devices({ hands: { ...rooms.hands, store } }))
})
after(async () => {
  for (const store of stores) await store.close()
  await rooms.close()
})

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** What each of them made of its requests; what was a fault is asked for again, as a client or a portion would. */
async function race(groups: readonly (readonly Buffer[])[], threshold = 100): Promise<Outcome[][]> {
  return Promise.all(
    groups.map(async (requests, i) => {
      for (let attempt = 1; ; attempt++) {
        // They set out a little apart from one another, each time differently.
        await pause((i * attempt * 7) % 5)
        try {
          return await issue(issuers[i % issuers.length]!, requests, { ...anyDevice, threshold })
        } catch (cause) {
          // What the store refuses as taken, issuing itself judges again.
          if (attempt === 20 || (cause as { code?: string }).code === '23505') throw cause
        }
      }
    }),
  )
}

async function complete(deviceId: string): Promise<{ key: string; ordinal: number }[]> {
  const { rows } = await rooms.store.query<{ key_id: Buffer; usage: number; ordinal: number }>(
    `SELECT c.key_id, c.usage, c.ordinal FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
      WHERE c.eui64 = $1 ORDER BY c.ordinal`,
    [Buffer.from(deviceId, 'hex')],
  )
  return rows.map(row => ({ key: `${row.usage} ${toHex(row.key_id)}`, ordinal: row.ordinal }))
}

const codeOf = (outcome: Outcome) => ('refusal' in outcome ? outcome.refusal.code : 'SUCCESS')

describe('Issuers that race', () => {
  it('for the same requests issue each once, and tell the others of duplicates', async () => {
    for (let round = 0; round < 15; round++) {
      const deviceId = newDeviceId()
      const requests = (['digitalSignature', 'keyAgreement'] as const).map(
        usage => makeDeviceCsr({ deviceId, usage }).csr,
      )
      const outcomes = await race([requests, requests, requests])
      const issued = await complete(deviceId)
      assert.equal(issued.length, 2)
      assert.equal(new Set(issued.map(one => one.key)).size, 2)
      for (const at of [0, 1]) {
        assert.deepEqual(outcomes.map(of => codeOf(of[at]!)).toSorted(), ['CR:9999', 'CR:9999', 'SUCCESS'])
      }
    }
  })

  it('for one Device ID keep to its threshold together', async () => {
    for (let round = 0; round < 10; round++) {
      const deviceId = newDeviceId()
      const group = () => [1, 2].map(() => makeDeviceCsr({ deviceId, usage: 'keyAgreement' }).csr)
      const outcomes = (await race([group(), group(), group(), group()], 5)).flat().map(codeOf)
      assert.equal((await complete(deviceId)).length, 5)
      assert.deepEqual(outcomes.filter(code => code === 'SUCCESS').length, 5)
      assert.deepEqual(outcomes.filter(code => code === 'CA:EE1').length, 3)
    }
  })

  it('for two Devices with one key never serve both', async () => {
    let served = 0
    for (let round = 0; round < 25; round++) {
      const keyPair = makeKeyPair()
      const ids = [newDeviceId(), newDeviceId(), newDeviceId()]
      const usages: Usage[] = ['digitalSignature', 'keyAgreement', 'digitalSignature']
      const groups = ids.map((deviceId, i) => [
        newCsr(),
        makeDeviceCsr({ deviceId, usage: usages[i]!, keyPair }).csr,
        newCsr('keyAgreement'),
      ])
      const outcomes = await race(groups)
      const owners = (await Promise.all(ids.map(complete))).filter(issued => issued.length > 0)
      assert.equal(owners.length, 1, `${owners.length} Devices have one key`)
      assert.deepEqual(outcomes.map(of => codeOf(of[1]!)).toSorted(), ['CA:EE2', 'CA:EE2', 'SUCCESS'])
      for (const of of outcomes) assert.deepEqual([codeOf(of[0]!), codeOf(of[2]!)], ['SUCCESS', 'SUCCESS'])
      served += owners.length
    }
    assert.equal(served, 25)
  })

  it('never have a key sign more than its limit, and no serial number comes twice', async () => {
    const groups = Array.from({ length: 9 }, (_, i) => Array.from({ length: 7 + i }, () => newCsr()))
    const outcomes = (await race(groups)).flat()
    const serials = outcomes.map(one => ('der' in one ? toHex(readCertificate(one.der).serial) : assert.fail()))
    assert.equal(new Set(serials).size, outcomes.length)
    const { rows } = await rooms.store.query<{ authority: number; count: bigint }>(
      'SELECT authority, count(*) AS count FROM certificate WHERE family = 1 GROUP BY authority',
    )
    const all = await authorities(rooms.store)
    assert.ok(rows.length >= 2, 'more than one key was used')
    for (const { authority, count } of rows) {
      assert.ok(count <= 100n, `authority ${authority} signed ${count}`)
      assert.ok(count <= BigInt(all.find(one => one.id === authority)!.allotted))
    }
    assert.equal((await signings(rooms.store)).intended, 0)
  })
})
