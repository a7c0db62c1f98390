import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ZipFile } from 'yazl'
import { fileNameOf, type MediaType, mediaTypeFrom, mediaTypeOf, misfitOf } from './media.ts'
import { isLater, isVersion } from './version.ts'

const docx: MediaType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const main = `${docx}.main+xml`

async function zip(parts: Record<string, string>): Promise<Buffer> {
  const file = new ZipFile()
  for (const [name, content] of Object.entries(parts)) file.addBuffer(Buffer.from(content), name)
  file.end()
  return buffer(file.outputStream as NodeJS.ReadableStream)
}
const types = (...all: string[]) =>
  `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${all.map(one => `<Override PartName="/word/x" ContentType="${one}"/>`).join('')}</Types>`
const word = (...all: string[]) =>
  zip({ '[Content_Types].xml': types(...all), 'word/document.xml': '<w:document/>' })
const says = async (type: MediaType, octets: Buffer | string) => (await misfitOf(type, Buffer.from(octets)))?.is

const seeds = new URL('../../../../shared/seeds/', import.meta.url)
const pdf = '%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n'

describe('the form of a document', () => {
  it('is told by the ending of its name, and by its Content-Type, and by nothing that is not on the list', () => {
    assert.equal(mediaTypeOf('Appendix D.PDF'), 'application/pdf')
    assert.equal(mediaTypeOf('a.tar.md'), 'text/markdown')
    for (const name of ['a.html', 'a.svg', 'a.docm', 'pdf', 'a.pdf.exe', ''])
      assert.equal(mediaTypeOf(name), undefined)
    assert.equal(mediaTypeFrom('Text/Plain; charset=UTF-8'), 'text/plain')
    for (const type of ['text/html', 'text/plain; charset=utf-16', 'application/octet-stream', 'image/svg+xml', ''])
      assert.equal(mediaTypeFrom(type), undefined, type)
  })

  it('takes what is what it says', async () => {
    assert.equal(await says('application/pdf', pdf), undefined)
    assert.equal(await says(docx, await word(main)), undefined)
    assert.equal(await says('text/markdown', '# 1. Introduction\n\nA <b>bold</b> word, as in HTML.\n'), undefined)
    assert.equal(await says('text/plain', 'Section L\f\r\n\t1. …'), undefined)
    assert.equal(await says('application/xml', '<?xml version="1.0"?><a xmlns="urn:x"><b>1</b></a>'), undefined)
  })

  it('takes every published text that is at hand', {
    skip: existsSync(seeds) ? false : 'the published texts are not at hand',
  }, async () => {
    const files = readdirSync(seeds).filter(name => name.endsWith('.txt'))
    assert.equal(files.length, 5)
    for (const name of files)
      assert.equal(await says('text/plain', readFileSync(new URL(name, seeds))), undefined, name)
  })

  const another: readonly (readonly [string, MediaType, string | Buffer])[] = [
    ['text as a PDF', 'application/pdf', 'hello'],
    ['a PDF that breaks off', 'application/pdf', pdf.slice(0, 40)],
    ['a PDF behind something else', 'application/pdf', `GIF89a${pdf}`],
    ['text as a DOCX', docx, 'hello'],
    ['a PDF as text', 'text/plain', `${pdf}\u0000`],
    ['octets that are no UTF-8', 'text/markdown', Buffer.from([0x41, 0xff, 0xfe])],
    ['text with an escape', 'text/plain', 'a\u001b[2J'],
    ['XML that is not well-formed', 'application/xml', '<a><b></a>'],
    ['XML with a document type', 'application/xml', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['nothing as XML', 'application/xml', ' '],
  ]
  for (const [what, type, octets] of another) {
    it(`refuses ${what}`, async () => assert.equal(await says(type, octets), 'another'))
  }
  it('refuses a ZIP, or a spreadsheet, as a DOCX', async () => {
    assert.equal(await says(docx, await zip({ 'a.txt': 'a' })), 'another')
    assert.equal(
      await says(docx, await word('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml')),
      'another',
    )
  })

  const active: readonly (readonly [string, MediaType, string])[] = [
    ['HTML as text', 'text/plain', '  <!DOCTYPE HTML><p>'],
    ['HTML behind comments', 'text/markdown', '<!-- a --><!-- b -->\n<html>'],
    ['a script as text', 'text/plain', '<script>alert(1)</script>'],
    ['XHTML as XML', 'application/xml', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'],
    ['SVG as XML', 'application/xml', '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script/></s:svg>'],
    [
      'a script within XML',
      'application/xml',
      '<a><h:script xmlns:h="http://www.w3.org/1999/xhtml">x</h:script></a>',
    ],
    ['a stylesheet of XML', 'application/xml', '<?xml-stylesheet href="x.xsl"?><a/>'],
  ]
  for (const [what, type, octets] of active) {
    it(`refuses ${what}, which a browser would run`, async () => assert.equal(await says(type, octets), 'active'))
  }
  it('refuses a DOCX with macros', async () => {
    assert.equal(await says(docx, await word(main, 'application/vnd.ms-office.vbaProject')), 'active')
    assert.equal(await says(docx, await word('application/vnd.ms-word.document.macroEnabled.main+xml')), 'active')
  })

  it('says yes or no to whatever octets there are, and in no long time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(4), async (octets, i) => {
        const type = (['application/pdf', docx, 'text/markdown', 'text/plain', 'application/xml'] as const)[i]!
        const found = await misfitOf(type, Buffer.from(octets))
        assert.ok(found === undefined || ['active', 'another'].includes(found.is))
      }),
      { numRuns: 200 },
    )
    const began = performance.now()
    await says('text/plain', '<!-- --><?a?>'.repeat(100_000))
    assert.ok(performance.now() - began < 2000)
  })

  it('gives a download a name that leads nowhere', () => {
    assert.equal(fileNameOf('Appendix D', '2.1', 'application/pdf'), 'Appendix-D-2.1.pdf')
    assert.equal(fileNameOf('../../etc/passwd', '1', 'text/plain'), 'etc-passwd-1.txt')
    fc.assert(
      fc.property(fc.string(), fc.string(), (document, version) =>
        assert.match(fileNameOf(document, version, 'text/markdown'), /^[A-Za-z0-9.-]*\.md$/),
      ),
    )
  })
})

describe('a version', () => {
  it('is called by a number', () => {
    for (const name of ['1', '2.0', 'M8.0', 'v11.1', '1.2.3.4.5']) assert.ok(isVersion(name), name)
    for (const name of ['', 'draft', '1.', '.1', '1..2', 'Version 2', '1.2.3.4.5.6', '-1', '1a'])
      assert.ok(!isVersion(name), name)
  })

  it('is later number by number, and of two that differ exactly one is', () => {
    for (const [later, earlier] of [
      ['2', '1'],
      ['10.0', '9.9'],
      ['2.0.1', '2.0'],
      ['v2', 'M1.9'],
      ['1', 'draft'],
    ] as const) {
      assert.ok(isLater(later, earlier) && !isLater(earlier, later), `${later} ${earlier}`)
    }
    const numbers = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [one, other] = [a.join('.'), b.join('.')]
        assert.equal(Number(isLater(one, other)) + Number(isLater(other, one)), one === other ? 0 : 1)
      }),
    )
  })
})
