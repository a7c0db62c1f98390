/** Searching the Repository as people do, held against every certificate with its state. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { everyCertificate, type Lodged, type Status } from '../../src/rooms/repository/find.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { type Asked, search } from '../../src/rooms/repository/search.ts'
import { issue, makeRooms, newDeviceId, type Rooms } from '../issuing/rooms.ts'

const day = 86_400_000
let rooms: Rooms
let now = Date.parse('2026-03-01T09:00:00Z')
let all: Lodged[] = []

before(async () => {
  rooms = await makeRooms({ pkis: ['smki-device', 'smki-organisation'], clock: () => new Date(now) })
  const [early] = [await organisation('02a0000000010000')]
  now += 11 * 365 * day
  const ids = Array.from({ length: 6 }, newDeviceId)
  await devices(ids)
  now += day
  // A second for some, each some time later, and one that was withdrawn.
  await devices(ids.slice(0, 3))
  now += day
  await devices(ids.slice(1, 2))
  const revoked = await organisation('02a0000000010001')
  await organisation('02a0000000010002')
  await revoke(revoked)
  await rooms.store.query(
    `INSERT INTO not_in_use (signing, position, since)
     SELECT signing, position, $1 FROM certificate WHERE eui64 = decode($2, 'hex') OR eui64 = decode('02a0000000010002', 'hex')`,
    [new Date(now), ids[5]],
  )
  assert.ok(early)
  for await (const one of everyCertificate(rooms.store, new Date(now))) all.push(one)
  all = all.reverse()
})
after(() => rooms?.close())

async function devices(ids: readonly string[]): Promise<void> {
  const csrs = ids.map(deviceId => makeDeviceCsr({ deviceId, usage: 'digitalSignature' }).csr)
  for (const outcome of await issue(rooms.devices(), csrs)) assert.ok('der' in outcome)
}

async function organisation(eui64: string): Promise<Certificate> {
  const by = {
    record: await issuingAuthority(rooms.store, 'smki-organisation'),
    keys: rooms.keys.issuing,
    profile: profileNamed(rooms.settings, 'Organisation Certificate'),
  }
  const { publicKey } = makeKeyPair('P-256')
  return issueOrganisation(rooms.hands, by, { role: 2, eui64, usage: 'digitalSignature', publicKey })
}

async function revoke(certificate: Certificate): Promise<void> {
  const { id } = await issuingAuthority(rooms.store, 'smki-organisation')
  const { serial } = certificate
  await rooms.store.transaction(client =>
    markRevoked(client, id, { serial, at: new Date(now), reason: 1, expiresAt: new Date(certificate.notAfter.ms) }),
  )
}

const named = (certificates: readonly Lodged[]) => certificates.map(one => one.serial.toString('hex'))

/** All pages of it, of two certificates each. */
async function pages(asked: Asked, look?: number): Promise<Lodged[]> {
  const found: Lodged[] = []
  for (let next: Parameters<typeof search>[4]; ; ) {
    const page = await search(rooms.store, asked, new Date(now), 2, next, look)
    assert.ok(page.certificates.length <= 2)
    found.push(...page.certificates)
    next = page.next
    if (!next) return found
  }
}

describe('a search by state', () => {
  for (const status of ['I', 'N', 'E', 'R'] as const satisfies Status[]) {
    it(`finds every certificate in state ${status} and no other, newest first`, async () => {
      const due = all.filter(one => one.status === status)
      assert.ok(due.length > 0, 'there is none to find')
      assert.deepEqual(named(await pages({ status })), named(due))
    })

    it(`finds the same among Devices and among organisations, in state ${status}`, async () => {
      for (const family of ['device', 'organisation'] as const) {
        const due = all.filter(one => one.status === status && one.family === family)
        assert.deepEqual(named(await pages({ status, family })), named(due))
      }
    })
  }

  it('finds every one not in use also when it looks at a few at a time, and says where it stopped looking', async () => {
    const due = all.filter(one => one.status === 'N')
    for (const look of [1, 2, 3, 5, 100]) assert.deepEqual(named(await pages({ status: 'N' }, look)), named(due))
    const devices = all.filter(one => one.family === 'device')
    const inUse = devices.findIndex(one => one.status === 'N')
    assert.ok(inUse > 0)
    const asked = { status: 'N', family: 'device' } as const
    const { signing, position } = devices[inUse - 1]!
    const nothing = await search(rooms.store, asked, new Date(now), 2, undefined, inUse)
    assert.deepEqual(nothing, { certificates: [], next: { signing, position }, looked: inUse })
    const whole = await search(rooms.store, { status: 'N' }, new Date(now), 100)
    assert.deepEqual([whole.next, whole.looked], [undefined, undefined])
  })

  it('finds nothing that is pending: what is lodged is issued', async () => {
    assert.deepEqual(await pages({ status: 'P' }), [])
  })
})

describe('a search by dates', () => {
  it('finds what was issued at the first instant and not what was issued at the last', async () => {
    const instants = [...new Set(all.map(one => one.issuedAt.getTime()))].sort((a, b) => a - b)
    assert.ok(instants.length > 2)
    for (const from of instants) {
      for (const until of [...instants, now + day]) {
        const due = all.filter(one => one.issuedAt.getTime() >= from && one.issuedAt.getTime() < until)
        assert.deepEqual(named(await pages({ from: new Date(from), until: new Date(until) })), named(due))
      }
    }
  })

  it('finds nothing before the first and after the last', async () => {
    assert.deepEqual(await pages({ until: new Date(0) }), [])
    assert.deepEqual(await pages({ from: new Date(now + day) }), [])
  })

  it('does not lean on the order of numbers: an older certificate with a newer number is found too', async () => {
    const newest = all[0]!
    const at = new Date(newest.issuedAt.getTime() - 30 * day)
    await rooms.store.query('UPDATE signing SET at = $2 WHERE id = $1', [newest.signing, at])
    try {
      const found = await pages({ from: at, until: new Date(at.getTime() + 1000) })
      assert.deepEqual(named(found), named([newest]))
    } finally {
      await rooms.store.query('UPDATE signing SET at = $2 WHERE id = $1', [newest.signing, newest.issuedAt])
    }
  })
})
