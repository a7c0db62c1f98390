import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { type Bytes, toBigInt, toHex } from '../bytes.ts'
import { Der, tag } from './read.ts'
import {
  bitString,
  boolean,
  element,
  enumerated,
  ia5String,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from './write.ts'

/** Reads exactly one element of what was written. */
function back<T>(written: Bytes, read: (der: Der) => T): T {
  const der = new Der(written)
  const value = read(der)
  der.finish('it')
  return value
}

const octets = fc.uint8Array({ maxLength: 300 })
const text = (bytes: Bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

describe('What is written in DER', () => {
  it('is what X.690 prints as its examples', () => {
    assert.equal(toHex(boolean(true)), '0101ff')
    assert.equal(toHex(bitString(Buffer.from('0a3b5f291cd0', 'hex'), 4)), '0307040a3b5f291cd0')
    assert.equal(toHex(nothing()), '0500')
    assert.equal(toHex(sequence(ia5String('Smith'), boolean(true))), '300a1605536d6974680101ff')
    // 8.14.3: Type1 ::= VisibleString, Type2 ::= [APPLICATION 3] IMPLICIT Type1, Type3 ::= [2] Type2
    assert.equal(toHex(tagged(2, element(0x43, Buffer.from('Jones')))), 'a20743054a6f6e6573')
  })

  it('has each length in its shortest form', () => {
    for (const [length, header] of [
      [0, '0400'],
      [127, '047f'],
      [128, '048180'],
      [255, '0481ff'],
      [256, '04820100'],
      [65_535, '0482ffff'],
      [65_536, '0483010000'],
      [16_777_215, '0483ffffff'],
      [16_777_216, '048401000000'],
    ] as const) {
      const written = octetString(Buffer.alloc(length))
      assert.equal(toHex(written.subarray(0, header.length / 2)), header)
      assert.equal(back(written, der => der.content(tag.octetString, 'it')).length, length)
    }
  })

  it('is read back as the same octets, whatever the tag and however many parts', () => {
    const low = fc.constantFrom(0x04, 0x30, 0x31, 0x80, 0x9e, 0xa0, 0xbe, 0x61)
    fc.assert(
      fc.property(low, fc.array(octets, { maxLength: 4 }), (tagOctet, parts) => {
        const content = back(element(tagOctet, ...parts), der => der.content(tagOctet, 'it'))
        assert.equal(toHex(content), toHex(Buffer.concat(parts)))
      }),
    )
    fc.assert(
      fc.property(fc.nat(30), octets, (n, content) => {
        assert.equal(toHex(back(tagged(n, content), der => der.content(0xa0 | n, 'it'))), toHex(content))
        assert.equal(toHex(back(taggedPrimitive(n, content), der => der.content(0x80 | n, 'it'))), toHex(content))
      }),
    )
  })

  it('is read back as the same number, from a number, a bigint or octets', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 200n }), number => {
        assert.equal(toBigInt(back(integer(number), der => der.integer('it'))), number)
        const padded = Buffer.from(number.toString(16).padStart(80, '0'), 'hex')
        assert.deepEqual(integer(padded), integer(number))
      }),
    )
    fc.assert(
      fc.property(fc.nat(), number => {
        assert.equal(
          back(integer(number), der => der.small('it')),
          number,
        )
        assert.equal(
          back(enumerated(number), der => der.small('it', tag.enumerated)),
          number,
        )
      }),
    )
    assert.equal(toHex(integer(0)), '020100')
    assert.equal(toHex(integer(Buffer.of(0, 0))), '020100')
    assert.equal(toHex(integer(128)), '02020080')
  })

  it('holds no INTEGER that is no non-negative number', () => {
    for (const value of [-1, -1n, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, Buffer.alloc(0)])
      assert.throws(() => integer(value), RangeError, String(value))
  })

  it('is read back as the same truth', () => {
    for (const value of [true, false])
      assert.equal(
        back(boolean(value), der => der.boolean('it')),
        value,
      )
    back(nothing(), der => der.nothing('it'))
  })

  it('is read back as the same bits', () => {
    fc.assert(
      fc.property(octets, fc.nat(7), (some, unused) => {
        const content = some.slice()
        if (content.length === 0) unused = 0
        else content[content.length - 1]! &= 0xff << unused
        const read = back(bitString(content, unused), der => der.bits('it'))
        assert.deepEqual([toHex(read.octets), read.unused], [toHex(content), unused])
      }),
    )
  })

  it('holds no BIT STRING whose unused bits are set, or more than there are', () => {
    assert.throws(() => bitString(Buffer.of(0x03), 1), RangeError)
    assert.throws(() => bitString(Buffer.of(0x00), 8), RangeError)
    assert.throws(() => bitString(Buffer.alloc(0), 1), RangeError)
    assert.throws(() => bitString(Buffer.of(0x80), -1), RangeError)
  })

  it('names bits from the left, and leaves out the zeros behind the last (11.2.2)', () => {
    assert.equal(toHex(namedBits(0)), '03020780')
    assert.equal(toHex(namedBits(4)), '03020308')
    assert.equal(toHex(namedBits(5, 6)), '03020106')
    assert.equal(toHex(namedBits(5)), '03020204')
    assert.equal(toHex(namedBits(8)), '0303070080')
    assert.equal(toHex(namedBits()), '030100')
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(30)), bits => {
        const { octets, unused } = back(namedBits(...bits), der => der.bits('it'))
        const set = Array.from({ length: octets.length * 8 - unused }, (_, i) => i).filter(
          i => octets[i >> 3]! & (0x80 >> (i & 7)),
        )
        assert.deepEqual(
          set,
          bits.toSorted((a, b) => a - b),
        )
        assert.equal(octets.length * 8 - unused, Math.max(-1, ...bits) + 1)
      }),
    )
  })

  it('is read back as the same text, in UTF-8, printable and IA5', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), written => {
        assert.equal(text(back(utf8String(written), der => der.content(tag.utf8String, 'it'))), written)
      }),
    )
    const printable = "ABCxyz019 '()+,-./:=?"
    assert.equal(text(back(printableString(printable), der => der.content(tag.printableString, 'it'))), printable)
    assert.equal(text(back(ia5String('a@b_c*\0\x7f'), der => der.content(tag.ia5String, 'it'))), 'a@b_c*\0\x7f')
    assert.equal(toHex(ia5String('a', 0x82)), '820161')
  })

  it('holds no character that the type of the string does not have', () => {
    for (const c of ['@', '_', '*', '&', '"', ';', '<', '\0', '\n', 'é', '’'])
      assert.throws(() => printableString(`a${c}`), RangeError, c)
    assert.throws(() => ia5String('é'), RangeError)
    for (const half of ['\ud800', 'a\udfff', '\udc00\ud800']) assert.throws(() => utf8String(half), RangeError)
  })

  it('has the elements of a SET OF in ascending order, whatever order they came in (11.6)', () => {
    assert.equal(
      toHex(setOf(octetString(Buffer.of(9)), octetString(Buffer.of(1)), integer(7))),
      '3109020107040101040109',
    )
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 6 }), some => {
        const elements = some.map(octetString)
        const set = back(setOf(...elements), der => der.enter(tag.set, 'it'))
        const found: Bytes[] = []
        while (!set.done) found.push(set.any('it'))
        assert.deepEqual(found.map(toHex).toSorted(), elements.map(toHex).toSorted())
        for (const [i, one] of found.slice(1).entries()) assert.ok(Buffer.compare(found[i]!, one) <= 0)
      }),
    )
    const unsorted = [octetString(Buffer.of(2)), octetString(Buffer.of(1))]
    setOf(...unsorted)
    assert.equal(toHex(unsorted[0]!), '040102')
  })

  it('is what OpenSSL reads', { skip: noOpenssl }, () => {
    const all = sequence(
      boolean(true),
      integer(1n << 64n),
      bitString(Buffer.of(0x80), 7),
      octetString(Buffer.of(1, 2)),
      nothing(),
      oid('1.2.840.10045.4.3.2'),
      enumerated(3),
      utf8String('größer'),
      setOf(printableString('b'), printableString('a')),
      tagged(3, ia5String('x')),
      taggedPrimitive(2, Buffer.of(5)),
    )
    const { ok, says } = openssl(['asn1parse', '-inform', 'DER'], all)
    assert.ok(ok, says)
    assert.deepEqual(
      [...says.matchAll(/(?:prim|cons): (.*?) *(?:\[HEX DUMP\])?(?::(.*))?$/gm)].map(([, type, value]) => [
        type,
        value,
      ]),
      [
        ['SEQUENCE', undefined],
        ['BOOLEAN', '255'],
        ['INTEGER', '010000000000000000'],
        ['BIT STRING', undefined],
        ['OCTET STRING', '0102'],
        ['NULL', undefined],
        ['OBJECT', 'ecdsa-with-SHA256'],
        ['ENUMERATED', '03'],
        ['UTF8STRING', 'größer'],
        ['SET', undefined],
        ['PRINTABLESTRING', 'a'],
        ['PRINTABLESTRING', 'b'],
        ['cont [ 3 ]', undefined],
        ['IA5STRING', 'x'],
        ['cont [ 2 ]', undefined],
      ],
    )
  })
})
