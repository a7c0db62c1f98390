/** Serial numbers in the store: their index holds the second half of each, and each is found by the whole. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toHex } from '../../src/ground/bytes.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { systemChance } from '../../src/main/world.ts'
import { findBySerials } from '../../src/rooms/repository/find.ts'
import { search } from '../../src/rooms/repository/search.ts'
import { issue, makeRooms, newCsr, type Rooms } from './rooms.ts'

let rooms: Rooms
before(async () => {
  rooms = await makeRooms()
})
after(() => rooms?.close())

async function serialOf(devices = rooms.devices()): Promise<Buffer> {
  const [outcome] = await issue(devices, [newCsr()])
  assert.ok(outcome && 'der' in outcome)
  return Buffer.from(readCertificate(outcome.der).serial)
}
/** Another number that ends like it. */
const twinOf = (serial: Buffer) => Buffer.concat([Buffer.alloc(8, serial[0]! ^ 0x01), serial.subarray(8)])

describe('A serial number', () => {
  it('is drawn again where another of the same authority ends like it, and nothing of the first draw is issued', async () => {
    const first = await serialOf()
    const twin = twinOf(first)
    let draws = 0
    const chance = (length: number) => {
      const octets = systemChance(length)
      if (length >= 4096 && draws++ === 0) octets.set(twin)
      return octets
    }
    const second = await serialOf(rooms.devices({ hands: { ...rooms.hands, chance } }))
    assert.ok(draws > 0, 'the number was not drawn from this chance')
    assert.ok(!second.subarray(8).equals(first.subarray(8)))
    const { rows } = await rooms.store.query<{ serial: Buffer }>(
      'SELECT serial FROM certificate WHERE substr(serial, 9) = $1',
      [first.subarray(8)],
    )
    assert.deepEqual(
      rows.map(row => row.serial),
      [first],
    )
  })

  it('is found by all its octets, alone and among many, and its twin is not', async () => {
    const serials = [await serialOf(), await serialOf(), await serialOf()]
    const now = rooms.hands.clock()
    const found = async (asked: Buffer[]) => (await findBySerials(rooms.store, asked, now)).map(one => one.serial)
    for (const serial of serials) {
      assert.deepEqual(await found([serial]), [serial])
      assert.deepEqual(await found([twinOf(serial)]), [])
      const { certificates } = await search(rooms.store, { serial }, now, 10)
      assert.deepEqual(
        certificates.map(one => one.serial),
        [serial],
      )
      assert.deepEqual((await search(rooms.store, { serial: twinOf(serial) }, now, 10)).certificates, [])
    }
    const mixed = await found([twinOf(serials[0]!), serials[1]!, serials[2]!])
    assert.deepEqual(new Set(mixed.map(toHex)), new Set([serials[1]!, serials[2]!].map(toHex)))
  })
})
