import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { fromHex, toHex } from '../bytes.ts'
import { oidContent, oidText, readOid } from './oid.ts'
import { Der, NotDer } from './read.ts'
import { element, oid, sequence } from './write.ts'

const read = (hex: string) => readOid(new Der(fromHex(hex.replaceAll(' ', ''))), 'it')
const refused = (hex: string) => assert.throws(() => read(hex), { name: 'NotDer', fault: 'oid', offset: 0 }, hex)

/** Arcs as an OBJECT IDENTIFIER may have them, each of at most 64 bits together with what X.690 8.19.4 adds to it. */
const arc = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const dotted = fc
  .oneof(
    fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n }), fc.array(arc, { maxLength: 5 })),
    fc.tuple(fc.constant(2n), fc.bigInt({ min: 0n, max: (1n << 64n) - 81n }), fc.array(arc, { maxLength: 5 })),
  )
  .map(([first, second, rest]) => [first, second, ...rest].join('.'))

describe('An OBJECT IDENTIFIER', () => {
  it('is the one that X.690 8.19.5 prints', () => {
    assert.equal(read('06 03 88 37 03'), '2.999.3')
    assert.equal(toHex(oid('2.999.3')), '0603883703')
  })

  it('is among those that certificates carry as the standards print them', () => {
    // RFC 5480 2.1.1 and 3; RFC 4108 5; SEC's hwType of a test Device, with arcs of four octets
    for (const [hex, text] of [
      ['2a8648ce3d0201', '1.2.840.10045.2.1'],
      ['2a8648ce3d030107', '1.2.840.10045.3.1.7'],
      ['2a8648ce3d040302', '1.2.840.10045.4.3.2'],
      ['2b06010505070804', '1.3.6.1.5.5.7.8.4'],
      ['2a863a0001848fb90f01020201', '1.2.826.0.1.8641679.1.2.2.1'],
      ['55040b', '2.5.4.11'],
    ] as const) {
      assert.equal(oidText(fromHex(hex), 'it'), text)
      assert.equal(toHex(oidContent(text)), hex)
    }
  })

  it('comes back from its text, and its text from it', () => {
    fc.assert(
      fc.property(dotted, text => {
        assert.equal(readOid(new Der(oid(text)), 'it'), text)
      }),
    )
  })

  it('has the same octets in OpenSSL', { skip: noOpenssl }, () => {
    const texts = ['0.0', '0.39', '1.0.1', '1.39.16384', '2.0', '2.47.1', '2.48', '2.999', '1.2.4294967296']
    const { ok, says } = openssl(['asn1parse', '-inform', 'DER'], sequence(...texts.map(oid)))
    assert.ok(ok, says)
    const said = [...says.matchAll(/ OBJECT +:(\S+)/g)].map(([, text]) => text)
    assert.deepEqual(said, texts)
  })

  it('has arcs in the fewest octets (8.19.2), which end', () => {
    for (const hex of ['06 00', '06 01 80', '06 02 80 01', '06 04 2A 80 86 48', '06 02 2A 86', '06 01 FF'])
      refused(hex)
  })

  it('has arcs of at most 64 bits', () => {
    assert.equal(read('06 0b 2a 81ffffffffffffffff7f'), '1.2.18446744073709551615')
    refused('06 0b 2a 82808080808080808000')
    refused('06 0c 2a 8180808080808080808000')
  })

  it('is refused as not DER, and at once, when it has octets by the million', () => {
    for (const length of [65, 200_000, 5_000_000]) {
      const long = element(0x06, Buffer.alloc(length, 1))
      assert.throws(() => readOid(new Der(long), 'it'), { name: 'NotDer', fault: 'oid' }, `${length}`)
    }
  })

  it('is refused or read alike however often it was seen before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), content => {
        const once = () => {
          try {
            return oidText(content, 'it')
          } catch (error) {
            assert.ok(error instanceof NotDer)
            return 'refused'
          }
        }
        const first = once()
        assert.equal(once(), first)
        if (first !== 'refused') assert.equal(toHex(oidContent(first)), toHex(content))
      }),
      { numRuns: 2000 },
    )
  })

  it('is not written from a text that names none', () => {
    for (const text of [
      '',
      '1',
      '3.1',
      '1.40',
      '0.40',
      '1.2.',
      '.1.2',
      '1..2',
      '1.02',
      '1.2.-3',
      '1.2.a',
      ' 1.2',
      '1.2\n',
    ])
      assert.throws(() => oidContent(text), RangeError, JSON.stringify(text))
  })
})
