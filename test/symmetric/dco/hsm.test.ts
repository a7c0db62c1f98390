/** HSM Keys and the people who make them: quorum, signed packages, proof of import, renewal (smets1-keys.md section 6.6). */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '../../../src/ground/bytes.ts'
import { createSoftwareKeyStore } from '../../../src/ground/keystore/software.ts'
import { softwareSymmetricModule } from '../../../src/ground/keystore/symmetric-software.ts'
import { systemChance } from '../../../src/main/world.ts'
import { environmentLog, isSilent } from '../../../src/rooms/symmetric/dco/environment.ts'
import { signingKeys } from '../../../src/rooms/symmetric/dco/hands.ts'
import { makeDcoKey, makeSharedKey, openRenewal } from '../../../src/rooms/symmetric/dco/hsm.ts'
import { type Access, cease, nominate } from '../../../src/rooms/symmetric/dco/people.ts'
import { setUp } from '../../../src/rooms/symmetric/dco/set-up.ts'
import {
  fingerprintOf,
  openHsmPackage,
  openHsmReceipt,
  writeHsmReceipt,
} from '../../../src/rooms/symmetric/hsm-package.ts'
import { readRecord } from '../../../src/rooms/symmetric/record.ts'
import { ceremony, makeRooms, personSigner, type Rooms, refused } from './rooms.ts'

let rooms: Rooms
const folder = mkdtempSync(join(tmpdir(), 'opensmki-hsm-'))
const keys = createSoftwareKeyStore({
  path: join(folder, 'keys'),
  name: 's1sp',
  passphrase: Buffer.from('a passphrase of the tests'),
  chance: systemChance,
  log2N: 10,
  allowWeak: true,
})
const module = softwareSymmetricModule(keys, systemChance)
const transportKey = module.makeTransportKey('transport')
const recipient = { name: 's1sp-1', transportKey, fingerprint: fingerprintOf(transportKey) }

before(async () => {
  rooms = await makeRooms({ modules: ['dco-1-b'] })
})
after(async () => {
  await rooms.close()
  module.close()
  keys.close()
  rmSync(folder, { recursive: true })
})

describe('an HSM Key', () => {
  it('is made only with a quorum of nominated card holders, who are different people', async () => {
    const make = (present: string[], more: object = {}) =>
      makeSharedKey(rooms.hands, { ...ceremony, ...more, present }, 's1sp-1', [recipient])
    const not = refused('PERSON_NOT_ALLOWED')
    for (const present of [[], ['card-1'], ['card-1', 'card-1'], ['card-1', 'stranger']]) {
      await assert.rejects(make(present), (cause: { code: string }) =>
        /^(PERSON_NOT_ALLOWED|REASON_MISSING)$/.test(cause.code),
      )
    }
    await assert.rejects(make(['card-1', 'card-2'], { reason: '' }), refused('REASON_MISSING'))
    const by: Access = { person: 'card-1', role: 'ACS card holder', reason: 'another one', ticket: 'T-2' }
    await assert.rejects(nominate(rooms.hands, 'card-3', by), not)
    await nominate(rooms.hands, 'card-3', by, ['card-1', 'card-2'])
    await cease(rooms.hands, 'card-1', by, ['card-2', 'card-3'])
    await assert.rejects(make(['card-1', 'card-2']), not)
    assert.match(await make(['card-2', 'card-3']), /^shared-key-s1sp-1-2-/)
    const told = (await rooms.acts()).filter(({ act }) => act === 'person.refused')
    assert.ok(told.length >= 6)
    assert.ok(told.every(({ body }) => body.attempted !== undefined && body.code !== undefined))
  })

  it('goes to whom it may: a DCO Key to modules of the DCO alone, under the fingerprint that was read out', async () => {
    const at = { ...ceremony, present: ['card-2', 'card-3'] }
    assert.throws(() => makeDcoKey(rooms.hands, at, [recipient]), refused('RECIPIENT_NOT_ALLOWED'))
    const other = { ...recipient, name: 's1sp-2' }
    assert.throws(() => makeSharedKey(rooms.hands, at, 's1sp-1', [other]), refused('RECIPIENT_NOT_ALLOWED'))
    assert.throws(() => makeSharedKey(rooms.hands, at, 'nobody', []), refused('SENDER_UNKNOWN'))
    const wrong = { ...recipient, fingerprint: '00'.repeat(32) }
    await assert.rejects(makeSharedKey(rooms.hands, at, 's1sp-1', [wrong]), refused('PACKAGE_NOT_FOR_US'))
    const label = await makeDcoKey(rooms.hands, at, [{ ...recipient, name: 'dco-1-b' }])
    const { rows } = await rooms.store.query<{ envelope: Buffer }>(
      'SELECT envelope FROM dco_hsm_package WHERE label = $1',
      [label],
    )
    const sender = { name: 'dco-1', publicKey: rooms.keys.publicKey(signingKeys.distribution) }
    const opened = openHsmPackage(rows[0]!.envelope, { sender, recipient: 'dco-1-b', transportKey, known: [] })
    assert.deepEqual([opened.role, opened.between, opened.agreement], ['DCO Key', null, ceremony.agreement])
    // No S1SP is handed it at the door.
    const { packages } = await rooms.ask('collect-hsm-keys', {})
    assert.ok(packages.every(each => !Buffer.from(each, 'hex').equals(rows[0]!.envelope)))
  })

  it('is taken from a package only with the right signature, recipient, transport key, and a label that is new', async () => {
    const { packages } = await rooms.ask('collect-hsm-keys', {})
    const envelope = fromHex(packages.at(-1)!)
    const sender = { name: 'dco-1', publicKey: rooms.keys.publicKey(signingKeys.distribution) }
    const good = { sender, recipient: 's1sp-1', transportKey, known: [] as string[] }
    const { hsmKey } = openHsmPackage(envelope, good)
    const wrongKey = { ...sender, publicKey: rooms.keys.publicKey(signingKeys.messages) }
    assert.throws(() => openHsmPackage(envelope, { ...good, sender: wrongKey }), refused('PACKAGE_UNSIGNED'))
    assert.throws(
      () => openHsmPackage(envelope, { ...good, sender: { ...sender, name: 'dco-2' } }),
      refused('PACKAGE_UNSIGNED'),
    )
    assert.throws(() => openHsmPackage(envelope, { ...good, recipient: 's1sp-2' }), refused('PACKAGE_NOT_FOR_US'))
    const elsewhere = rooms.module.transportKey('dco-import')
    assert.throws(
      () => openHsmPackage(envelope, { ...good, transportKey: elsewhere }),
      refused('PACKAGE_NOT_FOR_US'),
    )
    assert.throws(() => openHsmPackage(envelope, { ...good, known: [hsmKey] }), refused('PACKAGE_SEEN'))
    assert.throws(() => openHsmPackage(Buffer.from('{}'), good), refused('PACKAGE_UNREADABLE'))
    const changed = Buffer.from(
      envelope.toString().replace(/"octets":"(.)/, (_, c) => `"octets":"${c === 'e' ? 'f' : 'e'}`),
    )
    assert.throws(
      () => openHsmPackage(changed, good),
      (cause: { code: string }) => /^PACKAGE_UN/.test(cause.code),
    )
  })

  it('is used once its S1SP has shown that it has it, and with renewal opened, packages move to it with their type', async () => {
    const one = await rooms.takeOn()
    const guek = one.record('management', 'GUEK')
    const before = readRecord(fromHex(guek)).record
    await assert.rejects(rooms.ask('renew-records', { records: [guek] }), refused('RENEWAL_NOT_OPEN'))
    const { packages } = await rooms.ask('collect-hsm-keys', {})
    const envelope = fromHex(packages.at(-1)!)
    const sender = { name: 'dco-1', publicKey: rooms.keys.publicKey(signingKeys.distribution) }
    const { hsmKey, generation, wrapped } = openHsmPackage(envelope, {
      sender,
      recipient: 's1sp-1',
      transportKey,
      known: [],
    })
    module.importHsmKey({ label: hsmKey, role: 'Shared Key', transport: 'transport', wrapped })
    const proof = module.proveHsmKey(hsmKey)
    const receipt = (of: Uint8Array) =>
      toHex(
        writeHsmReceipt(
          { hsmKey, generation, recipient: 's1sp-1', package: hash('sha256', of), at: rooms.now.toISOString() },
          personSigner('s1sp-1'),
        ),
      )
    const body = { hsmKey, octets: toHex(proof.octets), hash: toHex(proof.hash), receipt: receipt(envelope) }
    const guess = { ...body, octets: toHex(Buffer.alloc(16, 1)) }
    await assert.rejects(rooms.ask('prove-hsm-key', guess), refused('HSM_KEY_NOT_PROVEN'))
    await assert.rejects(
      rooms.ask('prove-hsm-key', { ...body, receipt: receipt(Buffer.of(1)) }),
      refused('HSM_KEY_NOT_PROVEN'),
    )
    await assert.rejects(
      rooms.ask('prove-hsm-key', { ...body, hsmKey: before.hsmKey }, { by: 's1sp-2' }),
      refused('HSM_KEY_UNKNOWN'),
    )
    const theirs = await rooms.ask('prove-hsm-key', body)
    const said = openHsmReceipt(fromHex(theirs.receipt), sender)
    assert.deepEqual([said.hsmKey, said.recipient], [hsmKey, 's1sp-1'])

    await assert.rejects(rooms.ask('renew-records', { records: [guek] }), refused('RENEWAL_NOT_OPEN'))
    const at = { ...ceremony, present: ['card-2', 'card-3'] }
    await openRenewal(rooms.hands, at, { role: 'Shared Key', s1sp: 's1sp-1' }, 'PMA-9')
    const { records } = await rooms.ask('renew-records', { records: [guek] })
    const renewed = readRecord(fromHex(records[0]!)).record
    assert.deepEqual(
      [renewed.device, renewed.holder, renewed.type, renewed.generation, renewed.hsmKey],
      [before.device, before.holder, 'GUEK', 0, hsmKey],
    )
    assert.notEqual(renewed.id, before.id)
    // The same key: the Device answers under it, and its counters go on.
    const { finished } = await one.associate('management', { guek: records[0]! })
    assert.equal(finished.proven.length, 2)
    // An AK stays where it is: its HSM Key is another, and no renewal of that is open.
    const ak = one.record('management', 'AK')
    await assert.rejects(rooms.ask('renew-records', { records: [ak] }), refused('RENEWAL_NOT_OPEN'))
    await assert.rejects(rooms.ask('renew-records', { records: [guek] }), refused('RECORD_NOT_KNOWN'))
    await makeDcoKey(rooms.hands, at)
    await openRenewal(rooms.hands, at, { role: 'DCO Key' }, 'PMA-9')
    const akRenewed = await rooms.ask('renew-records', { records: [ak] })
    assert.match(readRecord(fromHex(akRenewed.records[0]!)).record.hsmKey, /^dco-key-3-/)
  })

  it('has a label of its own, and a DCO is set up once', async () => {
    await assert.rejects(setUp(rooms.hands, ceremony), refused('DCO_EXISTS'))
    const { rows } = await rooms.store.query<{ label: string }>('SELECT label FROM dco_hsm_key')
    assert.equal(new Set(rows.map(({ label }) => label)).size, rows.length)
    assert.ok(rows.length >= 6)
  })
})

describe('the environment log', () => {
  it('is apart from the journal, and says so when its feed has stopped', () => {
    const path = join(folder, 'environment.log')
    const now = new Date()
    assert.ok(isSilent(path, now, 5))
    environmentLog(path, () => now, 'software:dco').tell({ event: 'program.alive' })
    assert.ok(!isSilent(path, now, 5))
    assert.ok(isSilent(path, new Date(now.getTime() + 6 * 60_000), 5))
  })
})
