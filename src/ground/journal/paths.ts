/** Names of a log's files, below whatever folder or address it is published at (C2SP tlog-tiles). */

import { tileWidth } from './tiles.ts'

/** Where the signed size and root stand: the one file that changes. */
export const checkpointPath = 'checkpoint'

/** What a path names: row `index` of a level of hashes, or of the entries, of which the first `width` are asked. */
export interface Resource {
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; 256 is full. */
  readonly width: number
}

/** `tile/0/x001/x234/067`, and for a partial row `tile/0/x001/x234/067.p/8`. */
export function pathOf({ level, index, width }: Resource): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g)!.map((group, at, all) => (at < all.length - 1 ? `x${group}` : group))
  return `tile/${level}/${groups.join('/')}${width === tileWidth ? '' : `.p/${width}`}`
}

/** What a path names, or nothing: only the one form that `pathOf` gives is a path. */
export function resourceAt(path: string): Resource | undefined {
  const [, level, groups, width] = pattern.exec(path) ?? []
  if (level === undefined || groups === undefined) return undefined
  const resource: Resource = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replace(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  }
  return Number.isSafeInteger(resource.index) && pathOf(resource) === path ? resource : undefined
}

// Levels up to 63 and widths from 1 to 255, as tlog-tiles has them; six groups are more than a safe integer has.
const pattern =
  /^tile\/(entries|[1-5]?\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d?|1\d\d|2[0-4]\d|25[0-5]))?$/
