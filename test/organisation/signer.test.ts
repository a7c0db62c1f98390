/** The signer over its sockets, as doors use it: killed in the middle of its work, it completes it once after a restart. */

import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDeviceCsr } from '../../simulator/device.ts'
import type { SigningAnswer, SigningQuestion } from '../../src/doors/device-csr/signing.ts'
import { toHex } from '../../src/ground/bytes.ts'
import { type Channel, openChannel } from '../../src/ground/channel.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { parseSettings } from '../../src/main/home.ts'
import { type Submission, submissionOf } from '../../src/rooms/issuance/organisation-csr.ts'
import type { Shown } from '../../src/rooms/issuance/organisation-submit.ts'
import { askIki, askOrganisation, type RoomAnswer, type RoomQuestion } from '../../src/rooms/issuance/signing.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { signings } from '../issuing/rooms.ts'
import { type Officers, ranges } from '../registration/office.ts'
import { approvedIki, csrFor, openPortal, type Portal, passphrase } from './portal.ts'
import type { SignerProcess } from './signer-process.ts'

describe('the signer', () => {
  let portal: Portal
  let supplier: Officers & { party: number; shown: Shown }
  let eui64: string
  let run: string
  let child: ChildProcess
  let channels: Channel<RoomQuestion, RoomAnswer>[] = []

  before(async () => {
    // The signer has the system's clock: everything here lies a little behind it.
    portal = await openPortal({
      pkis: ['smki-organisation', 'smki-device', 'iki'],
      opened: new Date(Date.now() - 60_000).toISOString(),
    })
    const userRoles = ranges('IS')
    eui64 = userRoles[0]!.first
    const who = await portal.office.subscriber('supplier', { userRoles })
    supplier = { ...who, shown: await portal.shown(who.party, who.aro) }
    run = mkdtempSync(join(tmpdir(), 'opensmki-signer-'))
    await start()
  })
  after(async () => {
    await kill()
    rmSync(run, { recursive: true })
    await portal.close()
  })

  async function start(): Promise<void> {
    const settings = parseSettings(
      JSON.stringify({ environment: 'portal', kind: 'test', issuing: { threads: 2, eligibilityOnAdHoc: true } }),
      'the test',
    )
    const target = portal.office.connection
    for (let attempt = 1; ; attempt++) {
      child = fork(new URL('./signer-process.ts', import.meta.url), [], { serialization: 'advanced' })
      child.send({ folder: portal.folder, run, target, settings, passphrase } satisfies SignerProcess)
      const [report] = (await once(child, 'message')) as [{ sockets?: string[]; fault?: string }]
      if (report.sockets) {
        channels = report.sockets.map(path => openChannel<RoomQuestion, RoomAnswer>(path))
        return
      }
      // The lock of a killed one falls a moment after it.
      assert.ok(attempt < 50 && /SIGNER_RUNS|another signer/.test(report.fault!), report.fault!)
      child.kill('SIGKILL')
      await sleep(100)
    }
  }
  async function kill(): Promise<void> {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
    child.kill('SIGKILL')
    await gone
    for (const channel of channels) channel.close()
    for (const i of channels.keys()) rmSync(join(run, `signer-${i}.sock`), { force: true })
  }

  const statusOf = (id: bigint): Promise<Submission> =>
    submissionOf(portal.office.store, { party: supplier.party, id }, portal.rules, portal.office.hands.clock())

  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let look = 0; !(await holds()); look++) {
      assert.ok(look < 600, 'it takes too long')
      await sleep(50)
    }
  }

  it('answers for Organisation, IKI and Device Certificates over the same sockets', async () => {
    const { id } = await portal.submit(supplier.shown, csrFor(eui64, 0x02))
    const answer = await askOrganisation(channels[0]!, id)
    assert.ok('certificate' in answer, JSON.stringify(answer))
    const { certificate } = await statusOf(id)
    assert.equal(toHex(readCertificate(Buffer.from(answer.certificate)).serial), toHex(certificate!.serial))
    // The other thread gives the same one.
    assert.deepEqual(await askOrganisation(channels[1]!, id), answer)
    assert.deepEqual(await askOrganisation(channels[1]!, 999_999n), {
      code: 'SUBMISSION_UNKNOWN',
      text: 'the Party has submitted no such Organisation CSR',
    })

    const asked = await approvedIki(portal, supplier.sro, {
      kind: 'BATCH_WS',
      party: supplier.party,
      tradingName: 'supplier',
      role: 0x02,
      systemName: 'head end',
      pair: makeKeyPair('RSA-2048'),
    })
    const other = await askIki(channels[0]!, asked.credential, Buffer.from('another'))
    assert.equal('code' in other && other.code, 'CSR_NOT_APPROVED')
    const iki = await askIki(channels[0]!, asked.credential, asked.csr)
    assert.ok('certificate' in iki, JSON.stringify(iki))
    assert.equal((await credentialRecord(portal.office.store, asked.credential)).state, 'issued')

    const device = channels[0]! as unknown as Channel<SigningQuestion, SigningAnswer>
    const { csr } = makeDeviceCsr({ deviceId: '02e5000000000001', usage: 'digitalSignature' })
    const unknown = await device.ask({ csr, party: supplier.party, transaction: 1n, eligible: true })
    assert.equal('code' in unknown && unknown.code, 'UD:DD1')
  })

  it('refuses on the Ad Hoc service what L3.16 does not allow, by the inventory in its home, read anew when it changes', async () => {
    const device = channels[0]! as unknown as Channel<SigningQuestion, SigningAnswer>
    const ask = async (deviceId: string) => {
      const { csr } = makeDeviceCsr({ deviceId, usage: 'digitalSignature' })
      const answer = await device.ask({ csr, party: supplier.party, transaction: 2n, eligible: true })
      return 'code' in answer ? answer.code : 'issued'
    }
    const line = (deviceId: string, responsible: object) =>
      `${JSON.stringify({ deviceId, type: 'ESME', smiStatus: 'commissioned', responsible })}\n`
    const [mine, theirs] = ['02e5000000000002', '02e5000000000003']
    const file = join(portal.folder, 'inventory.ndjson')
    writeFileSync(file, line(mine, { IS: eui64 }) + line(theirs, { IS: '02e5ffffffffffff' }))
    assert.deepEqual([await ask(mine), await ask(theirs)], ['UD:DD1', 'CA:EE2'])
    writeFileSync(file, line(theirs, { IS: eui64 }) + line(mine, { IS: '02e5ffffffffffff' }))
    assert.deepEqual([await ask(mine), await ask(theirs)], ['CA:EE2', 'UD:DD1'])
    // What cannot be read changes nothing.
    writeFileSync(file, 'not an inventory')
    assert.deepEqual([await ask(mine), await ask(theirs)], ['CA:EE2', 'UD:DD1'])
    rmSync(file)
    assert.equal(await ask(mine), 'UD:DD1', 'without a file every Device is unknown')
  })

  it('that is killed in the middle issues what was approved after its next start, each once', async () => {
    const submitted: Submission[] = []
    for (let i = 0; i < 24; i++) {
      const own = (BigInt(`0x${eui64}`) + BigInt(i + 1)).toString(16).padStart(16, '0')
      submitted.push(
        await portal.submit(supplier.shown, csrFor(own, 0x02, i % 2 ? 'keyAgreement' : 'digitalSignature')),
      )
    }
    const pair = makeKeyPair('RSA-2048')
    const iki = await approvedIki(portal, supplier.sro, {
      kind: 'ADHOC_WS',
      party: supplier.party,
      tradingName: 'supplier',
      role: 0x02,
      systemName: 'cut short',
      pair,
    })
    // Asked for all at once; killed when the first few are there, and once more right after its start.
    const answers = submitted.map(({ id }, i) => askOrganisation(channels[i % 2]!, id))
    const last = askIki(channels[0]!, iki.credential, iki.csr)
    await Promise.race(answers)
    await kill()
    const heard = await Promise.all([...answers, last])
    assert.ok(
      heard.some(answer => 'code' in answer && answer.code === 'CA:FF1'),
      'some were cut short',
    )
    await start()
    await kill()
    await start()

    await until(async () => {
      const states = await Promise.all(submitted.map(async ({ id }) => (await statusOf(id)).state))
      return states.every(state => state === 'issued')
    })
    const again = await askIki(channels[1]!, iki.credential, iki.csr)
    assert.ok('certificate' in again, JSON.stringify(again))
    await until(async () => (await signings(portal.office.store)).intended === 0)

    for (const [i, { id, asks }] of submitted.entries()) {
      const { rows } = await portal.office.store.query<{ serial: Buffer; state: string }>(
        'SELECT c.serial, s.state FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.eui64 = $1',
        [Buffer.from(asks!.eui64, 'hex')],
      )
      const complete = rows.filter(row => row.state === 'complete')
      assert.equal(complete.length, 1, 'one certificate for each')
      const { certificate } = await statusOf(id)
      assert.equal(toHex(certificate!.serial), toHex(complete[0]!.serial))
      // Who heard an answer before the signer was killed heard the one that stands.
      const answer = heard[i]!
      if ('certificate' in answer)
        assert.equal(toHex(readCertificate(Buffer.from(answer.certificate)).serial), toHex(complete[0]!.serial))
    }
    const { rows } = await portal.office.store.query('SELECT FROM credential WHERE life = $1', [iki.credential])
    assert.equal(rows.length, 1)
  })
})
