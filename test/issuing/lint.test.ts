/** Lessons, row 10: everything that is issued is clean by the linter, which was written against real certificates. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeKeyPair, spkiOf } from '../../simulator/device.ts'
import { type KeyPair, makeKeyPair as makePair } from '../../src/ground/keystore/pair.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { certificateKinds, type Kind } from '../../src/policy/lint/kind.ts'
import { examine } from '../../src/policy/lint/lint.ts'
import type { PkiName } from '../../src/policy/profile.ts'
import { roleName, roles } from '../../src/policy/roles.ts'
import { type Decided, issueOne } from '../../src/rooms/authority/issue-one.ts'
import { type AuthorityRecord, authorities, issuingAuthority } from '../../src/rooms/authority/register.ts'
import { authority } from '../../src/rooms/authority/sign.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { everyCertificate } from '../../src/rooms/repository/find.ts'
import { currentLists } from '../../src/rooms/repository/lists.ts'
import { issue, makeRooms, newCsr, newDeviceId, type Rooms } from './rooms.ts'

let rooms: Rooms
let known: AuthorityRecord[]
const seen = new Set<Kind>()

before(async () => {
  rooms = await makeRooms({
    pkis: ['smki-organisation', 'smki-device', 'iki', 'dccki', 's1spki-foc', 's1spki-moc'],
    settings: { certificates: { issuingDcaStock: 2 } },
  })
  known = await authorities(rooms.store)
})
after(() => rooms.close())

/** No error, no warning, no notice, and the signature holds by the issuer that the register names. */
function clean(certificate: Certificate, as: Kind, issuer: Certificate): void {
  const { kind, findings } = examine('certificate', certificate.der, { issuer: signerOf(issuer) })
  assert.equal(kind, as)
  assert.deepEqual(findings, [], `${as}: ${JSON.stringify(findings, undefined, 2)}`)
  seen.add(kind)
}

const signerOf = ({ publicKey, subject }: Certificate) => ({ publicKey, name: subject })

const rootOf = (pki: PkiName) => known.find(one => one.pki === pki && one.level === 'root')!

const parts: Record<string, Kind> = {
  'Root OCA': 'root-oca',
  'Issuing OCA': 'issuing-oca',
  'Root DCA': 'root-dca',
  'Issuing DCA': 'issuing-dca',
  'Root ICA': 'root-ica',
  'Issuing ICA': 'issuing-ica',
  'Root DCCKICA': 'root-dcckica',
  'EII DCCKICA': 'eii-dcckica',
  'FOC Operator Root CA': 's1spki-root',
  'FOC Operator Issuing CA': 's1spki-issuing',
  'MOC Operator Root CA': 's1spki-root',
  'MOC Operator Issuing CA': 's1spki-issuing',
}

let rsaKey: KeyPair | undefined

/** An end entity of any profile; one RSA key serves all that want one, because making it takes time. */
async function endEntity(name: string, subject: Record<string, string>, more: Partial<Decided> = {}) {
  const profile = profileNamed(rooms.settings, name)
  const record = await issuingAuthority(rooms.store, profile.pki)
  rsaKey ??= makePair('RSA-2048')
  const publicKey = profile.key === 'P-256' ? spkiOf(makeKeyPair().publicKey) : rsaKey.publicKey
  const by = authority(rooms.keys.issuing, record.keyLabel, record.certificate)
  const decided = { profile, subject, publicKey, ...more }
  const certificate = await issueOne(rooms.hands, by, decided, { authority: record.id }, {})
  return { certificate, issuer: record.certificate }
}

describe('Clean by every rule of the linter is', () => {
  it('the certificate of every authority of every hierarchy', () => {
    assert.equal(known.length, 13)
    for (const { part, pki, level, certificate } of known) {
      clean(certificate, parts[part]!, level === 'root' ? certificate : rootOf(pki).certificate)
    }
  })

  it('a Device Certificate of each usage', async () => {
    for (const usage of ['digitalSignature', 'keyAgreement'] as const) {
      const [outcome] = await issue(rooms.devices(), [newCsr(usage)])
      const certificate = readCertificate(outcome && 'der' in outcome ? outcome.der : assert.fail())
      const issuer = known.find(one => Buffer.compare(one.certificate.subject.der, certificate.issuer.der) === 0)!
      clean(certificate, 'device', issuer.certificate)
    }
  })

  it('an Organisation Certificate of each role and usage that it has, with a name and without', async () => {
    const record = await issuingAuthority(rooms.store, 'smki-organisation')
    const by = {
      record,
      keys: rooms.keys.issuing,
      profile: profileNamed(rooms.settings, 'Organisation Certificate'),
    }
    const given = roles.filter(role => role.endEntity)
    assert.ok(given.length >= 10)
    // The others were seen with digitalSignature alone (certificates.md section 4).
    const agreeing = ['supplier', 'networkOperator', 'accessControlBroker', 'loadController', 'other']
    for (const { code, name } of given) {
      for (const usage of ['digitalSignature', 'keyAgreement'] as const) {
        if (usage === 'keyAgreement' && !agreeing.includes(name)) continue
        const publicKey = spkiOf(makeKeyPair().publicKey)
        const request = { role: code, eui64: newDeviceId().toUpperCase(), usage, publicKey }
        const named = usage === 'digitalSignature' && { commonName: 'ÜBER 16 Zeichen.' }
        clean(
          await issueOrganisation(rooms.hands, by, { ...request, ...named }),
          'organisation',
          record.certificate,
        )
      }
    }
  })

  it('no Organisation Certificate of a role that no end entity has, for there is none', async () => {
    const record = await issuingAuthority(rooms.store, 'smki-organisation')
    const by = {
      record,
      keys: rooms.keys.issuing,
      profile: profileNamed(rooms.settings, 'Organisation Certificate'),
    }
    const before = await Array.fromAsync(everyCertificate(rooms.store, new Date()))
    for (const role of [0, 7, 9, 128, 136, 255, 256, -1, 2.5]) {
      const publicKey = spkiOf(makeKeyPair().publicKey)
      const request = { role, eui64: newDeviceId(), usage: 'digitalSignature', publicKey } as const
      await assert.rejects(issueOrganisation(rooms.hands, by, request), RangeError, roleName(role))
    }
    assert.equal((await Array.fromAsync(everyCertificate(rooms.store, new Date()))).length, before.length)
  })

  it('an IKI Certificate for a client, and one for signing files', async () => {
    const subject = { organizationName: 'Example & Söhne', organizationalUnitName: '02', commonName: 'head-end-1' }
    for (const [name, kind] of [
      ['IKI Client Certificate', 'iki-client'],
      ['IKI File Signing Certificate', 'iki-file-signing'],
    ] as const) {
      const { certificate, issuer } = await endEntity(name, subject)
      clean(certificate, kind, issuer)
    }
  })

  it('a DCCKI Certificate of each kind', async () => {
    const subject = { organizationName: 'Example', organizationalUnitName: '02A0000000010000' }
    const server = await endEntity(
      'DCCKI Infrastructure Certificate',
      { ...subject, commonName: 'gateway.example' },
      { serverNames: ['gateway.example', 'other.example'] },
    )
    clean(server.certificate, 'dccki-infrastructure', server.issuer)
    const person = await endEntity('Personnel Authentication Certificate', { ...subject, commonName: 'person-1' })
    clean(person.certificate, 'dccki-personnel', person.issuer)
  })

  it('a certificate of each kind of the S1SPKI, for both cohorts', async () => {
    for (const cohort of ['FOC', 'MOC']) {
      const subject = { organizationName: 'S1SP', organizationalUnitName: cohort }
      const hes = await endEntity(`${cohort} HES Certificate`, { ...subject, commonName: 'hes.example' })
      clean(hes.certificate, 's1spki-hes', hes.issuer)
      const hub = await endEntity(`${cohort} Communications Hub Certificate`, {
        ...subject,
        commonName: '02A0000000010000',
      })
      clean(hub.certificate, 's1spki-hub', hub.issuer)
    }
  })

  it('every list of every authority', async () => {
    const lists = await currentLists(rooms.store)
    const expected = Object.values(hierarchies(rooms.settings)).flatMap(one =>
      [one.root.list?.name, one.issuing.list?.name].filter(name => name !== undefined),
    )
    assert.deepEqual(lists.map(list => list.name).toSorted(), expected.toSorted())
    for (const list of lists) {
      const issuer = known.find(one => one.id === list.authority)!.certificate
      const { kind, findings } = examine('list', list.der, { issuer: signerOf(issuer) })
      assert.notEqual(kind, 'unknown', list.name)
      assert.deepEqual(findings, [], list.name)
    }
  })

  it('and that was a certificate of every kind that the linter knows', () => {
    assert.deepEqual([...seen].toSorted(), [...certificateKinds].toSorted())
  })
})
