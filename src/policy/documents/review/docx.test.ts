import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { ZipFile } from 'yazl'
import { NotReadable } from './not-readable.ts'
import { readDocument } from './read.ts'
import { openSource, review } from './review.ts'
import { unzip } from './zip.ts'

const namespaces =
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
const xml = (root: string, inner: string) =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:${root} ${namespaces}>${inner}</w:${root}>`

const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`
const p = (text: string, properties = '') => `<w:p><w:pPr>${properties}</w:pPr>${run(text)}</w:p>`
const style = (id: string) => `<w:pStyle w:val="${id}"/>`
const list = (id: number, level = 0) => `<w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="${id}"/></w:numPr>`
const row = (...cells: string[]) => `<w:tr>${cells.map(one => `<w:tc>${p(one)}</w:tc>`).join('')}</w:tr>`

const styles = xml(
  'styles',
  `<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/><w:pPr>${list(1)}<w:outlineLvl w:val="0"/></w:pPr></w:style>
   <w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/><w:basedOn w:val="H1"/><w:pPr>${list(1, 1)}<w:outlineLvl w:val="1"/></w:pPr></w:style>
   <w:style w:type="paragraph" w:styleId="Own"><w:name w:val="Own heading"/><w:basedOn w:val="H2"/></w:style>
   <w:style w:type="paragraph" w:styleId="TOC1"><w:name w:val="toc 1"/></w:style>
   <w:style w:type="paragraph" w:styleId="Round"><w:name w:val="Round"/><w:basedOn w:val="Round"/></w:style>`,
)
const level = (at: number, format: string, text: string, start = 1) =>
  `<w:lvl w:ilvl="${at}"><w:start w:val="${start}"/><w:numFmt w:val="${format}"/><w:lvlText w:val="${text}"/></w:lvl>`
const numbering = xml(
  'numbering',
  `<w:abstractNum w:abstractNumId="7">${level(0, 'decimal', '%1')}${level(1, 'decimal', '%1.%2')}</w:abstractNum>
   <w:abstractNum w:abstractNumId="8">${level(0, 'lowerLetter', '(%1)')}${level(1, 'lowerRoman', '(%2)')}</w:abstractNum>
   <w:abstractNum w:abstractNumId="9">${level(0, 'bullet', '·')}</w:abstractNum>
   <w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>
   <w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>
   <w:num w:numId="3"><w:abstractNumId w:val="8"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
   <w:num w:numId="4"><w:abstractNumId w:val="9"/></w:num>`,
)

async function zip(parts: Record<string, string | Buffer>): Promise<Buffer> {
  const file = new ZipFile()
  for (const [name, content] of Object.entries(parts)) file.addBuffer(Buffer.from(content), name)
  file.end()
  return buffer(file.outputStream as NodeJS.ReadableStream)
}

const docx = (body: string, more: Record<string, string | Buffer> = {}) =>
  zip({
    '[Content_Types].xml': '<Types/>',
    'word/document.xml': xml('document', `<w:body>${body}</w:body>`),
    'word/styles.xml': styles,
    'word/numbering.xml': numbering,
    ...more,
  })
const read = async (body: string, more?: Record<string, string | Buffer>) =>
  readDocument('a.docx', await docx(body, more))
const refuses = (octets: Buffer, why: RegExp) =>
  assert.rejects(
    readDocument('a.docx', octets),
    (cause: Error) => cause instanceof NotReadable && why.test(cause.message),
  )

describe('a DOCX', () => {
  it('is read with the numbers that Word prints, through styles that inherit them', async () => {
    const { headings, lines } = await read(
      [
        p('Scope', style('H1')),
        p('Duties', style('H1')),
        p('All', style('H2')),
        p('Some', style('Own')),
        p('first', list(2)),
        p('within', list(2, 1)),
        p('second', list(2)),
        p('anew', list(3)),
        p('a bullet', list(4)),
        p('Rights', style('H1')),
        p('None', style('H2')),
        p('unnumbered', style('H1') + list(0)),
        p('around', style('Round')),
      ].join(''),
    )
    assert.deepEqual(
      headings.map(({ number, title, level: depth, line }) => [line, number, title, depth]),
      [
        [1, '1', 'Scope', 1],
        [2, '2', 'Duties', 1],
        [3, '2.1', 'All', 2],
        [4, '2.2', 'Some', 2],
        [10, '3', 'Rights', 1],
        [11, '3.1', 'None', 2],
        [12, undefined, 'unnumbered', 1],
      ],
    )
    assert.deepEqual(
      lines.slice(4, 9).map(({ text, is }) => [text, is]),
      [
        ['(a) first', 'item'],
        ['(i) within', 'item'],
        ['(b) second', 'item'],
        ['(a) anew', 'item'],
        ['a bullet', 'item'],
      ],
    )
  })

  it('is read as it looks: inserted text is there, deleted text, field codes and second renderings are not', async () => {
    const { lines } = await read(
      [
        `<w:p>${run('kept')}<w:ins>${run(' and new')}</w:ins><w:del><w:r><w:delText> gone</w:delText></w:r></w:del></w:p>`,
        `<w:p><w:moveFrom>${run('moved away')}</w:moveFrom>${run('stays')}<w:r><w:instrText>REF x</w:instrText></w:r></w:p>`,
        `<w:p>${run('box ')}<mc:AlternateContent><mc:Choice>${run('one')}</mc:Choice><mc:Fallback>${run('one')}</mc:Fallback></mc:AlternateContent></w:p>`,
        `<w:p>${run('two')}<w:r><w:br/></w:r>${run('lines')}<w:r><w:noBreakHyphen/></w:r>${run('joined')}</w:p>`,
        '<w:p/>',
      ].join(''),
    )
    assert.deepEqual(
      lines.map(({ text, is }) => `${is} ${text}`),
      ['text kept and new', 'text stays', 'text box one', 'text two lines-joined', 'blank '],
    )
  })

  it('has rows of tables, whose terms are definitions, and a table of contents', async () => {
    const octets = await docx(
      [
        `<w:p><w:pPr>${style('TOC1')}</w:pPr>${run('1')}<w:r><w:tab/></w:r>${run('Scope')}<w:r><w:tab/></w:r>${run('3')}</w:p>`,
        `<w:p><w:pPr>${style('TOC1')}</w:pPr>${run('2 Duties')}<w:r><w:tab/></w:r>${run('4')}</w:p>`,
        p('Scope', style('H1')),
        p('See section 7.7. It follows RFC 3280.'),
        `<w:tbl>${row('Term', 'Definition')}${row('Alpha Key', 'a key')}${row('Alpha Key', 'another')}</w:tbl>`,
      ].join(''),
    )
    const source = await openSource('a.docx', octets)
    assert.equal(source.unit, 'paragraph')
    assert.deepEqual(
      source.contents.map(({ number, title, page }) => [number, title, page]),
      [
        ['1', 'Scope', 3],
        ['2', 'Duties', 4],
      ],
    )
    const found = review(source).findings.map(({ line, rule }) => `${line} ${rule}`)
    assert.deepEqual(found, [
      '2 contents_match',
      '4 standard_superseded',
      '4 reference_unresolved',
      '9 term_defined_twice',
    ])
  })

  it('is refused when it is none, or is cut', async () => {
    await refuses(await zip({ 'word/other.xml': '<a/>' }), /no DOCX/)
    const whole = await docx(p('text'))
    for (const length of [10, 100, whole.length - 30]) await refuses(whole.subarray(0, length), /no whole ZIP/)
    await refuses(await docx(p('text'), { 'word/styles.xml': '<a>' }), /styles\.xml is not well-formed/)
    await refuses(await docx(p('text'), { 'word/document.xml': Buffer.from([0x3c, 0xff]) }), /not UTF-8/)
  })

  it('is refused when its XML has a document type, an entity, or no bottom', async () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    await refuses(await docx('', { 'word/document.xml': bomb }), /document type/)
    await refuses(await docx(p('&nothing;')), /not well-formed/)
    await refuses(await docx(`${'<w:p>'.repeat(300)}${'</w:p>'.repeat(300)}`), /nested deeper/)
  })

  it('is refused when it unpacks to more than it may, whatever it says of itself', async () => {
    const large = Buffer.alloc(3 << 20, 0x20)
    const octets = await zip({ 'word/document.xml': large })
    assert.ok(octets.length < 10_000, String(octets.length))
    await assert.rejects(unzip(octets, ['word/document.xml'], { file: 1 << 20, entries: 10 }), /more than 1 MiB/)
    assert.equal((await unzip(octets, ['word/document.xml'])).get('word/document.xml')!.length, large.length)
    await assert.rejects(unzip(octets, [], { file: 1, entries: 0 }), /1 entries/)

    const twice = new ZipFile()
    for (const text of ['<a/>', '<b/>']) twice.addBuffer(Buffer.from(text), 'word/document.xml')
    twice.end()
    await refuses(await buffer(twice.outputStream as NodeJS.ReadableStream), /stands in the archive twice/)
    const encrypted = Buffer.from(octets)
    const directory = encrypted.indexOf('PK\u0001\u0002', 0, 'latin1')
    encrypted[directory + 8]! |= 1
    await refuses(encrypted, /encrypted/)

    // An archive that claims to unpack to 100 octets, and would unpack to three million.
    const packed = deflateRawSync(large).length
    const liar = Buffer.from(octets)
    assert.equal(liar.readUInt32LE(directory + 20), packed)
    liar.writeUInt32LE(100, directory + 24)
    await assert.rejects(unzip(liar, ['word/document.xml']), NotReadable)
  })

  it('is read or refused, and nothing else happens, whichever octet was changed', async () => {
    const good = await docx(p('Scope', style('H1')) + p('text'))
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const octets = Buffer.from(good)
        octets[at]! ^= change
        try {
          await readDocument('a.docx', octets)
        } catch (cause) {
          if (!(cause instanceof NotReadable)) throw cause
          refused++
        }
      }),
      { numRuns: 150 },
    )
    assert.ok(refused > 10, String(refused))
  })
})

describe('a text', () => {
  it('is refused when it is not UTF-8, has control characters, or a line without an end', async () => {
    await refuses(Buffer.from([0x63, 0xe9]), /neither UTF-8/)
    await refuses(Buffer.from('%PDF-1.7\n\u0001'), /neither UTF-8/)
    await refuses(Buffer.from(`x\n${'a'.repeat(20_001)}`), /20001 characters/)
    assert.equal((await readDocument('a.txt', Buffer.from('\uFEFFa\r\nb\fc'))).lines.length, 3)
  })

  it('has numbered headings in plain text, which are items of a list in Markdown and where they follow one another', async () => {
    const text =
      '1. Scope\n\nText.\n\n2. Duties\n\nText.\n\n1. one\n2. two\n\n24 February 2022\n\n3.1 Detail of it\n'
    const numbers = async (file: string) =>
      (await readDocument(file, Buffer.from(text))).headings.map(({ number }) => number)
    assert.deepEqual(await numbers('a.txt'), ['1', '2', '3.1'])
    assert.deepEqual(await numbers('a.md'), [])
    const listed = await readDocument('a.txt', Buffer.from('1. One thing\n2. Another thing\n'))
    assert.deepEqual(listed.headings, [])
  })

  it('is read without its marks, and what stands in fences is not looked at', async () => {
    const text =
      '## **Bold** title ##\n\n- an *item* with [a link](x.md) and `code`\n\n```\nRFC 3280\n```\n\n| a | b\\|c |\n'
    const { lines } = await readDocument('a.md', Buffer.from(text))
    const shown = lines
      .filter(({ is }) => is !== 'blank' && is !== 'code')
      .map(({ is, text: read }) => `${is} ${read}`)
    assert.deepEqual(shown, ['heading Bold title', 'item an item with a link and code', 'row a\tb|c'])
    assert.deepEqual(review(await openSource('a.md', Buffer.from(text))).findings, [])
  })
})
