/** The attacks that work on suite 0 for whoever holds too much, as tests use them (smets1-keys.md section 5). */

import { type Bytes, equal, fromBigInt, toBigInt } from '../bytes.ts'

/** The AES of one block under the GUEK: what an attacker has who has its octets, or a module that is too willing. */
export type BlockOracle = (block: Bytes) => Bytes

/** One authenticated and encrypted APDU, as it was overheard. */
export interface Overheard {
  readonly title: Bytes
  readonly counter: number
  readonly ciphertext: Bytes
  readonly tag: Bytes
}

/** GHASH over the associated data SC ‖ AK and a ciphertext; SP 800-38D section 6.4. */
export function ghash(h: bigint, associated: Bytes, ciphertext: Bytes): bigint {
  const lengths = (BigInt(associated.length * 8) << 64n) | BigInt(ciphertext.length * 8)
  return [...blocks(associated), ...blocks(ciphertext), lengths].reduce((y, block) => multiply(y ^ block, h), 0n)
}

/**
 * Every AK that makes the tags of those APDUs: GHASH is linear in the AK, so each APDU is 96 equations for its 128 bits.
 * One is not enough to name it, and enough to forge; of two with different numbers of blocks few remain.
 */
export function recoverAk(aes: BlockOracle, overheard: readonly Overheard[]): Buffer[] {
  const h = toBigInt(aes(Buffer.alloc(16)))
  const equations = overheard.flatMap(apdu => equationsOf(aes, h, apdu))
  return solve(equations)
    .map(ak => fromBigInt(ak, 16))
    .sort(Buffer.compare)
}

/** The tag after the ciphertext was altered, by somebody who knows H and neither key. */
export function alterTag(h: Bytes, ciphertext: Bytes, altered: Bytes, tag: Bytes): Buffer {
  const difference = Buffer.from(ciphertext.map((octet, i) => octet ^ altered[i]!))
  // The lengths are equal: their block is no part of the difference.
  const change = [...blocks(difference), 0n].reduce((y, block) => multiply(y ^ block, toBigInt(h)), 0n)
  return fromBigInt(toBigInt(tag) ^ (change >> 32n), 12)
}

const control = 0x30

/** 96 rows: bit 128 down to 1 the coefficients of the AK's bits, highest first; bit 0 what they add up to. */
function equationsOf(aes: BlockOracle, h: bigint, { title, counter, ciphertext, tag }: Overheard): bigint[] {
  const start = Buffer.alloc(16)
  start.set(title)
  start.writeUInt32BE(counter, 8)
  start[15] = 1
  const mask = toBigInt(aes(start))
  const under = (ak: bigint) =>
    (ghash(h, Buffer.concat([Buffer.of(control), fromBigInt(ak, 16)]), ciphertext) ^ mask) >> 32n
  const zero = under(0n)
  const columns = Array.from({ length: 128 }, (_, bit) => under(1n << BigInt(127 - bit)) ^ zero)
  const wanted = toBigInt(tag) ^ zero
  return Array.from({ length: 96 }, (_, row) => {
    const at = BigInt(95 - row)
    const coefficients = columns.reduce((sum, column) => (sum << 1n) | ((column >> at) & 1n), 0n)
    return (coefficients << 1n) | ((wanted >> at) & 1n)
  })
}

/** All solutions over GF(2); none when the equations contradict one another. */
function solve(equations: readonly bigint[]): bigint[] {
  const pivots: { bit: bigint; row: bigint }[] = []
  let rest = [...equations]
  const free: bigint[] = []
  for (let bit = 128n; bit >= 1n; bit--) {
    const row = rest.find(each => (each >> bit) & 1n)
    if (row === undefined) {
      free.push(bit)
      continue
    }
    const clear = (each: bigint) => ((each >> bit) & 1n ? each ^ row : each)
    rest = rest.map(clear)
    for (const pivot of pivots) pivot.row = clear(pivot.row)
    pivots.push({ bit, row })
  }
  if (rest.some(row => row === 1n)) return []
  if (free.length > 12) throw new Error(`${free.length} bits remain free`)
  return Array.from({ length: 2 ** free.length }, (_, choice) => {
    const chosen = free.filter((_, i) => (choice >> i) & 1)
    let solution = chosen.reduce((sum, bit) => sum | (1n << bit), 0n)
    for (const { bit, row } of pivots) {
      const sum = chosen.reduce((sum, each) => sum ^ ((row >> each) & 1n), row & 1n)
      solution |= sum << bit
    }
    return solution >> 1n
  })
}

function blocks(octets: Bytes): bigint[] {
  return Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) => {
    const block = Buffer.alloc(16)
    block.set(octets.subarray(i * 16, i * 16 + 16))
    return toBigInt(block)
  })
}

/** In the field of GCM: the highest bit is the coefficient of x to the 0. */
function multiply(x: bigint, y: bigint): bigint {
  let product = 0n
  let v = y
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= v
    v = v & 1n ? (v >> 1n) ^ (0xe1n << 120n) : v >> 1n
  }
  return product
}

/** Whether that AK is among them. */
export const includes = (candidates: readonly Bytes[], ak: Bytes): boolean =>
  candidates.some(each => equal(each, ak))
