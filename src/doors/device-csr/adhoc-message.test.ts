import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { XmlDocument } from 'libxml2-wasm'
import { deliberatelyRefused, judge, mutated } from '../../../test/xsd.ts'
import { Refusal } from '../../ground/refusal.ts'
import { codes } from '../../policy/smki-device/codes.ts'
import { readAdHocRequest, writeAdHocResponse } from './adhoc-message.ts'

const schema = new URL('./schema/AdHocDeviceCSR-1.0.xsd', import.meta.url)
const libxml2 = judge(schema)

const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
const plain =
  '<?xml version="1.0" encoding="UTF-8"?>\n<DeviceCertificateSigningRequest ID="ref-1"><Version>1.0</Version>' +
  '<CertificateSigningRequest>TUlJTUk=</CertificateSigningRequest></DeviceCertificateSigningRequest>'
const elaborate =
  `<DeviceCertificateSigningRequest ${xsi} xmlns:xsd="http://www.w3.org/2001/XMLSchema" ` +
  "xsi:noNamespaceSchemaLocation='AdHocDeviceCSR-1.0.xsd' ID='x&#9;y&amp;é'>\n <Version>1.0</Version>\n " +
  '<CertificateSigningRequest>\n TU<![CDATA[lJ]]> TQ<!-- c --> = =\n</CertificateSigningRequest>\n' +
  '</DeviceCertificateSigningRequest>\n'

const withId = (id: string) => plain.replace('ref-1', id)
const withCsr = (csr: string) => plain.replace('TUlJTUk=', csr)

/** Why the request is refused, or undefined. */
function refused(document: string | Uint8Array): string | undefined {
  try {
    readAdHocRequest(Buffer.from(document))
    return undefined
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'FM:AA1') throw cause
    return cause.message
  }
}

const good: Record<string, string> = {
  plain,
  elaborate,
  'an ID of 32 characters outside the basic plane': withId('\u{10000}'.repeat(32)),
  'an ID of one space': withId(' '),
  'white space in the base64': withCsr(' TU lJ\r\n\tTU k = '),
  'no octets': withCsr(''),
  'a byte order mark': `\uFEFF${plain}`,
}

const bad: Record<string, string> = {
  'an ID of 33 characters': withId('a'.repeat(33)),
  'an empty ID': withId(''),
  'no ID': plain.replace(' ID="ref-1"', ''),
  'another attribute': plain.replace('ID=', 'id="" ID='),
  'another root': plain.replaceAll('DeviceCertificateSigningRequest', 'DeviceCertificateSigningResponse'),
  'another version': plain.replace('1.0</', '1.1</'),
  'a version with a space': plain.replace('1.0</', '1.0 </'),
  'no version': plain.replace('<Version>1.0</Version>', ''),
  'two versions': plain.replace('<Version>1.0</Version>', '<Version>1.0</Version>'.repeat(2)),
  'two requests': plain.replace(/<Cert.*st>(?=<\/D)/, '$&$&'),
  'the wrong order': plain.replace(/(<Version>.*<\/Version>)(<Cert.*st>)(?=<\/D)/, '$2$1'),
  'an element in the request': withCsr('<x/>'),
  'an element more': plain.replace('</DeviceC', '<x/></DeviceC'),
  'text more': plain.replace('<Version', 'x<Version'),
  'boundary lines': withCsr('-----BEGIN CERTIFICATE REQUEST-----\nTUlJTUk=\n-----END CERTIFICATE REQUEST-----'),
  'base64 without padding': withCsr('TUk'),
  'base64 with bits left over': withCsr('TUl='),
  'base64 of the URL kind': withCsr('TU-_'),
  'typographic quotes': plain.replaceAll('"', '\u201D'),
  nil: plain.replace('Request>TU', `Request ${xsi} xsi:nil="true">TU`),
}

describe('an Ad Hoc Device CSR request', () => {
  it('is read', () => {
    assert.deepEqual(readAdHocRequest(Buffer.from(plain)), { id: 'ref-1', csr: Buffer.from('MIIMI') })
    assert.deepEqual(readAdHocRequest(Buffer.from(elaborate)), { id: 'x\ty&é', csr: Buffer.from('MIIM') })
  })

  for (const [what, document] of Object.entries(good)) {
    it(`is accepted with ${what}, as by its schema`, () => {
      assert.equal(refused(document), undefined)
      assert.equal(libxml2(document), undefined)
    })
  }

  for (const [what, document] of Object.entries(bad)) {
    it(`is refused with ${what}, as by its schema`, () => {
      assert.match(refused(document)!, /^Invalid XML in request: .* \(at character \d+\)$/)
      assert.ok(libxml2(document) !== undefined)
    })
  }

  it('is refused with xsi:type, although its schema has nothing against it', () => {
    const document = plain.replace('<Version>', `<Version ${xsi} xsi:type="version">`)
    assert.match(refused(document)!, /attribute xsi:type is not allowed/)
    assert.equal(libxml2(document), undefined)
  })

  it('has the verdict of its schema, whatever was changed', () => {
    let accepted = 0
    fc.assert(
      fc.property(mutated([plain, elaborate]), document => {
        const verdict = libxml2(document)
        const ours = refused(document)
        if (ours === undefined) accepted++
        if (ours === undefined || deliberatelyRefused(document) === undefined) {
          assert.equal(ours === undefined, verdict === undefined, `${ours} / ${verdict}`)
        }
        if (ours !== undefined) return
        using theirs = XmlDocument.fromBuffer(document)
        const { id, csr } = readAdHocRequest(document)
        assert.equal(id, theirs.root.attr('ID')?.value)
        const text = theirs.get('/DeviceCertificateSigningRequest/CertificateSigningRequest')?.content
        assert.equal(csr.toString('base64'), text?.replace(/\s/g, ''))
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 300, `${accepted} accepted`)
  })

  it('throws nothing but its refusal on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), octets => assert.ok(refused(octets))))
  })
})

describe('an Ad Hoc Device CSR response', () => {
  const build = 'OpenSMKI 0.1 <&> "é"'
  const certificate = Uint8Array.of(0x30, 0x82, 1, 2, 3)

  it('is valid against its schema for every outcome, with and without an ID', () => {
    const failures = Object.values(codes).filter(({ status }) => status !== 'INELIGIBLE')
    assert.equal(failures.length, 19)
    for (const id of ['ref-1', ' ', '\t\n"<&>\'é', '\u{10000}'.repeat(32), undefined]) {
      for (const outcome of [{ certificate }, ...failures]) {
        const document = writeAdHocResponse({ id, build, transactionId: 7n, outcome })
        assert.equal(libxml2(document), undefined)
        using parsed = XmlDocument.fromString(document)
        assert.equal(parsed.root.attr('ID')?.value, id)
        assert.equal(parsed.get('//Build')?.content, build)
        assert.equal(parsed.get('//Status')?.content, 'status' in outcome ? outcome.status : 'SUCCESS')
        assert.equal(parsed.get('//Certificate')?.content, 'status' in outcome ? undefined : 'MIIBAgM=')
        assert.equal(parsed.get('//ErrorCode')?.content, 'code' in outcome ? outcome.code : undefined)
        assert.equal(parsed.get('//ErrorText')?.content, 'text' in outcome ? outcome.text : undefined)
      }
    }
  })

  it('echoes the octets of a common ID', () => {
    const { id } = readAdHocRequest(Buffer.from(withId("Ref 1/2'3 é")))
    const document = writeAdHocResponse({ id, build, transactionId: 1, outcome: codes['CR:CC1'] })
    assert.ok(document.includes('<DeviceCertificateSigningResponse ID="Ref 1/2\'3 é">'))
  })

  it('is not written with a status or a number that its schema does not have', () => {
    const answer = { id: 'a', build, transactionId: 1, outcome: codes['CR:CC1'] }
    assert.throws(() => writeAdHocResponse({ ...answer, outcome: codes['IN:GG1'] }), RangeError)
    for (const transactionId of [0, -1, 1.5, 2 ** 60, Number.NaN, 0n, '', '01', '1e3']) {
      assert.throws(() => writeAdHocResponse({ ...answer, transactionId }), RangeError)
    }
    assert.ok(writeAdHocResponse({ ...answer, transactionId: 2n ** 70n }).includes('>1180591620717411303424<'))
  })
})

describe('the judge of these tests', () => {
  it('differs from libxml2 as it is only in stray characters of base64, which XML Schema does not allow', () => {
    assert.equal(judge(schema, true)(withCsr('TUlJ!')), undefined)
    assert.match(libxml2(withCsr('TUlJ!'))!, /not accepted by the pattern/)
  })
})
