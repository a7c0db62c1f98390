/** IKI Certificates: what was approved is issued, once, and opens its one interface. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { csrWith, keyUsage } from '../../simulator/device.ts'
import * as der from '../../src/ground/der/write.ts'
import { type KeyPair, makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { ikiCsr } from '../../src/main/csr.ts'
import { examine } from '../../src/policy/lint/lint.ts'
import { type CertificateKind, credentialKinds } from '../../src/policy/registration/credentials.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { readIkiCsr } from '../../src/rooms/issuance/iki-csr.ts'
import { writeTestToken } from '../../src/rooms/issuance/iki-token.ts'
import { handOver, requestRevocation } from '../../src/rooms/registration/credentials.ts'
import { opens } from '../../src/rooms/registration/eligible.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { credentialOf } from '../../src/rooms/registration/parties.ts'
import { findBySerials } from '../../src/rooms/repository/find.ts'
import { noOpenssl, openssl } from '../outside.ts'
import { evidence, type Officers, ranges, refusal } from '../registration/office.ts'
import { approvedIki, openPortal, type Portal } from './portal.ts'

const known = { evidence: evidence('receipt') }

describe('an IKI Certificate', () => {
  let portal: Portal
  let acme: Officers & { party: number }
  /** Making one takes time; each interface has its own. */
  const pairs = new Map<string, KeyPair>()
  const pairOf = (name: string, kind: 'RSA-2048' | 'P-256' = 'RSA-2048') => {
    const pair = pairs.get(name) ?? makeKeyPair(kind)
    pairs.set(name, pair)
    return pair
  }

  before(async () => {
    portal = await openPortal({ pkis: ['smki-organisation', 'iki'] })
    acme = await portal.office.subscriber('acme', { userRoles: ranges('IS') })
  })
  after(() => portal.close())

  const approved = (
    kind: CertificateKind,
    systemName: string,
    more: { replaces?: number; pair?: KeyPair } = {},
  ) => {
    const person = kind.startsWith('PORTAL') ? { person: acme.aro.person } : {}
    const pair = more.pair ?? pairOf(kind, kind === 'FILE_SIGN' ? 'P-256' : 'RSA-2048')
    const csr = kind === 'FILE_SIGN' ? fileSignCsr(pair, systemName) : undefined
    const request = {
      kind,
      party: acme.party,
      tradingName: 'acme',
      role: 0x02,
      systemName,
      ...person,
      ...more,
      pair,
    }
    return approvedIki(portal, acme.sro, request, csr)
  }
  const issue = async (asked: { credential: number; csr: Uint8Array }) => {
    const answer = await portal.ask({ ask: 'iki', ...asked })
    if ('code' in answer) throw new Refusal(answer.code, answer.text)
    return readCertificate(Buffer.from(answer.certificate))
  }
  const codeOf = async (asked: { credential: number; csr: Uint8Array }) => {
    const answer = await portal.ask({ ask: 'iki', ...asked })
    return 'code' in answer ? answer.code : undefined
  }
  const said = async (credential: number) =>
    (await portal.office.journal()).filter(one => one.body.credential === credential).map(one => one.act)

  it('is issued from the CSR that was approved, recorded, lodged, clean by the linter, and opens one interface', async () => {
    const { hands, store } = portal.office
    const issuer = (await authorities(store)).find(one => one.part === 'Issuing ICA')!.certificate
    const kinds = ['PORTAL_ORG', 'PORTAL_DEVICE', 'ADHOC_WS', 'BATCH_WS', 'FILE_SIGN'] as const
    for (const kind of kinds) {
      const systemName = kind.startsWith('PORTAL') ? acme.aro.person : `acme ${kind}`
      const asked = await approved(kind, systemName)
      const certificate = await issue(asked)
      const { kind: is, findings } = examine('certificate', certificate.der, {
        issuer: { publicKey: issuer.publicKey, name: issuer.subject },
      })
      assert.equal(is, kind === 'FILE_SIGN' ? 'iki-file-signing' : 'iki-client')
      assert.deepEqual(findings, [])
      const [lodged] = await findBySerials(store, [certificate.serial], hands.clock())
      assert.equal(lodged?.family, 'iki')

      const record = () => credentialOf(store, certificate.issuer.der, certificate.serial)
      assert.equal((await record())!.state, 'issued')
      const opened = async () => {
        const credential = (await record())!
        return (Object.keys(credentialKinds) as CertificateKind[]).filter(one => opens(credential, one))
      }
      assert.deepEqual(await opened(), [], 'nothing before it was handed over')
      await handOver(hands, portal.office.personnel[0], asked.credential, known)
      assert.deepEqual(await opened(), [kind])
      const acts = await said(asked.credential)
      assert.deepEqual(acts.slice(-3), ['admit IKI CSR', 'credential issued', 'credential active'])

      // Asked again, the same one comes, and nothing more is written.
      assert.deepEqual((await issue(asked)).der, certificate.der)
      assert.deepEqual(await said(asked.credential), acts)
    }
  })

  it('of the Registration Authority is issued in the same way, under the name of the operator', async () => {
    const { office } = portal
    const [, clerk] = office.personnel
    const request = {
      kind: 'RA_STAFF',
      party: office.operator,
      tradingName: 'Test DCC',
      role: 0x7f,
      systemName: clerk.person,
      person: clerk.person,
      pair: pairOf('RA_STAFF'),
    } as const
    const asked = await approvedIki(portal, clerk, request)
    const certificate = await issue(asked)
    await handOver(office.hands, office.personnel[0], asked.credential, known)
    const credential = (await credentialOf(office.store, certificate.issuer.der, certificate.serial))!
    assert.deepEqual([credential.person, credential.party], [clerk.person, office.operator])
    assert.ok(opens(credential, 'RA_STAFF'))
  })

  it('is not issued from another CSR, nor before its approval, nor for a name that is not that of the record', async () => {
    const { office } = portal
    const systemName = 'acme strict'
    const asked = await approved('BATCH_WS', systemName)
    const pair = pairOf('BATCH_WS')
    const subject = { tradingName: 'acme', role: 0x02, systemName }
    const other = ikiCsr(makeKeyPair('RSA-2048'), subject)
    assert.equal(await codeOf({ ...asked, csr: other }), 'CSR_NOT_APPROVED')
    const changed = Buffer.from(asked.csr)
    changed[changed.length - 1]! ^= 1
    assert.equal(await codeOf({ ...asked, csr: changed }), 'CSR_NOT_APPROVED')
    assert.equal(await codeOf({ credential: 999_999, csr: asked.csr }), 'CREDENTIAL_UNKNOWN')

    // What was approved says one thing, and its CSR another.
    for (const [i, wrong] of [{ tradingName: 'Acme' }, { role: 0x87 }, { systemName: 'someone else' }].entries()) {
      const name = `acme wrong ${i}`
      const request = {
        kind: 'BATCH_WS',
        party: acme.party,
        tradingName: 'acme',
        role: 0x02,
        systemName: name,
        pair,
      } as const
      const made = await approvedIki(
        portal,
        acme.sro,
        request,
        ikiCsr(pair, { ...subject, systemName: name, ...wrong }),
      )
      assert.equal(await codeOf(made), 'CR:CC5')
    }
    const refusals = (await office.journal()).filter(one => one.act === 'refuse IKI CSR')
    assert.deepEqual(
      refusals.map(one => one.body.code),
      ['CSR_NOT_APPROVED', 'CSR_NOT_APPROVED', 'CREDENTIAL_UNKNOWN', 'CR:CC5', 'CR:CC5', 'CR:CC5'],
    )
    assert.ok(await issue(asked), 'the right CSR still leads to a certificate')
    assert.equal(await codeOf({ ...asked, csr: other }), 'CREDENTIAL_STATE')
  })

  it('of a form that is not its kind’s is refused before it is asked for', () => {
    const pair = pairOf('BATCH_WS')
    const subject = { tradingName: 'acme', role: 0x02, systemName: 'x' }
    assert.throws(() => readIkiCsr('FILE_SIGN', ikiCsr(pair, subject)), refusal('CR:CC1'))
    assert.throws(() => readIkiCsr('BATCH_WS', fileSignCsr(pairOf('FILE_SIGN', 'P-256'), 'x')), refusal('CR:CC1'))
    assert.throws(() => readIkiCsr('BATCH_WS', Buffer.from('x')), refusal('CR:CC2'))
    assert.equal(readIkiCsr('BATCH_WS', ikiCsr(pair, subject)).admitted.systemName, 'x')
  })

  it('is re-issued: the new one follows the old, which ends when the new one is handed over', async () => {
    const { hands, store } = portal.office
    const first = await approved('ADHOC_WS', 'acme head end 1')
    const old = await issue(first)
    await handOver(hands, portal.office.personnel[0], first.credential, known)
    // With the same key, for the same interface of the same Party.
    const second = await approved('ADHOC_WS', 'acme head end 2', { replaces: first.credential })
    const now = await issue(second)
    assert.deepEqual(now.publicKey.spki, old.publicKey.spki)
    const stateOf = async (id: number) => (await credentialRecord(store, id)).state
    assert.equal(await stateOf(first.credential), 'active')
    await handOver(hands, portal.office.personnel[0], second.credential, known)
    assert.deepEqual([await stateOf(first.credential), await stateOf(second.credential)], ['revoked', 'active'])
  })

  it('whose credential was revoked after it was issued is given again by nobody', async () => {
    const { office } = portal
    const asked = await approved('BATCH_WS', 'acme gone')
    await issue(asked)
    await office.decide(await requestRevocation(office.hands, acme.sro, asked.credential, { words: 'lost' }))
    const record = await credentialRecord(office.store, asked.credential)
    assert.equal(record.state, 'revoked')
    // The certificate that was issued from that CSR is still the answer; it opens nothing.
    const again = await issue(asked)
    assert.equal((await credentialOf(office.store, again.issuer.der, again.serial))!.state, 'revoked')
  })

  it('of an ARO comes with its key as a PKCS #12 file in a test environment, and nowhere else', {
    skip: noOpenssl,
  }, async () => {
    const pair = pairOf('token')
    const { aro, party } = await portal.office.subscriber('token', { userRoles: ranges('ED') })
    const holder = {
      kind: 'PORTAL_ORG',
      party,
      tradingName: 'token',
      role: 0x03,
      systemName: aro.person,
      person: aro.person,
    } as const
    const asked = await approvedIki(portal, aro, { ...holder, pair })
    const certificate = await issue(asked)
    const chain = (await authorities(portal.office.store)).filter(one => one.pki === 'iki').toReversed()
    const certificates = [certificate.der, ...chain.map(one => one.certificate.der)]
    const token = { pair, certificates, holder: aro.person, pin: Buffer.from('246810') }
    const { chance } = portal.office.hands
    assert.throws(() => writeTestToken({ kind: 'production' }, chance, token), refusal('TOKEN_FOR_TESTS_ONLY'))
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-token-'))
    try {
      writeFileSync(join(folder, 'token.p12'), writeTestToken({ kind: 'test' }, chance, token))
      const { ok, says } = openssl(['pkcs12', '-in', 'token.p12', '-passin', 'pass:246810', '-nodes'], '', folder)
      assert.ok(ok, says)
      assert.equal(says.match(/BEGIN CERTIFICATE/g)?.length, 3)
      assert.ok(says.includes(`subject=O = token, OU = 03, CN = ${aro.person}`), says)
      assert.equal(says.match(/BEGIN PRIVATE KEY/g)?.length, 1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** As `ikiCsr`, with a P-256 key: a signer of files (CERT-A08). */
function fileSignCsr(pair: KeyPair, systemName: string): Buffer {
  const relative = (type: string, text: string) => der.setOf(der.sequence(der.oid(type), der.utf8String(text)))
  const subject = der.sequence(
    relative(oids.organizationName, 'acme'),
    relative(oids.organizationalUnitName, '02'),
    relative(oids.commonName, systemName),
  )
  const extensions = [keyUsage(['digitalSignature'])]
  const unused = { deviceId: '', usage: 'digitalSignature' } as const
  return csrWith({ ...unused, subject, extensions, spki: pair.publicKey, sign: octets => pair.sign(octets) })
}
