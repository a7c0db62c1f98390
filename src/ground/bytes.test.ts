import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { equal, fromBigInt, fromHex, toBigInt, toHex, toHexUpper, view } from './bytes.ts'

const octets = fc.uint8Array({ maxLength: 40 })

describe('Octets', () => {
  it('come back from their hexadecimal text in either case', () => {
    fc.assert(
      fc.property(octets, some => {
        assert.deepEqual(new Uint8Array(fromHex(toHex(some))), some)
        assert.deepEqual(new Uint8Array(fromHex(toHexUpper(some))), some)
        assert.equal(toHexUpper(some), toHex(some).toUpperCase())
      }),
    )
    assert.equal(toHex(Buffer.of(0x00, 0x0f, 0xa0)), '000fa0')
  })

  it('are not read from half an octet, nor from what is no digit', () => {
    for (const text of ['0', 'abc', '0g', '0x', ' 0', '00 ', '0\n', '-1', '０１']) {
      assert.throws(() => fromHex(text), RangeError, JSON.stringify(text))
    }
    assert.equal(fromHex('').length, 0)
  })

  it('are seen as a Buffer over the same memory, also when they begin inside it', () => {
    const memory = new Uint8Array([1, 2, 3, 4])
    const part = view(memory.subarray(1, 3))
    assert.equal(toHex(part), '0203')
    part[0] = 9
    assert.equal(memory[1], 9)
    assert.equal(view(part), part)
  })

  it('are equal when each is, whatever kind of array holds them', () => {
    fc.assert(
      fc.property(octets, octets, (a, b) => {
        assert.equal(equal(a, Buffer.from(a)), true)
        assert.equal(equal(a, b), Buffer.compare(a, b) === 0)
        if (a.length > 0) assert.equal(equal(a, a.subarray(1)), false)
      }),
    )
  })
})

describe('A number in octets', () => {
  it('comes back, big-endian, with as many zeros before it as it takes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.nat(4), (number, more) => {
        const written = fromBigInt(number, 16 + more)
        assert.equal(written.length, 16 + more)
        assert.equal(toBigInt(written), number)
      }),
    )
    assert.equal(toHex(fromBigInt(0x0fn, 2)), '000f')
    assert.equal(toBigInt(new Uint8Array()), 0n)
    assert.equal(toBigInt(fromHex('00a1b2c3d4e5f607')), 0xa1b2c3d4e5f607n)
  })

  it('is refused when it does not fit, or is negative', () => {
    for (const [number, length] of [
      [256n, 1],
      [1n << 64n, 8],
      [-1n, 8],
    ] as const) {
      assert.throws(() => fromBigInt(number, length), RangeError)
    }
  })
})
