/** The Merkle tree of RFC 6962 section 2.1: its hashes, its roots, and growing it while keeping little. */

import { hash } from 'node:crypto'
import type { Bytes } from '../bytes.ts'

/** Octets of every hash here. */
export const hashLength = 32

/** The root of no leaves (RFC 6962 2.1). */
export const emptyRoot: Bytes = hash('sha256', '', 'buffer')

/** The two prefixes keep a node from passing for a leaf, and a leaf for a node. */
export function leafHash(entry: Bytes): Buffer {
  const input = Buffer.allocUnsafe(1 + entry.length)
  input[0] = 0
  input.set(entry, 1)
  return hash('sha256', input, 'buffer')
}

export function nodeHash(left: Bytes, right: Bytes): Buffer {
  const input = Buffer.allocUnsafe(1 + 2 * hashLength)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + hashLength)
  return hash('sha256', input, 'buffer')
}

/** The root over leaf hashes in their order. An act upon many things binds them all by this one value. */
export function rootOf(leafHashes: Iterable<Bytes>): Bytes {
  const range = new CompactRange()
  for (const leaf of leafHashes) range.append(leaf)
  return range.root()
}

/**
 * A tree of which only the roots of its perfect subtrees are kept, one for each bit of its size: all that is needed
 * to append and to know the root.
 */
export class CompactRange {
  #size: number
  readonly #peaks: Bytes[]

  /** `peaks`: the roots of the perfect subtrees of a tree of `size` leaves, the leftmost (and largest) first. */
  constructor(size = 0, peaks: readonly Bytes[] = []) {
    this.#size = size
    this.#peaks = [...peaks]
  }

  get size(): number {
    return this.#size
  }

  append(leaf: Bytes): void {
    let top = leaf
    // Each trailing 1 bit of the old size is a subtree that is as tall as the one in hand.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) top = nodeHash(this.#peaks.pop()!, top)
    this.#peaks.push(top)
    this.#size += 1
  }

  root(): Bytes {
    return this.#peaks.length === 0 ? emptyRoot : this.#peaks.reduceRight((right, left) => nodeHash(left, right))
  }

  peaks(): readonly Bytes[] {
    return [...this.#peaks]
  }

  copy(): CompactRange {
    return new CompactRange(this.#size, this.#peaks)
  }
}
