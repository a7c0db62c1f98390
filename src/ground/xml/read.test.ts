import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type XmlHandler, type XmlLimits, XmlReader } from './read.ts'
import { expectAttributes, readTree, textOf, textsOf } from './tree.ts'
import { excerpt, NotValid, NotWellFormed, Unreadable } from './unreadable.ts'

/** What a handler is told, one line an event, or the refusal. */
function told(chunks: readonly Uint8Array[], limits?: Partial<XmlLimits>): string[] {
  const lines: string[] = []
  const reader = new XmlReader(
    {
      open: (name, attributes) => lines.push(`open ${name} ${JSON.stringify(attributes)}`),
      close: (name, text) => lines.push(`close ${name} ${JSON.stringify(text)}`),
    },
    limits,
  )
  try {
    for (const chunk of chunks) reader.write(chunk)
    reader.end()
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause
    lines.push(`${cause.name}: ${cause.message}`)
  }
  return lines
}

const octets = (document: string | Uint8Array) => Buffer.from(document)
const verdict = (document: string | Uint8Array, limits?: Partial<XmlLimits>) =>
  told([octets(document)], limits).at(-1)!

const xsi = 'http://www.w3.org/2001/XMLSchema-instance'

const good: Record<string, string> = {
  plain: '<a ID="1"><b>text</b></a>',
  'a declaration': '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<a/>\n',
  'a byte order mark': '\uFEFF<?xml version="1.0"?><a/>',
  comments: '<!-- 1 --><a><!-- 2 --><b>x<!-- 3 -->y</b></a><!-- 4 -->',
  'CDATA sections': '<a><b>x<![CDATA[<&>]]>y<![CDATA[]]></b></a>',
  references: '<a ID="&lt;&amp;&gt;&quot;&apos;&#9;&#x41;"><b>&lt;&amp;&gt;&quot;&apos;&#13;&#x1F600;</b></a>',
  'white space in an attribute': '<a ID=" a\tb\nc\r\nd "/>',
  'line ends in a text': '<a><b>1\r\n2\r3\n4</b></a>',
  'more than ASCII': '<a ID="é中😀"><é中>\u0085\u2028😀</é中></a>',
  'names of objects': '<a __proto__="1" constructor="2"/>',
  'schema hints': `<a xmlns:xsi="${xsi}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xsi:noNamespaceSchemaLocation="a.xsd" ID="1"/>`,
  'schema hints under another prefix, below': `<a xmlns:i="${xsi}"><b i:schemaLocation="urn:a a.xsd"/></a>`,
  'no namespace, said': '<a xmlns=""><b xmlns=""/></a>',
  'xml bound to what it is': '<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
}

/** With the class of the verdict and a word of its message. */
const bad: Record<string, [string | Uint8Array, RegExp]> = {
  nothing: ['', /^NotWellFormed: .*root/],
  'white space only': [' \n', /^NotWellFormed: .*root/],
  'no XML': ['{}', /^NotWellFormed: .*text data/],
  'an element without an end': ['<a>', /^NotWellFormed: .*unclosed/],
  'the wrong end tag': ['<a></b>', /^NotWellFormed: unexpected close tag/],
  'an attribute twice': ['<a b="1" b="1"/>', /^NotWellFormed: duplicate attribute/],
  'two roots': ['<a/><b/>', /^NotWellFormed: .*one root/],
  'text after the root': ['<a/>x', /^NotWellFormed: .*outside of root/],
  'NUL after the root': ['<a/>\0', /^NotWellFormed: disallowed character/],
  'a reference after the root': ['<a/>&#32;', /^NotWellFormed: .*outside of root/],
  'a document type': ['<!DOCTYPE a><a/>', /^NotWellFormed: a document type declaration/],
  'a billion laughs': [
    '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    /^NotWellFormed: a document type declaration/,
  ],
  'an external entity': [
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    /^NotWellFormed: a document type declaration/,
  ],
  'an entity without a declaration': ['<a>&nbsp;</a>', /^NotWellFormed: undefined entity/],
  'an entity with the name of a method': ['<a>&toString;</a>', /^NotWellFormed: undefined entity/],
  'a reference to no character': ['<a>&#0;</a>', /^NotWellFormed: malformed character entity/],
  'a reference to half a pair': ['<a>&#xD83D;</a>', /^NotWellFormed: malformed character entity/],
  'a processing instruction': ['<a><?php x?></a>', /^NotWellFormed: a processing instruction/],
  'a style sheet': ['<?xml-stylesheet href="x"?><a/>', /^NotWellFormed: a processing instruction/],
  'XML 1.1': ['<?xml version="1.1"?><a/>', /^NotWellFormed: a version/],
  'a declaration without version': ['<?xml encoding="UTF-8"?><a/>', /^NotWellFormed/],
  'a declaration after white space': [' <?xml version="1.0"?><a/>', /^NotWellFormed/],
  'two byte order marks': ['\uFEFF\uFEFF<a/>', /^NotWellFormed/],
  'ISO 8859-1, declared': ['<?xml version="1.0" encoding="ISO-8859-1"?><a/>', /^NotWellFormed: an encoding/],
  'UTF-16, declared': ['<?xml version="1.0" encoding="UTF-16"?><a/>', /^NotWellFormed: an encoding/],
  'UTF-16 with a byte order mark': [Buffer.from('\uFEFF<a/>', 'utf16le'), /^NotWellFormed: .*not UTF-8/],
  'UTF-16 without one': [Buffer.from('<a/>', 'utf16le'), /^NotWellFormed: disallowed character/],
  'an octet that UTF-8 does not have': [Buffer.from('<a>\xFF</a>', 'latin1'), /^NotWellFormed: .*not UTF-8/],
  'a character cut short at the end': [Buffer.from('<a/>\xC3', 'latin1'), /^NotWellFormed: .*not UTF-8/],
  'an overlong form': [Buffer.from('<a>\xC0\xBC</a>', 'latin1'), /^NotWellFormed: .*not UTF-8/],
  'half a pair in UTF-8': [Buffer.from('<a>\xED\xA0\x80</a>', 'latin1'), /^NotWellFormed: .*not UTF-8/],
  'a control character': ['<a>\u0001</a>', /^NotWellFormed: disallowed character/],
  'U+FFFE': ['<a>\uFFFE</a>', /^NotWellFormed: disallowed character/],
  ']]> in a text': ['<a>]]></a>', /^NotWellFormed: .*disallowed in char data/],
  '-- in a comment': ['<!-- -- --><a/>', /^NotWellFormed: malformed comment/],
  'depth 9': ['<a>'.repeat(9) + '</a>'.repeat(9), /^NotWellFormed: elements too deep/],
  '17 attributes': [`<a ${[...'abcdefghijklmnopq'].map(c => `${c}=""`).join(' ')}/>`, /^NotWellFormed: too many/],
  'a long text': [`<a>${'x'.repeat(65_537)}</a>`, /^NotWellFormed: a piece/],
  'a long text of many parts': [`<a>${'x<!-- -->'.repeat(65_537)}</a>`, /^NotWellFormed: the text of an element/],
  'a long attribute': [`<a b="${'x'.repeat(65_537)}"/>`, /^NotWellFormed: a piece/],
  'a long name': [`<${'a'.repeat(65_537)}/>`, /^NotWellFormed: a piece/],
  'a long comment': [`<!--${'x'.repeat(65_537)}--><a/>`, /^NotWellFormed: a piece/],
  'a long stretch without an end': [`<a><!--${'x'.repeat(200_000)}`, /^NotWellFormed: a piece/],
  'text beside elements': ['<a><b/>x</a>', /^NotValid: text beside elements/],
  'text before elements': ['<a>x<b/></a>', /^NotValid: text beside elements/],
  'a CDATA section beside elements': ['<a><![CDATA[]]><b/></a>', /^NotValid: text beside elements/],
  'an element in a namespace': ['<p:a xmlns:p="urn:p"/>', /^NotValid: element p:a is in a namespace/],
  'a default namespace': ['<a xmlns="urn:p"/>', /^NotValid: namespace declaration xmlns/],
  'an attribute in a namespace': ['<a xml:lang="en"/>', /^NotValid: attribute xml:lang/],
  'xsi:type': [`<a xmlns:xsi="${xsi}" xsi:type="b"/>`, /^NotValid: attribute xsi:type/],
  'xsi:nil': [`<a xmlns:xsi="${xsi}" xsi:nil="true"/>`, /^NotValid: attribute xsi:nil/],
  'a prefix that is not declared': ['<a xsi:schemaLocation=""/>', /^NotValid: attribute xsi:schemaLocation/],
  'a prefix that is no longer declared': [
    `<a><b xmlns:xsi="${xsi}"/><c xsi:schemaLocation=""/></a>`,
    /^NotValid: attribute xsi:schemaLocation/,
  ],
  'one hint under two prefixes': [
    `<a xmlns:i="${xsi}" xmlns:j="${xsi}" i:schemaLocation="" j:schemaLocation=""/>`,
    /^NotValid: attribute j:schemaLocation/,
  ],
  'xml bound to something else': ['<a xmlns:xml="urn:p"/>', /^NotValid: namespace declaration xmlns:xml/],
  'another name for xml': [
    '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>',
    /^NotValid: namespace declaration/,
  ],
  'another name for xmlns': ['<a xmlns:p="http://www.w3.org/2000/xmlns/"/>', /^NotValid: namespace declaration/],
  'xmlns bound to something': ['<a xmlns:xmlns="urn:p"/>', /^NotValid: namespace declaration xmlns:xmlns/],
  'a prefix for nothing': ['<a xmlns:p=""/>', /^NotValid: namespace declaration xmlns:p/],
  'a prefix that is no name': ['<a xmlns:1="urn:p"/>', /^NotValid: xmlns:1 is not a qualified name/],
  'a name with two colons': ['<a p:b:c=""/>', /^NotValid: p:b:c is not a qualified name/],
}

describe('a reader of XML', () => {
  for (const [what, document] of Object.entries(good)) {
    it(`reads ${what}`, () => assert.match(verdict(document), /^close/))
  }

  for (const [what, [document, says]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => assert.match(verdict(document), says))
  }

  it('tells names, attributes and texts as XML means them', () => {
    assert.deepEqual(told([octets(good.references!)]), [
      'open a {"ID":"<&>\\"\'\\tA"}',
      'open b {}',
      'close b "<&>\\"\'\\r😀"',
      'close a ""',
    ])
    assert.deepEqual(told([octets(good['CDATA sections']!)]).at(-2), 'close b "x<&>y"')
    assert.deepEqual(told([octets(good.comments!)]).at(-2), 'close b "xy"')
    assert.deepEqual(told([octets(good['line ends in a text']!)]).at(-2), 'close b "1\\n2\\n3\\n4"')
    assert.deepEqual(told([octets(good['white space in an attribute']!)])[0], 'open a {"ID":" a b c d "}')
    assert.deepEqual(told([octets(good['schema hints']!)])[0], 'open a {"ID":"1"}')
    assert.deepEqual(told([octets(good['names of objects']!)])[0], 'open a {"__proto__":"1","constructor":"2"}')
  })

  it('tells the same wherever the chunks end', () => {
    const all = [...Object.values(good), ...Object.values(bad).map(([document]) => document)]
    // The parser looks one character further where a chunk ends.
    const noPosition = (line: string) => line.replace(/ \(at character \d+\)$/, '')
    for (const document of all.map(octets).filter(({ length }) => length < 1000)) {
      const whole = told([document]).map(noPosition)
      // Where UTF-8 breaks, the part of a chunk before it has not been looked at: only the verdict is the same.
      const same = (parts: readonly Uint8Array[]) =>
        whole.at(-1)!.includes('UTF-8')
          ? assert.match(told(parts).at(-1)!, /^NotWellFormed: .*UTF-8/)
          : assert.deepEqual(told(parts).map(noPosition), whole)
      for (let at = 0; at <= document.length; at++) same([document.subarray(0, at), document.subarray(at)])
      same([...document].map(octet => Uint8Array.of(octet)))
    }
  })

  it('keeps its verdict', () => {
    const reader = new XmlReader({ open() {}, close() {} })
    assert.throws(() => reader.write(octets('<a></b>')), NotWellFormed)
    assert.throws(() => reader.write(octets('<a/>')), /unexpected close tag/)
    assert.throws(() => reader.end(), /unexpected close tag/)
  })

  it('passes on what its handler throws, and nothing after it', () => {
    const fault = new TypeError('ours')
    let told = 0
    const handler: XmlHandler = {
      open() {
        told++
        throw fault
      },
      close() {},
    }
    const reader = new XmlReader(handler)
    assert.throws(
      () => reader.write(octets('<a><b/></a>')),
      error => error === fault,
    )
    assert.throws(
      () => reader.end(),
      error => error === fault,
    )
    assert.equal(told, 1)
  })

  it('does not go on after its end', () => {
    const reader = new XmlReader({ open() {}, close() {} })
    reader.write(octets('<a/>'))
    reader.end()
    assert.throws(() => reader.write(octets('<a/>')), /has ended/)
  })

  it('says where it stopped, and shows little of what stood there', () => {
    assert.equal(verdict('<a>\n<b></c>'), 'NotWellFormed: unexpected close tag (at character 11)')
    const long = verdict(`<a ${'é'.repeat(500)}="" ${'é'.repeat(500)}=""/>`)
    assert.match(long, /^NotWellFormed: duplicate attribute: \?+\.\.\. \(at character \d+\)$/)
    assert.ok(long.length < 160)
    assert.equal(excerpt('a\u001B[31m\nb'), 'a?[31m?b')
  })

  it('holds the limits that it is given', () => {
    assert.match(verdict('<a><b/></a>', { depth: 1 }), /too deep/)
    assert.match(verdict('<a b="" c=""/>', { attributes: 1 }), /too many attributes/)
    assert.match(verdict('<a>1234567890123456</a>', { longest: 16 }), /too long/)
    assert.match(verdict('<a>123456789012345</a>', { longest: 16 }), /^close/)
  })
})

describe('a tree of XML', () => {
  const tree = (document: string) => readTree(octets(document))

  it('has the shape of the document', () => {
    const root = tree('<a x="1"> <b>2</b> <c/> </a>')
    expectAttributes(root, ['x'])
    assert.deepEqual(textsOf(root, ['b', 'c']), ['2', ''])
    assert.equal(root.children[0]!.position, 13)
  })

  it('is refused when it is large', () => {
    assert.throws(() => tree(`<a>${'<b/>'.repeat(64)}</a>`), NotValid)
    assert.equal(tree(`<a>${'<b/>'.repeat(63)}</a>`).children.length, 63)
  })

  it('is refused where it has not the shape that was asked for', () => {
    assert.throws(() => textsOf(tree('<a><b/></a>'), ['b', 'c']), /a does not consist of b, c/)
    assert.throws(() => textsOf(tree('<a><c/><b/></a>'), ['b', 'c']), NotValid)
    assert.throws(() => textsOf(tree('<a>x</a>'), []), NotValid)
    assert.throws(() => textsOf(tree('<a><b><c/></b></a>'), ['b']), /element c is not expected/)
    assert.throws(() => textsOf(tree('<a><b x=""/></a>'), ['b']), /attribute x is not expected/)
    assert.throws(() => expectAttributes(tree('<a/>'), ['x']), /attribute x is missing/)
    assert.throws(() => textOf(tree('<a x="">1</a>')), NotValid)
  })
})
