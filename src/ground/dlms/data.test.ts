import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Cursor, lengthOctets } from './cursor.ts'
import { type Data, readWholeData, writeData } from './data.ts'
import type { DlmsCode } from './refusals.ts'
import { octets, refused, upper } from './testing.ts'

describe('A value', () => {
  it('of each type is read, and written, as the table of dlms.md section 6 says', () => {
    const cases: [string, Data][] = [
      ['00', { type: 'null' }],
      ['01 00', { type: 'array', items: [] }],
      ['02 02 03 01 11 FF', { type: 'structure', items: [yes, { type: 'unsigned', value: 255 }] }],
      ['03 00', { type: 'boolean', value: false }],
      ['04 0B FFE0', { type: 'bit-string', bits: 11, octets: octets('FFE0') }],
      ['04 00', { type: 'bit-string', bits: 0, octets: octets('') }],
      ['06 FFFFFFFF', { type: 'double-long-unsigned', value: 0xffff_ffff }],
      ['09 0C 07EA0B1405030000FF000000', { type: 'octet-string', octets: octets('07EA0B1405030000FF000000') }],
      ['12 0400', { type: 'long-unsigned', value: 1024 }],
      ['16 03', { type: 'enum', value: 3 }],
    ]
    for (const [hex, data] of cases) {
      assert.deepEqual(readWholeData(octets(hex)), data, hex)
      assert.equal(upper(writeData(data)), hex.replaceAll(' ', ''), hex)
    }
  })

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(anyData, data => {
        assert.deepEqual(plainly(readWholeData(writeData(data))), plainly(data))
      }),
      { numRuns: 500 },
    )
  })

  it('is refused for its own reason', () => {
    const cases: [string, DlmsCode][] = [
      ['', 'DLMS_LENGTH'],
      ['05 00000000', 'DLMS_NOT_USED'],
      ['0F 00', 'DLMS_NOT_USED'],
      ['FF', 'DLMS_NOT_USED'],
      ['03 02', 'DLMS_ENCODING'],
      ['03 FF', 'DLMS_ENCODING'],
      ['04 0B FFE1', 'DLMS_ENCODING'],
      ['09 02 00', 'DLMS_LENGTH'],
      ['09 81 01 00', 'DLMS_LENGTH'],
      ['09 80', 'DLMS_LENGTH'],
      ['09 82 0001 00', 'DLMS_LENGTH'],
      ['09 83 000001 00', 'DLMS_LENGTH'],
      ['09 84 FFFFFFFF', 'DLMS_LENGTH'],
      ['11 00 00', 'DLMS_LENGTH'],
      ['12 00', 'DLMS_LENGTH'],
      ['01 03 00 00', 'DLMS_LENGTH'],
      ['01 82 FFFF 00', 'DLMS_LENGTH'],
      ['01 01 01 01 01 01 01 01 00', 'DLMS_DEPTH'],
    ]
    for (const [hex, code] of cases) assert.throws(() => readWholeData(octets(hex)), refused(code), hex)
    const tooMany = { message: /65535 elements in 1 octets/ }
    assert.throws(() => readWholeData(octets('01 82 FFFF 00')), tooMany, 'before the first is begun')
    assert.equal(upper(writeData(readWholeData(octets('01 01 01 01 01 01 00')))), '01010101010100')
  })

  it('is not written when it does not fit its type, or is nested too deeply to be read', () => {
    const deep = (levels: number): Data =>
      levels === 1 ? { type: 'null' } : { type: 'array', items: [deep(levels - 1)] }
    writeData(deep(4))
    const cases: Data[] = [
      deep(5),
      { type: 'unsigned', value: 256 },
      { type: 'enum', value: -1 },
      { type: 'long-unsigned', value: 0x10000 },
      { type: 'bit-string', bits: 9, octets: octets('FF') },
      { type: 'bit-string', bits: 7, octets: octets('FF') },
    ]
    for (const data of cases) assert.throws(() => writeData(data), RangeError)
  })
})

describe('A length', () => {
  it('has one form, the shortest', () => {
    for (const [length, hex] of [
      [0, '00'],
      [0x7f, '7F'],
      [0x80, '8180'],
      [0xff, '81FF'],
      [0x100, '820100'],
      [0xffff, '82FFFF'],
    ] as const) {
      assert.equal(upper(lengthOctets(length)), hex)
      assert.equal(new Cursor(octets(hex)).length('it'), length)
    }
    assert.throws(() => lengthOctets(0x10000), refused('DLMS_TOO_LONG'))
    for (const hex of ['80', '8100', '817F', '820000', '8200FF', '83010000', '84', '81', '8201', 'FF', '']) {
      assert.throws(() => new Cursor(octets(hex)).length('it'), refused('DLMS_LENGTH'), hex)
    }
  })

  it('says where it was wrong', () => {
    const cursor = new Cursor(octets('00 817F'))
    cursor.octet('something')
    assert.throws(
      () => cursor.length('the length'),
      (error: { details: unknown; message: string }) => {
        assert.deepEqual(error.details, { offset: 1 })
        assert.match(error.message, /the length is not in its shortest form \(at octet 1\)/)
        return true
      },
    )
  })
})

const yes: Data = { type: 'boolean', value: true }

const scalar: fc.Arbitrary<Data> = fc.oneof(
  fc.constant<Data>({ type: 'null' }),
  fc.boolean().map((value): Data => ({ type: 'boolean', value })),
  fc.nat(0xff).map((value): Data => ({ type: 'unsigned', value })),
  fc.nat(0xff).map((value): Data => ({ type: 'enum', value })),
  fc.nat(0xffff).map((value): Data => ({ type: 'long-unsigned', value })),
  fc.nat(0xffff_ffff).map((value): Data => ({ type: 'double-long-unsigned', value })),
  fc.uint8Array({ maxLength: 300 }).map((octets): Data => ({ type: 'octet-string', octets })),
  fc.uint8Array({ maxLength: 40 }).map((octets): Data => ({ type: 'bit-string', bits: octets.length * 8, octets })),
)

const items = (of: fc.Arbitrary<Data>) =>
  fc.tuple(fc.constantFrom('array' as const, 'structure' as const), fc.array(of, { maxLength: 5 }))
const container = (of: fc.Arbitrary<Data>): fc.Arbitrary<Data> =>
  fc.oneof(
    scalar,
    items(of).map(([type, items]): Data => ({ type, items })),
  )
const anyData = container(container(container(scalar)))

/** Buffers and Uint8Arrays are of different classes, and are the same octets. */
function plainly(data: Data): unknown {
  if ('items' in data) return { ...data, items: data.items.map(plainly) }
  return 'octets' in data ? { ...data, octets: upper(data.octets) } : data
}
