import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { base64Binary, canonicalBase64, collapse, hasLength, isBlank, isNCName } from './values.ts'

/** XML Schema part 2, 3.2.16, as it stands there, with B04, B16 and B64 written out. */
const lexical =
  /^(([A-Za-z0-9+/] ?){4})*(([A-Za-z0-9+/] ?){3}[A-Za-z0-9+/]|([A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?=|[A-Za-z0-9+/] ?[AQgw] ?= ?=)$|^$/

const nearlyBase64 = fc
  .array(fc.constantFrom(...'AQgwEz09+/=-_ \n\t.', 'TUlJ', 'TQ==', 'TUk=', '\u00A0'), { maxLength: 12 })
  .map(parts => parts.join(''))

it('takes as base64 exactly what the grammar of XML Schema takes', () => {
  let good = 0
  fc.assert(
    fc.property(nearlyBase64, text => {
      const expected = lexical.test(collapse(text))
      if (expected) good++
      assert.equal(base64Binary(text) !== undefined, expected)
      assert.equal(canonicalBase64(text) !== undefined, expected && !/\s/.test(text))
    }),
    { numRuns: 20_000 },
  )
  assert.ok(good > 500, `${good} good ones`)
})

it('reads back any octets from base64, whatever the white space', () => {
  const blanks = fc.array(fc.constantFrom('', '', ' ', '\n', '\r\n', '\t '), { minLength: 1 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), blanks, (octets, between) => {
      const text = [...Buffer.from(octets).toString('base64')]
        .map((c, at) => c + between[at % between.length])
        .join('')
      assert.deepEqual(base64Binary(text), Buffer.from(octets))
    }),
  )
})

it('knows a name without colon as libxml2 does, at both sides of the border of every range', () => {
  using schema = XmlDocument.fromString(
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n" type="xs:NCName"/></xs:schema>',
  )
  using validator = XsdValidator.fromDoc(schema)
  const libxml2 = (name: string) => {
    using document = XmlDocument.fromString(`<n>${name.replace('<', '&lt;').replace('&', '&amp;')}</n>`)
    try {
      validator.validate(document)
      return true
    } catch {
      return false
    }
  }
  const borders = [
    ...[
      0x2d, 0x2e, 0x30, 0x39, 0x3a, 0x41, 0x5a, 0x5f, 0x61, 0x7a, 0xb7, 0xc0, 0xd6, 0xd8, 0xf6, 0xf8, 0x2ff, 0x300,
    ],
    ...[0x36f, 0x370, 0x37d, 0x37f, 0x1fff, 0x200c, 0x200d, 0x203f, 0x2040, 0x2070, 0x218f, 0x2c00, 0x2fef, 0x3001],
    ...[0xd7ff, 0xf900, 0xfdcf, 0xfdf0, 0xfffd, 0x10000, 0xeffff],
  ]
  const near = borders.flatMap(code => [code - 1, code, code + 1])
  const characters = near.filter(code => code > 0x20 && ![0xd800, 0xfffe, 0xffff].includes(code))
  for (const character of characters.map(code => String.fromCodePoint(code))) {
    for (const name of [character, `a${character}`]) {
      assert.equal(isNCName(name), libxml2(name), `U+${character.codePointAt(0)!.toString(16)} in ${name.length}`)
    }
  }
  assert.ok(!isNCName(''))
})

it('counts characters, not UTF-16 units', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(5), fc.nat(12), (text, least, most) => {
      const count = [...text].length
      assert.equal(hasLength(text, least, most), count >= least && count <= most)
    }),
  )
  assert.ok(hasLength('\u{10000}'.repeat(32), 1, 32))
  assert.ok(!hasLength('\u{10000}'.repeat(33), 1, 32))
})

it('takes only the four white spaces of XML for white space', () => {
  assert.equal(collapse('\t a\r\n\n b '), 'a b')
  assert.equal(collapse('\u00A0a\u2003'), '\u00A0a\u2003')
  assert.ok(isBlank(' \t\r\n'))
  assert.ok(!isBlank('\u00A0'))
})
