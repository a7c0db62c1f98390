/** What comes out: Organisation Certificates of every role, held against the profile, the linter and published ones. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toHex, toHexUpper } from '../../src/ground/bytes.ts'
import { tag } from '../../src/ground/der/read.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import {
  readAuthorityKeyIdentifier,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from '../../src/ground/x509/extensions.ts'
import { attributeText, type Name } from '../../src/ground/x509/name.ts'
import { oidName } from '../../src/ground/x509/names.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { examine } from '../../src/policy/lint/lint.ts'
import { ouOf, roles } from '../../src/policy/roles.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { inconsistencies } from '../../src/rooms/issuance/organisation-compare.ts'
import type { Shown } from '../../src/rooms/issuance/organisation-submit.ts'
import { findByEui64, findBySerials } from '../../src/rooms/repository/find.ts'
import { corpusFile, corpusIndex, type Indexed, noCorpus, noOpenssl, openssl } from '../outside.ts'
import { type Officers, ranges } from '../registration/office.ts'
import { csrFor, openPortal, type Portal, type Usage } from './portal.ts'

/** User Roles of those who hold Organisation Certificates of that role (registration-revocation.md section 3). */
const holders: Record<number, string> = { 2: 'IS', 3: 'ED', 8: 'LC', 127: 'OU', 135: 'IS' }

describe('Organisation Certificates', () => {
  let portal: Portal
  const subscribers = new Map<string, Officers & { party: number; shown: Shown; eui64: string }>()

  before(async () => {
    portal = await openPortal()
    for (const userRole of ['IS', 'ED', 'LC', 'OU', 'DCC']) {
      const userRoles = ranges(userRole)
      const kind = userRole === 'DCC' ? 'dcc' : 'party'
      const who = await portal.office.subscriber(`holder-${userRole.toLowerCase()}`, { kind, userRoles })
      const shown = await portal.shown(who.party, who.aro)
      subscribers.set(userRole, { ...who, shown, eui64: userRoles[0]!.first })
    }
  })
  after(() => portal.close())

  async function issue(
    role: number,
    usage: Usage,
    commonName?: string,
  ): Promise<{ certificate: Certificate; csr: Buffer }> {
    const { shown, eui64 } = subscribers.get(holders[role] ?? 'DCC')!
    const csr = csrFor(eui64, role, usage, commonName === undefined ? {} : { commonName })
    return { csr, ...(await portal.issue(shown, csr)) }
  }

  it('of every role that has one are issued on request, lodged, clean by the linter, and what was asked for', async () => {
    const { record } = await portal.issuing()
    const { hands } = portal.office
    const wanted = [1, 2, 3, 4, 5, 6, 8, 0x7f, 0x87, 0x89]
    assert.deepEqual(
      roles.filter(role => role.endEntity).map(role => role.code),
      wanted,
    )
    for (const role of wanted) {
      for (const usage of ['digitalSignature', 'keyAgreement'] as const) {
        // The others were seen with digitalSignature alone (certificates.md section 4).
        if (usage === 'keyAgreement' && ![2, 3, 4, 8, 0x7f].includes(role)) continue
        const { certificate, csr } = await issue(role, usage, usage === 'digitalSignature' ? 'TESTNAME' : undefined)
        const { kind, findings } = examine('certificate', certificate.der, {
          issuer: { publicKey: record.certificate.publicKey, name: record.certificate.subject },
        })
        assert.equal(kind, 'organisation')
        assert.deepEqual(findings, [], `${ouOf(role)} ${usage}`)
        assert.deepEqual(inconsistencies(csr, certificate.der), [])
        const [lodged] = await findBySerials(hands.store, [certificate.serial], hands.clock())
        assert.equal(lodged?.status, 'I')
        assert.equal(lodged.role, role)
        assert.deepEqual(lodged.der, Buffer.from(certificate.der))
        const { eui64 } = subscribers.get(holders[role] ?? 'DCC')!
        const found = await findByEui64(hands.store, Buffer.from(eui64, 'hex'), 'organisation', hands.clock())
        assert.ok(found.some(one => one.der.equals(certificate.der)))
      }
    }
  })

  it('verify up to the Root OCA by OpenSSL', { skip: noOpenssl }, async () => {
    const { certificate } = await issue(2, 'digitalSignature')
    const folder = mkdtempSync(join(tmpdir(), 'opensmki-organisation-'))
    try {
      const known = (await authorities(portal.office.store)).filter(one => one.pki === 'smki-organisation')
      for (const { level, certificate: one } of known)
        writeFileSync(join(folder, `${level}.pem`), toPem('CERTIFICATE', one.der))
      writeFileSync(join(folder, 'own.pem'), toPem('CERTIFICATE', certificate.der))
      // The office of this test keeps a time of its own.
      const at = String(Math.floor(portal.office.hands.clock().getTime() / 1000) + 1)
      const args = ['verify', '-attime', at, '-CAfile', 'root.pem', '-untrusted', 'issuing.pem', 'own.pem']
      assert.deepEqual(openssl(args, '', folder), { ok: true, says: 'own.pem: OK\n' })
      assert.equal(openssl(args.with(6, 'own.pem'), '', folder).ok, false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  describe('beside the published ones', { skip: noCorpus }, () => {
    /** Why a field of ours may differ from the published certificate of the same role and usage. */
    const because: Record<string, string> = {
      serial: 'drawn by chance for each certificate',
      issuer: 'the name of an Issuing OCA is configuration (certificates.md 4)',
      notBefore: 'the moment of issue, theirs begin at midnight (CERT-A06, trap 9)',
      notAfter: 'ten years from that',
      subject: 'its own EUI-64, and a common name where the CSR has one',
      publicKey: 'its own key',
      subjectKeyIdentifier: 'follows from the key',
      authorityKeyIdentifier: 'follows from the key of the issuer',
      signature: 'of these octets, by our authority',
    }

    /** Issued by the real Z1, and so by the profile; of the others see below. */
    const comparable = (one: Indexed) =>
      one.file.startsWith('org-') && one.issuer.endsWith('Printable=Z1') && one.signature === 'good'

    it('differ from one of the same role and usage in those fields alone that are each certificate’s own', async () => {
      const { certificates } = corpusIndex()
      assert.equal(certificates.length, 114)
      const published = certificates.filter(comparable)
      assert.equal(published.length, 21)
      const compared = new Set<string>()
      for (const one of published) {
        const theirs = readCertificate(corpusFile(one.file))
        const role = Number.parseInt(/OU:UTF8=([0-9A-F]{2})/.exec(one.subject)![1]!, 16)
        const usage = one.usage === 'ds' ? 'digitalSignature' : 'keyAgreement'
        const named = one.subject.startsWith('CN:')
        const { certificate } = await issue(role, usage, named ? 'TESTSUPPLIER' : undefined)
        const [ours, other] = [fieldsOf(certificate), fieldsOf(theirs)]
        assert.deepEqual(Object.keys(ours), Object.keys(other), 'the same fields in the same order')
        const differing = Object.keys(ours).filter(field => ours[field]!.value !== other[field]!.value)
        assert.deepEqual(
          differing.filter(field => !Object.hasOwn(because, field)),
          [],
          one.file,
        )
        // What is each certificate's own has the same form all the same: types, lengths, order.
        for (const [field, { form }] of Object.entries(ours))
          assert.equal(form, other[field]!.form, `${field}: ${one.file}`)
        for (const field of ['serial', 'issuer', 'publicKey', 'signature'])
          assert.ok(differing.includes(field), field)
        compared.add(`${ouOf(role)} ${one.usage}`)
      }
      assert.deepEqual([...compared].toSorted(), [
        '01 ds',
        '02 ds',
        '02 ka',
        '03 ds',
        '03 ka',
        '04 ds',
        '04 ka',
        '05 ds',
        '06 ds',
        '08 ds',
        '08 ka',
      ])
    })

    it('differ from those of role 7F and 87, which other issuers made, in more: order, types, and what those lack', async () => {
      const { certificates } = corpusIndex()
      // Field by field what is different in form, and which of the two is by the profile (certificates.md 16).
      const expected: Record<string, { role: number; fields: string[] }> = {
        // Issuer OB: a critical empty basicConstraints first (trap 6).
        'org-other-issuer/00db123456780004-ds': { role: 0x7f, fields: ['extensions'] },
        // Issuer Z99: UTF8String in the issuer, NULL parameters in the algorithms (trap 4), a common name of its own.
        'org-other-issuer/90b3d51f30010009-ds': {
          role: 0x7f,
          fields: ['signatureAlgorithm', 'outerAlgorithm', 'issuer', 'extensions'],
        },
        // The "Z1" that is not the real one: UTF8String in the issuer, no AKI, validity to 2118 (trap 3).
        'org-xmlsign-unverifiable/00db123456780004-ds': {
          role: 0x87,
          fields: ['issuer', 'notAfter', 'extensions'],
        },
        'org-xmlsign-unverifiable/90b3d51f30010000-ds': {
          role: 0x87,
          fields: ['issuer', 'notAfter', 'extensions'],
        },
      }
      for (const [begins, { role, fields }] of Object.entries(expected)) {
        const file = certificates.find(one => one.file.startsWith(begins))!.file
        const theirs = readCertificate(corpusFile(file))
        const named = theirs.subject.rdns.length === 3
        const { certificate } = await issue(role, 'digitalSignature', named ? 'MDR' : undefined)
        const [ours, other] = [fieldsOf(certificate), fieldsOf(theirs)]
        const shared = Object.keys(ours).filter(field => Object.hasOwn(other, field))
        assert.deepEqual(
          shared.filter(field => ours[field]!.form !== other[field]!.form),
          fields,
          file,
        )
      }
    })
  })
})

interface Field {
  readonly value: string
  /** Everything but the value: types, lengths, order, criticality. */
  readonly form: string
}

/** A certificate field by field, each with its value and its form. */
function fieldsOf(c: Certificate): Record<string, Field> {
  const extension = (name: string) => c.extensions.find(one => oidName(one.oid) === name)
  const fields: Record<string, Field> = {
    version: same(String(c.version)),
    serial: { value: toHexUpper(c.serial), form: `${c.serial.length} octets` },
    signatureAlgorithm: same(toHex(c.signatureAlgorithm.der)),
    outerAlgorithm: same(toHex(c.outerAlgorithm.der)),
    issuer: nameField(c.issuer),
    notBefore: { value: c.notBefore.text, form: String(c.notBefore.text.length) },
    notAfter: { value: c.notAfter.text, form: String(c.notAfter.text.length) },
    subject: nameField(c.subject),
    publicKey: {
      value: toHex(c.publicKey.spki),
      form: `${toHex(c.publicKey.algorithm.der)} ${c.publicKey.spki.length}`,
    },
    uniqueIds: same(`${c.issuerUniqueId} ${c.subjectUniqueId}`),
    extensions: same(c.extensions.map(one => `${oidName(one.oid)}${one.critical ? ' critical' : ''}`).join(', ')),
    keyUsage: same(`${readKeyUsage(extension('keyUsage')!.value)} ${toHex(extension('keyUsage')!.value)}`),
    certificatePolicies: same(toHex(extension('certificatePolicies')!.value)),
    signature: { value: toHex(c.signature), form: 'ECDSA-Sig-Value' },
  }
  const ski = extension('subjectKeyIdentifier')
  if (ski) fields.subjectKeyIdentifier = octetsField(readSubjectKeyIdentifier(ski.value))
  const aki = extension('authorityKeyIdentifier')
  if (aki) {
    const { keyIdentifier, issuer, serial } = readAuthorityKeyIdentifier(aki.value)
    const { value, form } = octetsField(keyIdentifier!)
    fields.authorityKeyIdentifier = { value, form: `${form} ${!!issuer} ${!!serial}` }
  }
  return fields
}

const same = (value: string): Field => ({ value, form: value })
const octetsField = (octets: Uint8Array): Field => ({ value: toHexUpper(octets), form: `${octets.length} octets` })

/** Types, strings and order are form; what the texts say is value. The role, and which authority it is, are form too. */
function nameField(name: Name): Field {
  const parts = name.rdns.map(rdn =>
    rdn.map(one => {
      const type = `${oidName(one.oid)} ${one.tag === tag.utf8String ? 'UTF8' : one.tag}`
      return oidName(one.oid) === 'organizationalUnitName' ? `${type} ${attributeText(one)}` : type
    }),
  )
  return { value: toHex(name.der), form: JSON.stringify(parts) }
}
