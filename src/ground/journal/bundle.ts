/** Entry bundles: up to 256 entries in one file, each behind its length (C2SP tlog-tiles, Log entries). */

import { type Bytes, view } from '../bytes.ts'

/** Octets that are not a bundle of so many entries. */
export class NotABundle extends Error {
  override readonly name = 'NotABundle'
}

/** @throws RangeError for an entry beyond 65,535 octets */
export function writeBundle(entries: readonly Bytes[]): Buffer {
  return Buffer.concat(
    entries.flatMap(entry => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
}

/** The entries of a bundle; nothing is copied. @throws NotABundle unless there are whole entries to the last octet */
export function readBundle(octets: Bytes): Buffer[] {
  const bundle = view(octets)
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length; ) {
    const begin = at + 2
    if (begin > bundle.length) throw new NotABundle('the bundle ends within a length')
    at = begin + bundle.readUInt16BE(at)
    if (at > bundle.length) throw new NotABundle(`entry ${entries.length} of the bundle is cut short`)
    entries.push(bundle.subarray(begin, at))
  }
  return entries
}
