import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { makeRooms, type Rooms } from './rooms.ts'

const eui64 = '02a00000000a0000'
const day = 86_400_000

describe('the status of an Organisation Certificate', () => {
  let rooms: Rooms
  const serials: Buffer[] = []

  before(async () => {
    rooms = await makeRooms({ pkis: ['smki-organisation'] })
    const profile = profileNamed(rooms.settings, 'Organisation Certificate')
    const by = {
      record: await issuingAuthority(rooms.store, 'smki-organisation'),
      keys: rooms.keys.issuing,
      profile,
    }
    for (let i = 0; i < 3; i++) {
      const request = { role: 2, eui64, usage: 'keyAgreement', publicKey: makeKeyPair('P-256').publicKey } as const
      serials.push(Buffer.from((await issueOrganisation(rooms.hands, by, request)).serial))
    }
  })
  after(() => rooms.close())

  const statuses = async (now: Date) =>
    (await findByEui64(rooms.store, fromHex(eui64), 'organisation', now)).map(one => one.status)

  it('is I for several at the same time, and E for each once its period has ended', async () => {
    const now = rooms.hands.clock()
    assert.deepEqual(await statuses(now), ['I', 'I', 'I'])
    const years = rooms.settings.certificates.organisationYears
    assert.deepEqual(await statuses(new Date(now.getTime() + years * 366 * day)), ['E', 'E', 'E'])
  })

  it('is N when its Subscriber withdrew it, and R when it was revoked, whatever else is true of it', async () => {
    const now = rooms.hands.clock()
    const [first, second] = await findByEui64(rooms.store, fromHex(eui64), 'organisation', now)
    for (const { signing, position } of [first!, second!]) {
      await rooms.store.query('INSERT INTO not_in_use (signing, position, since) VALUES ($1, $2, $3)', [
        signing,
        position,
        now,
      ])
    }
    assert.deepEqual(await statuses(now), ['N', 'N', 'I'])
    const revoked = { serial: second!.serial, at: now, reason: 1, expiresAt: new Date(now.getTime() + day) }
    assert.equal(await rooms.store.transaction(client => markRevoked(client, second!.authority, revoked)), true)
    assert.deepEqual(await statuses(now), ['N', 'R', 'I'])
    const later = new Date(now.getTime() + rooms.settings.certificates.organisationYears * 366 * day)
    assert.deepEqual(await statuses(later), ['E', 'R', 'E'])
  })
})
