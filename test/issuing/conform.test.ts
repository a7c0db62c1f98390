/** Lessons, row 4: what is planned is checked by something that knows nothing of the planning, rule by rule. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Bytes } from '../../src/ground/bytes.ts'
import { fromHex } from '../../src/ground/bytes.ts'
import { NotDer } from '../../src/ground/der/read.ts'
import {
  bitString,
  boolean,
  element,
  integer,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from '../../src/ground/der/write.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { parseSettings } from '../../src/main/home.ts'
import { conform, DoesNotConform, rules } from '../../src/policy/conform.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import { testTlsServer } from '../../src/policy/test-tls.ts'
import type { Wanted } from '../../src/policy/wanted.ts'
import { planFor } from '../../src/rooms/authority/plan.ts'
import {
  algorithms,
  attribute,
  extensions as ext,
  extension,
  forgeCertificate,
  name,
  p256,
  p384,
  rsa,
  time,
} from '../verify/forge.ts'

const settings = parseSettings(JSON.stringify({ environment: 'conform', kind: 'test' }), 'the test')
const known = hierarchies(settings)
const policy = '1.2.826.0.1.8641679.1.2.1.4'
const moment = new Date('2026-11-20T09:30:05Z')
const serial = fromHex('5f0c0123456789abcdef0123456789ab')
const eui64 = fromHex('02a0000000010000')
const hwType = '1.2.826.0.1.8641679.1.2.2.1'

/** A to-be-signed certificate in pieces, put together by hand. */
interface Parts {
  readonly version: readonly Bytes[]
  readonly serial: Bytes
  readonly algorithm: Bytes
  readonly issuer: Bytes
  readonly notBefore: Bytes
  readonly notAfter: Bytes
  readonly subject: Bytes
  readonly spki: Bytes
  readonly uniqueIds: readonly Bytes[]
  readonly extensions: readonly Bytes[]
}

function tbsOf(parts: Parts): Buffer {
  return sequence(
    ...parts.version,
    element(0x02, parts.serial),
    parts.algorithm,
    parts.issuer,
    sequence(parts.notBefore, parts.notAfter),
    parts.subject,
    parts.spki,
    ...parts.uniqueIds,
    ...(parts.extensions.length > 0 ? [tagged(3, sequence(...parts.extensions))] : []),
  )
}

interface Good {
  readonly wanted: Wanted
  readonly parts: Parts
}

const printable = (type: string, text: string) => attribute(type, printableString(text))
const utf8 = (type: string, text: string) => attribute(type, utf8String(text))

const caKey = p256()
const rsaCaKey = rsa(2048)
const dca = name(printable(oids.commonName, 'D001'))
const oca = name(printable(oids.organizationalUnitName, '07'), printable(oids.commonName, 'O1'))
const ica = name(
  utf8(oids.organizationName, 'Operator'),
  utf8(oids.organizationalUnitName, 'IKI'),
  utf8(oids.commonName, 'Issuing ICA 1'),
)
const authorityOf = (subject: Bytes, by: typeof caKey) =>
  readCertificate(forgeCertificate({ issuer: subject, subject, spki: by.spki, by, extensions: [ext.ski(by.id)] }))
const issuing = { dca: authorityOf(dca, caKey), oca: authorityOf(oca, caKey), ica: authorityOf(ica, rsaCaKey) }

const common = {
  version: [tagged(0, integer(2))],
  serial,
  algorithm: algorithms.ecdsaSha256,
  notBefore: time('2026-11-20T09:30:05'),
  uniqueIds: [],
}
const policies = (critical: boolean, ...all: Bytes[]) =>
  extension(oids.certificatePolicies, critical, sequence(...all))
const onePolicy = (critical: boolean) => policies(critical, sequence(oid(policy)))
const module = (type: string, value: Bytes) =>
  tagged(0, oid(oids.hardwareModuleName), tagged(0, sequence(oid(type), octetString(value))))
const san = (critical: boolean, ...names: Bytes[]) => extension(oids.subjectAltName, critical, sequence(...names))

const key = p256()

const device: Good = {
  wanted: {
    profile: profileNamed(settings, 'Device Certificate'),
    issuer: issuing.dca,
    serial,
    moment,
    subject: {},
    publicKey: key.spki,
    usage: 'keyAgreement',
    hardwareModule: { hwType, hwSerialNum: eui64 },
  },
  parts: {
    ...common,
    issuer: dca,
    notAfter: element(0x18, Buffer.from('99991231235959Z')),
    subject: sequence(),
    spki: key.spki,
    extensions: [
      ext.usage('keyAgreement'),
      ext.ski(key.id),
      san(true, module(hwType, eui64)),
      onePolicy(true),
      ext.aki(caKey.id),
    ],
  },
}

const organisation: Good = {
  wanted: {
    profile: profileNamed(settings, 'Organisation Certificate'),
    issuer: issuing.oca,
    serial,
    moment,
    subject: { commonName: 'TESTSUPPLIER', organizationalUnitName: '02', uniqueIdentifier: '02a0000000010000' },
    publicKey: key.spki,
    usage: 'digitalSignature',
  },
  parts: {
    ...common,
    issuer: oca,
    notAfter: time('2036-11-20T09:30:04'),
    subject: name(
      utf8(oids.commonName, 'TESTSUPPLIER'),
      utf8(oids.organizationalUnitName, '02'),
      attribute(oids.uniqueIdentifier, bitString(eui64)),
    ),
    spki: key.spki,
    extensions: [ext.usage('digitalSignature'), ext.ski(key.id), onePolicy(true), ext.aki(caKey.id)],
  },
}

const apex = sequence(octetString(Buffer.alloc(107, 7)))
const rootName = name(printable(oids.organizationalUnitName, '00'), printable(oids.commonName, 'OA'))
const rootOca: Good = {
  wanted: {
    profile: known['smki-organisation'].root.profile,
    issuer: 'self',
    serial,
    moment,
    subject: { organizationalUnitName: '00', commonName: 'OA' },
    publicKey: key.spki,
    contingencyKey: apex,
  },
  parts: {
    ...common,
    issuer: rootName,
    notBefore: time('2026-11-20'),
    notAfter: time('2076-11-19T23:59:59'),
    subject: rootName,
    spki: key.spki,
    extensions: [
      ext.usage('keyCertSign', 'cRLSign'),
      ext.constraints(true, 1),
      onePolicy(true),
      ext.ski(key.id),
      extension(oids.wrappedApexContingencyKey, false, apex),
    ],
  },
}

const rsaKey = rsa(2048)
const ikiClient: Good = {
  wanted: {
    profile: profileNamed(settings, 'IKI Client Certificate'),
    issuer: issuing.ica,
    serial,
    moment,
    subject: { organizationName: 'Example', organizationalUnitName: '02', commonName: 'head-end-1' },
    publicKey: rsaKey.spki,
  },
  parts: {
    ...common,
    algorithm: algorithms.rsaSha256,
    issuer: ica,
    notAfter: time('2036-11-20T09:30:04'),
    subject: name(
      utf8(oids.organizationName, 'Example'),
      utf8(oids.organizationalUnitName, '02'),
      utf8(oids.commonName, 'head-end-1'),
    ),
    spki: rsaKey.spki,
    extensions: [
      ext.usage('digitalSignature'),
      ext.purposes(false, oids.clientAuth),
      onePolicy(false),
      ext.ski(rsaKey.id),
      ext.aki(rsaCaKey.id),
    ],
  },
}

const dns = (host: string) => taggedPrimitive(2, Buffer.from(host))
const ip = (...octets: number[]) => taggedPrimitive(7, Buffer.from(octets))
const tlsServer: Good = {
  wanted: {
    profile: testTlsServer,
    issuer: issuing.ica,
    serial,
    moment,
    subject: { commonName: 'localhost' },
    publicKey: rsaKey.spki,
    serverNames: ['localhost', '127.0.0.1', '::1'],
  },
  parts: {
    ...common,
    algorithm: algorithms.rsaSha256,
    issuer: ica,
    notAfter: time('2027-11-20T09:30:04'),
    subject: name(utf8(oids.commonName, 'localhost')),
    spki: rsaKey.spki,
    extensions: [
      ext.usage('digitalSignature', 'keyEncipherment'),
      ext.purposes(false, oids.serverAuth),
      san(false, dns('localhost'), ip(127, 0, 0, 1), ip(...Buffer.alloc(15), 1)),
      ext.ski(rsaKey.id),
      ext.aki(rsaCaKey.id),
    ],
  },
}

const rule = {
  version: 'the version is 3',
  serial: 'the serial number is the one decided, of 16 octets, the first 01 to 7F',
  algorithm: "the signature algorithm is that of the issuer's key",
  issuer: "the issuer is the issuer's subject, octet for octet, and not empty",
  begins: 'the period begins where the profile says',
  period: 'the period is that of the policy, to the second',
  times: 'times are UTCTime to 2049 and GeneralizedTime from 2050',
  subject: 'the subject is as the profile and the request have it',
  uniqueIds: 'there are no unique identifiers',
  key: 'the public key is the one decided, of the kind of the profile',
  extensions: 'the extensions are those of the profile, in its order, with its criticality and content',
} as const

interface Bad {
  readonly what: string
  readonly breaks: readonly (keyof typeof rule)[]
  readonly from: Good
  readonly parts?: Partial<Parts>
  readonly wanted?: Partial<Wanted>
}

const bad = (
  from: Good,
  breaks: keyof typeof rule | readonly (keyof typeof rule)[],
  what: string,
  parts: Partial<Parts>,
  wanted?: Partial<Wanted>,
): Bad => ({
  from,
  breaks: typeof breaks === 'string' ? [breaks] : breaks,
  what: `${from.wanted.profile.name}: ${what}`,
  parts,
  ...(wanted && { wanted }),
})

/** The extensions with one in place of another, or without it. */
const swap = (from: Good, at: number, ...by: Bytes[]) => ({
  extensions: from.parts.extensions.toSpliced(at, 1, ...by),
})
const other = p256()
const curve384 = p384()
const weak = rsa(1024)
const exponent3 = rsa(2048, 3)
const flipped = (octets: Bytes) => Buffer.from(octets).fill(octets.at(-1)! ^ 1, octets.length - 1)
const nameWith = (...changed: Bytes[]) => ({ subject: name(...changed) })
const unit02 = utf8(oids.organizationalUnitName, '02')
const cn = utf8(oids.commonName, 'TESTSUPPLIER')
const id = attribute(oids.uniqueIdentifier, bitString(eui64))

const faults: readonly Bad[] = [
  bad(device, ['version', 'extensions'], 'version 1', { version: [], extensions: [] }),
  bad(device, ['version', 'extensions'], 'version 2', { version: [tagged(0, integer(1))], extensions: [] }),

  bad(device, 'serial', 'another serial number', { serial: flipped(serial) }),
  bad(
    device,
    'serial',
    'a serial number of 15 octets, as decided',
    { serial: serial.subarray(1) },
    { serial: serial.subarray(1) },
  ),
  bad(
    device,
    'serial',
    'one of 17 octets, as decided',
    { serial: Buffer.concat([Buffer.of(1), serial]) },
    { serial: Buffer.concat([Buffer.of(1), serial]) },
  ),
  bad(
    device,
    'serial',
    'a negative one, as decided',
    { serial: Buffer.alloc(16, 0x80) },
    { serial: Buffer.alloc(16, 0x80) },
  ),
  bad(
    device,
    'serial',
    'one with a zero octet first, decided so',
    { serial: Buffer.alloc(15, 1) },
    { serial: Buffer.concat([Buffer.of(0), Buffer.alloc(15, 1)]) },
  ),

  bad(device, 'algorithm', 'ecdsa-with-SHA384', { algorithm: algorithms.ecdsaSha384 }),
  bad(device, 'algorithm', 'ecdsa-with-SHA256 with NULL', {
    algorithm: sequence(oid(oids.ecdsaWithSha256), nothing()),
  }),
  bad(device, 'algorithm', 'the algorithm of another key', { algorithm: algorithms.rsaSha256 }),
  bad(ikiClient, 'algorithm', 'the algorithm of another key', { algorithm: algorithms.ecdsaSha256 }),
  bad(ikiClient, 'algorithm', 'sha256WithRSAEncryption without NULL', {
    algorithm: sequence(oid(oids.sha256WithRsa)),
  }),
  bad(rootOca, 'algorithm', 'the algorithm of another key', { algorithm: algorithms.rsaSha256 }),

  bad(device, 'issuer', 'another issuer', { issuer: name(printable(oids.commonName, 'D002')) }),
  bad(device, 'issuer', 'the same name in another string type', { issuer: name(utf8(oids.commonName, 'D001')) }),
  bad(device, 'issuer', 'no issuer', { issuer: name() }),
  bad(rootOca, 'issuer', 'a root issued by another', { issuer: oca }),

  bad(device, 'begins', 'a second early', { notBefore: time('2026-11-20T09:30:04') }),
  bad(device, 'begins', 'a second late', { notBefore: time('2026-11-20T09:30:06') }),
  bad(organisation, ['begins', 'period'], 'a second late', { notBefore: time('2026-11-20T09:30:06') }),
  bad(organisation, ['begins', 'period'], 'backdated to midnight', { notBefore: time('2026-11-20') }),
  bad(rootOca, ['begins', 'period'], 'at the moment, where midnight is due', {
    notBefore: time('2026-11-20T09:30:05'),
  }),
  bad(rootOca, ['begins', 'period'], 'on the day before', { notBefore: time('2026-11-19') }),
  bad(rootOca, ['begins', 'period'], 'on the day after', { notBefore: time('2026-11-21') }),

  bad(device, 'period', 'a second less than for ever', { notAfter: element(0x18, Buffer.from('99991231235958Z')) }),
  bad(device, 'period', 'some years', { notAfter: time('2036-11-20T09:30:04') }),
  bad(organisation, 'period', 'a second longer', { notAfter: time('2036-11-20T09:30:05') }),
  bad(organisation, 'period', 'a second shorter', { notAfter: time('2036-11-20T09:30:03') }),
  bad(organisation, 'period', 'a day longer', { notAfter: time('2036-11-21T09:30:04') }),
  bad(organisation, 'period', 'a year shorter', { notAfter: time('2035-11-20T09:30:04') }),
  bad(organisation, 'period', 'for ever', { notAfter: element(0x18, Buffer.from('99991231235959Z')) }),
  bad(rootOca, 'period', 'a second longer', { notAfter: time('2076-11-20') }),
  bad(rootOca, 'period', 'a second shorter', { notAfter: time('2076-11-19T23:59:58') }),

  bad(device, 'times', 'GeneralizedTime before 2050', { notBefore: element(0x18, Buffer.from('20261120093005Z')) }),
  bad(organisation, 'times', 'GeneralizedTime before 2050', {
    notAfter: element(0x18, Buffer.from('20361120093004Z')),
  }),

  bad(device, 'subject', 'a subject, where none is due', nameWith(cn)),
  bad(
    device,
    'subject',
    'a subject that was asked for, and has no place',
    {},
    { subject: { commonName: 'meter' } },
  ),
  bad(organisation, 'subject', 'no subject', nameWith()),
  bad(organisation, 'subject', 'another order', nameWith(unit02, cn, id)),
  bad(organisation, 'subject', 'a name that was asked for, left out', nameWith(unit02, id)),
  bad(
    organisation,
    'subject',
    'a name that nobody asked for',
    {},
    { subject: { organizationalUnitName: '02', uniqueIdentifier: '02a0000000010000' } },
  ),
  bad(organisation, 'subject', 'another role', nameWith(cn, utf8(oids.organizationalUnitName, '03'), id)),
  bad(
    organisation,
    'subject',
    'PrintableString, where UTF8String is due',
    nameWith(cn, printable(oids.organizationalUnitName, '02'), id),
  ),
  bad(organisation, 'subject', 'another attribute', nameWith(cn, utf8(oids.organizationName, '02'), id)),
  bad(organisation, 'subject', 'an empty name', nameWith(utf8(oids.commonName, ''), unit02, id), {
    subject: { ...organisation.wanted.subject, commonName: '' },
  }),
  bad(
    organisation,
    'subject',
    'a name of 17 characters',
    nameWith(utf8(oids.commonName, 'SEVENTEEN LETTERS'), unit02, id),
    { subject: { ...organisation.wanted.subject, commonName: 'SEVENTEEN LETTERS' } },
  ),
  bad(
    organisation,
    'subject',
    'two attributes in one part of the name',
    nameWith(
      cn,
      setOf(
        sequence(oid(oids.organizationalUnitName), utf8String('02')),
        sequence(oid(oids.organizationName), utf8String('x')),
      ),
      id,
    ),
  ),
  bad(
    organisation,
    'subject',
    'another EUI-64',
    nameWith(cn, unit02, attribute(oids.uniqueIdentifier, bitString(flipped(eui64)))),
  ),
  bad(
    organisation,
    'subject',
    'an EUI-64 of 7 octets',
    nameWith(cn, unit02, attribute(oids.uniqueIdentifier, bitString(eui64.subarray(1)))),
  ),
  bad(
    organisation,
    'subject',
    'an EUI-64 of 63 bits',
    nameWith(cn, unit02, attribute(oids.uniqueIdentifier, bitString(eui64, 1))),
  ),
  bad(
    organisation,
    'subject',
    'an EUI-64 as an OCTET STRING',
    nameWith(cn, unit02, attribute(oids.uniqueIdentifier, octetString(eui64))),
  ),
  bad(organisation, 'subject', 'one part more', nameWith(cn, unit02, id, id)),
  bad(
    rootOca,
    'subject',
    'another unit than the profile has, as decided',
    {},
    { subject: { organizationalUnitName: '07', commonName: 'OA' } },
  ),
  bad(
    rootOca,
    'subject',
    'a name of 5 octets',
    {
      issuer: name(printable(oids.organizationalUnitName, '00'), printable(oids.commonName, 'OABCD')),
      subject: name(printable(oids.organizationalUnitName, '00'), printable(oids.commonName, 'OABCD')),
    },
    { subject: { organizationalUnitName: '00', commonName: 'OABCD' } },
  ),

  bad(device, 'uniqueIds', 'issuerUniqueID', { uniqueIds: [taggedPrimitive(1, Buffer.of(0, 1))] }),
  bad(device, 'uniqueIds', 'subjectUniqueID', { uniqueIds: [taggedPrimitive(2, Buffer.of(0, 1))] }),

  bad(device, 'key', 'another key', { spki: other.spki, ...swap(device, 1, ext.ski(other.id)) }),
  bad(
    device,
    'key',
    'P-384, as decided',
    { spki: curve384.spki, ...swap(device, 1, ext.ski(curve384.id)) },
    { publicKey: curve384.spki },
  ),
  bad(
    device,
    'key',
    'RSA, as decided',
    { spki: rsaKey.spki, ...swap(device, 1, ext.ski(rsaKey.id)) },
    { publicKey: rsaKey.spki },
  ),
  bad(
    ikiClient,
    'key',
    'P-256, as decided',
    { spki: key.spki, ...swap(ikiClient, 3, ext.ski(key.id)) },
    { publicKey: key.spki },
  ),
  bad(
    ikiClient,
    'key',
    'RSA 1024, as decided',
    { spki: weak.spki, ...swap(ikiClient, 3, ext.ski(weak.id)) },
    { publicKey: weak.spki },
  ),
  bad(
    ikiClient,
    'key',
    'RSA with exponent 3, as decided',
    { spki: exponent3.spki, ...swap(ikiClient, 3, ext.ski(exponent3.id)) },
    { publicKey: exponent3.spki },
  ),

  bad(device, 'extensions', 'no extensions', { extensions: [] }),
  bad(device, 'extensions', 'another order', { extensions: device.parts.extensions.toReversed() }),
  ...device.parts.extensions.map((_, i) =>
    bad(device, 'extensions', `extension ${i + 1} left out`, swap(device, i)),
  ),
  bad(device, 'extensions', 'one more', { extensions: [...device.parts.extensions, ext.unknown(false)] }),
  bad(device, 'extensions', 'another in place of one', swap(device, 4, ext.unknown(false))),
  bad(
    device,
    'extensions',
    'keyUsage not critical',
    swap(device, 0, extension(oids.keyUsage, false, bitString(Buffer.of(0x08), 3))),
  ),
  bad(device, 'extensions', 'the other usage', swap(device, 0, ext.usage('digitalSignature'))),
  bad(device, 'extensions', 'both usages', swap(device, 0, ext.usage('digitalSignature', 'keyAgreement'))),
  bad(device, 'extensions', 'a usage that no Device has, as decided', swap(device, 0, ext.usage('keyCertSign')), {
    usage: 'keyCertSign',
  }),
  bad(
    device,
    'extensions',
    'a keyUsage with trailing zero bits',
    swap(device, 0, extension(oids.keyUsage, true, bitString(Buffer.of(0x08)))),
  ),
  bad(device, 'extensions', 'subjectKeyIdentifier critical', swap(device, 1, ext.ski(key.id, true))),
  bad(device, 'extensions', 'the key identifier of another key', swap(device, 1, ext.ski(other.id))),
  bad(device, 'extensions', 'a key identifier of 20 octets', swap(device, 1, ext.ski(Buffer.alloc(20, 4)))),
  bad(device, 'extensions', 'subjectAltName not critical', swap(device, 2, san(false, module(hwType, eui64)))),
  bad(device, 'extensions', 'another hwType', swap(device, 2, san(true, module('1.2.3', eui64)))),
  bad(device, 'extensions', 'another Device ID', swap(device, 2, san(true, module(hwType, flipped(eui64))))),
  bad(
    device,
    'extensions',
    'a Device ID of 7 octets, as decided',
    swap(device, 2, san(true, module(hwType, eui64.subarray(1)))),
    { hardwareModule: { hwType, hwSerialNum: eui64.subarray(1) } },
  ),
  bad(device, 'extensions', 'two names', swap(device, 2, san(true, module(hwType, eui64), module(hwType, eui64)))),
  bad(device, 'extensions', 'a host name', swap(device, 2, san(true, dns('meter.example')))),
  bad(device, 'extensions', 'certificatePolicies not critical', swap(device, 3, onePolicy(false))),
  bad(device, 'extensions', 'another policy', swap(device, 3, policies(true, sequence(oid('1.2.3.4'))))),
  bad(
    device,
    'extensions',
    'two policies',
    swap(device, 3, policies(true, sequence(oid(policy)), sequence(oid('1.2.3.4')))),
  ),
  bad(
    device,
    'extensions',
    'a policy with a qualifier',
    swap(
      device,
      3,
      policies(
        true,
        sequence(oid(policy), sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), element(0x16, Buffer.from('x'))))),
      ),
    ),
  ),
  bad(device, 'extensions', 'authorityKeyIdentifier critical', swap(device, 4, ext.aki(caKey.id, true))),
  bad(device, 'extensions', 'the key identifier of another authority', swap(device, 4, ext.aki(other.id))),
  bad(device, 'extensions', 'issuer and serial number beside it', swap(device, 4, ext.fullAki(caKey.id, dca, 5))),
  bad(rootOca, 'extensions', 'pathLenConstraint 0', swap(rootOca, 1, ext.constraints(true, 0))),
  bad(rootOca, 'extensions', 'no pathLenConstraint', swap(rootOca, 1, ext.constraints(true))),
  bad(rootOca, 'extensions', 'no CA', swap(rootOca, 1, ext.constraints(false))),
  bad(rootOca, 'extensions', 'one usage of two', swap(rootOca, 0, ext.usage('keyCertSign'))),
  bad(
    rootOca,
    'extensions',
    'one usage more',
    swap(rootOca, 0, ext.usage('digitalSignature', 'keyCertSign', 'cRLSign')),
  ),
  bad(
    rootOca,
    'extensions',
    'another contingency key',
    swap(rootOca, 4, extension(oids.wrappedApexContingencyKey, false, flipped(apex))),
  ),
  bad(rootOca, 'extensions', 'a contingency key that was not decided', {}, { contingencyKey: Buffer.alloc(0) }),
  bad(ikiClient, 'extensions', 'another purpose', swap(ikiClient, 1, ext.purposes(false, oids.serverAuth))),
  bad(
    ikiClient,
    'extensions',
    'one purpose more',
    swap(ikiClient, 1, ext.purposes(false, oids.clientAuth, oids.serverAuth)),
  ),
  bad(ikiClient, 'extensions', 'purposes critical', swap(ikiClient, 1, ext.purposes(true, oids.clientAuth))),
  bad(
    tlsServer,
    'extensions',
    'another host',
    swap(tlsServer, 2, san(false, dns('example.org'), ip(127, 0, 0, 1), ip(...Buffer.alloc(15), 1))),
  ),
  bad(
    tlsServer,
    'extensions',
    'another address',
    swap(tlsServer, 2, san(false, dns('localhost'), ip(127, 0, 0, 2), ip(...Buffer.alloc(15), 1))),
  ),
  bad(tlsServer, 'extensions', 'one name less', swap(tlsServer, 2, san(false, dns('localhost'), ip(127, 0, 0, 1)))),
]

describe('A planned certificate', () => {
  for (const { wanted, parts } of [device, organisation, rootOca, ikiClient, tlsServer]) {
    it(`is what another writer makes of the profile, octet for octet: ${wanted.profile.name}`, () => {
      const planned = planFor(wanted.profile, wanted.issuer)(wanted)
      assert.deepEqual(planned, tbsOf(parts))
      assert.equal(conform(planned, wanted).tbs, planned)
    })
  }

  for (const { what, breaks, from, parts, wanted } of faults) {
    it(`is refused for one fault by its name: ${what}`, () => {
      const tbs = tbsOf({ ...from.parts, ...parts })
      assert.throws(
        () => conform(tbs, { ...from.wanted, ...wanted }),
        cause => {
          assert.ok(cause instanceof DoesNotConform, String(cause))
          const named = rules
            .filter(one => cause.broken.includes(`${one.says} (${one.where})`))
            .map(one => one.says)
          assert.deepEqual(
            named,
            breaks.map(one => rule[one]),
          )
          assert.equal(cause.broken.length, named.length)
          for (const one of named) assert.ok(cause.message.includes(one))
          return true
        },
      )
    })
  }

  it('has a planted fault for every rule', () => {
    assert.deepEqual(rules.map(one => one.says).toSorted(), Object.values(rule).toSorted())
    for (const one of Object.keys(rule))
      assert.ok(
        faults.some(({ breaks }) => breaks.some(broken => broken === one)),
        one,
      )
  })

  it('that cannot be read is refused too', () => {
    const tbs = tbsOf(device.parts)
    for (const octets of [Buffer.alloc(0), tbs.subarray(0, -1), Buffer.concat([tbs, Buffer.of(0)])]) {
      assert.throws(() => conform(octets, device.wanted), NotDer)
    }
    const [usage, ...rest] = device.parts.extensions
    const explicitFalse = sequence(oid(oids.keyUsage), boolean(false), octetString(bitString(Buffer.of(0x08), 3)))
    assert.throws(
      () => conform(tbsOf({ ...device.parts, extensions: [explicitFalse, ...rest] }), device.wanted),
      NotDer,
    )
    assert.throws(
      () => conform(tbsOf({ ...device.parts, extensions: [usage!, usage!, ...rest] }), device.wanted),
      NotDer,
    )
  })

  it('is refused, whichever one octet of it is changed', () => {
    let refused = 0
    for (const { wanted, parts } of [device, organisation, rootOca]) {
      const tbs = tbsOf(parts)
      for (let at = 0; at < tbs.length; at++) {
        for (const change of [0x01, 0x80, 0xff]) {
          const changed = Buffer.from(tbs)
          changed[at]! ^= change
          assert.throws(
            () => conform(changed, wanted),
            cause => cause instanceof DoesNotConform || cause instanceof NotDer,
            `octet ${at} of a ${wanted.profile.name}`,
          )
          refused++
        }
      }
    }
    assert.ok(refused > 2000)
  })
})
