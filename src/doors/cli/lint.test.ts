import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import {
  certificate,
  certificates,
  ids,
  keys,
  list,
  lists,
  name,
  policed,
  rdn,
  request,
  requests,
  swap,
  uid,
} from '../../../test/lint/forge.ts'
import { noCorpus } from '../../../test/outside.ts'
import { utf8String } from '../../ground/der/write.ts'
import { toPem } from '../../ground/x509/pem.ts'
import { addLint } from './lint.ts'

/** What the command wrote, and its exit code. */
function smki(...args: string[]): { out: string; err: string; code: number | undefined } {
  let [out, err] = ['', '']
  let code: number | undefined
  const program = new Command('smki').exitOverride()
  const io = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    exit: (given: number) => {
      code = given
    },
  }
  addLint(program, io)
  program.parse(['node', 'smki', 'lint', ...args])
  return { out, err, code }
}

describe('smki lint', () => {
  let folder = ''
  const at = (file: string) => join(folder, file)
  const device = certificate(certificates.device())
  const decimal = certificate({
    ...certificates.organisation(),
    subject: name(rdn(ids.ou, utf8String('137')), uid),
  })

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lint-'))
    mkdirSync(at('good/deeper'), { recursive: true })
    writeFileSync(at('good/device.der'), device)
    writeFileSync(
      at('good/deeper/several.pem'),
      `words\n${toPem('CERTIFICATE', device)}${toPem('X509 CRL', list(lists['iki-crl']()))}`,
    )
    writeFileSync(at('good/request.pem'), toPem('CERTIFICATE REQUEST', request(requests['iki-csr']())))
    writeFileSync(at('good/serial'), '01\n')
    writeFileSync(at('good/key.pem'), toPem('PUBLIC KEY', keys.authority().spki))
    symlinkSync('..', at('good/deeper/round'))
    symlinkSync('nowhere', at('good/deeper/broken'))
    writeFileSync(at('decimal.pem'), toPem('CERTIFICATE', decimal))
    writeFileSync(at('broken.pem'), '-----BEGIN CERTIFICATE-----\nMII\n')
    writeFileSync(at('trailing.der'), Buffer.concat([keys.rsa2048().spki, Buffer.of(0)]))
    const quirk = certificate(swap(certificates.device(), ids.certificatePolicies, policed(true, '1.2.3.4')))
    writeFileSync(at('quirk.der'), quirk)
  })
  after(() => rmSync(folder, { recursive: true }))

  it('says of each file what it was measured as, and of a folder also how much it passed over', () => {
    const { out, err, code } = smki(at('good'))
    assert.equal(
      out.replaceAll(folder, ''),
      [
        '/good/deeper/several.pem (1): device',
        '/good/deeper/several.pem (2): iki-crl',
        '/good/device.der: device',
        '/good/request.pem: iki-csr',
        '4 measured: 0 errors, 0 warnings, 0 notices, 0 unreadable; 2 other files passed over',
        '',
      ].join('\n'),
    )
    assert.equal(err, '')
    assert.equal(code, 0)
  })

  it('names an error with what was found, what is due and where that is written, and exits 1', () => {
    const { out, code } = smki(at('decimal.pem'))
    assert.match(
      out,
      /^.*decimal\.pem: organisation\n {2}error {4}role_two_hex_digits: OU "137"\n {11}the OU .*\(cert/,
    )
    assert.match(out, /\n1 measured: 1 errors, 0 warnings, 0 notices, 0 unreadable\n$/)
    assert.equal(code, 1)
  })

  it('exits 0 when there are warnings alone, and a policy can be made known', () => {
    const { out, code } = smki(at('quirk.der'))
    assert.match(out, /warning {2}certificate_policies_known: 1\.2\.3\.4/)
    assert.equal(code, 0)
    assert.match(smki(at('quirk.der'), '--policy', '1.2.3.5', '--policy', '1.2.3.4').out, / 0 warnings/)
  })

  it('exits 2 when a file cannot be read, whatever else it found', () => {
    for (const bad of [at('broken.pem'), at('absent.pem'), at('good/serial'), at('good/key.pem')]) {
      const { out, err, code } = smki(at('decimal.pem'), bad)
      assert.match(out, /role_two_hex_digits/)
      assert.match(err, /cannot be read: /)
      assert.equal(code, 2)
    }
  })

  it('exits 2 for a file in a folder that calls itself a certificate and cannot be read', () => {
    mkdirSync(at('bad'))
    writeFileSync(at('bad/cut.pem'), toPem('CERTIFICATE', device).slice(0, -20))
    const { err, code } = smki(at('bad'))
    assert.match(err, /cut\.pem: cannot be read: the CERTIFICATE block has no end/)
    assert.equal(code, 2)
  })

  it('exits 2 with a sentence on wrong usage', () => {
    const cases: [args: string[], says: RegExp][] = [
      [[], /name a file/],
      [[at('decimal.pem'), '--as', 'meter'], /--as is one of root-oca, /],
      [[at('decimal.pem'), '--issuer', at('absent')], /the issuer cannot be read: ENOENT/],
      [[at('decimal.pem'), '--issuer', at('broken.pem')], /the issuer cannot be read/],
      [[at('decimal.pem'), '--issuer', at('trailing.der')], /the issuer cannot be read: octets follow/],
      [[at('decimal.pem'), '--issuer', at('good/request.pem')], /the issuer cannot be read/],
    ]
    for (const [args, says] of cases) {
      const { out, err, code } = smki(...args)
      assert.match(err, says)
      assert.equal(out, '')
      assert.equal(code, 2)
    }
  })

  it('checks signatures when it is given an issuer, and measures by another kind when told to', () => {
    assert.equal(smki(at('good/device.der'), '--issuer', at('good/key.pem')).code, 0)
    const other = smki(at('good/device.der'), '--issuer', at('decimal.pem'))
    assert.match(other.out, /error {4}signature_verifies/)
    assert.equal(other.code, 1)
    assert.match(smki(at('good/device.der'), '--as', 'organisation').out, /error {4}subject_attributes/)
  })

  it('answers in one JSON object', () => {
    const { out, code } = smki(at('decimal.pem'), at('good'), at('absent'), '--json')
    const { files, unreadable, summary } = JSON.parse(out)
    assert.equal(code, 2)
    assert.deepEqual(summary, { reports: 5, errors: 1, warnings: 0, notices: 0, unreadable: 1, passedOver: 2 })
    assert.equal(unreadable[0].file, at('absent'))
    const [{ kind, form, findings }] = files[0].reports
    assert.deepEqual([kind, form], ['organisation', 'certificate'])
    assert.deepEqual(Object.keys(findings[0]).toSorted(), ['clause', 'found', 'rule', 'says', 'severity'])
  })

  it('prints its rules, as Markdown and as JSON, without any file', () => {
    const { out, code } = smki('--rules')
    const rows = out.trimEnd().split('\n')
    assert.equal(code, 0)
    assert.ok(rows.length > 100 && rows.every(row => row.split('|').length === 7))
    assert.match(out, /\| role_two_hex_digits \| error; warning, being ASSUMED: iki-file-signing \|/)
    assert.match(out, /\| der_length \| error \| all \| X\.690 10\.1 \|/)
    const asJson = JSON.parse(smki('--rules', '--json').out)
    assert.equal(asJson.length, rows.length - 2)
    assert.deepEqual(Object.keys(asJson[0]), ['id', 'severity', 'clause', 'says', 'measures', 'warns'])
  })

  it('measures the published files as they lie in their folder', { skip: noCorpus }, () => {
    const { out, code } = smki(
      fileURLToPath(new URL('../../../../shared/data/dcc-certs', import.meta.url)),
      '--json',
    )
    const { summary } = JSON.parse(out)
    assert.equal(code, 1)
    assert.equal(summary.reports, 114 + 1)
    // The index, the page beside it and 8 public keys.
    assert.equal(summary.passedOver, 10)
    assert.equal(summary.unreadable, 0)
  })
})
