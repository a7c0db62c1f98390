/** The outside judge of our XML: libxml2, with the project's own XSD files; and documents to be judged. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'

export type Judge = (document: string | Uint8Array) => string | undefined

/**
 * Says why libxml2 refuses a document, or undefined.
 *
 * libxml2 passes over stray characters in xs:base64Binary, as MIME does; XML Schema does not (part 2, 3.2.16). So the
 * judge holds the grammar that stands there, as a pattern, unless told to take libxml2 as it is.
 */
export function judge(schema: URL, asIs = false): Judge {
  const text = readFileSync(schema, 'utf8')
  const pattern =
    '(([A-Za-z0-9+/] ?){4})*(([A-Za-z0-9+/] ?){3}[A-Za-z0-9+/]|([A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?=|' +
    '[A-Za-z0-9+/] ?[AQgw] ?= ?=)|'
  const type =
    '<xs:simpleType name="base64"><xs:restriction base="xs:base64Binary">' +
    `<xs:pattern value="${pattern}"/></xs:restriction></xs:simpleType></xs:schema>`
  const strict = text.replaceAll('"xs:base64Binary"', '"base64"').replace('</xs:schema>', type)
  using xsd = XmlDocument.fromString(asIs ? text : strict)
  const validator = XsdValidator.fromDoc(xsd)
  return document => {
    try {
      using parsed = XmlDocument.fromBuffer(Buffer.from(document))
      validator.validate(parsed)
      return undefined
    } catch (cause) {
      return (cause as Error).message
    }
  }
}

/**
 * What our readers refuse by intent although libxml2 finds it valid; found in the text alone, so that it says nothing
 * about how a reader works. Undefined when there is no such thing.
 */
export function deliberatelyRefused(octets: Uint8Array): string | undefined {
  const document = Buffer.from(octets).toString('utf8')
  return Object.entries(refusedByIntent).find(([, holds]) => holds(document))?.[0]
}

const declared = (document: string) => /^\uFEFF?<\?xml[ \t\r\n][^?]*\?>/.exec(document)?.[0] ?? ''

const refusedByIntent: Record<string, (document: string) => boolean> = {
  'a document type declaration': document => document.includes('<!DOCTYPE'),
  'a processing instruction': document => document.slice(declared(document).length).includes('<?'),
  'XML 1.1 and its like': document => /version\s*=\s*["'](?!1\.0["'])/.test(declared(document)),
  'an encoding other than UTF-8': document =>
    /encoding\s*=\s*["'](?!utf-8["'])/i.test(declared(document)) || document.includes('\0'),
  'xsi:type': document => /:type\s*=/.test(document),
  'a namespace name that is no plain absolute URI': document =>
    [...document.matchAll(/xmlns:[^=]*=\s*("[^"]*"|'[^']*')/g)].some(
      ([, uri]) => !/^.[a-z]+:(\/\/)?\w[\w./-]*.$/i.test(uri!),
    ),
  'more than 16 attributes': document =>
    [...document.matchAll(/<[^>]*>/g)].some(([tag]) => tag.split('=').length > 17),
  'a piece or text longer than 65,536 characters': document => document.length > 65_536,
}

/** The octets of one of `documents`, changed in up to three places, or not at all. */
export function mutated(documents: readonly string[]): fc.Arbitrary<Buffer> {
  const place = fc.nat(1_000_000)
  const change = fc.oneof(
    fc.tuple(fc.constant('put'), place, place, fc.constantFrom(...particles)),
    fc.tuple(fc.constant('replace'), place, place, fc.constantFrom(...particles)),
    fc.tuple(fc.constant('octet'), place, fc.nat(255), fc.constant('')),
    fc.tuple(fc.constant('cut'), place, fc.nat(30), fc.constant('')),
    fc.tuple(fc.constant('repeat'), place, fc.nat(60), fc.constant('')),
    fc.tuple(fc.constant('swap'), place, place, fc.constant('')),
  )
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(change, { maxLength: 3 }))
    .map(([document, changes]) => changes.reduce(apply, Buffer.from(document)))
}

function apply(from: Buffer, [kind, place, size, particle]: [string, number, number, string]): Buffer {
  const at = place % (from.length + 1)
  const head = from.subarray(0, at)
  const tail = from.subarray(at)
  if (kind === 'put') return Buffer.concat([head, Buffer.from(particle), tail])
  if (kind === 'replace')
    return Buffer.concat([head, Buffer.from(particle), tail.subarray(Buffer.byteLength(particle))])
  if (kind === 'octet') return Buffer.concat([head, Buffer.from([size]), tail.subarray(1)])
  if (kind === 'cut') return Buffer.concat([head, tail.subarray(size)])
  if (kind === 'repeat') return Buffer.concat([head, tail.subarray(0, size), tail])
  // Two pieces between tags change places: mostly well-formed, mostly not valid.
  const pieces = from.toString('latin1').split(/(?=<)/)
  const [a, b] = [place % pieces.length, size % pieces.length]
  const [piece, other] = [pieces[a]!, pieces[b]!]
  pieces[a] = other
  pieces[b] = piece
  return Buffer.from(pieces.join(''), 'latin1')
}

const particles = [
  ...[
    '<',
    '>',
    '/',
    '=',
    '"',
    "'",
    '&',
    ';',
    ':',
    '!',
    '?',
    '-',
    '--',
    ']',
    '[',
    ']]>',
    '/>',
    '</',
    '<!',
    '<?',
    '.',
    '1',
  ],
  ...[
    ' ',
    '\n',
    '\t',
    '\r',
    '\r\n',
    '  ',
    '\u00A0',
    '\u0085',
    '\u2028',
    '\uFEFF',
    '\0',
    '\u0001',
    '\uFFFE',
    '\u{10000}',
  ],
  ...[
    'é',
    '中',
    '\u0300',
    '\u00B7',
    '_',
    'A',
    'z',
    '9',
    '+',
    '===',
    '=',
    'TUlJ',
    'TQ==',
    'TQ= =',
    '-----BEGIN X-----',
  ],
  ...[
    '&amp;',
    '&lt;',
    '&#9;',
    '&#10;',
    '&#13;',
    '&#32;',
    '&#x41;',
    '&#X41;',
    '&#0;',
    '&#xD800;',
    '&#1114112;',
    '&nbsp;',
  ],
  ...['<!-- c -->', '<!---->', '<!--->', '<!-- - -->', '<!-- -- -->', '<![CDATA[', '<![CDATA[]]>', '<![CDATA[ ]]>'],
  ...['<![CDATA[TUlJ]]>', '<?a b?>', '<?xml version="1.0"?>', '<!DOCTYPE a>', '<x/>', '<x>', '</x>', '<x:y/>'],
  ...[
    ' ID="b"',
    ' id="b"',
    ' xml:lang="en"',
    ' xml:space="preserve"',
    ' xmlns=""',
    ' xmlns="urn:a"',
    ' xmlns:a="urn:a"',
  ],
  ...[
    ' xmlns:a=""',
    ' xmlns:xmlns="urn:a"',
    ' xmlns:xml="urn:a"',
    ' a:b="c"',
    ' xsi:nil="true"',
    ' xsi:schemaLocation=""',
  ],
  ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
  ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="x"',
]
