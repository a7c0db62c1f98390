/** Object identifiers: their dotted text and their DER. */

import type { Bytes } from '../bytes.ts'
import { type Der, NotDer, tag } from './read.ts'

/** Reads an OBJECT IDENTIFIER as dotted text. Arcs in the fewest octets (X.690 8.19.2), at most 64 bits each. */
export function readOid(der: Der, what: string, expected: number = tag.oid): string {
  const at = der.at
  return oidText(der.content(expected, what), what, at)
}

/** Dotted text of the content octets. The common ones are remembered: a certificate has a dozen, always the same. */
export function oidText(content: Bytes, what: string, at = 0): string {
  // Before anything else is done with them: octets by the million are no identifier, and no argument list either.
  if (content.length === 0 || content.length > 64)
    throw new NotDer('oid', `${what} is not an OBJECT IDENTIFIER`, at)
  const key = latin1(content)
  const known = remembered.get(key)
  if (known !== undefined) return known
  const text = decode(content, what, at)
  if (remembered.size < 512) remembered.set(key, text)
  return text
}

const remembered = new Map<string, string>()

function latin1(content: Bytes): string {
  return String.fromCharCode.apply(null, content as unknown as number[])
}

function decode(content: Bytes, what: string, at: number): string {
  if (content[content.length - 1]! >= 0x80) throw new NotDer('oid', `${what} ends inside an arc`, at)
  const arcs: bigint[] = []
  let arc = 0n
  let octets = 0
  for (const octet of content) {
    if (octets === 0 && octet === 0x80) throw new NotDer('oid', `${what} has an arc with a leading zero`, at)
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    if (++octets > 10 || arc > 0xffff_ffff_ffff_ffffn)
      throw new NotDer('oid', `${what} has an arc of more than 64 bits`, at)
    if (octet < 0x80) {
      arcs.push(arc)
      arc = 0n
      octets = 0
    }
  }
  const joint = arcs[0]!
  const first = joint < 80n ? joint / 40n : 2n
  return [first, joint - first * 40n, ...arcs.slice(1)].join('.')
}

/** The content octets of a dotted text. @throws RangeError on a text that is no object identifier. */
export function oidContent(text: string): Buffer {
  if (!/^[0-2](\.(0|[1-9]\d*))+$/.test(text)) throw new RangeError(`not an object identifier: ${text}`)
  const [first, second, ...rest] = text.split('.').map(BigInt)
  if (first! < 2n && second! > 39n) throw new RangeError(`not an object identifier: ${text}`)
  return Buffer.from([first! * 40n + second!, ...rest].flatMap(base128))
}

function base128(arc: bigint): number[] {
  const octets = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80)
  return octets
}
