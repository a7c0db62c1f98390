import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitString, element, integer, oid, sequence } from '../../ground/der/write.ts'
import { isInRange, isOnCurve, isPlainP256, readEcdsaValue } from './curve.ts'

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex')
/** RFC 6979 A.2.5: the public key of its P-256 vectors. */
const vector = hex(`04
  60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
  7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299`)
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const spkiOf = (point: Uint8Array) =>
  sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(point))

describe('a point', () => {
  it('of a published vector is on the curve, and its neighbours are not', () => {
    assert.ok(isOnCurve(vector))
    for (let at = 0; at < vector.length; at++) {
      const changed = Buffer.from(vector)
      changed[at]! ^= 1
      assert.equal(isOnCurve(changed), false, `octet ${at}`)
    }
  })

  it('is on the curve or not as OpenSSL says', () => {
    const point = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ format: 'der', type: 'spki' })
      .subarray(26)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 255 }), (at, octet) => {
        const changed = Buffer.from(point)
        changed[at] = octet
        assert.equal(isOnCurve(changed), imports(spkiOf(changed)))
      }),
    )
  })

  it('with a coordinate of the prime or more is none, though it would satisfy the equation', () => {
    // x = 5 is on the curve; so would be x = p + 5 if it were reduced.
    const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
    const x = 5n
    const right = (x ** 3n - 3n * x + 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn) % p
    const y = power(right, (p + 1n) / 4n, p)
    assert.equal((y * y) % p, right)
    const octets = (value: bigint) => hex(value.toString(16).padStart(64, '0'))
    assert.ok(isOnCurve(Buffer.concat([hex('04'), octets(x), octets(y)])))
    assert.equal(isOnCurve(Buffer.concat([hex('04'), octets(x + p), octets(y)])), false)
  })
})

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

function imports(spki: Buffer): boolean {
  try {
    createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return true
  } catch {
    return false
  }
}

describe('a P-256 key', () => {
  it('has one form of 91 octets', () => {
    assert.ok(isPlainP256(spkiOf(vector)))
    assert.equal(isPlainP256(Buffer.concat([spkiOf(vector), hex('00')])), false)
    assert.equal(isPlainP256(spkiOf(Buffer.concat([hex('02'), vector.subarray(1, 33)]))), false)
    assert.equal(isPlainP256(spkiOf(Buffer.concat([hex('06'), vector.subarray(1)]))), false)
  })
})

describe('a signature value', () => {
  it('is read as two numbers, also where octets in front are needless', () => {
    assert.deepEqual(readEcdsaValue(sequence(integer(5), integer(order))), { r: 5n, s: order, padded: [] })
    const padded = sequence(element(2, hex('000005')), element(2, hex('0080')))
    assert.deepEqual(readEcdsaValue(padded), { r: 5n, s: 128n, padded: ['r'] })
  })

  it('is nothing else: not negative, not empty, not three, with nothing behind', () => {
    const two = sequence(integer(1), integer(1))
    const wrong = [
      sequence(element(2, hex('80')), integer(1)),
      sequence(element(2), integer(1)),
      sequence(integer(1)),
      sequence(integer(1), integer(1), integer(1)),
      Buffer.concat([two, hex('00')]),
      Buffer.alloc(0),
    ]
    for (const octets of wrong) assert.equal(readEcdsaValue(octets), undefined)
  })

  it('lies between 1 and the order of the curve, without it', () => {
    const value = (r: bigint, s: bigint) => isInRange({ r, s, padded: [] })
    assert.ok(value(1n, order - 1n) && value(order - 1n, 1n))
    assert.ok(!value(0n, 1n) && !value(1n, 0n) && !value(order, 1n) && !value(1n, order))
  })
})
