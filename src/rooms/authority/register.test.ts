/** Who issues now, after authorities were replaced, revoked, Compromised or have come to their end: of each PKI. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { makeRooms, type Rooms } from '../../../test/issuing/rooms.ts'
import { hierarchies } from '../../policy/hierarchies.ts'
import type { PkiName } from '../../policy/profile.ts'
import { markRevoked } from '../repository/lists.ts'
import { makeAuthority } from './make.ts'
import {
  type AuthorityRecord,
  authorities,
  certifyingRoot,
  issuingAuthority,
  issuingNow,
  markCompromised,
} from './register.ts'
import { allot } from './stock.ts'

const kinds = ['smki-organisation', 'iki', 'dccki', 's1spki-foc', 's1spki-moc'] as const
const none = { name: 'Refusal', code: 'NO_AUTHORITY' }

describe('Whoever issues now', () => {
  let rooms: Rooms
  let root: Map<PkiName, AuthorityRecord>
  before(async () => {
    rooms = await makeRooms({ pkis: [...kinds, 'smki-device'] })
    root = new Map()
    for (const pki of kinds) root.set(pki, await certifyingRoot(rooms.store, pki))
  })
  after(() => rooms.close())

  /** One more authority below that root, as a ceremony makes it. */
  function another(pki: (typeof kinds)[number], name: string, by = root.get(pki)!): Promise<AuthorityRecord> {
    const plan = hierarchies(rooms.settings)[pki].issuing
    return makeAuthority(rooms.hands, {
      plan: { ...plan, subject: { ...plan.subject, commonName: name } },
      keys: rooms.keys.issuing,
      state: 'current',
      by: { record: by, keys: rooms.keys.root },
    })
  }

  const revoke = (one: AuthorityRecord, by: AuthorityRecord) =>
    rooms.store.transaction(client =>
      markRevoked(client, by.id, {
        serial: one.certificate.serial,
        at: new Date(),
        reason: 2,
        expiresAt: new Date(one.certificate.notAfter.ms),
      }),
    )
  const compromise = (one: AuthorityRecord) =>
    rooms.store.transaction(client =>
      markCompromised(client, hash('sha256', one.certificate.publicKey.spki, 'buffer'), new Date()),
    )
  const now = async (pki: PkiName) => (await issuingAuthority(rooms.store, pki, new Date())).id

  for (const pki of kinds) {
    it(`of ${pki} is the newest that is neither revoked nor Compromised, and nobody when there is none`, async () => {
      const first = await issuingAuthority(rooms.store, pki)
      const second = await another(pki, 'N2')
      assert.equal(await now(pki), second.id, 'the newest')
      const third = await another(pki, 'N3')
      assert.equal(await now(pki), third.id)
      await revoke(third, root.get(pki)!)
      assert.equal(await now(pki), second.id, 'the newest is revoked')
      assert.deepEqual(await compromise(second), [second.id])
      assert.equal(await now(pki), first.id, 'the second is Compromised')
      assert.deepEqual(await compromise(second), [], 'it was stopped before')
      await compromise(first)
      await assert.rejects(issuingAuthority(rooms.store, pki, new Date()), none)
      assert.equal(await issuingNow(rooms.store, pki, new Date()), undefined)
      const fourth = await another(pki, 'N4')
      assert.equal(await now(pki), fourth.id)
    })
  }

  it('is valid at that instant', async () => {
    const { certificate } = await issuingAuthority(rooms.store, 'iki', new Date())
    const { notBefore, notAfter } = certificate
    for (const [ms, fits] of [
      [notBefore.ms - 1, false],
      [notBefore.ms, true],
      [notAfter.ms, true],
      [notAfter.ms + 1, false],
    ] as const) {
      const found = await issuingNow(rooms.store, 'iki', new Date(ms))
      assert.equal(found !== undefined, fits, new Date(ms).toISOString())
    }
  })

  it('is below a root that is not Compromised; and so is whoever is certified next', async () => {
    await compromise(root.get('dccki')!)
    await assert.rejects(issuingAuthority(rooms.store, 'dccki', new Date()), none)
    await assert.rejects(certifyingRoot(rooms.store, 'dccki', new Date()), none)
  })

  it('of the Device PKI goes on with the next of the stock when the one in use is Compromised', async () => {
    const limit = hierarchies(rooms.settings)['smki-device'].issuing.keyUse!
    const [used] = await allot(rooms.store, 1, limit, new Date())
    const all = await authorities(rooms.store)
    await compromise(all.find(one => one.id === used!.authority)!)
    const [next] = await allot(rooms.store, 1, limit, new Date())
    assert.notEqual(next!.authority, used!.authority)
  })
})
