/** The DCCKI Repository, and revocation up to the list: what whoever asks finds there, and what it costs to be revoked. */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toPem } from '../../src/ground/x509/pem.ts'
import { renewRootLists } from '../../src/main/ceremony.ts'
import { documents } from '../../src/policy/documents/document-set.ts'
import { lintList } from '../../src/policy/lint/lint.ts'
import { meetingsFor, recordMeeting, tellMeeting, untold } from '../../src/rooms/governance/dccki-meetings.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { addVersion, decideVersion, enterDocuments } from '../../src/rooms/governance/documents.ts'
import { caseOf } from '../../src/rooms/revocation/case.ts'
import { noOpenssl } from '../outside.ts'
import { refusal } from '../registration/office.ts'
import {
  type Answer,
  type Credential,
  cmsOf,
  type Dccki,
  openDccki,
  opensslCsr,
  opensslIn,
  type Subscriber,
} from './scene.ts'

describe('the DCCKI Repository', { skip: noOpenssl }, () => {
  let dccki: Dccki
  let acme: Subscriber
  let rdp: Subscriber
  let manager: Credential
  let member: Credential
  let host: { credential: Credential; serial: string }
  let person: { serial: string }
  before(async () => {
    dccki = await openDccki()
    acme = await dccki.subscriber('acme')
    rdp = await dccki.subscriber('rdp-1', ['rdp-1.example'], 'rdp')
    const { personnel, managers, pma } = dccki.scene
    manager = await dccki.credential(undefined, 'RA_STAFF', personnel[1], managers[0])
    member = await dccki.credential(undefined, 'RA_STAFF', personnel[1], pma[0])
    await dccki.scene.renew()
    const asked = opensslCsr(dccki.folder, {
      key: 'RSA',
      subject: `/O=acme/OU=${acme.unit}/CN=acme.example`,
      usage: 'digitalSignature,keyEncipherment',
      purposes: 'serverAuth,clientAuth',
      hosts: ['acme.example'],
    })
    host = { ...(await issued(asked.csr)), credential: undefined as never }
    const key = asked.key()
    const certificate = (await dccki.ask(acme.token, `/dccki/certificates/${host.serial}`)).body
    host = { serial: host.serial, credential: { certificate, pair: { pem: () => Buffer.from(key) } as never } }
    const mine = { key: 'RSA', usage: 'digitalSignature', purposes: 'clientAuth' } as const
    person = await issued(
      opensslCsr(dccki.folder, { ...mine, subject: `/O=acme/OU=${acme.unit}/CN=person-17` }).csr,
    )
  })
  after(() => dccki.close())

  async function issued(csr: Buffer): Promise<{ serial: string }> {
    const { json } = await dccki.post(acme.token, csr)
    assert.equal(json.state, 'issued', JSON.stringify(json))
    return { serial: json.serial }
  }
  const post = (by: Credential, path: string, body: unknown, headers: Record<string, string> = {}) =>
    dccki.ask(by, path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })

  it('has every list, every version of it, with what a cache needs', async () => {
    for (const file of ['root-dcckica.crl', 'eii-dcckica.crl']) {
      const { headers, body } = await dccki.ask(rdp.token, `/dccki/crl/${file}`)
      assert.equal(headers['content-type'], 'application/pkix-crl')
      assert.deepEqual(
        lintList(body).map(one => one.rule),
        [],
      )
      assert.ok(Number.isFinite(Date.parse(headers['last-modified']!)))
      const again = await dccki.ask(rdp.token, `/dccki/crl/${file}`, {
        headers: { 'if-none-match': headers.etag! },
      })
      assert.deepEqual([again.status, again.body.length], [304, 0])
    }
    const { json } = await dccki.ask(rdp.token, '/dccki/crl')
    const crl = json.lists.find((one: { file: string }) => one.file === 'eii-dcckica.crl')
    assert.equal(crl.versions[0].name, 'DCCKI CRL')
    const first = await dccki.ask(rdp.token, '/dccki/crl/eii-dcckica.crl?number=1')
    assert.equal(first.status, 200)
    for (const nothing of ['eii-dcckica.crl?number=99', 'organisation.crl'])
      assert.equal((await dccki.ask(rdp.token, `/dccki/crl/${nothing}`)).status, 404, nothing)
  })

  it('gives lists over plain HTTP where that is set, and nothing else', async () => {
    const plain = (path: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Buffer }>()
      get({ host: '127.0.0.1', port: dccki.ports.dcckiPlain!, path, agent: false }, async answer =>
        resolve({ status: answer.statusCode!, body: Buffer.concat(await answer.toArray()) }),
      ).on('error', reject)
      return promise
    }
    const { body } = await dccki.ask(rdp.token, '/dccki/crl/root-dcckica.crl')
    const same = await plain('/dccki/crl/root-dcckica.crl')
    assert.ok(same.status === 200 && same.body.equals(body))
    for (const path of ['/dccki/documents', '/dccki/1.0/requests', '/dccki/authorities'])
      assert.equal((await plain(path)).status, 404, path)
  })

  it('shows hosts to all, people to their Subscriber and the DCC alone (DCK-A05)', async () => {
    const find = async (by: Credential, named: string) =>
      (await dccki.ask(by, `/dccki/certificates?named=${named}`)).json.certificates.map(
        (one: { serial: string }) => one.serial,
      )
    assert.deepEqual(await find(rdp.token, 'acme.example'), [host.serial])
    assert.deepEqual(await find(rdp.token, acme.unit), [host.serial])
    assert.deepEqual(await find(rdp.token, 'person-17'), [])
    assert.deepEqual(await find(acme.token, 'person-17'), [person.serial])
    assert.deepEqual(await find(manager, 'person-17'), [person.serial])
    const status = async (by: Credential) => (await dccki.ask(by, `/dccki/certificates/${person.serial}`)).status
    assert.deepEqual([await status(rdp.token), await status(member), await status(acme.token)], [404, 404, 200])
  })

  it('lists the documents, the confidential one to those who oversee it', async () => {
    const { scene } = dccki
    const clerk = scene.personnel[0].person
    await enterDocuments(scene.hands, clerk, documents)
    const rapp = { document: 'Appendix W', version: '2.0', sha256: 'ab'.repeat(32) }
    const where = { octets: 1000, mediaType: 'application/pdf', heldAt: 'archive/W-2.0' }
    await addVersion(scene.hands, clerk, { ...rapp, ...where })
    const practice = { ...rapp, document: 'DCCKI CPS', version: '1.0' }
    await addVersion(scene.hands, clerk, { ...practice, ...where, heldAt: 'archive/CPS-1.0' })

    const refs = async (by: Credential) =>
      (await dccki.ask(by, '/dccki/documents')).json.documents.map((one: { ref: string }) => one.ref)
    assert.deepEqual(await refs(rdp.token), ['Appendix S', 'Appendix T', 'Appendix U', 'Appendix V', 'Appendix W'])
    for (const by of [manager, member]) assert.ok((await refs(by)).includes('DCCKI CPS'))
    const versions = async (by: Credential, ref: string) =>
      (await dccki.ask(by, `/dccki/documents/${encodeURIComponent(ref)}`)).json
    assert.equal((await versions(rdp.token, 'DCCKI CPS')).code, 'DOCUMENT_CONFIDENTIAL')
    assert.equal((await versions(manager, 'DCCKI CPS')).versions[0].heldAt, 'archive/CPS-1.0')
    assert.equal((await versions(rdp.token, 'Appendix D')).code, 'DOCUMENT_UNKNOWN')

    // A draft is nobody's business outside; what is designated is everybody's.
    assert.deepEqual((await versions(rdp.token, 'Appendix W')).versions, [])
    const from = scene.hands.clock().toISOString().slice(0, 10)
    await decideVersion(scene.hands, clerk, { ...rapp, outcome: 'approved', from, under: { basis: 'MP173' } })
    assert.equal((await versions(rdp.token, 'Appendix W')).versions[0].state, 'approved')

    // The DCCKI PMA Functions act by decision, too.
    const now = scene.hands.clock()
    await recordDecision(scene.hands, clerk, {
      reference: 'DCCKI-PMA-1',
      acts: ['approve document'],
      subjects: ['document:DCCKI CPS'],
      meeting: 'DCCKI PMA Functions 1',
      text: 'The statement is effective and fits the SEC Objectives.',
      members: [scene.pma[0].person],
      decidedAt: now,
      from: now,
    })
    const decided = { ...practice, outcome: 'approved', from, under: { decision: 'DCCKI-PMA-1' } } as const
    assert.equal((await decideVersion(scene.hands, clerk, decided)).decision, 'DCCKI-PMA-1')
  })

  it('keeps the meetings of the DCCKI PMA Functions, and whom they were told', async () => {
    const { scene } = dccki
    const clerk = scene.personnel[0].person
    const meeting = {
      reference: 'DCCKI PMA Functions 1',
      heldOn: scene.hands.clock().toISOString().slice(0, 10),
      attendees: ['DCC, chair', 'SMKI PMA, observer'],
      agenda: ['DCCKI CPS', 'review of the DCCKI Document Set'],
      papers: ['paper 1.1'],
      notifications: ['the CPS was amended'],
      recommendations: ['whispered recommendation'],
    }
    await recordMeeting(scene.hands, clerk, meeting)
    await assert.rejects(recordMeeting(scene.hands, clerk, meeting), refusal('MEETING_EXISTS'))
    const wrong = { ...meeting, reference: 'x2', heldOn: '2999-01-01' }
    await assert.rejects(recordMeeting(scene.hands, clerk, wrong), refusal('MEETING_UNFIT'))
    await assert.rejects(tellMeeting(scene.hands, clerk, 'nothing', 'SSC'), refusal('MEETING_UNKNOWN'))
    const told = await tellMeeting(scene.hands, clerk, meeting.reference, 'SMKI PMA')
    assert.deepEqual(told.told, { 'SMKI PMA': meeting.heldOn })
    assert.deepEqual(untold(await meetingsFor(scene.store, 'SSC'), 'SSC'), [meeting.reference])
    await assert.rejects(meetingsFor(scene.store, 'public'), refusal('MEETING_CONFIDENTIAL'))
    assert.ok(!JSON.stringify(await scene.journal()).includes('whispered'))
    const second = { ...meeting, reference: 'DCCKI PMA Functions 2' }
    assert.equal((await post(acme.token, '/dccki/meetings', second)).json.code, 'NOT_FOR_THIS_OFFICE')
    assert.equal((await post(manager, '/dccki/meetings', second)).status, 201)
    const ssc = { reference: second.reference, body: 'SSC' }
    assert.deepEqual((await post(manager, '/dccki/meetings/told', ssc)).json.told, { SSC: meeting.heldOn })
    assert.equal((await dccki.ask(member, '/dccki/meetings')).json.meetings.length, 2)
    assert.equal((await dccki.ask(rdp.token, '/dccki/meetings')).json.code, 'MEETING_CONFIDENTIAL')
  })

  it('opens to an Infrastructure Certificate, revokes it on request, and names it on the list within its hour', async () => {
    const { scene } = dccki
    const own = (await dccki.ask(host.credential, '/dccki/1.0/requests')) as Answer
    assert.equal(own.status, 200)
    const message = { issuer: 'EII DCCKICA', serial: host.serial, reason: 'keyCompromise', words: 'seen elsewhere' }
    assert.equal((await post(rdp.token, '/dccki/1.0/revocations', message)).json.code, 'OTHER_ORGANISATION')
    // A system's message names whose request it is, and is signed.
    const text = JSON.stringify({ ...message, officer: { person: acme.aro.person, as: 'ARO' } })
    assert.equal((await post(host.credential, '/dccki/1.0/revocations', text)).json.code, 'SIGNATURE_MISSING')
    const signed = { 'dccki-signature': cmsOf(dccki.folder, acme.signer, text) }
    const opened = await post(host.credential, '/dccki/1.0/revocations', text, signed)
    assert.equal(opened.status, 201, JSON.stringify(opened.json))
    const revoked = await scene.settle(opened.json)
    assert.deepEqual([revoked.object, revoked.reason, revoked.party], ['DCCKI', 1, acme.party])
    const hour = revoked.listDueAt!.getTime() - revoked.revokedAt!.getTime()
    assert.equal(hour, scene.settings.lists.dcckiCrl.afterRevocationHours * 3_600_000)
    // It opens nothing any more, before any list says so.
    assert.equal((await dccki.ask(host.credential, '/dccki/1.0/requests')).json.code, 'CREDENTIAL_NOT_KNOWN')

    scene.pass(1000)
    await scene.renew()
    const listed = await caseOf(scene.store, revoked.id)
    assert.ok(listed.state === 'listed' && listed.listedAt! <= revoked.listDueAt!)
    for (const file of ['root-dcckica', 'eii-dcckica']) {
      const crl = await dccki.ask(rdp.token, `/dccki/crl/${file}.crl`)
      const ca = await dccki.ask(rdp.token, `/dccki/authorities/${file}.crt`)
      writeFileSync(join(dccki.folder, `${file}.crl.pem`), toPem('X509 CRL', crl.body))
      writeFileSync(join(dccki.folder, `${file}.pem`), toPem('CERTIFICATE', ca.body))
    }
    const shown = opensslIn(
      dccki.folder,
      'crl',
      '-in',
      'eii-dcckica.crl.pem',
      '-noout',
      '-text',
      '-CAfile',
      'eii-dcckica.pem',
    )
    assert.match(shown, /verify OK/)
    assert.match(shown, new RegExp(`Serial Number: ${host.serial.toUpperCase()}[^]*Key Compromise`))
    writeFileSync(join(dccki.folder, 'host.pem'), toPem('CERTIFICATE', host.credential.certificate))
    const checked = ['-crl_check', '-CRLfile', 'eii-dcckica.crl.pem', 'host.pem']
    const chain = ['-CAfile', 'root-dcckica.pem', '-untrusted', 'eii-dcckica.pem']
    assert.throws(() => opensslIn(dccki.folder, 'verify', ...chain, ...checked), /certificate revoked/)
    assert.match(opensslIn(dccki.folder, 'verify', ...chain, 'host.pem'), /OK/)
    const { headers } = await dccki.ask(acme.token, `/dccki/certificates/${host.serial}`)
    assert.equal(headers['dccki-status'], 'R')
  })

  it('has an ARL that names an EII DCCKICA which was revoked, within its day', async () => {
    const { scene } = dccki
    const eii = scene.authority('dccki')
    const root = scene.authority('dccki', 'root')
    const certificate = { authority: root.id, serial: Buffer.from(eii.certificate.serial).toString('hex') }
    const decision = await scene.decision(['revoke'], [`certificate:${root.id}:${certificate.serial}`])
    const opened = await scene.ask(certificate, scene.managers[0], { ground: 'direction', decision })
    const revoked = await scene.settle(opened)
    const day = revoked.listDueAt!.getTime() - revoked.revokedAt!.getTime()
    assert.equal(day, scene.settings.lists.dcckiArl.afterRevocationHours * 3_600_000)
    scene.pass(1000)
    await renewRootLists(scene.hands, scene.settings, scene.keys.root, () => {})
    const { entries } = await scene.listed('dccki', 'root')
    assert.ok(entries.has(certificate.serial))
  })
})
