/**
 * A rehearsal on a live test environment, by commands and the operator API alone: from the notification by the Party whose
 * key it is to the closing, with everything refused on the way that is to be refused, and killed once in the middle. Each
 * test goes on from the one before it.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromHex, toHex } from '../../src/ground/bytes.ts'
import { showCell } from '../../src/ground/gbcs/cell.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { fileCarrier, fileSigner } from '../../src/main/recovery-exchange.ts'
import { certificateIn } from '../../src/main/recovery-officer.ts'
import { heldAs } from '../../src/rooms/recovery/cells.ts'
import { writeFile } from '../../src/rooms/recovery/files.ts'
import { officerOf } from '../service/officers.ts'
import { type Live, live } from './live.ts'

const event = 'SUP-2026-004'
const supplier = '02a0000000010000'
const count = process.env.LONG ? 300 : 30

describe('A recovery on a live environment', () => {
  let at: Live
  let custodians: string[]
  let fresh: { readonly cell: string; readonly file: string; readonly keyId: string }[]
  before(async () => {
    // One command a second to begin with, so that there is a middle in which to be killed.
    at = await live(event, count, { recovery: { pace: 120, group: 5 } })
  })
  after(() => at.close())

  const of = (party: string, name: string) => join(at.smki.home.credentials, party, name)
  const shares = (...numbers: number[]) =>
    numbers.map(n => join(at.folder, 'shares', `recovery-${n}-${custodians[n - 1]}.json`))
  const refused = (said: string, code: string) => assert.equal(said.split(':')[0], code, said)
  const recoveryCertificate = () => of('dcc', 'organisation-1-recovery-ds.crt.pem')
  const wake = (...numbers: number[]) => [
    ...['recovery', 'wake', event, '--decision', 'PMA-9', '--share', ...shares(...numbers)],
    ...['--exchange', at.exchange, '--every', '1'],
  ]
  const step = (as: string, action: string) => at.recovery(as, 'step', event, action)

  it('has its keys apart: none in the root store, each with a passphrase of its own, shared among custodians', async () => {
    const { home } = at.smki
    assert.ok(
      !existsSync(of('dcc', 'organisation-1-recovery-ds.key.pem')),
      'the Recovery Private Key is in no file',
    )
    const beside = join(home.custody, 'recovery', 'passphrase')
    assert.ok(existsSync(beside))
    assert.match(
      await at.command('', 'status'),
      /recovery key +software:recovery:\w+ +a passphrase: not shared yet/,
    )
    custodians = await at.people(5)
    const out = join(at.folder, 'shares')
    const plan = ['custodian', 'share', 'recovery', '--out', out, '--custodian', ...custodians]
    refused(await at.recovery('ra-clerk-1', ...plan), 'NOT_FOR_THIS_OFFICE')
    refused(await at.recovery('ra-manager-1', ...plan.slice(0, -1)), 'CUSTODIANS_COUNT')
    assert.match(await at.recovery('ra-manager-1', ...plan), /opens with 3 of these 5 shares/)
    assert.ok(!existsSync(beside), 'what opened it before opens it no more')
    assert.match(await at.command('', 'status'), /recovery key +software:recovery:\w+ +3 of 5 shares/)
    assert.equal(readdirSync(out).length, 5)
    assert.match(await at.recovery('ra-manager-2', 'custodian', 'list'), /recovery key +3 +5 +p-\w+ .* in office/)
  })

  it('is notified by the Party whose key it is, and by nobody who may not notify', async () => {
    const certificates = [1, 2, 3].map(n =>
      of('import-supplier', `organisation-${n}-supplier-${n === 1 ? 'ds' : 'ka'}.crt.pem`),
    )
    const notify = [
      ...['notify', event, '--kind', 'organisation', '--since', '2026-11-19T08:00:00Z', '--case', 'method3'],
      ...['--certificate', ...certificates, '--party'],
    ]
    const number = Number(
      (await at.smki.store.query<{ id: number }>("SELECT id FROM party WHERE name = 'import-supplier'")).rows[0]!
        .id,
    )
    refused(await at.recovery('network-operator', ...notify, String(number)), 'MAY_NOT_NOTIFY')
    const root = notify.map(one => (one === 'organisation' ? 'root' : one)).slice(0, -1)
    refused(await at.recovery('import-supplier', ...root), 'MAY_NOT_NOTIFY')
    assert.match(await at.recovery('import-supplier', ...notify, String(number)), /is notified/)
    refused(await at.recovery('import-supplier', ...notify, String(number)), 'EVENT_EXISTS')
    // Others of its kind do not see it.
    refused(await at.recovery('network-operator', 'show', event), 'NOT_YOURS_TO_SEE')
    assert.match(await at.recovery('network-operator', 'events'), /^EVENT[^\n]*\n$/)
  })

  it('is confirmed by permitted means, and given its procedure by those who may', async () => {
    const confirm = (as: string, means: string) => at.recovery(as, 'confirm', event, '--means', means)
    refused(await confirm('import-supplier', 'call back'), 'NOT_FOR_THIS_OFFICE')
    refused(await confirm('ra-clerk-1', 'its own e-mail'), 'MEANS_NOT_PERMITTED')
    assert.match(await confirm('ra-clerk-1', 'call back'), /is confirmed/)
    refused(await at.recovery('ra-clerk-1', 'choose', event, 'method3'), 'NOT_FOR_THIS_OFFICE')
    refused(await at.recovery('ra-manager-1', 'choose', event, 'root'), 'PROCEDURE_UNFIT')
    assert.match(await at.recovery('ra-manager-1', 'choose', event, 'method3'), /method3/)
    assert.match(await at.recovery('ra-manager-1', 'show', event), /authenticate notifier +DCC +DUE/)
    for (const action of ['authenticate notifier', 'choose procedure'])
      assert.match(await step('ra-clerk-1', action), /^Due: /)
  })

  it('freezes its Relevant Devices; a step that was not done cannot be said to be', async () => {
    refused(await step('ra-clerk-1', 'freeze devices'), 'STEP_NOT_DONE')
    refused(await step('ra-clerk-1', 'decide'), 'STEP_ORDER')
    refused(await at.recovery('ra-clerk-1', 'freeze', event), 'DEVICES_NONE')
    const inventory = join(at.folder, 'inventory.ndjson')
    assert.match(await at.recovery('', 'inventory', inventory), new RegExp(`^${count} Devices`))
    const frozen = await at.recovery('ra-clerk-1', 'freeze', event)
    // Every fifth is a Communications Hub, which has no cell of a supplier.
    assert.match(frozen, new RegExp(`^${(count / 5) * 4} Relevant Devices are frozen`))
    refused(await at.recovery('ra-clerk-1', 'freeze', event), 'DEVICES_FROZEN')
    assert.match(await step('ra-clerk-1', 'freeze devices'), /Due: decide \(SMKI PMA\)/)
  })

  it('has a direction of the SMKI PMA for exactly this key, and none that ended a second ago', async () => {
    const member = await officerOf(at.smki.store, 'PMA_MEMBER')
    const draft = async (reference: string, change: (decision: Record<string, unknown>) => void = () => {}) => {
      const file = join(at.folder, `${reference}.json`)
      const said = await at.recovery(
        'ra-manager-1',
        ...['direction', event, '--decision', reference, '--key', recoveryCertificate(), '--draft', file],
        ...['--cells', '{2,DS} {2,KA} {2,KA,topUp}', '--member', member.person],
      )
      assert.match(said, /The decision to be taken is in/)
      const decision = JSON.parse(readFileSync(file, 'utf8'))
      change(decision)
      writeFileSync(file, JSON.stringify(decision))
      const recorded = await at.command('ra-manager-2', 'decision', 'record', file)
      assert.match(recorded, new RegExp(reference))
    }
    const open = (as: string, reference: string, key = recoveryCertificate()) =>
      at.recovery(as, 'direction', event, '--decision', reference, '--key', key)
    await draft('PMA-8', decision => {
      const now = Date.now()
      decision.from = new Date(now - 3_600_000).toISOString()
      decision.until = new Date(now - 1000).toISOString()
    })
    refused(await open('ra-manager-1', 'PMA-8'), 'DECISION_NOT_IN_FORCE')
    await draft('PMA-9')
    refused(await open('ra-clerk-1', 'PMA-9'), 'NOT_FOR_THIS_OFFICE')
    refused(
      await open('ra-manager-1', 'PMA-9', of('import-supplier', 'organisation-1-supplier-ds.crt.pem')),
      'DIRECTION_OTHER_KEY',
    )
    refused(await step('pma-member-1', 'decide'), 'STEP_NOT_DONE')
    assert.match(await open('ra-manager-1', 'PMA-9'), /PMA-9 is the direction/)
    refused(await step('ra-clerk-1', 'decide'), 'NOT_FOR_THIS_OFFICE')
    assert.match(await step('pma-member-1', 'decide'), /Due: issue certificates \(Subscriber\)/)
  })

  it('lays down the new certificates of the Subscriber, and none of another party', async () => {
    fresh = []
    for (const [cell, usage] of [
      ['{2,DS}', 'digitalSignature'],
      ['{2,KA}', 'keyAgreement'],
      ['{2,KA,topUp}', 'keyAgreement'],
    ] as const) {
      const csr = organisationCsr(makeKeyPair('P-256'), { role: 2, eui64: fromHex(supplier) }, usage)
      const request = join(at.folder, `${fresh.length}.csr`)
      writeFileSync(request, toPem('CERTIFICATE REQUEST', csr))
      const [number] = /^\d+/.exec(await at.command('import-supplier', 'organisation-csr', 'submit', request))!
      const file = join(at.folder, `${fresh.length}.crt.pem`)
      await at.command('import-supplier', 'organisation-csr', 'download', number!, '--out', file)
      fresh.push({ cell, file, keyId: toHex(heldAs(certificateIn(file).der).keyId) })
    }
    assert.match(await step('import-supplier', 'issue certificates'), /Due: convene custodians/)
    const others = of('network-operator', 'organisation-1-networkOperator-ds.crt.pem')
    const lay = (...places: string[]) => at.recovery('ra-clerk-1', 'lay-down', event, '--place', ...places)
    refused(await lay(`{2,DS}=${others}`), 'ANOTHER_PARTYS')
    assert.match(await lay(...fresh.map(one => `${one.cell}=${one.file}`)), /^3 certificates/)
    refused(await at.recovery('import-supplier', 'begin', event), 'NOT_FOR_THIS_OFFICE')
    assert.match(await at.recovery('ra-clerk-1', 'begin', event), /is running: wave 1, 120 commands/)
  })

  it('wakes the Recovery Private Key for a quorum of custodians under its direction, and for nobody else', async () => {
    const once = (as: string, argv: string[]) => at.command(as, ...argv)
    refused(await once('ra-manager-1', wake(1, 2)), 'QUORUM_TOO_FEW')
    refused(await once('ra-manager-1', wake(1, 2, 2)), 'QUORUM_HOLDER_TWICE')
    refused(await once('ra-clerk-1', wake(1, 2, 3)), 'NOT_FOR_THIS_OFFICE')
    const ended = wake(1, 2, 3).map(one => (one === 'PMA-9' ? 'PMA-8' : one))
    refused(await once('ra-manager-1', ended), 'DIRECTION_NEEDED')
    const cease = await at.recovery('ra-manager-1', 'custodian', 'cease', 'recovery', custodians[4]!)
    assert.match(cease, /4 are left, 3 are needed/)
    refused(await once('ra-manager-1', wake(1, 2, 5)), 'QUORUM_HOLDER_LEFT')
    refused(await step('ra-manager-1', 'convene custodians'), 'STEP_NOT_DONE')
  })

  it('believes no file of responses but one that the DCC has signed for, the next of its sequence', async () => {
    const { hands, exchange } = at
    const sender = 'dcc'
    const sign = fileSigner(hands, of('dcc', 'file-sign'))
    const carrier = await fileCarrier({ hands, event, folder: exchange, sender, sign })
    const name = `RecoveryResponses-${event}-1.csv`
    const put = (octets: Buffer, signer?: (octets: Uint8Array) => Buffer) => {
      writeFileSync(join(exchange, 'in', name), octets)
      rmSync(join(exchange, 'in', `${name}.p7s`), { force: true })
      if (signer) writeFileSync(join(exchange, 'in', `${name}.p7s`), signer(octets))
    }
    const file = (sequence: number) =>
      writeFile({
        fileType: 'RecoveryResponses',
        version: '1.0',
        sender: 'DSP',
        createdAt: hands.clock(),
        sequence,
        records: [{ eventReference: event, message: '00', at: hands.clock().toISOString() }],
      })
    const other = (stem: string) => fileSigner(hands, of('dcc', stem))
    put(file(1))
    assert.deepEqual(await carrier.received(), [], 'without a signature')
    put(file(1), other('adhoc-ws'))
    assert.deepEqual(await carrier.received(), [], 'by another kind of credential')
    put(file(1), other('organisation-2-accessControlBroker-ds'))
    assert.deepEqual(await carrier.received(), [], 'by a certificate of another PKI')
    put(file(1), octets => sign(octets.subarray(1)))
    assert.deepEqual(await carrier.received(), [], 'of other octets')
    put(file(2), sign)
    assert.deepEqual(await carrier.received(), [], 'of another sequence')
    const codes = (await at.smki.acts()).flatMap(({ act, body }) =>
      act === 'refused' && body.attempt === 'receive recovery file' ? [body.code] : [],
    )
    assert.deepEqual(new Set(codes), new Set(['FILE_SIGNATURE', 'FILE_SEQUENCE']))
    put(file(1), sign)
    assert.equal((await carrier.received()).length, 1, 'and a good one is')
    for (const one of [name, `${name}.p7s`]) rmSync(join(exchange, 'in', one))
  })

  it('is killed in the middle, held, and goes on with other custodians: no command leaves twice, none is forgotten', async () => {
    const first = at.process('ra-manager-1', ...wake(1, 2, 3))
    for (let look = 0; at.dsp.seen.size < 4; look++) {
      assert.ok(look < 600, first.said())
      await sleep(50)
    }
    first.child.kill('SIGKILL')
    assert.equal(await first.ended, null)
    const before = at.dsp.seen.size
    assert.ok(before < count, 'it was in the middle')
    assert.match(await at.recovery('ra-manager-1', 'show', event), /now: awake/)
    refused(await at.recovery('network-operator', 'pause', event), 'NOT_FOR_THIS_OFFICE')
    assert.match(await at.recovery('ra-clerk-2', 'pause', event), /is paused/)
    refused(await at.recovery('ra-clerk-2', 'pause', event), 'EVENT_STATE')
    assert.match(await at.recovery('ra-clerk-2', 'resume', event), /is running/)
    assert.match(await at.recovery('ra-clerk-2', 'pace', event, '6000'), /6000 commands a minute/)

    const second = at.process('ra-manager-2', ...wake(2, 3, 4))
    for (let look = 0; !second.said().includes('is awake'); look++) {
      assert.ok(look < 600, second.said())
      await sleep(50)
    }
    refused(await at.recovery('', 'work', event, '--exchange', at.exchange), 'RECOVERY_RUNS')
    assert.equal(await second.ended, 0, second.said())
    assert.match(second.said(), /Every Device is recovered and proven so, or listed\./)
    assert.match(second.said(), /signed \d+ commands, refused 0\nasleep /)
    assert.ok(at.dsp.seen.size > before)
    assert.deepEqual(
      [...at.dsp.seen].filter(([, times]) => times > 1),
      [],
      'nothing reached the network twice',
    )
    for (const action of ['convene custodians', 'send commands', 'stand down custodians'])
      assert.match(await step('ra-manager-1', action), /^Due: /)
  })

  it('ends with every Device holding the new certificates, and saying so itself', async () => {
    const shown = JSON.parse(await at.recovery('ra-manager-1', 'show', event, '--json')) as {
      counts: Record<string, number>
      directions: { used: number; maximum: number }[]
      ceremonies: { closedAt?: string }[]
    }
    const all = (count / 5) * 4
    assert.deepEqual([shown.counts.proven, shown.counts.listed], [all, 0])
    const [direction] = shown.directions
    assert.ok(direction!.used >= all && direction!.used <= direction!.maximum, JSON.stringify(direction))
    assert.deepEqual(
      shown.ceremonies.map(one => one.closedAt !== undefined),
      [true, true],
    )
    let looked = 0
    for (const device of at.devices.values()) {
      for (const one of fresh) {
        const cell = [...device.state.cells.keys()].find(key => textOf(key) === one.cell)
        if (cell === undefined) continue
        assert.equal(toHex(device.state.cells.get(cell)!.keyId), one.keyId)
        looked++
      }
    }
    assert.ok(looked >= all * 2, `${looked} cells`)
  })

  it('is closed and reported: signed progress files that OpenSSL verifies, and a page for the SMKI PMA', async () => {
    for (const action of ['revoke', 'publish lists']) assert.match(await step('ra-clerk-1', action), /^Due: /)
    refused(await step('ra-clerk-1', 'report'), 'STEP_NOT_DONE')
    const close = (as: string) => at.recovery(as, 'close', event, '--reason', 'closed before it was reached')
    refused(await close('ra-clerk-1'), 'NOT_FOR_THIS_OFFICE')
    assert.match(await close('ra-manager-1'), /is closed: \d+ Devices recovered, 0 listed/)
    assert.match(await step('ra-clerk-1', 'report'), /All steps are done/)

    const out = join(at.folder, 'files')
    assert.match(
      await at.recovery('ra-manager-1', 'files', event, '--out', out),
      /OrganisationCompromiseRecoveryProgress/,
    )
    const names = readdirSync(out).filter(name => name.endsWith('.csv'))
    for (const type of [
      'OrganisationCompromiseRecoveryProgress',
      'OtherCompromiseRecoveryProgress',
      'RecoveryCommands',
      'RecoveryResponses',
    ])
      assert.ok(
        names.some(name => name.startsWith(type)),
        type,
      )
    const chain = join(at.folder, 'ikis.pem')
    const { rows } = await at.smki.store.query<{ der: Buffer }>("SELECT der FROM authority WHERE pki = 'iki'")
    writeFileSync(chain, rows.map(row => toPem('CERTIFICATE', row.der)).join(''))
    for (const name of names)
      execFileSync(
        'openssl',
        [
          ...[
            'cms',
            '-verify',
            '-binary',
            '-inform',
            'DER',
            '-in',
            join(out, `${name}.p7s`),
            '-content',
            join(out, name),
          ],
          ...['-CAfile', chain, '-purpose', 'any', '-out', '/dev/null'],
        ],
        { stdio: 'pipe' },
      )
    const last = names
      .filter(name => name.startsWith('Organisation'))
      .toSorted()
      .at(-1)!
    assert.match(readFileSync(join(out, last), 'utf8'), /,success,0,[0-9a-f]{32},/)

    const report = join(at.folder, 'report')
    assert.match(
      await at.recovery('', 'report', '--event', event, '--out', report),
      /are recovered, and each has shown/,
    )
    assert.match(readFileSync(join(report, `${event}.html`), 'utf8'), /<svg/)
  })

  it('leaves every act and every refusal in the journal, and no secret anywhere', async () => {
    const acts = await at.smki.acts()
    const codes = new Set(acts.filter(one => one.act === 'refused').map(one => one.body.code))
    for (const code of [
      'MAY_NOT_NOTIFY',
      'MEANS_NOT_PERMITTED',
      'DECISION_NOT_IN_FORCE',
      'DIRECTION_OTHER_KEY',
      'ANOTHER_PARTYS',
      'QUORUM_TOO_FEW',
      'QUORUM_HOLDER_LEFT',
      'STEP_NOT_DONE',
    ])
      assert.ok(codes.has(code), code)
    for (const act of [
      'notify Compromise',
      'confirm Compromise',
      'wake key',
      'key asleep',
      'make recovery file',
      'receive recovery file',
      'close recovery',
    ])
      assert.ok(
        acts.some(one => one.act === act),
        act,
      )
    const secrets = shares(1, 2, 3, 4).map(
      file => (JSON.parse(readFileSync(file, 'utf8')) as { share: string }).share,
    )
    const journal = JSON.stringify(acts)
    const logs = readdirSync(join(at.smki.home.path, 'log')).map(name =>
      readFileSync(join(at.smki.home.path, 'log', name), 'utf8'),
    )
    assert.ok(secrets.length === 4 && logs.length > 2)
    for (const secret of secrets)
      for (const text of [journal, ...logs]) assert.ok(!text.includes(secret.slice(0, 24)))
  })
})

/** `2 keyAgreement management` as `{2,KA}`. */
function textOf(key: string): string {
  const [role, keyUsage, cellUsage] = key.split(' ')
  return showCell({
    role: Number(role),
    keyUsage: keyUsage as 'keyAgreement',
    cellUsage: cellUsage as 'management',
  })
}
