/** What a trust anchor cell holds: a key, whose it is, and how it is named in reports. */

import type { Bytes } from '../../src/ground/bytes.ts'
import type { Held } from '../../src/ground/gbcs/cell.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { readSubjectKeyIdentifier } from '../../src/ground/x509/extensions.ts'
import { attributes, type Name } from '../../src/ground/x509/name.ts'
import { oids } from '../../src/ground/x509/names.ts'

export interface Anchor extends Held {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes
  /** Of a root: the name that certificates under it give as their issuer. */
  readonly name?: Name | undefined
  /** Of a root: the content of WrappedApexContingencyKey. */
  readonly wrapped?: Bytes | undefined
}

/** As a Device keeps it. @throws NotDer; RangeError on a certificate without key identifier */
export function anchorOf(certificate: Certificate): Anchor {
  const wrapped = certificate.extensions.find(one => one.oid === oids.wrappedApexContingencyKey)?.value
  return {
    uniqueId: uniqueIdOf(certificate),
    keyId: keyIdOf(certificate),
    publicKey: certificate.publicKey.spki,
    name: certificate.subject,
    wrapped,
  }
}

export const anchorIn = (der: Bytes): Anchor => anchorOf(readCertificate(der))

export function keyIdOf(certificate: Certificate): Bytes {
  const extension = certificate.extensions.find(one => one.oid === oids.subjectKeyIdentifier)
  if (!extension) throw new RangeError('a certificate without subject key identifier')
  return readSubjectKeyIdentifier(extension.value)
}

/** The 64 bits of the unique identifier; eight zero octets of an authority, which has none. */
function uniqueIdOf(certificate: Certificate): Bytes {
  const [found] = attributes(certificate.subject, oids.uniqueIdentifier)
  return found?.content.length === 9 ? found.content.subarray(1) : Buffer.alloc(8)
}
