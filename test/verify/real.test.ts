/** The certificates of Smart DCC’s public test environment get the verdicts that their README gives them. */

import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gbRules } from '../../src/doors/cli/verify.ts'
import { printableString } from '../../src/ground/der/write.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { oids } from '../../src/ground/x509/names.ts'
import type { PathCode, Verdict } from '../../src/ground/x509/path.ts'
import { relyingParty } from '../../src/ground/x509/path.ts'
import { corpusFile, corpusIndex, type Indexed, noCorpus } from '../outside.ts'
import { attribute, extensions as ext, forgeCertificate, name, p256 } from './forge.ts'
import { codes } from './scene.ts'

const day = new Date('2020-06-01T00:00:00Z')
const folderOf = ({ file }: Indexed) => file.split('/')[0]!
const read = (one: Indexed) => readCertificate(corpusFile(one.file))

/** An anchor with a key that was never published as a certificate, made by a key of our own. */
function anchorOf(file: string, subject: Buffer, id: string, pathLength: number): Certificate {
  const maker = p256()
  const pem = readFileSync(
    new URL(`../../../shared/data/dcc-certs/issuer-public-keys-recovered/${file}`, import.meta.url),
  )
  return readCertificate(
    forgeCertificate({
      issuer: name(attribute(oids.commonName, printableString('TEST'))),
      subject,
      spki: createPublicKey(pem).export({ type: 'spki', format: 'der' }),
      by: maker,
      serial: Buffer.alloc(16, 0x11),
      from: '2015-01-01',
      until: '2040-01-01',
      extensions: [
        ext.usage('keyCertSign'),
        ext.constraints(true, pathLength),
        ext.policies('1.2.826.0.1.8641679.1.2.1.4'),
        ext.ski(Buffer.from(id, 'hex')),
        ext.aki(maker.id),
      ],
    }),
  )
}

describe('relying on the certificates of the public test environment', { skip: noCorpus }, () => {
  const index = noCorpus ? [] : corpusIndex().certificates
  const z1 = () => read(index.find(({ file }) => file.startsWith('ca-issuing/'))!)
  const all = () => index.map(read)
  const byZ1 = ({ issuer, aki }: Indexed) =>
    /Z1/.test(JSON.stringify(issuer)) && aki === '4F5688D7EC933BE2'.toLowerCase()
  const ask = (trust: Certificate[], more: Partial<Parameters<typeof relyingParty>[0]> = {}) =>
    relyingParty({ trust, untrusted: all(), profile: 'gb', gb: gbRules([]), ...more })
  const verdicts = (
    answer: (target: Certificate, at: Date | 'ignore') => Verdict,
    at: Date | 'ignore',
    folders: RegExp,
  ) => index.filter(one => folders.test(folderOf(one))).map(one => ({ one, verdict: answer(read(one), at) }))
  const says = ({ refusals }: Verdict) => refusals.map(({ sentence }) => sentence).join('; ')

  it('finds them all', () => {
    assert.equal(index.length, 114)
  })

  it('says yes to the Organisation Certificates of Z1 that hold on 2020-06-01, and to no other', () => {
    const org = verdicts(ask([z1()]), day, /^org-/)
    assert.equal(org.length, 28)
    let yes = 0
    for (const { one, verdict } of org) {
      const { notBefore, notAfter } = read(one)
      const holds = notBefore.ms <= day.getTime() && day.getTime() <= notAfter.ms
      const good = byZ1(one) && one.signature === 'good'
      assert.equal(verdict.valid, good && holds, `${one.file}: ${says(verdict)}`)
      if (good && !holds) assert.match(codes(verdict).join(), /^(EXPIRED|NOT_YET_VALID)$/)
      if (verdict.valid) yes++
    }
    assert.ok(yes >= 10, `${yes} hold`)
  })

  it('says yes to all 21 Organisation Certificates of Z1 when dates do not count', () => {
    const org = verdicts(ask([z1()]), 'ignore', /^org-/)
    assert.equal(org.filter(({ verdict }) => verdict.valid).length, 21)
  })

  it('finds no path for other issuers, whatever their signatures', () => {
    for (const { one, verdict } of verdicts(ask([z1()]), 'ignore', /^org-other-issuer$/))
      assert.deepEqual(codes(verdict), ['NO_PATH'], one.file)
  })

  it('refuses what only bears the name of Z1: by its signature, for it names no key', () => {
    for (const { one, verdict } of verdicts(ask([z1()]), 'ignore', /^org-xmlsign-unverifiable$/)) {
      assert.ok(codes(verdict).includes('SIGNATURE_BAD'), one.file)
      assert.ok(codes(verdict).includes('KEY_IDENTIFIER_MISSING'), one.file)
    }
    const decimal = index.find(({ file }) => file.includes('261e9ccc'))!
    assert.match(says(ask([z1()])(read(decimal), 'ignore')), /137/)
  })

  it('refuses the devices of a DCC Boxed: an organisation signed them, and it is no CA', () => {
    const boxed = verdicts(ask([z1()]), 'ignore', /^device-boxed$/)
    assert.equal(boxed.length, 3)
    for (const { verdict } of boxed) {
      assert.ok(codes(verdict).includes('NOT_A_CA'), says(verdict))
      assert.equal(verdict.path.length, 3)
    }
    const acb = read(index.find(({ file }) => file.includes('587fe595'))!)
    for (const { verdict } of verdicts(ask([acb]), 'ignore', /^device-boxed$/))
      assert.ok(codes(verdict).includes('NOT_A_CA'), 'not even as an anchor')
  })

  it('says yes to 79 Device Certificates under the key of E357, and refuses the one that is not DER by that name', () => {
    const subject = name(attribute(oids.commonName, printableString('E357')))
    const e357 = anchorOf('E357-device-CA.pub.pem', subject, '47D40AF3412904A0', 0)
    const devices = verdicts(ask([e357]), day, /^device-(ds|ka)$/)
    const no = devices.filter(({ verdict }) => !verdict.valid)
    assert.equal(devices.length, 80)
    assert.deepEqual(
      no.map(({ one }) => one.signatureIsDer),
      [false],
      no.map(({ verdict }) => says(verdict)).join('\n'),
    )
    assert.deepEqual(codes(no[0]!.verdict), ['SIGNATURE_NOT_DER'])
    // The same in the other profile: it is no rule of GB that refuses it.
    const other = ask([e357], { profile: 'rfc5280' })(read(no[0]!.one), day)
    assert.deepEqual(codes(other), ['SIGNATURE_NOT_DER'])
  })

  describe('gives the verdicts that Devices gave', () => {
    const za = () =>
      anchorOf(
        'ZA-root.pub.pem',
        name(
          attribute(oids.organizationalUnitName, printableString('00')),
          attribute(oids.commonName, printableString('ZA')),
        ),
        '48CF1B32697C4669',
        1,
      )
    const supplierKa = () =>
      index.find(one => one.file.startsWith('org-supplier-ka/') && byZ1(one)) ?? assert.fail('no certificate')
    /** A Device has its anchors as keys, and does not count dates. */
    const device = (path: Certificate[]) => relyingParty({ trust: [za()], untrusted: path, profile: 'gb' })

    it('issued by Z1, with Z1 in the path: 0 (rows 1, 3, 5 to 12)', () => {
      const verdict = device([z1()])(read(supplierKa()), 'ignore')
      assert.ok(verdict.valid, says(verdict))
      assert.equal(verdict.path.length, 3)
    })

    it('issued by Z2, which is not in the path: 10 (rows 2, 4, 14)', () => {
      const z2 = index.find(({ file }) => file.includes('56bad381'))!
      assert.deepEqual(codes(device([z1()])(read(z2), 'ignore')), ['NO_PATH'])
    })

    it('Z1 with a broken signature in the path: 10 (rows 16, 17)', () => {
      const broken = read(index.find(({ file }) => file.startsWith('negative-bad-signature/ca-'))!)
      const verdict = device([broken])(read(supplierKa()), 'ignore')
      assert.deepEqual(codes(verdict), ['SIGNATURE_BAD'])
      assert.equal(verdict.refusals[0]?.certificate, broken)
    })

    it('keyUsage nonRepudiation and a broken signature: the usage is said first (row 20)', () => {
      const spoilt = read(index.find(({ file }) => file.startsWith('negative-bad-signature/00db'))!)
      const subject = name(attribute(oids.commonName, printableString('E357')))
      const e357 = anchorOf('E357-device-CA.pub.pem', subject, '47D40AF3412904A0', 0)
      const expected: PathCode[] = ['PROFILE', 'SIGNATURE_BAD']
      const verdict = ask([e357])(spoilt, 'ignore')
      assert.deepEqual(codes(verdict), expected)
      assert.match(verdict.refusals[0]!.sentence, /nonRepudiation.*\[key_usage_exact\]/)
    })
  })

  it('does not take the broken Z1 for Z1, even when it is named as an anchor', () => {
    const broken = read(index.find(({ file }) => file.startsWith('negative-bad-signature/ca-'))!)
    assert.deepEqual(codes(ask([broken], { untrusted: [] })(broken, 'ignore')), ['NO_PATH'])
  })
})
