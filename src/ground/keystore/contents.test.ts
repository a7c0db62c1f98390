import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Contents, decodeContents, type Entry, encodeContents, isLabel } from './contents.ts'

const label = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map(n => String.fromCharCode(n)),
  maxLength: 128,
})
const octets = (least: number) => fc.uint8Array({ minLength: least, maxLength: 300 }).map(o => Buffer.from(o))
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constant('secret' as const), spki: fc.constant(Buffer.alloc(0)), secret: octets(1) }),
  fc.record({
    kind: fc.constantFrom('P-256' as const, 'RSA-2048' as const, 'RSA-4096' as const, 'Ed25519' as const),
    spki: octets(1),
    secret: octets(1),
  }),
)
const contents: fc.Arbitrary<Contents> = fc
  .array(fc.tuple(label.filter(isLabel), entry), { maxLength: 6 })
  .map(entries => new Map(entries.map(([label, entry]) => [label, { ...entry }])))
const sorted = (map: Contents) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

describe('The contents of a key store', () => {
  it('come back as they were, in the order of their labels', () => {
    fc.assert(
      fc.property(contents, map => {
        assert.deepEqual([...decodeContents(encodeContents(map))], sorted(map))
      }),
    )
  })

  it('have one encoding: what is read is written again octet for octet, and all else is refused', () => {
    let read = 0
    fc.assert(
      fc.property(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), (map, at, change) => {
        const plain = encodeContents(map)
        plain[at % plain.length]! ^= change
        try {
          assert.deepEqual(encodeContents(decodeContents(plain)), plain)
          read += 1
        } catch (cause) {
          if ((cause as Error).name !== 'Refusal') throw cause
        }
      }),
      { numRuns: 2000 },
    )
    assert.ok(read > 100 && read < 1900, `${read} of 2000 were read`)
  })

  it('are refused when cut short or followed by something', () => {
    const map: Contents = new Map([['key', { kind: 'P-256', spki: Buffer.of(1), secret: Buffer.of(2) }]])
    const plain = encodeContents(map)
    for (let length = 0; length < plain.length; length++) {
      assert.throws(() => decodeContents(plain.subarray(0, length)), { code: 'KEYSTORE_DAMAGED' })
    }
    assert.throws(() => decodeContents(Buffer.concat([plain, Buffer.of(0)])), { code: 'KEYSTORE_DAMAGED' })
    const empty = [
      { kind: 'P-256', spki: Buffer.of(1), secret: Buffer.alloc(0) },
      { kind: 'P-256', spki: Buffer.alloc(0), secret: Buffer.of(1) },
      { kind: 'secret', spki: Buffer.of(1), secret: Buffer.of(1) },
    ] as const
    for (const entry of empty) {
      assert.throws(() => decodeContents(encodeContents(new Map([['key', entry]]))), { code: 'KEYSTORE_DAMAGED' })
    }
    plain[4] = 0x05
    assert.throws(() => decodeContents(plain), { code: 'KEYSTORE_FORMAT_UNKNOWN' })
  })
})
