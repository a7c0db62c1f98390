import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  certificate,
  certificates,
  ids,
  keys,
  list,
  lists,
  name,
  rdn,
  request,
  requests,
} from '../../../test/lint/forge.ts'
import { corpusFile, corpusIndex, noCorpus, noOpenssl, openssl } from '../../../test/outside.ts'
import { utf8String } from '../../ground/der/write.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { formOfDer, lintFile } from './file.ts'
import { lintCertificate, lintList, lintRequest } from './lint.ts'
import { readSigner } from './signer.ts'

const forged = {
  certificate: Object.values(certificates).map(template => certificate(template())),
  request: Object.values(requests).map(template => request(template())),
  list: Object.values(lists).map(template => list(template())),
}
const all = Object.values(forged).flat()
const device = certificate(certificates.device())
const organisation = certificate(certificates.organisation())
/** The key that signed the templates of the Organisation and Device PKI. */
const issuer = readSigner(Buffer.from(toPem('PUBLIC KEY', keys.authority().spki)))
const kindsOf = (octets: Uint8Array) => lintFile(octets).reports.map(report => report.kind)

describe('a file', () => {
  it('of DER is taken for what it is, a list without entries and one of version 1 too', () => {
    for (const [form, files] of Object.entries(forged))
      for (const octets of files) assert.equal(formOfDer(octets), form)
    const template = lists['organisation-crl']()
    assert.equal(formOfDer(list({ ...template, entries: [] })), 'list')
    assert.equal(formOfDer(list({ ...template, version: Buffer.alloc(0) })), 'list')
    assert.equal(formOfDer(certificate({ ...certificates.device(), version: Buffer.alloc(0) })), 'certificate')
  })

  it('of DER is taken for what it is also where its lengths are those of BER', () => {
    for (const [form, files] of Object.entries(forged)) {
      for (const octets of files) {
        const content = octets.subarray(2 + (octets[1]! & 0x7f))
        const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.of(0, 0)])
        const [report] = lintFile(indefinite).reports
        assert.equal(report?.form, form)
        assert.deepEqual(
          report?.findings.map(finding => finding.rule),
          ['der_length'],
        )
      }
    }
  })

  it('of PEM may hold several, of each form, with other text and other blocks between', () => {
    const pem = [
      '# source: somewhere\n',
      toPem('CERTIFICATE', device),
      toPem('PUBLIC KEY', Buffer.from('3000', 'hex')),
      toPem('NEW CERTIFICATE REQUEST', request(requests['device-csr']())),
      'and a list\n',
      toPem('X509 CRL', list(lists['iki-arl']())),
    ].join('')
    assert.deepEqual(kindsOf(Buffer.from(pem)), ['device', 'device-csr', 'iki-arl'])
  })

  it('with anything else says why it was not read', () => {
    for (const text of [
      '',
      'hello',
      '01\n',
      '0',
      toPem('PUBLIC KEY', device),
      '-----BEGIN toString-----\n-----END toString-----\n',
    ]) {
      const { reports, unreadable } = lintFile(Buffer.from(text))
      assert.deepEqual(reports, [])
      assert.match(unreadable ?? '', /neither DER nor PEM/)
    }
    assert.match(lintFile(Buffer.from('-----BEGIN CERTIFICATE-----\nMII')).unreadable ?? '', /no end/)
    assert.match(
      lintFile(Buffer.from('-----BEGIN CERTIFICATE-----\nM\n-----END CERTIFICATE-----')).unreadable ?? '',
      /base64/,
    )
  })

  it('whose names hold ends of lines gives findings of one line each', () => {
    const subject = name(rdn(ids.ou, utf8String('02\r\n  error    rule: \u0007\u2028')))
    const findings = lintCertificate(certificate({ ...certificates.organisation(), subject }), {
      as: 'organisation',
    })
    assert.deepEqual(
      findings.map(finding => finding.rule),
      ['subject_attributes', 'role_two_hex_digits'],
    )
    for (const { found } of findings) assert.doesNotMatch(found, /[\p{C}\u2028\u2029]/u)
  })
})

/** The published certificates, where they are here; the forged files are mutated in any case. */
const real = noCorpus
  ? []
  : [...corpusIndex().certificates, ...corpusIndex().requests].map(({ file }) => corpusFile(file))

/** One file with a few octets changed, cut out, or put in. */
const mutated = (files: readonly Buffer[]) =>
  fc
    .tuple(
      fc.constantFrom(...files),
      fc.array(fc.tuple(fc.nat(4000), fc.nat(255), fc.constantFrom('change', 'cut', 'insert')), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([octets, changes]) => {
      let result = Buffer.from(octets)
      for (const [where, octet, what] of changes) {
        const at = where % (result.length + 1)
        const rest = result.subarray(what === 'insert' ? at : at + 1)
        result = Buffer.concat([result.subarray(0, at), what === 'cut' ? Buffer.alloc(0) : Buffer.of(octet), rest])
      }
      return result
    })

describe('the linter', () => {
  it('never throws, whichever octets it is given', () => {
    const files = [...all, ...real]
    assert.ok(files.length >= 30, `${files.length} files`)
    let findings = 0
    fc.assert(
      fc.property(mutated(files), fc.boolean(), (octets, withIssuer) => {
        const options = withIssuer ? { issuer } : {}
        for (const report of lintFile(octets, options).reports) findings += report.findings.length
      }),
      { numRuns: 10_000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), octets => {
        for (const lint of [lintCertificate, lintRequest, lintList]) findings += lint(octets).length
        lintFile(octets)
      }),
      { numRuns: 1000 },
    )
    assert.ok(findings > 5000, `${findings} findings`)
  })

  it('finds an error wherever one octet of a certificate was changed, when it has the issuer', () => {
    const errors = (octets: Buffer) =>
      lintCertificate(octets, { issuer }).filter(finding => finding.severity === 'error')
    for (const octets of [device, organisation]) {
      assert.deepEqual(errors(octets), [])
      fc.assert(
        fc.property(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const changed = Buffer.from(octets)
          changed[at]! ^= change
          assert.ok(errors(changed).length > 0, `octet ${at}`)
        }),
        { numRuns: 1000 },
      )
    }
  })

  it('is quick on a list with a reason in each of 20,000 entries, and on one in disorder', () => {
    const template = lists['organisation-crl']()
    const [first] = template.entries
    const entries = Array.from({ length: 20_000 }, (_, i) => {
      const one = Buffer.from(first!)
      one.writeUInt32BE(i, 6)
      return one
    })
    assert.deepEqual(lintList(list({ ...template, entries })), [])
    assert.deepEqual(
      lintList(list({ ...template, entries: entries.toReversed() })).map(finding => finding.rule),
      ['list_ascending'],
    )
  })
})

describe('OpenSSL', { skip: noOpenssl }, () => {
  it('reads the forged files too, so that the linter is not alone in calling them good', () => {
    for (const octets of forged.certificate) assert.ok(openssl(['x509', '-inform', 'DER', '-noout'], octets).ok)
    for (const octets of forged.request) {
      const { ok, says } = openssl(['req', '-inform', 'DER', '-noout', '-verify'], octets)
      assert.ok(ok)
      assert.match(says, /verify OK/)
    }
    for (const octets of forged.list) assert.ok(openssl(['crl', '-inform', 'DER', '-noout'], octets).ok)
  })
})
