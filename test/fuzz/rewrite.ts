/** Certificates and lists written again from what was read of them: a reader that overlooks an octet cannot give it back. */

import type { Bytes } from '../../src/ground/bytes.ts'
import type { Time } from '../../src/ground/der/time.ts'
import { bitString, boolean, element, integer, octetString, oid, sequence } from '../../src/ground/der/write.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import type { Extension } from '../../src/ground/x509/extensions.ts'
import type { AlgorithmIdentifier, PublicKey } from '../../src/ground/x509/key.ts'
import type { RevocationList } from '../../src/ground/x509/list.ts'
import type { Name } from '../../src/ground/x509/name.ts'

/** @returns undefined for one with unique identifiers, of which only their presence is kept */
export function rewrittenCertificate(read: Certificate): Buffer | undefined {
  if (read.issuerUniqueId || read.subjectUniqueId) return undefined
  const tbs = sequence(
    ...(read.version === 1 ? [] : [element(0xa0, integer(read.version - 1))]),
    element(0x02, read.serial),
    rewrittenAlgorithm(read.signatureAlgorithm),
    rewrittenName(read.issuer),
    sequence(rewrittenTime(read.notBefore), rewrittenTime(read.notAfter)),
    rewrittenName(read.subject),
    rewrittenKey(read.publicKey),
    ...(read.extensions.length === 0 ? [] : [element(0xa3, rewrittenExtensions(read.extensions))]),
  )
  return sequence(tbs, rewrittenAlgorithm(read.outerAlgorithm), bitString(read.signature))
}

export function rewrittenList(read: RevocationList): Buffer {
  const entries = [...read.entries()].map(({ serial, revokedAt, extensions }) =>
    sequence(
      element(0x02, serial),
      rewrittenTime(revokedAt),
      ...(extensions.length === 0 ? [] : [rewrittenExtensions(extensions)]),
    ),
  )
  const tbs = sequence(
    ...(read.version === 1 ? [] : [integer(1)]),
    rewrittenAlgorithm(read.innerAlgorithm),
    rewrittenName(read.issuer),
    rewrittenTime(read.thisUpdate),
    ...(read.nextUpdate ? [rewrittenTime(read.nextUpdate)] : []),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(read.extensions.length === 0 ? [] : [element(0xa0, rewrittenExtensions(read.extensions))]),
  )
  return sequence(tbs, rewrittenAlgorithm(read.outerAlgorithm), bitString(read.signature))
}

/** As they were: the order within a set was checked by the reader, and is not made right here. */
export function rewrittenName({ rdns }: Name): Buffer {
  return sequence(
    ...rdns.map(rdn =>
      element(0x31, ...rdn.map(({ oid: type, tag, content }) => sequence(oid(type), element(tag, content)))),
    ),
  )
}

export function rewrittenKey({ algorithm, key }: PublicKey): Buffer {
  return sequence(rewrittenAlgorithm(algorithm), bitString(key))
}

export function rewrittenExtensions(extensions: readonly Extension[]): Buffer {
  return sequence(
    ...extensions.map(({ oid: type, critical, value }) =>
      sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value)),
    ),
  )
}

function rewrittenAlgorithm({ oid: type, parameters }: AlgorithmIdentifier): Buffer {
  return sequence(oid(type), ...(parameters === undefined ? [] : [parameters]))
}

function rewrittenTime({ form, text }: Time): Bytes {
  return element(form === 'UTCTime' ? 0x17 : 0x18, Buffer.from(text, 'latin1'))
}
