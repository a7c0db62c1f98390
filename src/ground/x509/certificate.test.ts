import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as peculiar from '@peculiar/x509'
import { corpusFile, corpusIndex, noCorpus, noOpenssl, openssl } from '../../../test/outside.ts'
import { toHex, toHexUpper, view } from '../bytes.ts'
import { Der, tag } from '../der/read.ts'
import { bitString, boolean, integer, octetString, oid, sequence, tagged } from '../der/write.ts'
import { type Certificate, extension, readCertificate, readTbs } from './certificate.ts'
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readGeneralNames,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from './extensions.ts'
import { keyIdentifier, readEcdsaSignature } from './key.ts'
import { attributeText, type Name } from './name.ts'
import { oids } from './names.ts'
import { readPem } from './pem.ts'

const all = noCorpus ? [] : corpusIndex().certificates.map(indexed => ({ indexed, der: corpusFile(indexed.file) }))

/** How the index of the corpus names what we read. */
const attributeNames = new Map<string, string>([
  [oids.commonName, 'CN'],
  [oids.organizationalUnitName, 'OU'],
  [oids.uniqueIdentifier, 'UID(2.5.4.45)'],
])
const stringNames = new Map<number, string>([
  [tag.utf8String, 'UTF8'],
  [tag.printableString, 'Printable'],
  [tag.bitString, 'BITSTRING'],
])
const extensionNames = new Map<string, string>([
  [oids.keyUsage, 'keyUsage'],
  [oids.basicConstraints, 'basicConstraints'],
  [oids.certificatePolicies, 'certPolicies'],
  [oids.subjectKeyIdentifier, 'SKI'],
  [oids.authorityKeyIdentifier, 'AKI'],
  [oids.subjectAltName, 'SAN'],
])
const usageNames: Record<string, string[]> = {
  ds: ['digitalSignature'],
  ka: ['keyAgreement'],
  nonRepudiation: ['nonRepudiation'],
  'certsign-crlsign': ['keyCertSign', 'cRLSign'],
}

function indexName(name: Name): string {
  return name.rdns
    .map(rdn => {
      assert.equal(rdn.length, 1)
      const [one] = rdn
      const value = one!.tag === tag.bitString ? toHex(one!.content) : attributeText(one!)
      return `${attributeNames.get(one!.oid)}:${stringNames.get(one!.tag)}=${value}`
    })
    .join(' / ')
}

const value = (certificate: Certificate, type: string) => extension(certificate, type)?.value
const timeText = ({ form, text }: { form: string; text: string }) =>
  `${form === 'UTCTime' ? 'UTCTime' : 'GenTime'}:${text}`

describe('A published certificate', { skip: noCorpus }, () => {
  it('is one of 114', () => {
    assert.equal(all.length, 114)
  })

  it('is read as its index describes it, field by field', () => {
    for (const { indexed, der } of all) {
      const certificate = readCertificate(der)
      const ski = value(certificate, oids.subjectKeyIdentifier)
      const aki = value(certificate, oids.authorityKeyIdentifier)
      const policies = extension(certificate, oids.certificatePolicies)!
      const san = value(certificate, oids.subjectAltName)
      const device = san && readGeneralNames(san)[0]
      const { file, issuerKey, signature, signatureIsDer, ...expected } = indexed
      const found = {
        serial: toHex(certificate.serial),
        issuer: indexName(certificate.issuer),
        subject: indexName(certificate.subject),
        notBefore: timeText(certificate.notBefore),
        notAfter: timeText(certificate.notAfter),
        ski: ski ? toHex(readSubjectKeyIdentifier(ski)) : null,
        aki: aki ? toHex(readAuthorityKeyIdentifier(aki).keyIdentifier!) : null,
        policy: readCertificatePolicies(policies.value)[0]!.oid,
        hwType: device?.kind === 'hardwareModuleName' ? device.hwType : null,
        extensions: certificate.extensions.map(one => extensionNames.get(one.oid)),
        sha256: createHash('sha256').update(certificate.der).digest('hex'),
      }
      const same = Object.fromEntries(Object.keys(found).map(key => [key, expected[key as keyof typeof expected]]))
      assert.deepEqual(found, same, file)
      assert.equal(policies.critical, indexed.policyCritical, file)
      assert.equal(readCertificatePolicies(policies.value).length, 1, file)
      assert.deepEqual(readKeyUsage(extension(certificate, oids.keyUsage)!.value), usageNames[indexed.usage], file)
      if (device?.kind === 'hardwareModuleName') assert.equal(toHex(device.hwSerialNum), indexed.eui, file)
    }
  })

  it('has the common form: v3, a serial of 16 octets, P-256, no unique identifiers, equal algorithms', () => {
    for (const { indexed, der } of all) {
      const certificate = readCertificate(der)
      assert.equal(certificate.version, 3)
      assert.equal(certificate.serial.length, 16)
      assert.ok(certificate.serial[0]! < 0x80)
      assert.equal(certificate.publicKey.kind, 'P-256')
      assert.deepEqual(
        [certificate.publicKey.spki.length, certificate.publicKey.key.length],
        [91, 65],
        indexed.file,
      )
      assert.equal(certificate.issuerUniqueId || certificate.subjectUniqueId, false)
      assert.equal(certificate.signatureAlgorithm.oid, oids.ecdsaWithSha256)
      assert.deepEqual(view(certificate.signatureAlgorithm.der), view(certificate.outerAlgorithm.der))
    }
    const withParameters = all.filter(({ der }) => readCertificate(der).signatureAlgorithm.parameters)
    assert.deepEqual(
      withParameters.map(({ indexed }) => indexed.issuer),
      ['OU:UTF8=07 / CN:UTF8=Z99'],
    )
  })

  it('carries key identifiers by method 2, its own and the one of its issuer', () => {
    for (const { indexed, der } of all) {
      if (indexed.ski) assert.equal(toHex(keyIdentifier(readCertificate(der).publicKey.key)), indexed.ski)
    }
    assert.equal(all.filter(({ indexed }) => indexed.ski).length, 111)
  })

  it('has a CA of path length 0 where it is the Issuing CA, and an empty basicConstraints where OB issued it', () => {
    const found = all
      .map(({ indexed, der }) => [indexed.kind, value(readCertificate(der), oids.basicConstraints)] as const)
      .filter(([, constraints]) => constraints)
      .map(([kind, constraints]) => [kind, readBasicConstraints(constraints!)])
    assert.deepEqual(found, [
      ['ca-issuing', { ca: true, pathLength: 0 }],
      ['negative-bad-signature', { ca: true, pathLength: 0 }],
      ['org-other-issuer', { ca: false, pathLength: undefined }],
    ])
  })

  it('is signed over the octets that we name, as its index says: 108 well, 2 badly', () => {
    const counts = { good: 0, bad: 0, notDer: 0 }
    for (const { indexed, der } of all) {
      const { tbs, signature } = readCertificate(der)
      if (!indexed.issuerKey) continue
      const key = createPublicKey({ key: corpusFile(indexed.issuerKey), format: 'der', type: 'spki' })
      if (!indexed.signatureIsDer) {
        // The numbers are right, their encoding is not: Node refuses it, and so do we, by name.
        assert.equal(verify('sha256', tbs, key, signature), false)
        assert.throws(() => readEcdsaSignature(new Der(signature)), { name: 'NotDer', fault: 'integer' })
        const r = signature.subarray(4, 4 + signature[3]!)
        const s = signature.subarray(6 + signature[3]!)
        const repaired = sequence(integer(r), integer(s))
        assert.equal(verify('sha256', tbs, key, repaired), true)
        counts.notDer++
        continue
      }
      readEcdsaSignature(new Der(signature))
      const good = verify('sha256', tbs, key, signature)
      assert.equal(good, indexed.signature === 'good', indexed.file)
      counts[good ? 'good' : 'bad']++
    }
    assert.deepEqual(counts, { good: 107, bad: 2, notDer: 1 })
  })

  it('is read by another implementation alike', () => {
    for (const { indexed, der } of all) {
      const ours = readCertificate(der)
      const theirs = new peculiar.X509Certificate(der)
      assert.equal(theirs.serialNumber, toHex(ours.serial))
      assert.equal(theirs.notBefore.getTime(), ours.notBefore.ms)
      assert.equal(theirs.notAfter.getTime(), ours.notAfter.ms)
      assert.equal(toHex(new Uint8Array(theirs.publicKey.rawData)), toHex(ours.publicKey.spki))
      assert.deepEqual(
        Array.from(theirs.extensions, ({ type, critical, value }) => [
          type,
          critical,
          toHex(new Uint8Array(value)),
        ]),
        ours.extensions.map(({ oid, critical, value }) => [oid, critical, toHex(value)]),
        indexed.file,
      )
    }
  })

  it('is read by OpenSSL alike', { skip: noOpenssl }, () => {
    for (const { der } of all) {
      const ours = readCertificate(der)
      const theirs = new X509Certificate(der)
      assert.equal(theirs.serialNumber, toHexUpper(ours.serial))
      assert.equal(Date.parse(theirs.validFrom), ours.notBefore.ms)
      assert.equal(theirs.validToDate.getTime(), ours.notAfter.ms)
      assert.deepEqual(theirs.publicKey.export({ format: 'der', type: 'spki' }), view(ours.publicKey.spki))
    }
    const { indexed, der } = all.find(({ indexed }) => indexed.kind === 'ca-issuing')!
    const run = [
      'x509',
      '-inform',
      'DER',
      '-noout',
      '-serial',
      '-subject',
      '-nameopt',
      'RFC2253,sep_comma_plus_space',
    ]
    const { ok, says } = openssl([...run, '-ext', 'keyUsage'], der)
    assert.ok(ok, says)
    assert.match(says, new RegExp(`serial=${indexed.serial}`, 'i'))
    assert.match(says, /subject=CN=Z1, OU=07/)
    assert.match(says, /Certificate Sign, CRL Sign/)
  })
})

describe('A certificate of every kind that OpenSSL makes', { skip: noOpenssl }, () => {
  const config = `
[req]
distinguished_name = dn
prompt = no
utf8 = yes
string_mask = utf8only
[dn]
C = GB
O = Größe & Söhne
CN = test
[every]
basicConstraints = critical, CA:TRUE, pathlen:1
keyUsage = critical, digitalSignature, keyCertSign, cRLSign, decipherOnly
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always, issuer:always
subjectAltName = DNS:a.example, email:a@b.example, URI:https://a.example/, IP:10.0.0.1, RID:1.2.3.4, dirName:dn, otherName:1.2.3.4;UTF8:x
certificatePolicies = 1.2.3.4, @policy
extendedKeyUsage = serverAuth, clientAuth
nameConstraints = critical, permitted;DNS:example
1.2.3.4.5 = ASN1:UTF8String:unknown
[policy]
policyIdentifier = 1.3.5.8
CPS.1 = https://a.example/
[bare]
keyUsage = keyAgreement
`
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'certificates-'))
    writeFileSync(join(folder, 'config'), config)
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key'], '', folder)
  })
  after(() => rmSync(folder, { recursive: true }))

  /** A self-signed certificate with the extensions of that section. */
  function make(section: string, ...more: string[]): Buffer {
    const args = ['req', '-x509', '-new', '-key', 'key', '-config', 'config', '-extensions', section, ...more]
    const { ok, says } = openssl(args, '', folder)
    assert.ok(ok, says)
    return readPem(says)[0]!.der
  }

  it('is read with all that it says', () => {
    const der = make('every', '-days', '36500', '-set_serial', '0xff00000000000000000000000000000000000001')
    const certificate = readCertificate(der)
    assert.equal(toHex(certificate.serial), '00ff00000000000000000000000000000000000001')
    assert.equal(certificate.notAfter.form, 'GeneralizedTime')
    assert.equal(certificate.notAfter.ms, new X509Certificate(der).validToDate.getTime())
    assert.deepEqual(certificate.subject.rdns.flat().map(attributeText), ['GB', 'Größe & Söhne', 'test'])
    assert.deepEqual(readKeyUsage(value(certificate, oids.keyUsage)!), [
      'digitalSignature',
      'keyCertSign',
      'cRLSign',
      'decipherOnly',
    ])
    assert.deepEqual(readBasicConstraints(value(certificate, oids.basicConstraints)!), { ca: true, pathLength: 1 })
    const aki = readAuthorityKeyIdentifier(value(certificate, oids.authorityKeyIdentifier)!)
    assert.deepEqual(aki.keyIdentifier, readSubjectKeyIdentifier(value(certificate, oids.subjectKeyIdentifier)!))
    assert.deepEqual(aki.serial, certificate.serial)
    assert.ok(aki.issuer)
    assert.deepEqual(
      readCertificatePolicies(value(certificate, oids.certificatePolicies)!).map(({ oid, qualifiers }) => [
        oid,
        !!qualifiers,
      ]),
      [
        ['1.2.3.4', false],
        ['1.3.5.8', true],
      ],
    )
    const names = readGeneralNames(value(certificate, oids.subjectAltName)!)
    assert.deepEqual(
      names.map(name => name.kind === 'other' && name.tag),
      [0x82, 0x81, 0x86, 0x87, 0x88, 0xa4, 0xa0],
    )
    assert.equal(extension(certificate, '1.2.3.4.5')?.critical, false)
  })

  it('is read with several attributes in one relative name, in the order of a SET OF', () => {
    const { subject } = readCertificate(make('bare', '-subj', '/C=GB+O=two+OU=three/CN=multi'))
    assert.deepEqual(
      subject.rdns.map(rdn => rdn.map(attributeText)),
      [['GB', 'two', 'three'], ['multi']],
    )
  })
})

describe('A to-be-signed certificate', () => {
  const [name, validity, key] = [
    Buffer.from('300f310d300b06035504030c0474657374', 'hex'),
    sequence(
      Buffer.from('170d3236313132303030303030305a', 'hex'),
      Buffer.from('170d3236313132303030303030305a', 'hex'),
    ),
    sequence(sequence(oid(oids.ecPublicKey), oid(oids.prime256v1)), bitString(Buffer.alloc(65, 4))),
  ]
  const algorithm = sequence(oid(oids.ecdsaWithSha256))
  const tbs = (version: Buffer[], ...rest: Buffer[]) =>
    sequence(...version, integer(1), algorithm, name, validity, name, key, ...rest)
  const v3 = [tagged(0, integer(2))]
  const one = sequence(oid('1.2.3'), boolean(true), octetString(Buffer.alloc(0)))

  it('is version 1 without a version, and says 2 and 3 as 1 and 2', () => {
    assert.equal(readTbs(tbs([])).version, 1)
    assert.equal(readTbs(tbs([tagged(0, integer(1))])).version, 2)
    assert.equal(readTbs(tbs(v3, tagged(3, sequence(one)))).version, 3)
    assert.deepEqual(readTbs(tbs(v3)).extensions, [])
  })

  it('may have unique identifiers from version 2 on', () => {
    const unique = [Buffer.from('81020001', 'hex'), Buffer.from('82020001', 'hex')]
    const read = readTbs(tbs(v3, ...unique))
    assert.deepEqual([read.issuerUniqueId, read.subjectUniqueId], [true, true])
    assert.throws(() => readTbs(tbs([], unique[0]!)), { fault: 'structure' })
    assert.throws(() => readTbs(tbs(v3, unique[1]!, unique[0]!)), { fault: 'trailing' })
  })

  it('is refused where the standard leaves no room', () => {
    for (const [fault, octets] of [
      ['default', tbs([tagged(0, integer(0))])],
      ['structure', tbs([tagged(0, integer(3))])],
      ['trailing', tbs([tagged(0, integer(2), integer(2))])],
      ['structure', tbs([], tagged(3, sequence(one)))],
      ['structure', tbs([tagged(0, integer(1))], tagged(3, sequence(one)))],
      ['empty', tbs(v3, tagged(3, sequence()))],
      ['duplicate', tbs(v3, tagged(3, sequence(one, one)))],
      ['trailing', tbs(v3, tagged(3, sequence(one), sequence(one)))],
      ['trailing', tbs(v3, tagged(3, sequence(one)), integer(1))],
      ['trailing', Buffer.concat([tbs(v3), Buffer.of(0)])],
      ['truncated', tbs(v3, tagged(3))],
    ] as const) {
      assert.throws(() => readTbs(octets), { name: 'NotDer', fault }, `${fault}: ${toHex(octets)}`)
    }
  })
})
