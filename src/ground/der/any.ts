/** An element of whatever type stands there: kept whole, but what its own type forbids is no DER either. */

import type { Bytes } from '../bytes.ts'
import { readOid } from './oid.ts'
import { Der, tag } from './read.ts'
import { readTime } from './time.ts'

/**
 * The whole next element (X.680's ANY, as parameters of algorithms and values of attributes have it). Of the primitive
 * types that can be wrong in themselves the content is read; what stands in a SEQUENCE or SET is left as it is.
 * @throws NotDer
 */
export function readAny(der: Der, what: string): Bytes {
  const at = der.at
  const whole = der.any(what)
  // At the same offsets, so that what is wrong is told where it is.
  const again = new Der(der.octets, at, der.at)
  switch (again.peek()) {
    case tag.boolean:
      again.boolean(what)
      break
    case tag.integer:
    case tag.enumerated:
      again.integer(what, again.peek())
      break
    case tag.bitString:
      again.bits(what)
      break
    case tag.null:
      again.nothing(what)
      break
    case tag.oid:
      readOid(again, what)
      break
    case tag.utcTime:
    case tag.generalizedTime:
      readTime(again, what)
  }
  return whole
}
