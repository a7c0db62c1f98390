/** The arithmetic of P-256 (SEC 2, 2.4.2) that a reader needs: is a point on the curve, is a signature value in range. */

import { type Bytes, equal, fromHex, toBigInt } from '../../ground/bytes.ts'
import { Der, NotDer, tag } from '../../ground/der/read.ts'

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The 26 octets before X of the only SubjectPublicKeyInfo that these PKIs know (certificates.md section 2). */
const header = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200')

/** Whether a SubjectPublicKeyInfo is 91 octets: the header, 04, X, Y. Says nothing about the point. */
export function isPlainP256(spki: Bytes): boolean {
  return spki.length === 91 && equal(spki.subarray(0, 26), header) && spki[26] === 0x04
}

/** Whether 04 ‖ X ‖ Y satisfies y² = x³ - 3x + b with both below p. */
export function isOnCurve(point: Bytes): boolean {
  if (point.length !== 65 || point[0] !== 0x04) return false
  const x = toBigInt(point.subarray(1, 33))
  const y = toBigInt(point.subarray(33))
  return x < p && y < p && (y * y - (x * x * x - 3n * x + b)) % p === 0n
}

export interface EcdsaValue {
  readonly r: bigint
  readonly s: bigint
  /** Which of the two begins with needless zero octets. */
  readonly padded: readonly ('r' | 's')[]
}

/**
 * r and s as numbers, also when an INTEGER begins with needless zero octets: two of 461 published certificates do, and
 * that deserves a finding of its own. Undefined when the octets are anything else than a SEQUENCE of two
 * non-negative INTEGERs.
 */
export function readEcdsaValue(signature: Bytes): EcdsaValue | undefined {
  try {
    const der = new Der(signature)
    const sequence = der.sequence('the signature value')
    const r = sequence.content(tag.integer, 'r')
    const s = sequence.content(tag.integer, 's')
    sequence.finish('the signature value')
    der.finish('the signature value')
    if (!(r[0]! < 0x80 && s[0]! < 0x80)) return undefined
    const padded = (['r', 's'] as const).filter((_, i) => isPadded([r, s][i]!))
    return { r: toBigInt(r), s: toBigInt(s), padded }
  } catch (cause) {
    if (cause instanceof NotDer) return undefined
    throw cause
  }
}

function isPadded(octets: Bytes): boolean {
  return octets.length > 1 && octets[0] === 0 && octets[1]! < 0x80
}

/** 1 <= r, s < n (FIPS 186-5 6.4.2). */
export function isInRange({ r, s }: EcdsaValue): boolean {
  return r >= 1n && r < n && s >= 1n && s < n
}
