/** The same DCO with its keys in a module behind PKCS#11: the flows do not know which kind they work with. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { noSoftHsm, type SoftHsm, softHsm, testPin } from '../../../src/ground/keystore/pkcs11/testing.ts'
import { type DcoKeys, openDcoKeys } from '../../../src/main/dco-keys.ts'
import { dcoSettingsSchema } from '../../../src/policy/symmetric/dco-settings.ts'
import { makeRooms, type Rooms } from './rooms.ts'

describe('a DCO whose keys are in a module', { skip: noSoftHsm }, () => {
  let hsm: SoftHsm
  let rooms: Rooms
  let opened: DcoKeys
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-dco-module-'))

  before(async () => {
    hsm = softHsm()
    hsm.token('dco')
    const module = { kind: 'pkcs11', library: hsm.library, token: 'dco' }
    const settings = dcoSettingsSchema.parse({ name: 'dco-1', kind: 'test', module })
    opened = openDcoKeys(join(folder, 'keys'), settings, Buffer.from(testPin), { log2N: 10 })
    rooms = await makeRooms({ module }, opened)
  })
  after(async () => {
    await rooms?.close()
    opened?.close()
    hsm?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it('takes a Device on, associates with a DK, rotates an AK, and says which module did it', async () => {
    const one = await rooms.takeOn({ model: 'usual-mk', switches: { dedicatedKey: 'uses' } })
    const ground = { ground: 'commissioned', at: rooms.now.toISOString() } as const
    const { device } = one
    const records = [...one.records.values()]
    const { record } = await rooms.ask('make-key', { device, holder: 'management', keyType: 'AK', ground, records })
    const open = await one.associate('management', { dedicated: true })
    const { apdu } = await rooms.ask('offer-keys', { ...open.keys, mk: one.record('device', 'MK'), keys: [record] })
    const reply = await rooms.ask('open-reply', { ...open.keys, apdu: one.send(open, apdu) })
    assert.equal(reply.text, 'c701c10000')
    const { finished } = await one.associate('management', { ak: record })
    assert.deepEqual(
      finished.changed.map(({ generation, stage }) => [generation, stage]),
      [
        [0, 'superseded'],
        [1, 'active'],
      ],
    )
    const { sound } = await rooms.ask('check-records', { records: [record] })
    assert.deepEqual(sound, [true])
    for (const { body } of await rooms.acts()) assert.match(String(body.module), /^pkcs11:dco:/)
  })
})
