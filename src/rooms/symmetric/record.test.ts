import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../ground/bytes.ts'
import { makeKeyPair } from '../../ground/keystore/pair.ts'
import { bodyOf, isSigned, type KeyRecord, keyIdOfRecord, readRecord, signedOctets, writeRecord } from './record.ts'

const pair = makeKeyPair('P-256')
const base: KeyRecord = {
  id: '0f'.repeat(16),
  device: '00005e9010000001',
  holder: 'management',
  type: 'GUEK',
  generation: 3,
  packaging: 'AES-128-ECB',
  hsmKey: 'shared-key-s1sp-1-1-0a0b0c0d',
  hsmGeneration: 1,
  package: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
  madeAt: new Date('2026-11-20T09:00:00.123Z'),
  madeBy: 'dco-1',
  sealedBy: 'seal-1-0a0b0c0d',
  signedBy: 'dco-1',
}

const write = (record: KeyRecord) => writeRecord(record, Buffer.alloc(16, 7), octets => pair.sign(octets))

const name = fc.string({
  minLength: 1,
  maxLength: 100,
  unit: fc.integer({ min: 0x20, max: 0x7e }).map(c => String.fromCharCode(c)),
})
const octets = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(each => Buffer.from(each))
const anyRecord: fc.Arbitrary<KeyRecord> = fc
  .record({
    id: octets(16).map(toHex),
    device: octets(8).map(toHex),
    kind: fc.constantFrom(
      ['MK', 'device'],
      ['AK', 'firmware'],
      ['GUEK', 'management'],
      ['GBEK', 'firmware'],
      ['DK', 'data-collection'],
    ),
    generation: fc.nat(0xffffffff),
    packaging: fc.constant('AES-128-ECB' as const),
    hsmKey: name,
    hsmGeneration: fc.nat(0xffffffff),
    package: octets(16),
    madeAt: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
    madeBy: name,
    association: octets(16).map(toHex),
    sealedBy: name,
    signedBy: name,
  })
  .map(({ kind: [type, holder], association, generation, ...rest }) => ({
    ...rest,
    type: type as KeyRecord['type'],
    holder: holder as KeyRecord['holder'],
    generation: type === 'DK' ? 0 : generation,
    ...(type === 'DK' && { association }),
  }))

describe('a key record', () => {
  it('is encoded as docs/formats/key-record.md shows', () => {
    assert.equal(
      toHex(bodyOf(base)),
      [
        '00154f70656e534d4b49206b6579207265636f72642031',
        `0010${'0f'.repeat(16)}`,
        '000800005e9010000001',
        '000a6d616e6167656d656e74',
        '00044755454b',
        '000400000003',
        '000b4145532d3132382d454342',
        '001c7368617265642d6b65792d733173702d312d312d3061306230633064',
        '000400000001',
        '0010000102030405060708090a0b0c0d0e0f',
        '0018323032362d31312d32305430393a30303a30302e3132335a',
        '000564636f2d31',
        '0000',
        '000f7365616c2d312d3061306230633064',
        '000564636f2d31',
      ].join(''),
    )
  })

  it('is read back as it was written, and two that differ are never written alike', () => {
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(anyRecord, record => {
        const { octets } = write(record)
        const read = readRecord(octets)
        assert.deepEqual(
          { ...read.record, package: toHex(read.record.package) },
          { ...record, package: toHex(record.package) },
        )
        const body = toHex(bodyOf(record))
        const said = JSON.stringify(record)
        assert.equal(seen.get(body) ?? said, said)
        seen.set(body, said)
      }),
    )
    assert.ok(seen.size > 90)
  })

  it('is refused, and nothing breaks, however it is cut or changed', () => {
    const { octets } = write(base)
    const unreadable = { name: 'Refusal', code: 'RECORD_UNREADABLE' }
    for (let length = 0; length < octets.length; length++) {
      assert.throws(() => readRecord(octets.subarray(0, length)), unreadable)
    }
    assert.throws(() => readRecord(Buffer.concat([octets, Buffer.of(0)])), unreadable)
    assert.throws(() => readRecord(Buffer.concat([octets, Buffer.of(0, 0)])), unreadable)
    fc.assert(
      fc.property(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(octets)
        changed[at]! ^= change
        try {
          const read = readRecord(changed)
          assert.ok(!isSigned(read, pair.publicKey))
        } catch (cause) {
          assert.equal((cause as { code?: string }).code, 'RECORD_UNREADABLE')
        }
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), any => {
        assert.throws(() => readRecord(any), unreadable)
      }),
    )
  })

  it('has a holder that its type can belong to, and an association if it is a DK and only then', () => {
    assert.throws(() => write({ ...base, type: 'MK' }), RangeError)
    assert.throws(() => write({ ...base, holder: 'device' }), RangeError)
    const unreadable = { code: 'RECORD_UNREADABLE' }
    assert.throws(() => readRecord(write({ ...base, association: '00'.repeat(16) }).octets), unreadable)
    assert.throws(() => readRecord(write({ ...base, type: 'DK', generation: 0 }).octets), unreadable)
    const dk = { ...base, type: 'DK', association: '00'.repeat(16) } as const
    assert.throws(() => readRecord(write({ ...dk, generation: 1 }).octets), unreadable)
    assert.equal(readRecord(write({ ...dk, generation: 0 }).octets).record.type, 'DK')
  })

  it('is signed over body and seal together', () => {
    const one = write(base)
    assert.ok(isSigned(one, pair.publicKey))
    assert.ok(!isSigned({ ...one, seal: Buffer.alloc(16, 8) }, pair.publicKey))
    assert.ok(!isSigned({ ...one, body: bodyOf({ ...base, generation: 4 }) }, pair.publicKey))
    assert.ok(!isSigned(one, makeKeyPair('P-256').publicKey))
    assert.notDeepEqual(signedOctets(Buffer.of(1), Buffer.of(2, 3)), signedOctets(Buffer.of(1, 2), Buffer.of(3)))
  })

  it('names a key by what it is and not by its package, so that counters outlive a renewal', () => {
    const renewed = {
      ...base,
      id: toHex(randomBytes(16)),
      hsmKey: 'shared-key-s1sp-1-2-00000000',
      package: randomBytes(16),
    }
    assert.equal(keyIdOfRecord(renewed), keyIdOfRecord(base))
    assert.equal(keyIdOfRecord(base), '00005e9010000001/management/GUEK/3')
    const ids = [{ generation: 4 }, { type: 'AK' }, { holder: 'firmware' }, { device: '00005e9010000002' }] as const
    for (const other of ids) assert.notEqual(keyIdOfRecord({ ...base, ...other }), keyIdOfRecord(base))
  })
})
