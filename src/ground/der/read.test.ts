import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex, toHex } from '../bytes.ts'
import { Der, type DerFault, NotDer, tag } from './read.ts'

const der = (hex: string) => new Der(fromHex(hex.replaceAll(' ', '')))

/** Reading `hex` must fail with that fault, and say that what is wrong begins at that octet. */
function refuses(hex: string, fault: DerFault, read: (der: Der) => unknown, offset = 0) {
  assert.throws(
    () => read(der(hex)),
    (error: unknown) => {
      assert.ok(error instanceof NotDer, `${hex} threw ${error}`)
      assert.deepEqual([error.fault, error.offset], [fault, offset], `${hex}: ${error.message}`)
      assert.match(error.message, /\(at octet \d+\)$/)
      return true
    },
    hex,
  )
}

describe('The reader of DER', () => {
  it('reads the examples that X.690 prints', () => {
    // 8.2.2 (with the TRUE of 11.1), 8.6.4.2, 8.8.2, 8.9.3
    assert.equal(der('01 01 FF').boolean('it'), true)
    const { octets, unused } = der('03 07 04 0A 3B 5F 29 1C D0').bits('it')
    assert.deepEqual([toHex(octets), unused], ['0a3b5f291cd0', 4])
    der('05 00').nothing('it')
    const both = der('30 0A 16 05 53 6D 69 74 68 01 01 FF').sequence('it')
    assert.equal(Buffer.from(both.content(tag.ia5String, 'name')).toString(), 'Smith')
    assert.equal(both.boolean('ok'), true)
    both.finish('it')
  })

  it('reads INTEGERs of both signs in the fewest octets and no others (8.3.2)', () => {
    for (const content of [
      '00',
      '7f',
      '0080',
      '00ff',
      '80',
      'ff',
      'ff7f',
      '8000',
      '7fffffff',
      '00ffffffffffffffffff',
    ]) {
      const length = (content.length / 2).toString(16).padStart(2, '0')
      assert.equal(toHex(der(`02${length}${content}`).integer('it')), content)
    }
    for (const hex of ['02 00', '02 02 0000', '02 02 007f', '02 02 ff80', '02 02 ffff', '02 03 000001']) {
      refuses(hex, 'integer', der => der.integer('it'))
    }
  })

  it('reads small numbers up to 31 bits, never negative ones', () => {
    assert.equal(der('02 01 00').small('it'), 0)
    assert.equal(der('02 02 0080').small('it'), 128)
    assert.equal(der('02 04 7fffffff').small('it'), 2 ** 31 - 1)
    assert.equal(der('0a 01 0a').small('it', tag.enumerated), 10)
    for (const hex of ['02 01 ff', '02 01 80', '02 05 0080000000', '02 09 00ffffffffffffffff']) {
      refuses(hex, 'integer', der => der.small('it'))
    }
    refuses('02 01 0a', 'tag', der => der.small('it', tag.enumerated))
  })

  it('reads true as FF and false as 00 only (11.1)', () => {
    assert.equal(der('01 01 00').boolean('it'), false)
    for (const hex of ['01 01 01', '01 01 FE', '01 00', '01 02 FFFF'])
      refuses(hex, 'boolean', der => der.boolean('it'))
  })

  it('reads a BIT STRING whose unused bits are zero and there (8.6.2, 11.2.1)', () => {
    assert.deepEqual(der('03 01 00').bits('it').octets.length, 0)
    assert.deepEqual(der('03 02 07 80').bits('it').unused, 7)
    for (const hex of ['03 00', '03 01 01', '03 02 08 00', '03 02 FF 00', '03 02 07 C0', '03 03 01 00 01']) {
      refuses(hex, 'bit_string', der => der.bits('it'))
    }
    refuses('03 02 01 02', 'bit_string', der => der.wholeBits('it'))
    assert.equal(toHex(der('03 02 00 03').wholeBits('it')), '03')
  })

  it('reads a NULL without content only (8.8.2)', () => {
    refuses('05 01 00', 'null', der => der.nothing('it'))
  })

  it('takes a length in its shortest definite form only (10.1)', () => {
    const octets = (n: number) => '00'.repeat(n)
    assert.equal(der(`04 7f ${octets(127)}`).content(tag.octetString, 'it').length, 127)
    assert.equal(der(`04 81 80 ${octets(128)}`).content(tag.octetString, 'it').length, 128)
    assert.equal(der(`04 82 0100 ${octets(256)}`).content(tag.octetString, 'it').length, 256)
    const take = (der: Der) => der.any('it')
    refuses('30 80 0000', 'length', take) // indefinite
    refuses('04 81 00', 'length', take)
    refuses(`04 81 7f ${octets(127)}`, 'length', take)
    refuses(`04 82 0080 ${octets(128)}`, 'length', take)
    refuses(`04 83 000100 ${octets(256)}`, 'length', take)
    refuses(`04 84 00000080 ${octets(128)}`, 'length', take)
    refuses('04 85 0000000001 00', 'length', take)
    refuses('04 FF', 'length', take)
  })

  it('says what is missing when the octets end early', () => {
    const take = (der: Der) => der.any('it')
    for (const hex of ['', '04', '04 01', '04 05 00000000', '04 82', '04 82 01', '04 82 0100', '04 84 7fffffff']) {
      refuses(hex, 'truncated', take)
    }
  })

  it('keeps an element inside the one that holds it', () => {
    refuses('30 03 04 02 00 00', 'truncated', der => der.sequence('it').any('inside'), 2)
    refuses('30 01 04 00', 'truncated', der => der.sequence('it').any('inside'), 2)
  })

  it('knows the tag that is due, and no tag of more than one octet (8.1.2.4)', () => {
    refuses('04 00', 'tag', der => der.sequence('it'))
    refuses('1F 81 01 00', 'tag', der => der.any('it'))
    refuses('BF 1F 00', 'tag', der => der.any('it'))
    refuses('', 'truncated', der => der.any('it'))
    assert.equal(der('').peek(), -1)
  })

  it('takes constructed SEQUENCEs and SETs and primitive everything else of the universal class (10.2)', () => {
    for (const hex of ['30 00', '31 00', '0C 00', 'A0 00', '80 00', '60 00']) der(hex).any('it')
    for (const hex of ['24 04 0401 00', '23 00', '2C 00', '33 00', '10 00', '11 00', '21 00', '00 00', '20 00']) {
      refuses(hex.padEnd(4, '0'), 'tag', der => der.any('it'))
    }
  })

  it('refuses octets that follow', () => {
    const two = der('05 00 05 00')
    two.nothing('it')
    assert.throws(() => two.finish('it'), { name: 'NotDer', fault: 'trailing', offset: 2 })
    assert.equal(two.done, false)
    two.nothing('it')
    two.finish('it')
    assert.equal(two.done, true)
  })

  it('hands out parts of the octets it was given, and copies none', () => {
    const octets = fromHex('3006040401020304')
    const inside = new Der(octets).sequence('it')
    const content = inside.content(tag.octetString, 'inside')
    octets[4] = 0xff
    assert.equal(toHex(content), 'ff020304')
    assert.equal(toHex(new Der(octets).element(tag.sequence, 'it')), toHex(octets))
  })

  it('allots nothing for a length that is not there', () => {
    const before = process.memoryUsage()
    for (let i = 0; i < 10_000; i++) {
      for (const bomb of ['04 84 FFFFFFFF', '30 84 7FFFFFFF 30', '03 84 FFFFFFFF 00', '02 84 FFFFFFFF 01'])
        assert.throws(() => der(bomb).any('it'), NotDer)
    }
    const after = process.memoryUsage()
    assert.ok(after.arrayBuffers - before.arrayBuffers < 32 * 1024 * 1024)
  })

  it('throws nothing but NotDer, at an offset within the octets, whatever it is asked to read', () => {
    const reads: ((der: Der) => unknown)[] = [
      der => der.any('it'),
      der => der.boolean('it'),
      der => der.integer('it'),
      der => der.small('it'),
      der => der.bits('it'),
      der => der.wholeBits('it'),
      der => der.nothing('it'),
      der => der.sequence('it').any('inside'),
      der => der.skip(der.peek(), 'it'),
    ]
    let refused = 0
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.constantFrom(...reads), (octets, read) => {
        try {
          read(new Der(octets))
        } catch (error) {
          if (!(error instanceof NotDer)) throw error
          assert.ok(error.offset >= 0 && error.offset <= octets.length)
          refused++
        }
      }),
      { numRuns: 5000 },
    )
    assert.ok(refused > 1000)
  })
})
