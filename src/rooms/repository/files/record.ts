/** One row of certificates.csv: a certificate that was added, or whose status changed (repository.md section 7). */

import { toHexUpper } from '../../../ground/bytes.ts'
import type { Time } from '../../../ground/der/time.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { readAuthorityKeyIdentifier, readSubjectKeyIdentifier } from '../../../ground/x509/extensions.ts'
import { oids } from '../../../ground/x509/names.ts'
import type { Family } from '../../../policy/profile.ts'
import type { Lodged } from '../find.ts'

/** Kinds of certificates that the files carry, by family. */
export const kinds: Readonly<Partial<Record<Family, string>>> = {
  ca: 'CA',
  device: 'DEVICE',
  organisation: 'ORGANISATION',
}

export const header =
  'change,changedAt,kind,serial,issuerKeyId,subjectKeyId,eui64,role,usage,status,notBefore,notAfter,manufacturingFlag,body\n'

/** `A` added, with the certificate; `S` its status changed. No field holds a comma, a quote or a line end (RFC 4180). */
export function row(change: 'A' | 'S', changedAt: Date, one: Lodged): string {
  const certificate = readCertificate(one.der)
  const value = (oid: string) => certificate.extensions.find(extension => extension.oid === oid)?.value
  const issuer = value(oids.authorityKeyIdentifier)
  const subject = value(oids.subjectKeyIdentifier)
  const issuerKeyId = issuer && readAuthorityKeyIdentifier(issuer).keyIdentifier
  const subjectKeyId = subject && readSubjectKeyIdentifier(subject)
  const fields = [
    change,
    changedAt.toISOString(),
    kinds[one.family]!,
    toHexUpper(one.serial).padStart(32, '0'),
    // A root names no issuer but itself.
    toHexUpper(issuerKeyId ?? subjectKeyId ?? Buffer.alloc(0)),
    toHexUpper(subjectKeyId ?? Buffer.alloc(0)),
    one.family === 'ca' || one.eui64 === undefined ? '' : hyphenated(one.eui64),
    one.family === 'organisation' && one.role !== undefined ? String(one.role) : '',
    one.family === 'ca' ? 'CA' : one.usage === '-' ? '' : one.usage,
    one.status,
    instant(certificate.notBefore),
    instant(certificate.notAfter),
    String(one.manufacturing),
    change === 'A' ? one.der.toString('base64') : '',
  ]
  return `${fields.join(',')}\n`
}

const hyphenated = (eui64: string) => eui64.toUpperCase().match(/../g)!.join('-')

/** RFC 3339 in UTC, whole seconds; `9999-12-31T23:59:59Z` stands for no end. */
const instant = ({ ms }: Time) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
