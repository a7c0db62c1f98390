/** Puts a signature to what was signed: SIGNED{} of X.509. */

import type { Bytes } from '../bytes.ts'
import { Der, tag } from '../der/read.ts'
import { bitString, sequence } from '../der/write.ts'

/** What goes before a signature of fewer than 127 octets in its BIT STRING: tag, length, and no unused bits. */
const heads = Array.from({ length: 127 }, (_, length) => Buffer.from([tag.bitString, length + 1, 0]))

/** The whole certificate. Its outer algorithm is the inner one, octet for octet (RFC 5280 4.1.1.2). */
export function assembleCertificate(tbs: Bytes, signature: Bytes): Buffer {
  const head = heads[signature.length]
  return head
    ? sequence(tbs, innerAlgorithm(tbs), head, signature)
    : sequence(tbs, innerAlgorithm(tbs), bitString(signature))
}

/** The AlgorithmIdentifier inside a TBSCertificate, as it stands. */
function innerAlgorithm(tbs: Bytes): Bytes {
  const der = new Der(tbs).sequence('the to-be-signed certificate')
  if (der.peek() === 0xa0) der.skip(0xa0, 'the version')
  der.skip(tag.integer, 'the serial number')
  return der.element(tag.sequence, 'the signature algorithm inside')
}
