/** Checks signatures of P-256 by the private key that made them: what the public key would say, in a fourth of the time. */

import { createECDH, hash } from 'node:crypto'
import { type Bytes, equal, view } from '../bytes.ts'
import { Der, NotDer } from '../der/read.ts'
import { refusal } from './refusals.ts'

/** Each octets with a signature over them, SEQUENCE { r, s } in DER. */
export type Signatures = readonly (readonly [octets: Bytes, signature: Bytes])[]

/** For each, whether it is this key's. Never an exception for what stands in a signature. */
export type OwnCheck = (signatures: Signatures) => boolean[]

/** The order of the base point (SEC 2, 2.4.2). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/**
 * Verification (FIPS 186-5, 6.4.2) computes the point (h/s)·G + (r/s)·Q and asks whether its x is r. Since Q is d·G, that
 * point is ((h + r·d)/s)·G: one multiplication of the base point, for which OpenSSL has tables, in place of two. The two
 * say the same of every signature as long as d·G is Q, which is made sure of here, once.
 *
 * The factor is the nonce of the signature, and whoever learns it has the key: its octets are zeroed, and the numbers
 * that it is made of live as long as the garbage collector lets them (docs/trust.md).
 * @param scalar d, 32 octets; stays the caller's to zero
 * @param spki the SubjectPublicKeyInfo of Q, DER
 * @throws Refusal KEYSTORE_DAMAGED when they do not belong together
 */
export function ownCheck(scalar: Bytes, spki: Bytes): OwnCheck {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  if (!equal(curve.getPublicKey(), spki.subarray(-65))) {
    throw refusal('KEYSTORE_DAMAGED', 'a private key does not belong to its public key')
  }
  const d = numberIn(scalar)
  const nonce = Buffer.alloc(32)

  return signatures => {
    const read = signatures.map(([, signature]) => readSignature(signature))
    const inverses = inverted(read.map(one => one?.s))
    try {
      return read.map((one, n) => {
        if (one === undefined) return false
        const h = numberIn(hash('sha256', signatures[n]![0], 'buffer'))
        const k = ((h + one.r * d) * inverses[n]!) % order
        // The point at infinity has no x.
        if (k === 0n) return false
        writeNumber(k, nonce)
        curve.setPrivateKey(nonce)
        return numberIn(curve.getPublicKey().subarray(1, 33)) % order === one.r
      })
    } finally {
      nonce.fill(0)
      // The library clears what it held when it gets another.
      curve.setPrivateKey(trivial)
    }
  }
}

/** The scalar of a P-256 key in PKCS #8 (RFC 5958, RFC 5915): a view of it. @throws NotDer */
export function scalarOf(pkcs8: Bytes): Bytes {
  const info = new Der(pkcs8).sequence('the private key information')
  info.small('its version')
  info.sequence('its algorithm')
  const key = new Der(info.content(0x04, 'the private key')).sequence('the private key')
  key.small('its version')
  const scalar = key.content(0x04, 'the scalar')
  if (scalar.length !== 32) key.fail('structure', 'the scalar has not 32 octets')
  return scalar
}

/** The number 1: of no use to anybody. */
const trivial = Buffer.alloc(32)
trivial[31] = 1

/** Both numbers, if they are from 1 up to the order; undefined for anything else, and for any encoding but DER. */
function readSignature(signature: Bytes): { r: bigint; s: bigint } | undefined {
  try {
    const whole = new Der(signature)
    const pair = whole.sequence('the signature')
    whole.finish('the signature')
    const [r, s] = [scalarIn(pair.integer('r')), scalarIn(pair.integer('s'))]
    pair.finish('s')
    return r === undefined || s === undefined ? undefined : { r, s }
  } catch (cause) {
    if (cause instanceof NotDer) return undefined
    throw cause
  }
}

function scalarIn(content: Bytes): bigint | undefined {
  if (content[0]! >= 0x80) return undefined
  const octets = content[0] === 0 ? content.subarray(1) : content
  if (octets.length > 32) return undefined
  const padded = Buffer.alloc(32)
  padded.set(octets, 32 - octets.length)
  const value = numberIn(padded)
  return value > 0n && value < order ? value : undefined
}

/** The inverse of each, for the price of one and three multiplications each: Montgomery's trick. */
function inverted(numbers: readonly (bigint | undefined)[]): bigint[] {
  let product = 1n
  const before = numbers.map(number => {
    const soFar = product
    if (number !== undefined) product = (product * number) % order
    return soFar
  })
  let inverse = inverseOf(product)
  const inverses = numbers.map(() => 0n)
  for (let n = numbers.length - 1; n >= 0; n--) {
    const number = numbers[n]
    if (number === undefined) continue
    inverses[n] = (inverse * before[n]!) % order
    inverse = (inverse * number) % order
  }
  return inverses
}

/** Of a number from 1 up to the order, which is prime: by Euclid. */
function inverseOf(number: bigint): bigint {
  let [a, b] = [number, order]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return x < 0n ? x + order : x
}

/** 32 octets as a number. Not by way of text: a string could not be zeroed. */
function numberIn(octets: Bytes): bigint {
  const from = view(octets)
  return (
    (from.readBigUInt64BE(0) << 192n) |
    (from.readBigUInt64BE(8) << 128n) |
    (from.readBigUInt64BE(16) << 64n) |
    from.readBigUInt64BE(24)
  )
}

function writeNumber(number: bigint, octets: Buffer): void {
  octets.writeBigUInt64BE(number >> 192n, 0)
  octets.writeBigUInt64BE(BigInt.asUintN(64, number >> 128n), 8)
  octets.writeBigUInt64BE(BigInt.asUintN(64, number >> 64n), 16)
  octets.writeBigUInt64BE(BigInt.asUintN(64, number), 24)
}
