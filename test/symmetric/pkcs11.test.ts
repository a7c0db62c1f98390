/** A DCO and an S1SP as programs whose keys are in modules behind PKCS#11, each in a token of its own: meters are rotated. */

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../../src/ground/bytes.ts'
import { readEntry } from '../../src/ground/journal/entry.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { noSoftHsm, type SoftHsm, softHsm, testPin } from '../../src/ground/keystore/pkcs11/testing.ts'
import { openSoftwareKeyStore } from '../../src/ground/keystore/software.ts'
import { connectionOf } from '../../src/ground/store/embedded.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { withDco } from '../../src/main/dco.ts'
import { dcoHomeAt } from '../../src/main/dco-home.ts'
import { initS1sp, openS1sp, s1spHomeAt, withS1sp } from '../../src/main/s1sp.ts'
import { field, finish, models, orderOf, program, takeAllOn } from '../../src/main/smets1-stage.ts'
import { dcoPeerSchema, readPeer, s1spPeerSchema } from '../../src/rooms/symmetric/peers.ts'
import { compareJournals } from '../../src/rooms/symmetric/s1sp/compare.ts'
import { commissioned } from '../../src/rooms/symmetric/s1sp/devices.ts'
import { standings } from '../../src/rooms/symmetric/s1sp/report.ts'
import { smki } from '../pkcs11/command.ts'

const title = '4f534d4b00000001'
const refused = (code: string) => ({ name: 'Refusal', code })
const people = ['--present', 'card-1,card-2', '--reason', 'set up', '--ticket', 'C-1', '--agreement', 'PMA-1']

describe('a DCO and an S1SP whose keys are in modules', { skip: noSoftHsm }, () => {
  let hsm: SoftHsm
  const folder = mkdtempSync(join(tmpdir(), 'smets1-modules-'))
  const homes = { dco: dcoHomeAt(join(folder, 'dco')), s1sp: s1spHomeAt(join(folder, 's1sp')) }
  const running: ChildProcess[] = []
  const file = (name: string, content: string): string => {
    const path = join(folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const done = async (...argv: string[]): Promise<string> => {
    const { said, code } = await smki(...argv)
    assert.equal(code, 0, said)
    return said
  }

  before(() => {
    hsm = softHsm()
    for (const token of ['dco', 's1sp']) hsm.token(token)
  })
  after(async () => {
    for (const child of running.reverse()) await finish(child)
    hsm.remove()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  it('are not set up in production without the certificate of the module, or without its PIN', async () => {
    const home = s1spHomeAt(join(folder, 'production'))
    const inToken = { kind: 'pkcs11', library: hsm.library, token: 's1sp' }
    const init = (kind: 'test' | 'production', module: object) =>
      initS1sp(home, { name: 'one', kind, title, settings: { module } })
    await assert.rejects(init('production', inToken), refused('SOFTWARE_KEYS_REFUSED'))
    await assert.rejects(init('production', { ...inToken, certificate: 'C-1' }), refused('PASSPHRASES_NEEDED'))
    await assert.rejects(init('test', inToken), refused('PASSPHRASES_NEEDED'))
    await assert.rejects(init('test', { kind: 'pkcs11' }), refused('CONFIG_INVALID'))
  })

  it('hand the Shared Key over, replace the keys of meters, and say in their journals which module did it', async () => {
    const pin = file('pin', `${testPin}\n`)
    const holder = makeKeyPair('P-256')
    const settings = (token: string, more: object) =>
      file(
        `${token}.json`,
        JSON.stringify({ symmetric: { models }, module: { kind: 'pkcs11', library: hsm.library, token }, ...more }),
      )
    const [s1sp, dco] = [
      ['s1sp', '--home', homes.s1sp.path],
      ['dco', '--home', homes.dco.path],
    ] as const
    const work = { againMinutes: 0.05, replySeconds: 10 }
    const holders = [{ name: 'meter-maker', publicKey: toHex(holder.publicKey) }]
    const door = { port: await freePort() }
    const [ofS1sp, ofDco] = [settings('s1sp', { work }), settings('dco', { holders, door })]
    const name = (of: string) => ['--name', of, '--passphrase-file', pin]
    await done(...s1sp, 'init', ...name('demo-s1sp'), '--title', title, '--settings', ofS1sp)
    await done(...dco, 'init', ...name('demo-dco'), ...people, '--settings', ofDco)
    // What is done beside the programs finds the PIN where that of a test is.
    for (const { passphrase } of Object.values(homes)) writeFileSync(passphrase, testPin, { mode: 0o600 })
    const fingerprint = (await done('dco', 'fingerprint', '--peer', homes.s1sp.peer)).trim()
    await done(...dco, 'admit', '--peer', homes.s1sp.peer, '--fingerprint', fingerprint, ...people)
    await done(...s1sp, 'join', '--dco', homes.dco.peer)
    running.push(await program([...dco, 'serve', '--passphrase-file', pin]))
    assert.match(await done(...s1sp, 'hsm-keys'), /is in use/)

    // Five meters: the Shared Key, as every key beside that of the journal, is in the tokens alone.
    const kinds = models.map(({ name }, i) => {
      const strict = name === 'strict-hub' ? [{ counterRule: 'strictly-next', firstCounter: 1 }] : []
      return { share: [40, 40, 20][i]!, model: [name, ...strict] as [string, object] }
    })
    const order = orderOf(5, kinds, join(folder, 'meters'))
    const { child, notes } = await field(order)
    running.push(child)
    running.push(await program([...s1sp, 'serve', '--passphrase-file', pin]))
    const peer = readPeer(dcoPeerSchema, readFileSync(homes.dco.peer))
    await withS1sp(homes.s1sp, async opened => {
      await takeAllOn(opened, notes, order, peer, holder)
      const devices = notes.map(({ deviceId }) => deviceId)
      await commissioned(opened.hands, devices, opened.hands.clock())
      const rotated = async () => (await standings(opened.hands)).reduce((sum, row) => sum + row.rotated, 0)
      for (let waited = 0; (await rotated()) < notes.length; waited++) {
        assert.ok(waited < 600, `${await rotated()} of ${notes.length} are rotated`)
        await sleep(500)
      }
      const { inBoth, theirsOnly, otherType } = await compareJournals(
        opened.hands,
        new Date(0),
        new Date(Date.now() - 1000),
      )
      assert.ok(inBoth > 30 * notes.length)
      assert.deepEqual([theirsOnly, otherType], [[], []])
      const imported = (await entriesOf(opened.hands.store)).filter(({ act }) => act === 'hsm-key.imported')
      assert.deepEqual(
        imported.map(({ body }) => /^pkcs11:s1sp:/.test(String(body.module))),
        [true],
      )
    })
    await withDco(homes.dco, async ({ store }) => {
      const made = (await entriesOf(store)).filter(({ act }) => act === 'key.made' || act === 'command.protected')
      assert.ok(made.length > 8 * notes.length)
      for (const { body } of made) assert.match(String(body.module), /^pkcs11:dco:/)
    })
    for (const { keys } of Object.values(homes)) {
      const passphrase = Buffer.from(testPin)
      const beside = openSoftwareKeyStore({ path: keys, passphrase, chance: randomBytes, allowWeak: true })
      assert.deepEqual(
        beside.labels().map(label => label.replace(/^.*-/, '')),
        ['journal'],
      )
      beside.close()
    }
    assert.equal(readPeer(s1spPeerSchema, readFileSync(homes.s1sp.peer)).name, 'demo-s1sp')
  })

  it('do not open with another PIN, and leave no store running then', async () => {
    for (const child of running.splice(0).reverse()) await finish(child)
    // Of a process of its own: who has logged in to a token is in for the whole process.
    const wrong = file('wrong-pin', 'not-the-pin')
    await assert.rejects(program(['s1sp', '--home', homes.s1sp.path, 'serve', '--passphrase-file', wrong]))
    assert.equal(await connectionOf(homes.s1sp.store), undefined)
    const opened = await openS1sp(homes.s1sp, { share: true })
    await opened.close()
  })
})

async function entriesOf(store: Pick<Store, 'query'>) {
  const { rows } = await store.query<{ octets: Buffer }>(
    'SELECT octets FROM journal_entry UNION ALL SELECT octets FROM journal_pending',
  )
  return rows.map(({ octets }) => readEntry(octets))
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
