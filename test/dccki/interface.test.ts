/** The DCCKI Service Interface: from a CSR of OpenSSL's to a certificate, and from there to the list that names it. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Refusal } from '../../src/ground/refusal.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { profiledIssuing } from '../../src/main/profiled-issuing.ts'
import { main } from '../../src/main/smki.ts'
import { hierarchies } from '../../src/policy/hierarchies.ts'
import { lintCertificate } from '../../src/policy/lint/lint.ts'
import { submitDccki } from '../../src/rooms/issuance/dccki-submit.ts'
import { issueProfiled, unansweredRequests } from '../../src/rooms/issuance/profiled-issue.ts'
import { requestOf } from '../../src/rooms/issuance/profiled-request.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { resume, suspend } from '../../src/rooms/revocation/suspension.ts'
import { noOpenssl } from '../outside.ts'
import { evidence } from '../registration/office.ts'
import { type Credential, cmsOf, type Dccki, openDccki, opensslCsr, opensslIn, type Subscriber } from './scene.ts'

describe('the DCCKI Service Interface', { skip: noOpenssl }, () => {
  let dccki: Dccki
  let acme: Subscriber
  let other: Subscriber
  before(async () => {
    dccki = await openDccki()
    acme = await dccki.subscriber('acme')
    other = await dccki.subscriber('other', [])
    await dccki.scene.renew()
  })
  after(() => dccki.close())

  const infrastructure = (of: Subscriber, changes: Partial<Parameters<typeof opensslCsr>[1]> = {}) =>
    opensslCsr(dccki.folder, {
      key: 'RSA',
      subject: `/O=${of.name}/OU=${of.unit}/CN=${of.name}.example`,
      usage: 'digitalSignature,keyEncipherment',
      purposes: 'serverAuth,clientAuth',
      hosts: [`${of.name}.example`, `test.${of.name}.example`],
      ...changes,
    })
  const personnel = (of: Subscriber, changes: Partial<Parameters<typeof opensslCsr>[1]> = {}) =>
    opensslCsr(dccki.folder, {
      key: 'RSA',
      subject: `/O=${of.name}/OU=${of.unit}/CN=person-17`,
      usage: 'digitalSignature',
      purposes: 'clientAuth',
      ...changes,
    })
  /** Written out with its authorities, for OpenSSL and the command line. */
  async function chain(): Promise<void> {
    for (const file of ['root-dcckica', 'eii-dcckica']) {
      const { body } = await dccki.ask(acme.token, `/dccki/authorities/${file}.crt`)
      writeFileSync(join(dccki.folder, `${file}.pem`), toPem('CERTIFICATE', body))
      const list = await dccki.ask(acme.token, `/dccki/crl/${file}.crl`)
      writeFileSync(join(dccki.folder, `${file}.crl.pem`), toPem('X509 CRL', list.body))
    }
  }
  const verify = (...more: string[]) =>
    opensslIn(
      dccki.folder,
      'verify',
      '-x509_strict',
      '-CAfile',
      'root-dcckica.pem',
      '-untrusted',
      'eii-dcckica.pem',
      ...more,
    )
  const withLists = ['-crl_check_all', '-CRLfile', 'eii-dcckica.crl.pem', '-CRLfile', 'root-dcckica.crl.pem']

  /** By the command line, with the environment's own lists. @returns its exit code */
  async function smkiVerify(file: string): Promise<number> {
    const at = (name: string) => join(dccki.folder, name)
    let code = 0
    await main(
      [
        ...['verify', at(file), '--trust', at('root-dcckica.pem'), '--untrusted', at('eii-dcckica.pem')],
        ...['--crl', at('eii-dcckica.crl.pem'), '--crl', at('root-dcckica.crl.pem'), '--profile', 'rfc5280'],
      ],
      {
        out: () => {},
        err: () => {},
        exit: given => {
          code = given
        },
        clock: dccki.scene.hands.clock,
      },
    )
    return code
  }

  async function issue(of: Subscriber, csr: Buffer): Promise<{ request: string; der: Buffer; serial: string }> {
    const { status, json } = await dccki.post(of.token, csr)
    assert.equal(status, 202, JSON.stringify(json))
    assert.equal(json.state, 'issued', JSON.stringify(json))
    const { headers, body } = await dccki.ask(of.token, `/dccki/1.0/requests/${json.request}`)
    assert.equal(headers['content-type'], 'application/pkix-cert')
    return { request: json.request, der: body, serial: json.serial }
  }

  it('issues both kinds to an ARO; they lint clean, and OpenSSL and smki verify trust them', async () => {
    await chain()
    for (const { csr, key } of [infrastructure(acme), personnel(acme)]) {
      const { der } = await issue(acme, csr)
      assert.deepEqual(
        lintCertificate(der).map(one => one.rule),
        [],
      )
      writeFileSync(join(dccki.folder, 'issued.pem'), toPem('CERTIFICATE', der))
      assert.match(verify(...withLists, '-purpose', 'sslclient', 'issued.pem'), /issued\.pem: OK/)
      // It is the key that the request was made with.
      writeFileSync(join(dccki.folder, 'asked.pem'), key())
      assert.equal(
        opensslIn(dccki.folder, 'pkey', '-in', 'asked.pem', '-pubout'),
        opensslIn(dccki.folder, 'x509', '-in', 'issued.pem', '-pubkey', '-noout'),
      )
      assert.equal(await smkiVerify('issued.pem'), 0)
    }
  })

  it('takes what a system sends when a FILE_SIGN credential has signed it, over a connection of the Party alone', async () => {
    const system = await dccki.credential(acme.party, 'ADHOC_WS', acme.sro).catch(() => undefined)
    assert.equal(system, undefined, 'a Party that is no Subscriber for Devices has no such credential')
    const { csr } = personnel(acme)
    const unsigned = await dccki.post(acme.signer, csr)
    assert.deepEqual([unsigned.status, unsigned.json.code], [400, 'SIGNATURE_MISSING'])
    const signature = cmsOf(dccki.folder, acme.signer, csr)
    const signed = await dccki.post(acme.signer, csr, { 'dccki-signature': signature })
    assert.deepEqual([signed.status, signed.json.state], [202, 'issued'], JSON.stringify(signed.json))
    assert.match(signed.json.sentBy.credential, /^[0-9a-f]{32}$/)
    // Sent again, because the answer was lost: the same request.
    const again = await dccki.post(acme.signer, csr, { 'dccki-signature': signature })
    assert.equal(again.json.request, signed.json.request)

    const refused = async (csr: Buffer, header: string, code: string, by = acme.signer) => {
      const { json } = await dccki.post(by, csr, { 'dccki-signature': header })
      assert.equal(json.code, code, JSON.stringify(json))
    }
    const another = personnel(acme).csr
    await refused(another, signature, 'SIGNATURE_WRONG')
    await refused(another, 'AAAA', 'SIGNATURE_UNFIT')
    await refused(another, cmsOf(dccki.folder, acme.signer, another, '-noattr'), 'SIGNATURE_UNFIT')
    await refused(another, cmsOf(dccki.folder, acme.signer, another, '-nodetach'), 'SIGNATURE_UNFIT')
    const forgeries = (await dccki.scene.journal()).filter(
      one => one.act === 'refused' && one.body.code === 'SIGNATURE_WRONG' && one.body.party === acme.party,
    )
    assert.equal(forgeries.length, 1)
    const empty = await dccki.post(acme.token, Buffer.alloc(0))
    assert.ok(empty.json.code === 'CR:CC2' || empty.json.code === 'MESSAGE_UNFIT', JSON.stringify(empty.json))
    // Another Party's signer, over our connection; and ours over theirs.
    await refused(another, cmsOf(dccki.folder, other.signer, another), 'SENDER_NOT_FOR_THIS')
    await refused(another, cmsOf(dccki.folder, acme.signer, another), 'SENDER_NOT_FOR_THIS', other.signer)
    // A good signature by a credential that is for something else.
    const stranger = { ...acme.signer, certificate: acme.token.certificate }
    await assert.rejects(dccki.post(stranger, another), 'that key is not of that certificate')
  })

  it('judges in the order of dccki.md 3: sender, form, names, kind, key', async () => {
    const made = personnel(acme)
    const again = made.number
    const judged = async (of: Subscriber, { csr }: { csr: Buffer }, state: string, code: string) => {
      const { json } = await dccki.post(of.token, csr)
      assert.deepEqual([json.state, json.code], [state, code], JSON.stringify(json))
    }
    const named = (o: string, ou: string, cn: string) => ({ again, subject: `/O=${o}/OU=${ou}/CN=${cn}` })
    await judged(acme, { csr: Buffer.from('3003020100', 'hex') }, 'refused', 'CR:CC2')
    await judged(acme, infrastructure(acme, { bits: 3072 }), 'refused', 'CR:CC8')
    await judged(acme, infrastructure(acme, { again, usage: 'digitalSignature' }), 'refused', 'CR:CC6')
    await judged(acme, personnel(acme, { again, purposes: 'clientAuth,codeSigning' }), 'refused', 'CR:CC6')
    const lower = acme.unit.toLowerCase()
    await judged(acme, personnel(acme, named('other', acme.unit, 'person-1')), 'refused', 'CR:CC5')
    await judged(acme, personnel(acme, named('acme', lower, 'person-1')), 'refused', 'CR:CC5')
    await judged(acme, personnel(acme, named('acme', other.unit, 'person-1')), 'refused', 'EUI64_NOT_OWN')
    await judged(acme, personnel(acme, named('acme', acme.unit, 'Ada Lovelace')), 'refused', 'CR:CC5')
    for (const host of ['www.acme.example', '*.acme.example', 'ACME.example'])
      await judged(acme, infrastructure(acme, { again, hosts: ['acme.example', host] }), 'refused', 'CR:CC5')
    await judged(other, infrastructure(other, { again }), 'ineligible', 'DCCKI_INELIGIBLE')
    // One key, two people: an anomaly; the same person with it again is renewal.
    await issue(acme, made.csr)
    await judged(acme, personnel(acme, named('acme', acme.unit, 'person-18')), 'refused', 'KEY_OF_ANOTHER_SUBJECT')
    await judged(acme, infrastructure(acme, { again }), 'refused', 'KEY_OF_ANOTHER_SUBJECT')
    // The order of the subject is the requester's own; that of the certificate is the profile's.
    const turned = { again, subject: `/CN=person-17/OU=${acme.unit}/O=acme` }
    const { der } = await issue(acme, personnel(acme, turned).csr)
    writeFileSync(join(dccki.folder, 'turned.pem'), toPem('CERTIFICATE', der))
    assert.match(
      opensslIn(dccki.folder, 'x509', '-in', 'turned.pem', '-noout', '-subject'),
      new RegExp(`O ?= ?acme, OU ?= ?${acme.unit}, CN ?= ?person-17`),
    )
  })

  it('takes several in one message, each decided by itself, in their order', async () => {
    const { csr, number } = personnel(acme)
    const wrong = personnel(acme, { again: number, usage: 'keyAgreement' }).csr
    const part = (octets: Buffer) => [
      Buffer.from('--b17\r\nContent-Type: application/pkcs10\r\n\r\n'),
      octets,
      Buffer.from('\r\n'),
    ]
    const body = Buffer.concat([...part(csr), ...part(wrong), Buffer.from('--b17--\r\n')])
    const headers = { 'content-type': 'multipart/mixed; boundary=b17' }
    const { status, json } = await dccki.ask(acme.token, '/dccki/1.0/requests', { method: 'POST', body, headers })
    assert.equal(status, 202)
    assert.deepEqual(
      json.requests.map((one: { state: string }) => one.state),
      ['issued', 'refused'],
    )
    for (const broken of [body.subarray(3), body.subarray(0, -9), Buffer.concat([body, Buffer.from('x')])]) {
      const answer = await dccki.ask(acme.token, '/dccki/1.0/requests', { method: 'POST', body: broken, headers })
      assert.equal(answer.json.code, 'MESSAGE_UNFIT')
    }
    const type = await dccki.ask(acme.token, '/dccki/1.0/requests', {
      method: 'POST',
      body: csr,
      headers: { 'content-type': 'text/plain' },
    })
    assert.equal(type.status, 415)
  })

  it('shows each Party its own requests alone, and the Registration Authority all', async () => {
    const { request } = await issue(acme, personnel(acme).csr)
    const path = `/dccki/1.0/requests/${request}`
    assert.equal((await dccki.ask(other.token, path)).status, 404)
    const asJson = await dccki.ask(acme.token, path, { headers: { accept: 'application/json' } })
    assert.deepEqual([asJson.json.state, asJson.json.party], ['issued', acme.party])
    const manager = await raManager()
    const all = await dccki.ask(manager, '/dccki/1.0/requests')
    const parties = new Set(all.json.requests.map((one: { party: number }) => one.party))
    assert.deepEqual([...parties].toSorted(), [acme.party, other.party].toSorted())
    assert.ok(all.json.requests.every((one: { late?: true }) => one.late === undefined))
    const own = await dccki.ask(other.token, '/dccki/1.0/requests')
    assert.ok(own.json.requests.length > 0)
    assert.ok(own.json.requests.every((one: { party: number }) => one.party === other.party))
  })

  it('waits for an RA Manager where that is set (DCK-A04)', async () => {
    const manual = { infrastructure: 'automatic', personnel: 'manual' }
    await dccki.reopen({ approval: manual })
    const held = (await dccki.post(acme.token, personnel(acme).csr)).json
    assert.equal(held.state, 'verified')
    const decide = (by: Credential, request: string, approve: boolean) =>
      dccki.ask(by, `/dccki/1.0/requests/${request}/decision`, {
        method: 'POST',
        body: JSON.stringify({ approve, words: 'looked into' }),
        headers: { 'content-type': 'application/json' },
      })
    assert.equal((await decide(acme.token, held.request, true)).json.code, 'NOT_FOR_THIS_OFFICE')
    const manager = await raManager()
    assert.equal((await decide(manager, held.request, true)).json.state, 'issued')
    assert.equal((await decide(manager, held.request, true)).json.code, 'REQUEST_STATE')
    const second = (await dccki.post(acme.token, personnel(acme).csr)).json
    assert.deepEqual((await decide(manager, second.request, false)).json.code, 'REFUSED_BY_RA')
    await dccki.reopen()
  })

  it('is stopped by a suspension that names it, and by no other (DCK-A08)', async () => {
    const { scene } = dccki
    const of = (named?: 'DCCKI'[]) => async () => {
      const subjects = ['service', ...(named ? ['interface:DCCKI'] : [])]
      return suspend(
        scene.hands,
        scene.managers[0],
        {
          decision: await scene.decision(['suspend'], subjects),
          of: { scope: 'service' },
          stops: 'both',
          ground: 'DCC Total System',
          ...(named && { named }),
        },
        {},
      )
    }
    const end = async (id: number) => {
      scene.pass(1000)
      return resume(scene.hands, scene.managers[1], id, await scene.decision(['resume'], ['service']), {})
    }
    const spared = await of()()
    await issue(acme, personnel(acme).csr)
    await end(spared.id)
    const named = await of(['DCCKI'])()
    const { csr } = personnel(acme)
    const stopped = await dccki.post(acme.token, csr)
    assert.deepEqual([stopped.status, stopped.json.code], [503, 'WF:SUSP'])
    await end(named.id)
    await issue(acme, csr)
  })

  it('says when Planned Maintenance ends (H8.3)', async () => {
    const now = dccki.scene.hands.clock().getTime()
    const window = (from: number, until: number) => ({
      plannedMaintenance: [
        { from: new Date(now + from).toISOString(), until: new Date(now + until).toISOString() },
      ],
    })
    await dccki.reopen(window(-1000, 90_000))
    const { status, headers, json } = await dccki.ask(acme.token, '/dccki/crl/eii-dcckica.crl')
    assert.deepEqual([status, headers['retry-after'], json.code], [503, '90', 'PLANNED_MAINTENANCE'])
    for (const over of [window(-90_000, 0), window(1000, 90_000)]) {
      await dccki.reopen(over)
      assert.equal((await dccki.ask(acme.token, '/dccki/crl/eii-dcckica.crl')).status, 200)
    }
    await dccki.reopen()
  })

  it('judges again what was approved before it is signed, and the answer stands', async () => {
    const { scene } = dccki
    const { csr } = personnel(acme)
    const submitting = { profiles: hierarchies(scene.settings).dccki.endEntities, rules: scene.settings.dccki }
    const approved = await submitDccki(scene.hands, submitting, { aro: acme.aro.person, party: acme.party }, csr)
    assert.equal(approved.state, 'approved')
    scene.pass(31_000)
    const asJson = { headers: { accept: 'application/json' } }
    assert.equal((await dccki.ask(acme.token, `/dccki/1.0/requests/${approved.id}`, asJson)).json.late, true)
    const withdrawn = { condition: 'application', policy: 'dccki' } as const
    await withdrawCondition(scene.hands, scene.managers[0], acme.party, withdrawn, { words: 'for a test' })
    const answer = await issueProfiled(
      scene.hands,
      profiledIssuing(scene.hands, scene.keys.issuing, scene.settings),
      approved.id,
    )
    assert.ok(answer instanceof Refusal && answer.code === 'NOT_AUTHORISED_SUBSCRIBER')
    assert.equal((await requestOf(scene.store, approved.id)).state, 'refused')
    const { json } = await dccki.post(acme.token, personnel(acme).csr)
    assert.deepEqual([json.state, json.code], ['refused', 'NOT_AUTHORISED_SUBSCRIBER'])
  })

  it('makes it a duty to revoke what a Party holds that is authorised no more, and opens the cases', async () => {
    const manager = await raManager()
    assert.equal((await dccki.ask(other.token, '/dccki/1.0/duties')).json.code, 'NOT_YOURS_TO_SEE')
    const { duties } = (await dccki.ask(manager, '/dccki/1.0/duties')).json
    assert.deepEqual(
      duties.map((one: { party: number }) => one.party),
      [acme.party],
    )
    const { rows } = await dccki.scene.store.query<{ count: bigint }>(
      "SELECT count(*) FROM profiled_request WHERE party = $1 AND state = 'issued'",
      [acme.party],
    )
    assert.equal(duties[0].certificates.length, Number(rows[0]!.count))
    const open = async (party: number) =>
      (
        await dccki.ask(manager, '/dccki/1.0/duties', {
          method: 'POST',
          body: JSON.stringify({ party }),
          headers: { 'content-type': 'application/json' },
        })
      ).json
    assert.equal((await open(other.party)).code, 'GROUND_UNFIT')
    const { cases } = await open(acme.party)
    assert.equal(cases.length, duties[0].certificates.length)
    const revoked = await dccki.scene.settle(cases[0], { approve: dccki.scene.managers[1] })
    assert.deepEqual([revoked.object, revoked.origin, revoked.reason], ['DCCKI', 'duty', 9])
    assert.deepEqual((await dccki.ask(manager, '/dccki/1.0/duties')).json.duties, [])
  })

  it('comes to no certificate but one, however often the signer is asked at once', async () => {
    const { scene } = dccki
    const form = { evidence: evidence('signed form') }
    await scene.decide(await applyAsSubscriber(scene.hands, acme.sro, acme.party, 'dccki', form))
    const submitting = { profiles: hierarchies(scene.settings).dccki.endEntities, rules: scene.settings.dccki }
    const by = { aro: acme.aro.person, party: acme.party }
    const { id } = await submitDccki(scene.hands, submitting, by, personnel(acme).csr)
    const issuing = profiledIssuing(scene.hands, scene.keys.issuing, scene.settings)
    const asked = await Promise.allSettled([1, 2, 3].map(() => issueProfiled(scene.hands, issuing, id)))
    const ders = asked.flatMap(one =>
      one.status === 'fulfilled' && !(one.value instanceof Refusal) ? [one.value] : [],
    )
    assert.ok(ders.length > 0)
    const kept = await issueProfiled(scene.hands, issuing, id)
    assert.ok(!(kept instanceof Refusal) && ders.every(der => der.equals(kept)))
    const { rows } = await scene.store.query<{ count: bigint }>(
      `SELECT count(*) FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'complete'
        WHERE c.key_id = (SELECT key_id FROM profiled_request WHERE id = $1)`,
      [id],
    )
    assert.equal(rows[0]!.count, 1n)
  })

  it('is issued by whoever comes after a signer that failed before or after the signature', async () => {
    const { scene } = dccki
    const submitting = { profiles: hierarchies(scene.settings).dccki.endEntities, rules: scene.settings.dccki }
    const by = { aro: acme.aro.person, party: acme.party }
    const { id } = await submitDccki(scene.hands, submitting, by, personnel(acme).csr)
    /** The key store, and the store, failing where they are told to. */
    const broken = new Error('the module is away')
    const failing = <T extends object>(good: T, name: string, fail: (call: number) => boolean): T => {
      let call = 0
      return new Proxy(good, {
        get(target, key) {
          const value = Reflect.get(target, key, target)
          if (typeof value !== 'function') return value
          return (...args: unknown[]) => {
            if (key === name && fail(++call)) throw broken
            return value.apply(target, args)
          }
        },
      })
    }
    const unsigned = failing(scene.keys.issuing, 'sign', () => true)
    const noKey = profiledIssuing(scene.hands, unsigned, scene.settings)
    await assert.rejects(issueProfiled(scene.hands, noKey, id), broken)
    // The second transaction is the one that keeps what was signed.
    const forgetful = { ...scene.hands, store: failing(scene.store, 'transaction', call => call === 2) }
    const issuing = profiledIssuing(scene.hands, scene.keys.issuing, scene.settings)
    await assert.rejects(issueProfiled(forgetful, issuing, id), broken)
    assert.ok((await unansweredRequests(scene.store, scene.hands.clock())).includes(id))

    const issued = await issueProfiled(scene.hands, issuing, id)
    assert.ok(!(issued instanceof Refusal))
    const { rows } = await scene.store.query<{ state: string }>(
      `SELECT s.state FROM certificate c JOIN signing s ON s.id = c.signing
        WHERE c.key_id = (SELECT key_id FROM profiled_request WHERE id = $1) ORDER BY s.id`,
      [id],
    )
    assert.deepEqual(
      rows.map(row => row.state),
      ['abandoned', 'abandoned', 'complete'],
    )
    assert.ok(!(await unansweredRequests(scene.store, scene.hands.clock())).includes(id))
  })

  let manager: Credential | undefined
  const raManager = async () => {
    const { personnel: clerks, managers } = dccki.scene
    manager ??= await dccki.credential(undefined, 'RA_STAFF', clerks[1], managers[0])
    return manager
  }
})
