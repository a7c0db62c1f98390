/**
 * Keys apart on a live environment: contingency pair and Symmetric Key in stores of their own, shared among different
 * people, replaced with their root in a ceremony, and awake under a direction alone. Each test goes on from the one before.
 */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toHex } from '../../src/ground/bytes.ts'
import { openSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { unwrapContingencyKey } from '../../src/ground/keystore/wrap.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readApexContingencyKey } from '../../src/ground/x509/contingency.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { inventoryOf } from '../../src/main/recovery-simulated.ts'
import { systemChance } from '../../src/main/world.ts'
import { authorities, issuingAuthority } from '../../src/rooms/authority/register.ts'
import { custodyRecords, custodians as everyCustodian } from '../../src/rooms/recovery/custodians.ts'
import { enterInventory } from '../../src/rooms/recovery/inventory.ts'
import { officerOf } from '../service/officers.ts'
import { type Live, live } from './live.ts'

const event = 'ROOT-2026-001'

describe('The keys of recovery', () => {
  let at: Live
  let people: string[]
  let contingencyKey: Uint8Array
  before(async () => {
    at = await live(event, 10, { recovery: { pace: 6000 } })
    people = await at.people(15)
  })
  after(() => at.close())

  const refused = (said: string, code: string) => assert.equal(said.split(':')[0], code, said)
  const custody = (...names: string[]) => join(at.smki.home.custody, ...names)
  const shareFiles = (folder: string, ...numbers: number[]) =>
    readdirSync(join(at.folder, folder))
      .filter(name => numbers.some(n => name.split('-')[1] === String(n)))
      .map(name => join(at.folder, folder, name))
  const share = (thing: string, folder: string, from: number, ...more: string[]) =>
    at.recovery(
      'ra-manager-1',
      ...['custodian', 'share', thing, '--out', join(at.folder, folder)],
      ...['--custodian', ...people.slice(from, from + 5), ...more],
    )
  const open = (name: string, passphrase: Uint8Array) =>
    openSoftwareKeyStore({ path: custody(name, 'keys'), passphrase, chance: systemChance, allowWeak: true })
  const root = async (name?: string) =>
    (await authorities(at.smki.store))
      .filter(one => one.pki === 'smki-organisation' && one.level === 'root')
      .find(one => name === undefined || one.name === name)!

  it('lie in three stores, each with a passphrase of its own, and not with the keys of the roots', async () => {
    const { home } = at.smki
    const passphrase = readFileSync(home.rootPassphrase)
    const roots = openSoftwareKeyStore({ path: home.rootKeys, passphrase, chance: systemChance, allowWeak: true })
    assert.deepEqual(
      roots.labels().filter(label => /contingency|recovery|symmetric/.test(label)),
      [],
    )
    roots.close()
    const seen = new Set<string>()
    for (const name of ['contingency', 'symmetric', 'recovery']) {
      const own = readFileSync(custody(name, 'passphrase'))
      assert.ok(!own.equals(passphrase))
      seen.add(own.toString())
      const store = open(name, own)
      assert.deepEqual(store.labels(), [`${name}/1`])
      if (name === 'contingency') contingencyKey = store.publicKey('contingency/1')
      store.close()
    }
    assert.equal(seen.size, 3)
    // The root certificate carries the public half, wrapped with the Symmetric Key that lies apart from it.
    const symmetric = open('symmetric', readFileSync(custody('symmetric', 'passphrase')))
    const { certificate } = await root()
    const wrapped = certificate.extensions.find(one => one.oid === oids.wrappedApexContingencyKey)!
    const unwrapped = symmetric.withSecret('symmetric/1', key =>
      unwrapContingencyKey(readApexContingencyKey(wrapped.value), key),
    )
    symmetric.close()
    assert.equal(toHex(unwrapped), toHex(contingencyKey))
  })

  it('are shared, and then nobody opens them alone; nobody keeps both of what is to be apart', async () => {
    const opens = readFileSync(custody('contingency', 'passphrase'))
    assert.match(await share('contingency', 'contingency', 0), /contingency key opens with 3 of these 5 shares/)
    assert.ok(!existsSync(custody('contingency', 'passphrase')))
    assert.throws(() => open('contingency', opens), { code: 'KEYSTORE_WRONG_PASSPHRASE' })
    refused(await share('symmetric', 'both', 4), 'CUSTODIAN_OF_BOTH')
    assert.ok(!existsSync(join(at.folder, 'both')), 'nothing was handed out')
    assert.match(await share('symmetric', 'symmetric', 5), /symmetric key opens with 3 of these 5 shares/)
    const store = open('symmetric', readFileSync(custody('symmetric', 'passphrase')))
    assert.deepEqual(store.labels(), [], 'it is in no store any more')
    store.close()
    refused(await share('symmetric', 'again', 5), 'SHARES_NEEDED')
    assert.match(
      await share('symmetric', 'again', 5, '--share', ...shareFiles('symmetric', 1, 2, 3)),
      /opens with 3/,
    )
    const records = await custodyRecords(at.smki.store)
    assert.deepEqual(
      records.map(one => [one.thing, one.quorum?.needed, one.quorum?.holders.length]),
      [
        ['contingency key', 3, 5],
        ['symmetric key', 3, 5],
      ],
    )
    const now = (await everyCustodian(at.smki.store)).filter(one => one.until === undefined)
    assert.equal(now.length, 10)
    assert.match(await at.command('', 'status'), /symmetric key +shares +3 of 5 shares/)
  })

  it('are shared anew when it was stopped between the change of the passphrase and the record', async () => {
    const before = shareFiles('contingency', 1, 2, 3)
    const record = "SELECT quorum FROM recovery_custody WHERE thing = 'contingency key'"
    const { rows } = await at.smki.store.query<{ quorum: string }>(record)
    assert.match(await share('contingency', 'second', 0, '--share', ...before), /opens with 3/)
    // As it would be found: the record of the new sharing waits, and the store opens with it alone.
    await at.smki.store.query(
      "UPDATE recovery_custody SET next = quorum, quorum = $1 WHERE thing = 'contingency key'",
      [rows[0]!.quorum],
    )
    refused(await share('contingency', 'third', 0, '--share', ...before), 'KEYSTORE_WRONG_PASSPHRASE')
    assert.match(
      await share('contingency', 'third', 0, '--share', ...shareFiles('second', 1, 2, 3)),
      /opens with 3/,
    )
  })

  it('are refused to a home that was made before they were apart, with what to do', async () => {
    const path = custody('stores.json')
    renameSync(path, `${path}.away`)
    refused(await share('contingency', 'fourth', 0, '--share', ...shareFiles('third', 1, 2, 3)), 'KEYS_NOT_APART')
    assert.match(await at.command('', 'status'), /contingency key +the root key store: not apart/)
    renameSync(`${path}.away`, path)
    refused(await at.recovery('', 'custodian', 'prepare'), 'KEYSTORE_EXISTS')
  })

  it('stop a root whose Compromise is confirmed, and nothing is issued below it', async () => {
    const { hands, smki } = at
    const certificate = join(at.folder, 'root.pem')
    const compromised = await root()
    writeFileSync(certificate, pem(compromised.certificate.der))
    await enterInventory(smki.store, [...at.devices.values()].map(inventoryOf))
    const notify = [
      'notify',
      event,
      '--kind',
      'root',
      '--since',
      '2026-11-19T08:00:00Z',
      '--certificate',
      certificate,
    ]
    assert.match(await at.recovery('ra-manager-2', ...notify), /is notified/)
    refused(await at.recovery('ra-manager-2', 'confirm', event, '--means', 'in person'), 'CONFIRMED_BY_NOTIFIER')
    assert.equal((await issuingAuthority(smki.store, 'smki-organisation', hands.clock())).part, 'Issuing OCA')
    assert.match(await at.recovery('ra-clerk-1', 'confirm', event, '--means', 'in person'), /is confirmed/)
    await assert.rejects(issuingAuthority(smki.store, 'smki-organisation', hands.clock()), { code: 'NO_AUTHORITY' })
    assert.match(await at.recovery('ra-manager-1', 'choose', event, 'root'), /\broot\b/)
    assert.match(await at.recovery('ra-clerk-1', 'freeze', event), /^10 Relevant Devices/)
  })

  it('are made anew with a new root in a ceremony, and a new Issuing OCA issues from then on', async () => {
    const made = await at.recovery(
      'ra-manager-1',
      ...['make', 'root', '--name', 'R2', '--contingency-share', ...shareFiles('third', 1, 2, 3)],
    )
    assert.match(made, /Contingency Key Pair 2 made in software:contingency/)
    assert.match(made, /carries WrappedApexContingencyKey/)
    assert.match(await at.recovery('ra-manager-1', 'make', 'issuing-oca', '--name', 'I2'), /Issuing OCA: /)
    const issuing = await issuingAuthority(at.smki.store, 'smki-organisation', at.hands.clock())
    assert.equal(issuing.name, 'I2')
    const [next, before] = [await root('R2'), await root()]
    assert.notEqual(next.id, before.id)
    const held = (one: typeof next) =>
      toHex(one.certificate.extensions.find(of => of.oid === oids.wrappedApexContingencyKey)!.value)
    assert.notEqual(held(next), held(before))
    // Its pair is of the next number; the old one is there until the recovery is over.
    const transcript = readdirSync(at.smki.home.ceremony).filter(name => name.endsWith('-recovery.md'))
    assert.equal(transcript.length, 2)
  })

  it('wake under a direction with both quorums, and sign what was written down for the root: every Device takes it', async () => {
    const member = await officerOf(at.smki.store, 'PMA_MEMBER')
    const draft = join(at.folder, 'PMA-1.json')
    const key = hash('sha256', contingencyKey, 'hex')
    const direction = ['direction', event, '--decision', 'PMA-1', '--key', key]
    const said = await at.recovery(
      'ra-manager-1',
      ...direction,
      ...['--draft', draft, '--cells', '{0,keyCertSign}', '--member', member.person],
    )
    assert.match(said, /The decision to be taken/)
    assert.match(await at.command('ra-manager-2', 'decision', 'record', draft), /PMA-1/)
    assert.match(await at.recovery('ra-manager-1', ...direction), /is the direction/)
    const certificate = join(at.smki.home.ceremony, 'root-R2.crt.pem')
    const issuing = join(at.smki.home.ceremony, 'issuing-I2.crt.pem')
    const placing = ['--place', `{0,keyCertSign}=${certificate}`, '--path', issuing, '--root', certificate]
    assert.match(await at.recovery('ra-clerk-1', 'lay-down', event, ...placing), /^1 certificates/)
    assert.match(await at.recovery('ra-clerk-1', 'begin', event), /is running/)

    const wake = (symmetric: readonly string[]) => [
      ...['recovery', 'wake', event, '--decision', 'PMA-1', '--share', ...shareFiles('third', 2, 3, 4)],
      ...['--symmetric-share', ...symmetric, '--exchange', at.exchange, '--every', '1'],
    ]
    refused(await at.command('ra-manager-1', ...wake(shareFiles('again', 1, 2))), 'QUORUM_TOO_FEW')
    refused(await at.command('ra-manager-1', ...wake(shareFiles('symmetric', 1, 2, 3))), 'QUORUM_OTHER_CEREMONY')
    const running = at.process('ra-manager-1', ...wake(shareFiles('again', 3, 4, 5)))
    assert.equal(await running.ended, 0, running.said())
    assert.match(
      running.said(),
      /the contingency key, for ROOT-2026-001, under PMA-1[\s\S]*signed 10 commands, refused 0/,
    )
    const shown = JSON.parse(await at.recovery('ra-manager-1', 'show', event, '--json')) as {
      counts: { proven: number }
    }
    assert.equal(shown.counts.proven, 10)
    const { certificate: now } = await root('R2')
    const id = toHex(now.extensions.find(one => one.oid === oids.subjectKeyIdentifier)!.value.subarray(2))
    for (const device of at.devices.values())
      assert.equal(toHex(device.held({ role: 0, keyUsage: 'keyCertSign', cellUsage: 'management' })!.keyId), id)
  })

  it('are destroyed when they were replaced, and not before', async () => {
    const destroy = (label: string) =>
      at.recovery('ra-manager-1', 'destroy', label, '--contingency-share', ...shareFiles('third', 1, 2, 3))
    refused(await destroy('contingency/2'), 'KEY_IN_USE')
    assert.match(await destroy('contingency/1'), /is destroyed/)
    assert.match(await share('symmetric', 'new', 5), /symmetric key opens with 3 of these 5 shares/)
    assert.ok((await at.smki.acts()).some(one => one.act === 'destroy key' && one.body.label === 'contingency/1'))
  })
})

function pem(der: Uint8Array): string {
  readCertificate(der)
  const text = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
  return `-----BEGIN CERTIFICATE-----\n${text.trimEnd()}\n-----END CERTIFICATE-----\n`
}
