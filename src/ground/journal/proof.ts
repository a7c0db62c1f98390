/** Proofs in a Merkle tree: making them from stored hashes (RFC 6962 2.1.1, 2.1.2), and checking them (RFC 9162 2.1.3). */

import { type Bytes, equal } from '../bytes.ts'
import { emptyRoot, hashLength, nodeHash } from './merkle.ts'

/**
 * The root of the perfect subtree over leaves [index * 2^height, (index + 1) * 2^height). Asked only for subtrees that
 * lie wholly inside the tree.
 */
export type HashAt = (height: number, index: number) => Bytes | Promise<Bytes>

/**
 * The proof that leaf `index` is in the tree of `size` leaves: at most 53 hashes, the leaf's neighbour first.
 * @throws RangeError unless index < size
 */
export async function inclusionProof(index: number, size: number, hashAt: HashAt): Promise<Bytes[]> {
  if (!isSize(size) || !isSize(index) || index >= size) throw new RangeError(`no leaf ${index} of ${size}`)
  return rangeHashes(path(index, 0, size), hashAt)
}

/**
 * The proof that the tree of `from` leaves is the beginning of that of `to` leaves. Empty when they are the same or
 * `from` is 0. @throws RangeError unless from <= to
 */
export async function consistencyProof(from: number, to: number, hashAt: HashAt): Promise<Bytes[]> {
  if (!isSize(from) || !isSize(to) || from > to) throw new RangeError(`${to} does not grow out of ${from}`)
  if (from === 0 || from === to) return []
  return rangeHashes(subproof(from, 0, to, true), hashAt)
}

/** The root of the first `size` leaves, from stored hashes. */
export async function rootAt(size: number, hashAt: HashAt): Promise<Bytes> {
  return rangeHash({ begin: 0, end: size }, hashAt)
}

/** RFC 9162 2.1.3.2, whose trees are those of RFC 6962. Every malformed argument is a plain no. */
export function verifyInclusion(claim: {
  readonly index: number
  readonly size: number
  readonly leaf: Bytes
  readonly proof: readonly Bytes[]
  readonly root: Bytes
}): boolean {
  const { index, size, leaf, proof, root } = claim
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root, ...proof])) return false
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      r = nodeHash(r, p)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equal(r, root)
}

/** RFC 9162 2.1.4.2. Every malformed argument is a plain no. The empty tree is the beginning of every tree. */
export function verifyConsistency(claim: {
  readonly from: number
  readonly to: number
  readonly fromRoot: Bytes
  readonly toRoot: Bytes
  readonly proof: readonly Bytes[]
}): boolean {
  const { from, to, fromRoot, toRoot, proof } = claim
  if (!isSize(from) || !isSize(to) || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false
  if (from === to) return proof.length === 0 && equal(fromRoot, toRoot)
  if (from === 0) return proof.length === 0 && equal(fromRoot, emptyRoot)
  let [fn, sn] = [from - 1, to - 1]
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)]
  // A tree that is one perfect subtree needs no first hash: the caller already has it as the old root.
  const hashes = fn === 0 ? [fromRoot, ...proof] : proof
  if (proof.length === 0) return false
  let [fr, sr] = [hashes[0]!, hashes[0]!]
  for (const c of hashes.slice(1)) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      ;[fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)]
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else {
      sr = nodeHash(sr, c)
    }
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && equal(fr, fromRoot) && equal(sr, toRoot)
}

/** Leaves [begin, end). */
interface Range {
  readonly begin: number
  readonly end: number
}

// PATH(m, D[n]) of RFC 6962 2.1.1, as ranges of leaves instead of their hashes.
function path(leaf: number, begin: number, end: number): Range[] {
  if (end - begin === 1) return []
  const middle = begin + split(end - begin)
  return leaf < middle
    ? [...path(leaf, begin, middle), { begin: middle, end }]
    : [...path(leaf, middle, end), { begin, end: middle }]
}

// SUBPROOF(m, D[n], b) of RFC 6962 2.1.2, with m as the leaf after the old tree.
function subproof(old: number, begin: number, end: number, known: boolean): Range[] {
  if (old === end) return known ? [] : [{ begin, end }]
  const middle = begin + split(end - begin)
  return old <= middle
    ? [...subproof(old, begin, middle, known), { begin: middle, end }]
    : [...subproof(old, middle, end, false), { begin, end: middle }]
}

// One after the other: where hashes come from a database session, it answers one query at a time.
async function rangeHashes(ranges: readonly Range[], hashAt: HashAt): Promise<Bytes[]> {
  const hashes: Bytes[] = []
  for (const range of ranges) hashes.push(await rangeHash(range, hashAt))
  return hashes
}

// MTH(D[begin:end]). Ranges here begin where a perfect subtree does, so their largest parts lie in the store as they are.
async function rangeHash({ begin, end }: Range, hashAt: HashAt): Promise<Bytes> {
  const size = end - begin
  if (size === 0) return emptyRoot
  const height = heightOf(size)
  if (2 ** height === size) return hashAt(height, begin / size)
  const middle = begin + split(size)
  const left = await rangeHash({ begin, end: middle }, hashAt)
  const right = await rangeHash({ begin: middle, end }, hashAt)
  return nodeHash(left, right)
}

/** The largest power of two smaller than `size`, which is at least 2. */
function split(size: number): number {
  return 2 ** (heightOf(size) - 1)
}

/** The height of the lowest tree that has room for `size` leaves. (Math.log2 rounds near 2^48.) */
function heightOf(size: number): number {
  let height = 0
  while (2 ** height < size) height += 1
  return height
}

// Shifts would cut at 32 bits.
function half(value: number): number {
  return Math.floor(value / 2)
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function areHashes(values: readonly Bytes[]): boolean {
  return values.every(value => value.length === hashLength)
}
