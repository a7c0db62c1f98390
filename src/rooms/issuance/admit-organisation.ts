/** Admits an Organisation CSR: the form of Appendix F, criticality included, read once, or what is wrong with it. */

import { type Bytes, toHex, view } from '../../ground/bytes.ts'
import { tag } from '../../ground/der/read.ts'
import type { KeyUsage } from '../../ground/x509/extensions.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { type Attribute, attributeText, type Name } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import { type RemotePartyRole, roleFromOu } from '../../policy/roles.ts'
import { criticalExtension, onlyUsage, provenP256, readCsr, refuseCsr } from './csr.ts'

const admits = Symbol('admits') // not exported: only `admitOrganisation` can make one

/** An Organisation CSR of the right form, whose signer holds the key. */
export interface AdmittedOrganisation {
  readonly [admits]: true
  readonly commonName: string | undefined
  readonly role: RemotePartyRole
  /** 16 lower-case hexadecimal digits. */
  readonly eui64: string
  readonly usage: Extract<KeyUsage, 'digitalSignature' | 'keyAgreement'>
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
  readonly keyId: Bytes
}

/**
 * Rows 1 and 2 of service-interface.md section 3.1; the subject as certificates.md section 12 has it: an optional
 * common name, the role as two hexadecimal digits, and the EUI-64 as 64 bits. Strings may be UTF8String or
 * PrintableString; whatever order they come in, the certificate has them in the order of its profile.
 * @param longestName characters of a common name (CERT-A06)
 * @throws Refusal with a code of csr.ts
 */
export function admitOrganisation(octets: Bytes, longestName: number): AdmittedOrganisation {
  const csr = readCsr(octets)
  const subject = readSubject(csr.subject, longestName)
  const usage = onlyUsage(criticalExtension(csr, oids.keyUsage, 'keyUsage'), ['digitalSignature', 'keyAgreement'])
  provenP256(csr)
  const keyId = keyIdentifier(csr.publicKey.key)
  return { [admits]: true, ...subject, usage, publicKey: csr.publicKey.spki, keyId }
}

function readSubject(name: Name, longestName: number): Pick<AdmittedOrganisation, 'commonName' | 'role' | 'eui64'> {
  const found = new Map<string, Attribute>()
  for (const rdn of name.rdns) {
    const [attribute, ...more] = rdn
    if (!attribute || more.length > 0) refuseCsr('CR:CC5', 'a relative name of the subject has several attributes')
    if (!known.includes(attribute.oid))
      refuseCsr('CR:CC5', `the subject has the attribute ${attribute.oid}, which it may not have`)
    if (found.has(attribute.oid)) refuseCsr('CR:CC5', `the subject has the attribute ${attribute.oid} twice`)
    found.set(attribute.oid, attribute)
  }
  const unit = found.get(oids.organizationalUnitName)
  const role = unit && roleFromOu(textOf(unit, 'the role'))
  if (role === undefined)
    refuseCsr('CR:CC5', 'the subject names no role: an OU of two hexadecimal digits from the table')
  return {
    commonName: commonNameOf(found.get(oids.commonName), longestName),
    role,
    eui64: eui64Of(found.get(oids.uniqueIdentifier)),
  }
}

const known: readonly string[] = [oids.commonName, oids.organizationalUnitName, oids.uniqueIdentifier]

function commonNameOf(attribute: Attribute | undefined, longest: number): string | undefined {
  if (!attribute) return undefined
  const text = textOf(attribute, 'the common name')
  if (text === '' || [...text].length > longest) refuseCsr('CR:CC5', `a common name has 1 to ${longest} characters`)
  return text
}

function textOf(attribute: Attribute, what: string): string {
  const text =
    attribute.tag === tag.utf8String || attribute.tag === tag.printableString ? attributeText(attribute) : undefined
  if (text === undefined) refuseCsr('CR:CC5', `${what} is neither a UTF8String nor a PrintableString`)
  return text
}

/** A BIT STRING of exactly 64 bits. */
function eui64Of(attribute: Attribute | undefined): string {
  if (!attribute) refuseCsr('CR:CC5', 'the subject has no unique identifier, which is the EUI-64')
  const { content } = attribute
  if (attribute.tag !== tag.bitString || content.length !== 9 || content[0] !== 0) {
    refuseCsr('CR:CC5', 'the unique identifier of the subject is not a BIT STRING of 64 bits')
  }
  return toHex(view(content).subarray(1))
}
