import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { XmlDocument } from 'libxml2-wasm'
import { readTree } from './tree.ts'
import { attribute, declaration, element, escapeAttribute, escapeText } from './write.ts'

/** Any text that XML can hold, and often what has a meaning in it. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '&', '"', "'", ']]>', '\t', '\n', '\r', ' ', 'a'),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map(parts => parts.join('').replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''))

it('writes what is read back unchanged, by our reader and by libxml2', () => {
  fc.assert(
    fc.property(text, text, (value, content) => {
      const document = `${declaration}<a${attribute('ID', value)}>${escapeText(content)}</a>`
      const ours = readTree(Buffer.from(document))
      assert.deepEqual([ours.attributes.ID, ours.text], [value, content])
      using theirs = XmlDocument.fromString(document)
      assert.deepEqual([theirs.root.attr('ID')?.value, theirs.root.content], [value, content])
    }),
    { numRuns: 2000 },
  )
})

it('writes character references for the white space that an attribute would lose', () => {
  assert.equal(escapeAttribute('a\tb\nc\rd "<&>\' é'), "a&#9;b&#10;c&#13;d &quot;&lt;&amp;>' é")
  assert.equal(escapeText('a\tb\nc\rd "<&>\' ]]>'), 'a\tb\nc&#13;d "&lt;&amp;&gt;\' ]]&gt;')
})

it('leaves out an attribute that has no value, and keeps one that is empty', () => {
  assert.equal(attribute('ID', undefined), '')
  assert.equal(attribute('ID', ''), ' ID=""')
  assert.equal(element('Build', ''), '<Build></Build>')
})

it('refuses to write what no document can hold', () => {
  for (const text of ['\0', 'a\u0001', '\u001F', '\uFFFE', '\uFFFF', '\uD800', 'a\uDC00b']) {
    assert.throws(() => escapeText(text), RangeError)
    assert.throws(() => escapeAttribute(text), RangeError)
  }
  assert.equal(escapeText('\u007F\u0085\u2028\u{10FFFF}'), '\u007F\u0085\u2028\u{10FFFF}')
})
