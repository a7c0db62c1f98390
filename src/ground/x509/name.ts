/** Distinguished names: read with their encoding kept, compared as RFC 5280 section 7.1 compares them. */

import { type Bytes, equal, toHexUpper, view } from '../bytes.ts'
import { readOid } from '../der/oid.ts'
import { Der, tag } from '../der/read.ts'
import { oids } from './names.ts'

export interface Attribute {
  readonly oid: string
  /** The tag of the value: UTF8String, PrintableString, BIT STRING, … */
  readonly tag: number
  /** The content octets of the value. */
  readonly content: Bytes
}

export interface Name {
  /** The whole SEQUENCE. */
  readonly der: Bytes
  /** Relative distinguished names in their order; each of one attribute or more. */
  readonly rdns: readonly (readonly Attribute[])[]
}

export function readName(der: Der, what: string): Name {
  const start = der.at
  const sequence = der.sequence(what)
  const rdns: Attribute[][] = []
  while (!sequence.done) {
    const set = sequence.enter(tag.set, `a relative name of ${what}`)
    const attributes: Attribute[] = []
    let previous: Bytes | undefined
    if (set.done) set.fail('empty', `a relative name of ${what} is empty`)
    while (!set.done) {
      const from = set.at
      const pair = set.sequence(`an attribute of ${what}`)
      const oid = readOid(pair, `an attribute type of ${what}`)
      const valueTag = pair.peek()
      // The one type whose octets can be wrong in themselves, among those that these PKIs use in names.
      if (valueTag === tag.bitString) new Der(pair.octets, pair.at, pair.end).bits(`an attribute value of ${what}`)
      const content = pair.content(valueTag, `an attribute value of ${what}`)
      pair.finish(`an attribute of ${what}`)
      const whole = set.octets.subarray(from, set.at)
      // X.690 11.6: the elements of a SET OF stand in ascending order.
      if (previous && Buffer.compare(previous, whole) > 0)
        set.fail('set_order', `${what} has a relative name out of order`)
      previous = whole
      attributes.push({ oid, tag: valueTag, content })
    }
    rdns.push(attributes)
  }
  return { der: der.octets.subarray(start, der.at), rdns }
}

/** Text of a string value; undefined when its octets do not fit its type, or its type is no string of ours. */
export function attributeText({ tag: type, content }: Attribute): string | undefined {
  if (type === tag.utf8String) {
    try {
      return utf8.decode(content)
    } catch {
      return undefined
    }
  }
  const latin1 = view(content).toString('latin1')
  if (type === tag.printableString) return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(latin1) ? latin1 : undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: IA5String is exactly these 128 characters
  if (type === tag.ia5String) return /^[\x00-\x7f]*$/.test(latin1) ? latin1 : undefined
  if (type === tag.teletexString) return latin1
  if (type === tag.bmpString && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  return undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The attributes of one type, in their order. */
export function attributes(name: Name, oid: string): Attribute[] {
  return name.rdns.flat().filter(attribute => attribute.oid === oid)
}

/** The text of the only attribute of that type; undefined when there is none, or more than one. */
export function onlyText(name: Name, oid: string): string | undefined {
  const found = attributes(name, oid)
  return found.length === 1 ? attributeText(found[0]!) : undefined
}

/**
 * Whether two names are the same: equal octets, or equal attribute by attribute where text is compared without regard
 * to string type, case, or runs of spaces (RFC 5280 7.1). A text that is not valid in its type equals nothing but itself.
 */
export function sameName(a: Name, b: Name): boolean {
  if (equal(a.der, b.der)) return true
  return (
    a.rdns.length === b.rdns.length &&
    a.rdns.every((rdn, i) => {
      const other = b.rdns[i]!
      if (rdn.length !== other.length) return false
      // As sets, and not each with each: the names come from strangers, and may hold thousands.
      const here = new Set(rdn.map(comparable))
      const there = new Set(other.map(comparable))
      return here.size === there.size && here.isSubsetOf(there)
    })
  )
}

/** Two attributes are the same when these texts are: what is text by its text, all else by type and octets. */
function comparable(attribute: Attribute): string {
  const text = attributeText(attribute)
  return text === undefined
    ? `${attribute.oid} #${attribute.tag} ${toHexUpper(attribute.content)}`
    : `${attribute.oid} =${folded(text)}`
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')
}

const short: Record<string, string> = {
  [oids.commonName]: 'CN',
  [oids.countryName]: 'C',
  [oids.organizationName]: 'O',
  [oids.organizationalUnitName]: 'OU',
  [oids.uniqueIdentifier]: 'uniqueIdentifier',
}

/** For people: `OU=07, CN=Z1`; an empty name is `(empty)`. Never compared, never parsed again. */
export function showName(name: Name): string {
  if (name.rdns.length === 0) return '(empty)'
  return name.rdns
    .map(rdn =>
      rdn
        .map(attribute => {
          const text =
            attribute.tag === tag.bitString ? toHexUpper(attribute.content.subarray(1)) : attributeText(attribute)
          return `${short[attribute.oid] ?? attribute.oid}=${text === undefined ? `#${toHexUpper(attribute.content)}` : safe(text)}`
        })
        .join('+'),
    )
    .join(', ')
}

/** Control characters, ends of lines and separators escaped, so that a name cannot forge a line of a log. */
function safe(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\\,+=]/gu, c =>
    /[\\,+=]/.test(c) ? `\\${c}` : `\\u{${c.codePointAt(0)!.toString(16)}}`,
  )
}
