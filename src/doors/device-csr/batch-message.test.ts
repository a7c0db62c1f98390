import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { XmlDocument } from 'libxml2-wasm'
import { deliberatelyRefused, judge, mutated } from '../../../test/xsd.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type BatchItem, BatchReader } from './batch-message.ts'

const libxml2 = judge(new URL('./schema/PortalCSRBatch-1.0.xsd', import.meta.url))

const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
const item = (id: string, csr = 'TUlJ') => `<DeviceCSR ID="${id}">${csr}</DeviceCSR>`
const batch = (items: string, attributes = 'ID="b1"') =>
  `<SubmitCSRBatch ${attributes}><Version>1.0</Version>${items}</SubmitCSRBatch>`

const plain = `<?xml version="1.0" encoding="UTF-8"?>\n${batch(`${item('a')}\n${item('b', 'TUk=')}${item('c-1._2')}`)}`
const elaborate =
  `<?xml version='1.0' encoding="utf-8" standalone='yes' ?>\r\n<!-- c -->\n<SubmitCSRBatch ${xsi} ` +
  'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xsi:noNamespaceSchemaLocation="a.xsd" ID=\'b&lt;1é\'>\r\n' +
  '  <Version>1<![CDATA[.]]>0</Version>\n  <DeviceCSR  ID = "_a.b-c" >\n TUlJ\n TQ==\n</DeviceCSR>\n' +
  '  <DeviceCSR ID=\'é\'>TU<!-- x -->lJ</DeviceCSR >\n <DeviceCSR ID="c"/> ' +
  '<DeviceCSR ID="d">T&#85;lJ</DeviceCSR><!-- </DeviceCSR> --><DeviceCSR ID="e"><![CDATA[TUlJ]]></DeviceCSR>\n' +
  '</SubmitCSRBatch>\n<!-- end -->\n'

interface Reading {
  items: BatchItem[]
  id: string | undefined
  count: number
  refused?: string
  code?: string
}

function reading(chunks: readonly Uint8Array[], { limit = 50_000, skims = true } = {}): Reading {
  const items: BatchItem[] = []
  const reader = new BatchReader(item => items.push(item), { limit, skims })
  const state = () => ({ items, id: reader.id, count: reader.count })
  try {
    for (const chunk of chunks) reader.write(chunk)
    assert.deepEqual(reader.end(), { id: reader.id, count: items.length })
    return state()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return { ...state(), refused: cause.message, code: cause.code }
  }
}

const read = (document: string | Uint8Array, options = {}) => reading([Buffer.from(document)], options)

/** In pieces of the given sizes, over and over. */
function pieces(document: Buffer, sizes: readonly number[]): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0, n = 0; at < document.length; at += sizes[n++ % sizes.length]!) {
    found.push(document.subarray(at, at + sizes[n % sizes.length]!))
  }
  return found
}

const good: Record<string, string> = {
  plain,
  elaborate,
  'one CSR': batch(item('a')),
  'IDs of 100 and 256 characters outside the basic plane': batch(
    item(`a${'\u{10000}'.repeat(99)}`),
    `ID="${'\u{10000}'.repeat(256)}"`,
  ),
  'an ID with white space around it': batch(item(` \t&#10;${'a'.repeat(100)}  `)),
  'an ID of letters far away': batch(item('Ж中\u2160\u{1F600}·\u0300')),
  'white space in the base64': batch(item('a', ' TU lJ\r\n\tTU k = ')),
  'no octets': batch(item('a', '') + item('b', ' ')),
  'schema hints on an item': batch(`<DeviceCSR ${xsi} xsi:schemaLocation="" ID="a">TUlJ</DeviceCSR>`),
}

const bad: Record<string, string | Buffer> = {
  nothing: '',
  'no CSR': batch(''),
  'no CSR but text': '<SubmitCSRBatch ID="b1">x</SubmitCSRBatch>',
  'another root': batch(item('a')).replaceAll('SubmitCSRBatch', 'SubmitCSRBatchStatus'),
  'two roots': batch(item('a')).repeat(2),
  'something after the root': `${batch(item('a'))}x`,
  'no end': batch(item('a')).slice(0, -1),
  'half of an item': batch(item('a')).slice(0, -25),
  'an entity': batch(item('a', '&csr;')),
  'a billion laughs': `<!DOCTYPE SubmitCSRBatch [<!ENTITY a "TUlJ"><!ENTITY b "&a;&a;&a;">]>${batch(item('a', '&b;'))}`,
  'no root ID': batch(item('a'), ''),
  'an empty root ID': batch(item('a'), 'ID=""'),
  'a root ID of 257 characters': batch(item('a'), `ID="${'a'.repeat(257)}"`),
  'another attribute': batch(item('a'), 'ID="b1" Id="b1"'),
  'another attribute on the version': batch(item('a')).replace('<Version', '<Version ID="a"'),
  'another version': batch(item('a')).replace('1.0', '1.1'),
  'a version with a space': batch(item('a')).replace('1.0', '1.0 '),
  'no version': batch(item('a')).replace('<Version>1.0</Version>', ''),
  'two versions': batch(`<Version>1.0</Version>${item('a')}`),
  'the version last': batch(item('a')).replace(/(<V.*n>)(<D.*R>)/, '$2$1'),
  'no ID': batch('<DeviceCSR>TUlJ</DeviceCSR>'),
  'an empty ID': batch(item('')),
  'an ID that begins with a digit': batch(item('1a')),
  'an ID with a colon': batch(item('a:b')),
  'an ID with a space': batch(item('a b')),
  'an ID of 101 characters': batch(item('a'.repeat(101))),
  'an ID twice': batch(item('a') + item('b') + item('a')),
  'an ID twice, once with white space': batch(item('a') + item(' a ')),
  'an ID twice, once as a reference': batch(item('a') + item('&#97;')),
  'a small id': batch('<DeviceCSR id="a">TUlJ</DeviceCSR>'),
  'an unknown element': batch(`${item('a')}<x/>`),
  'an element in an item': batch(item('a', '<x/>')),
  'an item in an item': batch(item('a', item('b'))),
  'text between items': batch(`${item('a')}x${item('b')}`),
  'a CDATA section between items': batch(`${item('a')}<![CDATA[ ]]>${item('b')}`),
  'boundary lines': batch(
    item('a', '-----BEGIN CERTIFICATE REQUEST-----\nTUlJ\n-----END CERTIFICATE REQUEST-----'),
  ),
  'base64 without padding': batch(item('a', 'TUk')),
  'base64 with bits left over': batch(item('a', 'TUl=')),
  'base64 of the URL kind': batch(item('a', 'TU-_')),
  'something after the padding': batch(item('a', 'TUk=TUlJ')),
  nil: batch(`<DeviceCSR ${xsi} xsi:nil="true" ID="a"></DeviceCSR>`),
  'a namespace': batch(item('a'), 'xmlns="urn:a" ID="b1"'),
  'an octet that is not UTF-8': Buffer.from(batch(item('a')).replace('b1', '\xE9'), 'latin1'),
}

const deliberate: Record<string, string | Buffer> = {
  'a document type declaration': `<!DOCTYPE SubmitCSRBatch>${batch(item('a'))}`,
  'a processing instruction': batch(`<?a b?>${item('a')}`),
  'XML 1.1': `<?xml version="1.1"?>${batch(item('a'))}`,
  'ISO 8859-1': Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${batch(item('a'), 'ID="é"')}`, 'latin1'),
  'UTF-16': Buffer.from(`\uFEFF${batch(item('a'))}`, 'utf16le'),
  'a namespace name that is no plain absolute URI': batch(item('a'), 'ID="b1" xmlns:a="a%20b"'),
  'more than 16 attributes': batch(
    item('a'),
    `ID="b1" ${[...'abcdefghijklmnop'].map(prefix => `xmlns:${prefix}="urn:${prefix}"`).join(' ')}`,
  ),
  'a text longer than 65,536 characters': batch(item('a', 'TUlJ'.repeat(16_385))),
  'such a text behind another': batch(item('a') + item('b', 'TUlJ'.repeat(16_385))),
  'white space longer than that': batch(`${item('a')}${' '.repeat(65_537)}`),
  'such white space between items': batch(`${item('a')}${' '.repeat(65_537)}${item('b')}`),
}

describe('a Batched CSR', () => {
  it('is read, item by item', () => {
    const csr = Buffer.from('MII')
    assert.deepEqual(read(plain), {
      items: [
        { id: 'a', csr, position: 1 },
        { id: 'b', csr: Buffer.from('MI'), position: 2 },
        { id: 'c-1._2', csr, position: 3 },
      ],
      id: 'b1',
      count: 3,
    })
    const { id, items } = read(elaborate)
    assert.equal(id, 'b<1é')
    assert.deepEqual(
      items.map(item => [item.id, item.csr.toString()]),
      [
        ['_a.b-c', 'MIIM'],
        ['é', 'MII'],
        ['c', ''],
        ['d', 'MII'],
        ['e', 'MII'],
      ],
    )
  })

  it('is handed out before its end', () => {
    const items: BatchItem[] = []
    const reader = new BatchReader(item => items.push(item), { limit: 10 })
    reader.write(Buffer.from(plain.slice(0, plain.indexOf('<DeviceCSR ID="b"'))))
    assert.equal(items.length, 1)
    assert.equal(reader.id, 'b1')
  })

  for (const [what, document] of Object.entries(good)) {
    it(`is accepted with ${what}, as by its schema`, () => {
      assert.equal(read(document).refused, undefined)
      assert.equal(libxml2(document), undefined)
    })
  }

  for (const [what, document] of Object.entries(bad)) {
    it(`is refused with ${what}, as by its schema`, () => {
      const { code, refused } = read(document)
      assert.equal(code, 'FM:AA1')
      assert.match(refused!, /^Invalid XML in request: .* \(at character \d+\)$/)
      assert.ok(libxml2(document) !== undefined)
    })
  }

  for (const [what, document] of Object.entries(deliberate)) {
    it(`is refused with ${what}, although its schema has nothing against it`, () => {
      assert.equal(read(document).code, 'FM:AA1')
      assert.equal(libxml2(document), undefined)
    })
  }

  it('has the verdict and the content that libxml2 finds, whatever was changed', () => {
    let accepted = 0
    fc.assert(
      fc.property(mutated([plain, elaborate]), document => {
        const verdict = libxml2(document)
        const { refused, id, items } = read(document)
        if (refused === undefined) accepted++
        if (refused === undefined || deliberatelyRefused(document) === undefined) {
          assert.equal(refused === undefined, verdict === undefined, `${refused} / ${verdict}`)
        }
        if (refused !== undefined) return
        using theirs = XmlDocument.fromBuffer(document)
        assert.equal(id, theirs.root.attr('ID')?.value)
        const csr = (text: string) => text.replace(/[^A-Za-z0-9+/=]/g, '')
        // White space of XML alone: for JavaScript U+FEFF is some too, and in an XML name it is a character.
        const trimmed = (text?: string) => text?.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
        assert.deepEqual(
          items.map(item => [item.id, item.csr.toString('base64')]),
          theirs
            .find('/SubmitCSRBatch/DeviceCSR')
            .map(found => [trimmed(found.get('@ID')?.content), csr(found.content)]),
        )
      }),
      { numRuns: 3000, examples: [[Buffer.from(elaborate.replace('"c"', '"\u{feff}c"'))]] },
    )
    assert.ok(accepted > 300, `${accepted} accepted`)
  })

  it('is the same wherever the chunks end', () => {
    for (const document of [...Object.values(good), ...Object.values(bad)].map(text => Buffer.from(text))) {
      const whole = read(document)
      // Of a document that is refused, what was handed out before depends on where the chunks end, as does the place.
      const same = (parts: readonly Uint8Array[]) => {
        const { items, id, code } = reading(parts)
        assert.equal(code, whole.code)
        if (code === undefined) assert.deepEqual([id, items], [whole.id, whole.items])
      }
      for (let at = 0; at <= document.length; at++) same([document.subarray(0, at), document.subarray(at)])
      same(pieces(document, [1]))
    }
  })

  it('is the same with the short cut past the parser as without it', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 4 })
    const many = batch(['a', 'b', 'c', 'd', 'e', 'f'].map(id => item(id, 'TUlJTUk=')).join('\n  '))
    let accepted = 0
    fc.assert(
      fc.property(mutated([many, plain, elaborate]), sizes, (document, sizes) => {
        const skimmed = reading(pieces(document, sizes))
        const parsed = reading(pieces(document, sizes), { skims: false })
        if (skimmed.code === undefined) accepted++
        const { items, id, count, code } = parsed
        assert.equal(skimmed.code, code)
        if (code === undefined) assert.deepEqual(skimmed, { items, id, count })
      }),
      { numRuns: 5000 },
    )
    assert.ok(accepted > 1000, `${accepted} accepted`)
  })

  it('throws nothing but its refusal on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), octets => assert.ok(read(octets).refused)))
  })

  it('passes on what the taker of its items throws', () => {
    const full = new Error('the disk is full')
    const reader = new BatchReader(
      () => {
        throw full
      },
      { limit: 10 },
    )
    assert.throws(
      () => reader.write(Buffer.from(plain)),
      error => error === full,
    )
    assert.throws(
      () => reader.end(),
      error => error === full,
    )
  })

  describe('with more CSRs than the limit', () => {
    const three = batch(item('a') + item('b') + item('c'))

    it('is FM:AA2 with its ID, and hands out no more than the limit', () => {
      assert.equal(read(three, { limit: 3 }).refused, undefined)
      const { items, ...refused } = read(three, { limit: 2 })
      assert.deepEqual(refused, {
        id: 'b1',
        count: 3,
        code: 'FM:AA2',
        refused: 'Number of submitted CSRs exceeds maximum volume: 3, where 2 are allowed',
      })
      assert.deepEqual(
        items.map(({ id }) => id),
        ['a', 'b'],
      )
    })

    it('is FM:AA1 when it is also invalid, wherever that is', () => {
      const invalid = [
        three.replace('1.0', '1.1'),
        three.slice(0, -1),
        `${three}x`,
        three.replace('"c"', '"a"'),
        three.replace('"c"', '"1"'),
        three.replace('TUlJ</DeviceCSR></Sub', '!</DeviceCSR></Sub'),
      ]
      for (const document of invalid) assert.equal(read(document, { limit: 2 }).code, 'FM:AA1')
    })
  })

  it('may have 50,000 CSRs and no more, read without keeping them', () => {
    const csr = randomBytes(405).toString('base64')
    const of = (count: number) => batch(Array.from({ length: count }, (_, n) => item(`csr-${n}`, csr)).join('\n'))
    const counts: number[] = []
    for (const count of [50_000, 50_001]) {
      const document = Buffer.from(of(count))
      let taken = 0
      const reader = new BatchReader(({ csr }) => csr.length === 405 && taken++, { limit: 50_000 })
      for (const chunk of pieces(document, [65_536])) reader.write(chunk)
      if (count > 50_000) assert.throws(() => reader.end(), { code: 'FM:AA2' })
      else assert.deepEqual(reader.end(), { id: 'b1', count })
      counts.push(taken)
    }
    assert.deepEqual(counts, [50_000, 50_000])
  })
})
