/** The lists at the operator door: who is revoked and listed does not get through the handshake any more. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readList } from '../../src/ground/x509/list.ts'
import { readPem } from '../../src/ground/x509/pem.ts'
import { ikiTrust, watchTrust } from '../../src/main/iki-trust.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { renewLists } from '../../src/rooms/revocation/schedule.ts'
import { makeRooms } from '../issuing/rooms.ts'

describe('The lists at a door', () => {
  it('are those of the IKI alone, and new ones are taken as soon as they are lodged', async () => {
    const rooms = await makeRooms({ pkis: ['iki', 'smki-organisation'] })
    try {
      const schedules = listSchedules(rooms.settings)
      await renewLists(rooms.hands, rooms.keys.issuing, schedules)
      const before = await ikiTrust(rooms.store)
      assert.equal(before.authorities.length, 2)
      assert.equal(before.lists.length, 2)
      const renewed = Promise.withResolvers<readonly string[]>()
      const watch = watchTrust(rooms.store, before, trust => renewed.resolve(trust.lists), renewed.reject, 10)
      const ica = (await authorities(rooms.store)).find(one => one.pki === 'iki' && one.level === 'issuing')!
      await publishList(rooms.hands, ica, rooms.keys.issuing, schedules(ica)!)
      const after = await Promise.race([renewed.promise, late()])
      watch.stop()
      assert.equal(after.filter(list => !before.lists.includes(list)).length, 1)
      for (const list of after) assert.ok(readList(readPem(list)[0]!.der))
    } finally {
      await rooms.close()
    }
  })
})

/** Far longer than it takes, so that a watch that does nothing fails. */
const late = () =>
  new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no new lists came')), 20_000).unref())
