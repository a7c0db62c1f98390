import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  boxedIssuer,
  cert,
  crl,
  csr,
  entries,
  extended,
  type File,
  good,
  hex,
  idsOf,
  issuerOf,
  oddKeyUsage,
  organisation,
  period,
  signer,
  u,
} from '../../../test/lint/files.ts'
import {
  type CertificateTemplate,
  certificate,
  certificates,
  ecdsaWithSha256,
  entry,
  extension,
  generalized,
  ids,
  issuingOca,
  keys,
  name,
  rdn,
  reason,
  swap,
  uid,
  utc,
  validity,
} from '../../../test/lint/forge.ts'
import { bitString, element, integer, nothing, oid, sequence, taggedPrimitive } from '../../ground/der/write.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { formOfKind, knownKinds } from './kind.ts'
import { examine, lintCertificate } from './lint.ts'
import { profiles } from './profiles.ts'
import { severityFor } from './rule.ts'
import { rules } from './rules.ts'
import { readSigner } from './signer.ts'

describe('a good file', () => {
  for (const kind of knownKinds) {
    it(`of the kind ${kind} is recognised, and nothing is found in it`, () => {
      const { form, octets } = good(kind)
      const report = examine(form, octets)
      assert.deepEqual(report.findings, [])
      assert.equal(report.kind, kind)
      assert.equal(formOfKind(kind), form)
    })
  }

  it('of an environment with periods of its own is measured by those', () => {
    const short = cert('root-oca', t => ({ ...t, validity: validity(utc('261120093000Z'), utc('461120092959Z')) }))
    assert.deepEqual(idsOf(short), ['validity_too_short'])
    const settings = { profiles: { 'root-oca': { years: 20 } } }
    assert.deepEqual(idsOf({ ...short, options: { settings } }), [])
    assert.deepEqual(idsOf({ ...good('root-oca'), options: { settings } }), ['validity_too_long'])
  })

  it('shows faults by another profile, when it is told to', () => {
    const { octets } = good('organisation')
    assert.ok(
      lintCertificate(octets, { as: 'device' }).some(finding => finding.rule === 'subject_alt_name_present'),
    )
    assert.deepEqual(lintCertificate(octets, { as: 'device-csr' })[0]?.rule, 'kind_known')
  })
})

describe('a part that cannot be read', () => {
  it('is one finding, and the rest is measured all the same', () => {
    const change = (t: CertificateTemplate) => ({
      ...swap(t, ids.keyUsage, extension(ids.keyUsage, true, hex('030207ff'))),
      subject: name(rdn(ids.ou, u('137')), uid),
    })
    assert.deepEqual(idsOf(cert('organisation', change)), ['der_bit_string', 'role_two_hex_digits'])
  })

  it('is named by the rule of its own: keyUsage in whichever wrong way', () => {
    const found = (text: string) => idsOf(oddKeyUsage(text))
    assert.deepEqual(found('0303078000'), ['key_usage_trailing_zeros'])
    assert.deepEqual(found('030307ff80'), ['key_usage_exact'])
    assert.deepEqual(found('0305008000000001'), ['der_trailing'])
    assert.deepEqual(found('03050080000001'), ['der_bit_string'])
    assert.deepEqual(found('0302078000'), ['der_trailing'])
    assert.deepEqual(found('04020780'), ['der_tag'])
    assert.deepEqual(found(''), ['der_truncated'])
  })

  it('is a key that OpenSSL would throw upon', () => {
    const spki = sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing()), bitString(hex('0500')))
    assert.deepEqual(idsOf(csr('iki-csr', t => ({ ...t, spki }))), ['der_tag', 'request_signature_verifies'])
  })

  it('of a certificate that is no DER at all is the only finding', () => {
    const report = examine('certificate', hex('3080'))
    assert.equal(report.opened, undefined)
    assert.deepEqual(
      report.findings.map(({ rule, severity }) => [rule, severity]),
      [['der_length', 'error']],
    )
  })
})

describe('the inclusive period of an Organisation Certificate', () => {
  const cases: [from: string, to: string, found: string[]][] = [
    ['261231235959Z', '361231235958Z', []],
    ['270101000000Z', '361231235959Z', []],
    ['270101000000Z', '370101000000Z', ['validity_on_anniversary']],
    ['270101000000Z', '370101235959Z', ['validity_one_day_over']],
    ['270101000000Z', '370102000000Z', ['validity_too_long']],
    // Whichever day the tenth 29 February is taken to be, and no other.
    ['280229000000Z', '380227235959Z', []],
    ['280229000000Z', '380228235959Z', []],
    ['280229000000Z', '380302000000Z', ['validity_too_long']],
    ['280229000000Z', '380226235959Z', ['validity_too_short']],
    ['280228000000Z', '380227235959Z', []],
    // From 2040 on, ten years reach into the years of GeneralizedTime.
    ['391231000000Z', '491230235959Z', []],
  ]
  for (const [from, to, found] of cases) {
    it(`from ${from} to ${to} is ${found.join() || 'right'}`, () => {
      assert.deepEqual(idsOf(period(utc(from), utc(to))), found)
    })
  }

  it('may cross into 2050', () => {
    assert.deepEqual(idsOf(period(utc('400101000000Z'), utc('491231235959Z'))), [])
    assert.deepEqual(idsOf(period(utc('400101000001Z'), generalized('20500101000000Z'))), [])
  })
})

describe('a list', () => {
  it('in disorder is searched for repeats that do not stand side by side', () => {
    assert.deepEqual(idsOf(entries(entry('03'), entry('02'), entry('03'))).toSorted(), [
      'list_ascending',
      'list_no_repeats',
    ])
    assert.deepEqual(idsOf(entries(entry('03'), entry('01'), entry('02'), entry('01'))).toSorted(), [
      'list_ascending',
      'list_no_repeats',
    ])
  })

  it('has revocation dates in the right form too', () => {
    const odd = sequence(integer(2), generalized('20261120093000Z'))
    assert.deepEqual(idsOf(entries(entry('01'), odd)), ['time_generalized_before_2050'])
  })

  it('of an unreadable reason is measured on', () => {
    const bad = extension(ids.reasonCode, false, hex('0a0163'))
    assert.deepEqual(idsOf(entries(entry('01', bad), entry('02', bad), entry('03', reason(6)))), [
      'der_structure',
      'no_suspension',
    ])
  })
})

describe('a finding', () => {
  it('is short, however long what it found', () => {
    const findings = lintCertificate(organisation(rdn(ids.ou, u('x'.repeat(5000))), uid).octets)
    assert.equal(findings[0]?.found.length, 160)
  })

  it('is not silenced by what only a Device Certificate is forgiven', () => {
    assert.deepEqual(idsOf(cert('organisation', t => ({ ...t, issuer: boxedIssuer }))), [
      'issuer_attributes',
      'issuer_strings',
    ])
    assert.deepEqual(
      idsOf(cert('organisation', t => ({ ...swap(t, ids.subjectKeyIdentifier), issuer: boxedIssuer }))),
      ['issuer_attributes', 'subject_key_identifier_present', 'issuer_strings'],
    )
  })

  it('is made of an authority key identifier of 8 octets that method 2 does not make', () => {
    const value = sequence(taggedPrimitive(0, Buffer.alloc(8)))
    const by = extension(ids.authorityKeyIdentifier, false, value)
    assert.deepEqual(idsOf(extended('organisation', ids.authorityKeyIdentifier, by)), [
      'authority_key_identifier_octets',
    ])
  })
})

describe('the severity', () => {
  it('of what is ASSUMED below high is a warning, and the finding names its row of the register', () => {
    const severities = (file: File) =>
      examine(file.form, file.octets).findings.map(({ rule, severity, clause }) => ({ rule, severity, clause }))
    const without = extended('iki-client', ids.subjectKeyIdentifier)
    const [assumed] = severities(without)
    assert.equal(assumed?.severity, 'warning')
    assert.match(assumed.clause, /CERT-A08$/)
    const [given] = severities(extended('organisation', ids.subjectKeyIdentifier))
    assert.equal(given?.severity, 'error')
    assert.doesNotMatch(given.clause, /CERT/)
  })

  it('of IKI, DCCKI and S1SPKI is an error only where a text, RFC 5280 or DER demands it', () => {
    const strict = rules.filter(
      rule => rule.field && severityFor(rule, 'iki-client') === 'error' && rule.kinds.includes('iki-client'),
    )
    assert.deepEqual(new Set(strict.map(rule => rule.field)), new Set(['subject', 'key', 'usages', 'keyUsage']))
    assert.ok(Object.keys(profiles['s1spki-hub'].assumed ?? {}).length > 15)
  })
})

describe('a signature', () => {
  it('with needless octets is right by its numbers: a warning, not a bad signature', () => {
    const { octets } = good('device')
    const { tbs, signature } = readCertificate(octets)
    const r = signature.subarray(2, 4 + signature[3]!)
    const s = signature.subarray(4 + signature[3]!)
    const padded = sequence(r, element(2, Buffer.of(0), Buffer.alloc(1), s.subarray(2)))
    const file = cert('device', t => ({ ...t, signature: padded }), { issuer: signer() })
    // The tbs of the template is the same each time, so that the signature taken from the first one still fits.
    assert.deepEqual(Buffer.from(readCertificate(file.octets).tbs), Buffer.from(tbs))
    assert.deepEqual(idsOf(file), ['signature_not_minimal'])
    const key = createPublicKey({ key: keys.authority().spki, format: 'der', type: 'spki' })
    assert.equal(verify('sha256', tbs, key, signature), true)
    assert.equal(verify('sha256', tbs, key, padded), false, 'OpenSSL is strict')
  })

  it('by RSA is checked too', () => {
    const ikiSigner = readSigner(certificate(certificates['issuing-ica']()))
    assert.deepEqual(idsOf(cert('iki-client', t => t, { issuer: ikiSigner })), [])
    const other = cert('iki-client', t => ({ ...t, signer: keys.rsa2048() }), { issuer: ikiSigner })
    assert.deepEqual(idsOf(other), ['signature_verifies'])
    assert.deepEqual(idsOf(cert('root-ica', t => ({ ...t, signer: keys.rsa2048() }))), ['root_self_signed'])
    assert.deepEqual(idsOf(csr('iki-csr', t => ({ ...t, signer: keys.rsa4096() }))), ['request_signature_verifies'])
  })

  it('of a list is held against the issuer', () => {
    const issuer = issuerOf(issuingOca)
    const { octets } = good('organisation-crl')
    assert.deepEqual(idsOf({ form: 'list', octets, options: { issuer } }), [])
    const forged = crl('organisation-crl', t => ({ ...t, signer: keys.subject() }))
    assert.deepEqual(idsOf({ ...forged, options: { issuer } }), ['signature_verifies'])
  })

  it('is ECDSA with SHA-256 in the templates, so that these tests speak of the real thing', () => {
    assert.deepEqual(certificates.device().outer, ecdsaWithSha256)
  })
})
