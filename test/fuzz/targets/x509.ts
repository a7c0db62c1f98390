/** Certificates, requests and lists, with everything that reads on once they are read: extensions, lint, paths. */

import { csrWith, makeDeviceCsr } from '../../../simulator/device.ts'
import type { Bytes } from '../../../src/ground/bytes.ts'
import { Der, NotDer } from '../../../src/ground/der/read.ts'
import { oid } from '../../../src/ground/der/write.ts'
import { Refusal } from '../../../src/ground/refusal.ts'
import { readCertificate } from '../../../src/ground/x509/certificate.ts'
import {
  type Extension,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlNumber,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readReasonCode,
  readSubjectKeyIdentifier,
} from '../../../src/ground/x509/extensions.ts'
import { readEcdsaSignature, readRsaKey } from '../../../src/ground/x509/key.ts'
import { entryOf, readList } from '../../../src/ground/x509/list.ts'
import { sameName, showName } from '../../../src/ground/x509/name.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { relyingParty } from '../../../src/ground/x509/path.ts'
import { readRequest } from '../../../src/ground/x509/request.ts'
import { lintFile } from '../../../src/policy/lint/file.ts'
import { readCsr } from '../../../src/rooms/issuance/csr.ts'
import { corpusFile, corpusIndex, noCorpus } from '../../outside.ts'
import { extensions as ext, rsa } from '../../verify/forge.ts'
import { ca, ica, keys, leaf, list, root } from '../../verify/scene.ts'
import { rewrittenCertificate, rewrittenKey, rewrittenList, rewrittenName } from '../rewrite.ts'
import { Broken, same, type Target } from '../target.ts'
import { notDer } from './der.ts'

const words: readonly Bytes[] = Object.values(oids).map(oid)
const watches = /\/src\/(ground\/(der|x509)|policy\/lint)\//
const pick = (folder: string) => corpusIndex().certificates.find(({ file }) => file.startsWith(folder))?.file

/** One of each kind that was published. */
const published = (): Buffer[] =>
  noCorpus
    ? []
    : ['ca-issuing/', 'device-ds/', 'device-ka/', 'device-boxed/', 'org-supplier-ds/', 'org-xmlsign', 'negative-']
        .map(pick)
        .filter(file => file !== undefined)
        .map(corpusFile)

const at = new Date('2025-06-01T00:00:00Z')
const trust = [readCertificate(root.der)]
const untrusted = [readCertificate(ica.der)]
const asked = relyingParty({ profile: 'rfc5280', trust, untrusted, lists: [list(root), list(ica)].map(readList) })
const askedGb = relyingParty({ trust, untrusted, profile: 'gb' })

export const certificate: Target = {
  name: 'certificate',
  says: 'an X.509 certificate, its extensions, its verdicts by lint, and by both profiles of path validation',
  watches,
  longest: 8192,
  form: 'der',
  words,
  seeds: () => [
    root.der,
    ica.der,
    leaf(keys.leaf, ica, {
      extra: [ext.policies('1.2.3.1', oids.anyPolicy), ext.policyConstraints(1), ext.inhibitAny(0)],
    }),
    leaf(keys.leaf, ica, { extra: [ext.dns('a.example', true), ext.purposes(true, oids.clientAuth)] }),
    leaf(rsa(1024), ica),
    leaf(keys.leaf, ica, { version: 1, extensions: [] }),
    ca('Sub', keys.sub, ica, { extra: [ext.unknown(false)] }).der,
    ...published(),
  ],
  read: octets => {
    // Whatever the octets are, these two answer.
    asked(octets, at)
    lintFile(octets)
    const read = readCertificate(octets)
    const again = rewrittenCertificate(read)
    if (again) same(again, octets, 'the certificate')
    if (!sameName(read.issuer, read.issuer)) throw new Broken('a name is not the same as itself')
    showName(read.subject)
    askedGb(read, 'ignore')
    for (const one of read.extensions) knownExtension(one)
    quietly(() => readRsaKey(new Der(read.publicKey.key)))
    quietly(() => readEcdsaSignature(new Der(read.signature)))
  },
  no: notDer,
}

export const request: Target = {
  name: 'request',
  says: 'a PKCS#10 request, as the doors read it, and its verdicts by lint',
  watches: /\/src\/(ground\/(der|x509)|policy\/lint|rooms\/issuance\/csr)/,
  longest: 5000,
  form: 'der',
  words,
  seeds: () => [
    makeDeviceCsr({ deviceId: '02e3000000000001', usage: 'digitalSignature' }).csr,
    makeDeviceCsr({ deviceId: '02e3000000000001', usage: 'keyAgreement' }).csr,
    csrWith({ deviceId: '02e3000000000002', usage: 'keyAgreement' } as Parameters<typeof csrWith>[0]),
    ...(noCorpus ? [] : corpusIndex().requests.map(({ file }) => corpusFile(file))),
  ],
  read: octets => {
    lintFile(octets)
    const csr = readRequest(octets)
    const info = new Der(csr.tbs).sequence('the information')
    info.small('the version')
    same(rewrittenName(csr.subject), info.element(0x30, 'the subject'), 'the subject')
    same(rewrittenKey(csr.publicKey), info.element(0x30, 'the key'), 'the key')
    for (const one of csr.extensions) knownExtension(one)
    readCsr(octets)
  },
  no: cause => notDer(cause) ?? (cause instanceof Refusal && /^CR:CC\d$/.test(cause.code) ? cause.code : undefined),
}

export const revocationList: Target = {
  name: 'list',
  says: 'a certificate revocation list, all its entries, its verdicts by lint, and a path that asks it',
  watches,
  longest: 8192,
  form: 'der',
  words,
  seeds: () => [
    list(root),
    list(ica, { revoked: [{ serial: 0x123456, reason: 1 }, { serial: 7 }] }),
    list(ica, { version: 1, extensions: [] }),
    list(ica, { extensions: [ext.aki(keys.ica.id), ext.crlNumber(3), ext.unknown(true)] }),
    list(ica, { until: null, revoked: [{ serial: 9, extensions: [ext.unknown(true)] }] }),
  ],
  read: octets => {
    lintFile(octets)
    const read = readList(octets)
    same(rewrittenList(read), octets, 'the list')
    if ([...read.entries()].length !== read.count) throw new Broken('the entries are not as many as were counted')
    for (const entry of read.entries()) {
      if (entryOf(read, entry.serial) === undefined) throw new Broken('an entry is not found')
      for (const one of entry.extensions) knownExtension(one)
      break
    }
    for (const one of read.extensions) knownExtension(one)
    relyingParty({ profile: 'rfc5280', trust, untrusted, lists: [read] })(target, at)
  },
  no: notDer,
}

const target = leaf(keys.leaf, ica, { serial: 0x123456 })

const readers: Readonly<Record<string, (value: Bytes) => unknown>> = {
  [oids.keyUsage]: readKeyUsage,
  [oids.basicConstraints]: readBasicConstraints,
  [oids.subjectKeyIdentifier]: readSubjectKeyIdentifier,
  [oids.authorityKeyIdentifier]: readAuthorityKeyIdentifier,
  [oids.certificatePolicies]: readCertificatePolicies,
  [oids.extendedKeyUsage]: readExtendedKeyUsage,
  [oids.subjectAltName]: value => readGeneralNames(value),
  [oids.issuerAltName]: value => readGeneralNames(value),
  [oids.crlNumber]: readCrlNumber,
  [oids.reasonCode]: readReasonCode,
}

function knownExtension({ oid: type, value }: Extension): void {
  const reader = readers[type]
  if (reader) quietly(() => reader(value))
}

/** A "no" of a part is no answer about the whole; anything else goes on up. */
function quietly(read: () => unknown): void {
  try {
    read()
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
  }
}
