import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { corpusFile, corpusIndex, noCorpus } from '../../../test/outside.ts'
import { toHex } from '../bytes.ts'
import { Der, tag } from '../der/read.ts'
import {
  bitString,
  element,
  ia5String,
  integer,
  oid,
  printableString,
  sequence,
  setOf,
  utf8String,
} from '../der/write.ts'
import { readCertificate } from './certificate.ts'
import { attributes, attributeText, type Name, onlyText, readName, sameName, showName } from './name.ts'
import { oids } from './names.ts'

const pair = (type: string, value: Buffer) => sequence(oid(type), value)
const cn = (value: Buffer) => setOf(pair(oids.commonName, value))
const ou = (value: Buffer) => setOf(pair(oids.organizationalUnitName, value))
const read = (...rdns: Buffer[]): Name => readName(new Der(sequence(...rdns)), 'it')
const bmp = (text: string) => element(tag.bmpString, Buffer.from(text, 'utf16le').swap16())
const text = (value: Buffer) => attributeText(read(cn(value)).rdns[0]![0]!)

describe('A name', () => {
  it('is read with its encoding, its order, and the types of its strings', () => {
    const encoded = sequence(ou(printableString('07')), cn(utf8String('Z1')))
    const name = readName(new Der(encoded), 'it')
    assert.equal(toHex(name.der), toHex(encoded))
    assert.deepEqual(
      name.rdns.map(rdn => rdn.map(one => [one.oid, one.tag, Buffer.from(one.content).toString()])),
      [[[oids.organizationalUnitName, tag.printableString, '07']], [[oids.commonName, tag.utf8String, 'Z1']]],
    )
    assert.equal(onlyText(name, oids.commonName), 'Z1')
    assert.equal(attributes(name, oids.organizationName).length, 0)
    assert.deepEqual(read().rdns, [])
  })

  it('has the only text of an attribute only where there is one', () => {
    const two = read(cn(utf8String('a')), cn(utf8String('b')))
    assert.equal(onlyText(two, oids.commonName), undefined)
    assert.equal(attributes(two, oids.commonName).length, 2)
    assert.equal(onlyText(read(cn(bitString(Buffer.of(1)))), oids.commonName), undefined)
  })

  it('is refused when it is not DER', () => {
    const [a, b] = [pair(oids.commonName, utf8String('a')), pair(oids.organizationalUnitName, utf8String('b'))]
    const set = (...content: Buffer[]) => element(tag.set, ...content)
    for (const [fault, rdn] of [
      ['empty', set()],
      ['set_order', set(b, a)],
      ['tag', sequence(a)],
      ['trailing', set(sequence(oid(oids.commonName), utf8String('a'), utf8String('b')))],
      ['truncated', set(sequence(oid(oids.commonName)))],
      ['tag', set(pair(oids.commonName, element(0x2c, utf8String('a'))))],
      ['bit_string', set(pair(oids.uniqueIdentifier, element(tag.bitString, Buffer.of(9, 1))))],
      ['bit_string', set(pair(oids.uniqueIdentifier, element(tag.bitString, Buffer.of(1, 1))))],
      ['oid', set(sequence(element(tag.oid, Buffer.of(0x80, 1)), utf8String('a')))],
    ] as const) {
      assert.throws(() => read(rdn), { name: 'NotDer', fault }, toHex(rdn))
    }
    assert.equal(read(set(a, b)).rdns[0]!.length, 2)
    // X.690 11.6 asks for an order, not for a difference.
    assert.equal(read(set(a, a)).rdns[0]!.length, 2)
  })

  it('gives the text of a string that fits its type, and of no other', () => {
    assert.equal(text(utf8String('Größe')), 'Größe')
    assert.equal(text(utf8String('\ufeffa')), '\ufeffa')
    assert.equal(text(printableString('Z1')), 'Z1')
    assert.equal(text(ia5String('a@b')), 'a@b')
    assert.equal(text(bmp('Größe')), 'Größe')
    assert.equal(text(element(tag.teletexString, Buffer.of(0x47, 0xe9))), 'Gé')
    for (const value of [
      element(tag.utf8String, Buffer.of(0xff)),
      element(tag.utf8String, Buffer.of(0xc0, 0x80)), // overlong
      element(tag.utf8String, Buffer.of(0xed, 0xa0, 0x80)), // a surrogate
      element(tag.printableString, Buffer.from('a@b')),
      element(tag.printableString, Buffer.from('a*')),
      element(tag.ia5String, Buffer.of(0x80)),
      element(tag.bmpString, Buffer.of(0x00)),
      bitString(Buffer.of(1)),
      integer(1),
    ]) {
      assert.equal(text(value), undefined, toHex(value))
    }
  })
})

describe('Two names', () => {
  const same = (a: Name, b: Name) => {
    assert.equal(sameName(a, b), sameName(b, a))
    return sameName(a, b)
  }

  it('are the same whatever the type of their strings, their case and their spaces (RFC 5280 7.1)', () => {
    const one = read(ou(printableString('07')), cn(printableString('Smart  Meter ')))
    assert.ok(same(one, read(ou(utf8String('07')), cn(utf8String(' smart METER')))))
    assert.ok(same(one, read(ou(utf8String('07')), cn(bmp('Smart Meter')))))
    assert.ok(same(read(cn(utf8String('\u00e9'))), read(cn(utf8String('e\u0301')))))
  })

  it('differ in order, number, attribute type or text', () => {
    const one = read(ou(utf8String('07')), cn(utf8String('Z1')))
    for (const other of [
      read(cn(utf8String('Z1')), ou(utf8String('07'))),
      read(ou(utf8String('07'))),
      read(ou(utf8String('07')), cn(utf8String('Z1')), cn(utf8String('Z1'))),
      read(ou(utf8String('07')), ou(utf8String('Z1'))),
      read(ou(utf8String('07')), cn(utf8String('Z2'))),
      read(ou(utf8String('07')), cn(utf8String('Z 1'))),
      read(setOf(pair(oids.organizationalUnitName, utf8String('07')), pair(oids.commonName, utf8String('Z1')))),
      read(),
    ]) {
      assert.ok(!same(one, other), showName(other))
    }
  })

  it('are compared as sets within a relative name', () => {
    const rdn = (...values: string[]) =>
      read(setOf(...values.map(value => pair(oids.commonName, utf8String(value)))))
    // The order of DER depends on case and length; the set does not.
    assert.ok(same(rdn('a', 'B'), rdn('A', 'b')))
    assert.ok(!same(rdn('a', 'b'), rdn('a', 'c')))
    assert.ok(!same(rdn('a', 'b'), rdn('a')))
    assert.ok(!same(rdn('a', 'a'), rdn('a', 'b')))
    assert.ok(!same(rdn('a', 'b'), rdn('a', 'a')))
  })

  it('are never the same by a text that is not valid in its type, nor by a value that only looks like one', () => {
    const bad = cn(element(tag.utf8String, Buffer.of(0xff)))
    assert.ok(same(read(bad, cn(utf8String('a'))), read(bad, cn(utf8String('A')))))
    assert.ok(!same(read(bad), read(cn(element(tag.teletexString, Buffer.of(0xff))))))
    assert.ok(!same(read(bad), read(cn(element(tag.utf8String, Buffer.of(0xfe))))))
    // What showing or comparing might write for a value of another type.
    const bits = bitString(Buffer.from('a1b2c3d4e5f60718', 'hex'))
    assert.ok(!same(read(cn(bits)), read(cn(utf8String('A1B2C3D4E5F60718')))))
    assert.ok(!same(read(cn(bits)), read(cn(utf8String('#3 00A1B2C3D4E5F60718')))))
    assert.ok(!same(read(cn(bits)), read(cn(element(tag.octetString, Buffer.from('00a1b2c3d4e5f60718', 'hex'))))))
  })

  it('are the same as themselves, and whichever way round they are asked', () => {
    const value = fc.oneof(
      fc
        .string({
          unit: fc.constantFrom('a', 'A', ' ', '\0', 'é', 'e\u0301', 'ſ', '\u212a', '\u2028', '🙂'),
          maxLength: 3,
        })
        .map(utf8String),
      fc.constantFrom('a', 'A', ' a', 'b').map(printableString),
      fc.uint8Array({ maxLength: 2 }).map(octets => bitString(octets)),
    )
    const type = fc.constantFrom(oids.commonName, oids.organizationalUnitName)
    const attribute = fc.tuple(type, value).map(([type, value]) => pair(type, value))
    const name = fc
      .array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { maxLength: 2 })
      .map(rdns => read(...rdns.map(rdn => setOf(...rdn))))
    fc.assert(
      fc.property(name, name, (a, b) => {
        assert.ok(sameName(a, a))
        assert.equal(sameName(a, b), sameName(b, a))
        assert.match(showName(a), /^[^\p{C}\p{Zl}\p{Zp}]*$/u)
      }),
      { numRuns: 200 },
    )
  })

  it('of thousands of attributes each are compared without comparing each with each', () => {
    const many = (prefix: string) =>
      read(
        setOf(
          ...Array.from({ length: 10_000 }, (_, i) =>
            pair('2.5.4.3', utf8String(`${prefix}${String(i).padStart(5)}`)),
          ),
        ),
      )
    const [lower, upper] = [many('a'), many('A')]
    const start = process.cpuUsage()
    assert.ok(sameName(lower, upper))
    assert.ok(process.cpuUsage(start).user < 2_000_000) // each with each took forty seconds
  })
})

describe('A name shown to people', () => {
  it('has short forms of what these PKIs use', () => {
    const eui64 = setOf(pair(oids.uniqueIdentifier, bitString(Buffer.from('a1b2c3d4e5f60718', 'hex'))))
    assert.equal(showName(read(ou(utf8String('01')), eui64)), 'OU=01, uniqueIdentifier=A1B2C3D4E5F60718')
    assert.equal(showName(read()), '(empty)')
    const both = setOf(pair(oids.commonName, utf8String('a')), pair('2.5.4.5', utf8String('b')))
    assert.equal(showName(read(both)), 'CN=a+2.5.4.5=b')
    assert.equal(showName(read(cn(element(tag.utf8String, Buffer.of(0xff))))), 'CN=#FF')
  })

  it('cannot forge another, nor a line of a log, nor turn the direction of writing', () => {
    assert.equal(showName(read(cn(utf8String('a, OU=07')))), 'CN=a\\, OU\\=07')
    assert.equal(showName(read(cn(utf8String('a+b\\')))), 'CN=a\\+b\\\\')
    assert.equal(
      showName(read(cn(utf8String('a\r\nb\0\x1b[31m\x85\u2028\u2029\u202e\ufeff')))),
      'CN=a\\u{d}\\u{a}b\\u{0}\\u{1b}[31m\\u{85}\\u{2028}\\u{2029}\\u{202e}\\u{feff}',
    )
  })
})

describe('The names of published certificates', { skip: noCorpus }, () => {
  const issuers = noCorpus
    ? []
    : corpusIndex().certificates.map(
        ({ file, issuer }) => [issuer, readCertificate(corpusFile(file)).issuer] as const,
      )

  it('are the same where only the types of the strings differ: "Z1" printable and in UTF-8', () => {
    const printable = issuers.find(([shown]) => shown === 'OU:Printable=07 / CN:Printable=Z1')![1]
    const utf8 = issuers.find(([shown]) => shown === 'OU:UTF8=07 / CN:UTF8=Z1')![1]
    assert.notEqual(toHex(printable.der), toHex(utf8.der))
    assert.ok(sameName(printable, utf8))
  })

  it('are the same exactly where the index, without its string types, says the same', () => {
    const bare = (shown: string) => shown.replaceAll(/:(UTF8|Printable)=/g, '=')
    for (const [a, first] of issuers)
      for (const [b, second] of issuers) assert.equal(sameName(first, second), bare(a) === bare(b), `${a} | ${b}`)
  })
})
