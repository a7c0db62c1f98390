/** Tiles: the hashes of the tree, 256 to a row, as C2SP tlog-tiles lays them out. */

import { type Bytes, view } from '../bytes.ts'
import { CompactRange, hashLength, rootOf } from './merkle.ts'
import type { HashAt } from './proof.ts'

/** Hashes in a full tile. Each is the root of a full tile of the level below, or a leaf hash at level 0. */
export const tileWidth = 256

/** Heights of the tree that one level of tiles spans. */
const tileHeight = 8

/** Row `index` of level `level`; `hashes` is 1 to 256 hashes of 32 octets. */
export interface Tile {
  readonly level: number
  readonly index: number
  readonly hashes: Bytes
}

/** The tile, or nothing when it is not there. It may be wider than the asked tree needs. */
export type TileAt = (level: number, index: number) => Bytes | undefined | Promise<Bytes | undefined>

/** A tile that the tree must have is absent or too narrow. */
export class TileMissing extends Error {
  override readonly name = 'TileMissing'
}

/** The partial tiles of a tree of `size` leaves, lowest level first, each with how many hashes it then holds. */
export function edgeOf(size: number): { level: number; index: number; width: number }[] {
  const edge = []
  for (let level = 0, left = size; left > 0; level += 1, left = Math.floor(left / tileWidth)) {
    edge.push({ level, index: Math.floor(left / tileWidth), width: left % tileWidth })
  }
  return edge.filter(({ width }) => width > 0)
}

/** A tree that grows: what is kept is its partial tiles, what comes out is the tiles that changed. */
export class GrowingTiles {
  #size: number
  // By level, the hashes of the partial tile; empty where a level has none now.
  readonly #partial: Bytes[][]
  readonly #full: Tile[] = []

  /** `partial`: by level, the hashes of the partial tiles of a tree of `size` leaves. */
  constructor(size = 0, partial: Bytes[][] = []) {
    this.#size = size
    this.#partial = partial
  }

  /** The tree of `size` leaves as the store has it. @throws TileMissing when the store lacks a tile of its edge */
  static async at(size: number, tileAt: TileAt): Promise<GrowingTiles> {
    const partial: Bytes[][] = []
    for (const { level, index, width } of edgeOf(size)) {
      partial[level] = split(await presentTile(tileAt, level, index, width)).slice(0, width)
    }
    return new GrowingTiles(size, partial)
  }

  get size(): number {
    return this.#size
  }

  append(leaf: Bytes): void {
    this.#size += 1
    let top = leaf
    for (let level = 0; ; level += 1) {
      const tile = this.#partialAt(level)
      tile.push(top)
      if (tile.length < tileWidth) return
      this.#full.push({ level, index: this.#indexOf(level), hashes: Buffer.concat(tile) })
      top = rootOf(tile)
      this.#partial[level] = []
    }
  }

  root(): Bytes {
    // The peaks of each partial tile are peaks of the tree; higher levels stand to the left.
    const peaks = this.#partial.toReversed().flatMap(tile => {
      const range = new CompactRange()
      for (const hash of tile ?? []) range.append(hash)
      return range.peaks()
    })
    return new CompactRange(this.#size, peaks).root()
  }

  /** The tiles that became full since this was last asked. */
  takeFull(): Tile[] {
    return this.#full.splice(0)
  }

  /** The tiles that are partial now. */
  partial(): Tile[] {
    return edgeOf(this.#size).map(({ level, index }) => ({
      level,
      index,
      hashes: Buffer.concat(this.#partialAt(level)),
    }))
  }

  #partialAt(level: number): Bytes[] {
    this.#partial[level] ??= []
    return this.#partial[level]
  }

  /** Which tile of its level has just become full. */
  #indexOf(level: number): number {
    return this.#size / tileWidth ** (level + 1) - 1
  }
}

/** Any node of a tree, from its tiles: the level that holds it, or the nearest below and up to 7 rounds of hashing. */
export function hashesOf(tileAt: TileAt): HashAt {
  return async (height, index) => {
    const level = Math.floor(height / tileHeight)
    const count = 2 ** (height % tileHeight)
    const first = (index * count) % tileWidth
    const tile = await presentTile(tileAt, level, Math.floor((index * count) / tileWidth), first + count)
    return rootOf(split(tile).slice(first, first + count))
  }
}

async function presentTile(tileAt: TileAt, level: number, index: number, width: number): Promise<Bytes> {
  const hashes = await tileAt(level, index)
  if (hashes === undefined || hashes.length < width * hashLength) {
    throw new TileMissing(`tile ${index} of level ${level} has not the ${width} hashes that the tree needs`)
  }
  return hashes
}

/** The hashes of a tile, one by one; nothing is copied. */
export function split(hashes: Bytes): Buffer[] {
  const octets = view(hashes)
  return Array.from({ length: Math.floor(octets.length / hashLength) }, (_, at) =>
    octets.subarray(at * hashLength, (at + 1) * hashLength),
  )
}
