/** The reader of DER itself: any nest of elements, each read by what its tag says, and written again. */

import { oidContent, readOid } from '../../../src/ground/der/oid.ts'
import { Der, NotDer, tag } from '../../../src/ground/der/read.ts'
import { readTime, writeTime } from '../../../src/ground/der/time.ts'
import { element, integer } from '../../../src/ground/der/write.ts'
import { ca, keys } from '../../verify/scene.ts'
import { same, type Target } from '../target.ts'

export const der: Target = {
  name: 'der',
  says: 'elements of DER in one another, to any depth, with the numbers, bits, identifiers and times in them',
  watches: /\/src\/ground\/der\//,
  longest: 4096,
  form: 'der',
  words: [
    '06032a0304',
    '170d3235303630313030303030305a',
    '180f32303530303130313030303030305a',
    '0101ff',
    '0500',
  ].map(hex => Buffer.from(hex, 'hex')),
  seeds: () => [
    Buffer.from('3000', 'hex'),
    Buffer.from('300d0101ff020200800a01030500030207800601010c0161', 'hex'),
    Buffer.from('3026170d3235303630313030303030305a180f32303530303130313030303030305a31050403010203', 'hex'),
    ca('Root', keys.root).der,
  ],
  read: octets => {
    const whole = new Der(octets)
    const again = reread(whole, octets, 0)
    whole.finish('the whole')
    same(again, octets, 'the nest')
  },
  no: notDer,
}

export function notDer(cause: unknown): string | undefined {
  return cause instanceof NotDer ? cause.fault : undefined
}

/** What the next element is, written again from what was read of it. */
function reread(from: Der, octets: Buffer, depth: number): Buffer {
  const found = from.peek()
  const at = from.at
  if (found >= 0 && (found & 0x20) !== 0) {
    const inside = from.enter(found, 'an element')
    const parts: Buffer[] = []
    // Our formats are not deeper: a reader of one would have refused by then.
    while (!inside.done) parts.push(depth < 64 ? reread(inside, octets, depth + 1) : Buffer.from(inside.any('it')))
    inside.finish('an element')
    return element(found, ...parts)
  }
  const ahead = new Der(octets, at, from.end)
  switch (found) {
    case tag.boolean:
      return element(found, Buffer.of(from.boolean('it') ? 0xff : 0))
    case tag.integer:
    case tag.enumerated: {
      const value = from.integer('it', found)
      if (value.length <= 3 && value[0]! < 0x80)
        same(integer(ahead.small('it', found), found), octets.subarray(at, from.at), 'a number')
      return element(found, value)
    }
    case tag.bitString: {
      const { octets: bits, unused } = from.bits('it')
      return element(found, Buffer.of(unused), bits)
    }
    case tag.oid:
      return element(found, oidContent(readOid(from, 'it')))
    case tag.null:
      from.nothing('it')
      return element(found)
    case tag.utcTime:
    case tag.generalizedTime: {
      const { ms, text } = readTime(from, 'it')
      const year = new Date(ms).getUTCFullYear()
      if (year >= 2050 === (found === tag.generalizedTime) && year >= 1950)
        same(writeTime(new Date(ms)), octets.subarray(at, from.at), 'a time')
      return element(found, Buffer.from(text, 'latin1'))
    }
    default:
      return element(found, from.content(found, 'it'))
  }
}
