/** What the rules look at: a certificate, request or list with every part opened that can be opened. */

import type { Bytes } from '../../ground/bytes.ts'
import { readOid } from '../../ground/der/oid.ts'
import { Der, type DerFault, NotDer, tag } from '../../ground/der/read.ts'
import type { Time } from '../../ground/der/time.ts'
import type { Certificate } from '../../ground/x509/certificate.ts'
import {
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type Extension,
  type GeneralName,
  type KeyUsage,
  type Policy,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlNumber,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from '../../ground/x509/extensions.ts'
import { type AlgorithmIdentifier, type PublicKey, readRsaKey } from '../../ground/x509/key.ts'
import type { RevocationList } from '../../ground/x509/list.ts'
import { attributeText, type Name } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import type { CertificationRequest } from '../../ground/x509/request.ts'
import { type EcdsaValue, readEcdsaValue } from './curve.ts'
import { type Entries, entriesOf } from './entries.ts'
import type { Form, Kind } from './kind.ts'
import type { Profile } from './profile.ts'
import type { LintSettings } from './settings.ts'

/** A fault of encoding in a part that the reader had left closed. */
export interface Fault {
  readonly fault: DerFault | 'key_usage_trailing_zeros' | 'printable_string'
  readonly says: string
}

/** Everything that can be seen without knowing the kind. */
export interface Opened {
  readonly form: Form
  /** 1 to 3 of a certificate, 0 of a request, 1 or 2 of a list. */
  readonly version: number
  readonly serial: Bytes | undefined
  readonly issuer: Name | undefined
  readonly subject: Name | undefined
  readonly validity: { readonly notBefore: Time; readonly notAfter: Time } | undefined
  readonly updates: { readonly thisUpdate: Time; readonly nextUpdate: Time | undefined } | undefined
  readonly publicKey: PublicKey | undefined
  readonly rsa: { readonly bits: number; readonly exponent: Bytes } | undefined
  readonly uniqueIds: boolean
  /** The attributes of a request. */
  readonly attributes: readonly string[] | undefined
  /** Of a certificate and a list. */
  readonly innerAlgorithm: AlgorithmIdentifier | undefined
  readonly algorithm: AlgorithmIdentifier
  readonly tbs: Bytes
  readonly signature: Bytes
  readonly ecdsa: EcdsaValue | undefined
  readonly entries: Entries | undefined

  /** In the order of the encoding; for a request, what it asks for. */
  readonly extensions: readonly Extension[]
  // Their contents; undefined where absent, or where a fault says why it cannot be read.
  readonly keyUsage: readonly KeyUsage[] | undefined
  readonly basicConstraints: BasicConstraints | undefined
  readonly subjectKeyIdentifier: Bytes | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  readonly policies: readonly Policy[] | undefined
  readonly purposes: readonly string[] | undefined
  readonly alternativeNames: readonly GeneralName[] | undefined
  readonly crlNumber: Bytes | undefined
  readonly apex: { readonly algorithm: string; readonly octets: number } | undefined

  readonly faults: readonly Fault[]
}

/** What was given as the issuer: its key, and its name where a certificate was given. */
export interface Signer {
  readonly publicKey: PublicKey
  readonly name: Name | undefined
}

export interface View extends Opened {
  readonly kind: Kind
  /** What the kind's profile says. */
  readonly profile: Profile
  readonly settings: LintSettings
  readonly signer: Signer | undefined
}

/** Opens one of the three. Never throws: what cannot be read is in `faults`. */
export function open(it: Certificate | CertificationRequest | RevocationList): Opened {
  const faults: Fault[] = []
  const isList = 'thisUpdate' in it
  const isCertificate = 'notAfter' in it
  const algorithm = 'outerAlgorithm' in it ? it.outerAlgorithm : it.signatureAlgorithm
  const publicKey = isList ? undefined : it.publicKey
  const names = isList ? [it.issuer] : isCertificate ? [it.issuer, it.subject] : [it.subject]

  /** The content of an extension, or a fault. */
  function content<T>(oid: string, read: (value: Bytes) => T): T | undefined {
    const found = it.extensions.find(extension => extension.oid === oid)
    return found && attempt(faults, () => read(found.value))
  }

  const entries = isList ? entriesOf(it) : undefined
  if (entries?.fault) faults.push({ fault: entries.fault.fault, says: entries.fault.message })
  for (const name of names) openStrings(name, faults)
  for (const used of [algorithm, publicKey?.algorithm]) openParameters(used?.parameters, faults)
  return {
    form: isList ? 'list' : isCertificate ? 'certificate' : 'request',
    version: it.version,
    serial: isCertificate ? it.serial : undefined,
    issuer: 'issuer' in it ? it.issuer : undefined,
    subject: isList ? undefined : it.subject,
    validity: isCertificate ? { notBefore: it.notBefore, notAfter: it.notAfter } : undefined,
    updates: isList ? { thisUpdate: it.thisUpdate, nextUpdate: it.nextUpdate } : undefined,
    publicKey,
    rsa: publicKey?.kind === 'RSA' ? attempt(faults, () => openRsa(publicKey.key)) : undefined,
    uniqueIds: isCertificate && (it.issuerUniqueId || it.subjectUniqueId),
    attributes: 'attributes' in it ? it.attributes : undefined,
    innerAlgorithm: isList ? it.innerAlgorithm : isCertificate ? it.signatureAlgorithm : undefined,
    algorithm,
    tbs: it.tbs,
    signature: it.signature,
    ecdsa: algorithm.oid === oids.ecdsaWithSha256 ? readEcdsaValue(it.signature) : undefined,
    entries,

    extensions: it.extensions,
    keyUsage: content(oids.keyUsage, openKeyUsage(faults)),
    basicConstraints: content(oids.basicConstraints, readBasicConstraints),
    subjectKeyIdentifier: content(oids.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authorityKeyIdentifier: content(oids.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    policies: content(oids.certificatePolicies, readCertificatePolicies),
    purposes: content(oids.extendedKeyUsage, readExtendedKeyUsage),
    alternativeNames: content(oids.subjectAltName, value => readGeneralNames(value)),
    crlNumber: content(oids.crlNumber, readCrlNumber),
    apex: content(oids.wrappedApexContingencyKey, openApex),
    faults,
  }
}

/** What `read` gives; undefined, and a fault more, where the octets are not DER. */
function attempt<T>(faults: Fault[], read: () => T): T | undefined {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof NotDer)) throw cause
    faults.push({ fault: cause.fault, says: cause.message })
    return undefined
  }
}

const stringTags: readonly number[] = [tag.utf8String, tag.ia5String, tag.bmpString]

function openStrings(name: Name, faults: Fault[]): void {
  for (const attribute of name.rdns.flat()) {
    if (attributeText(attribute) !== undefined) continue
    const says = `the attribute ${attribute.oid} has octets that its string type does not have`
    if (attribute.tag === tag.printableString) faults.push({ fault: 'printable_string', says })
    if (stringTags.includes(attribute.tag)) faults.push({ fault: 'string', says })
  }
}

function openParameters(parameters: Bytes | undefined, faults: Fault[]): void {
  if (parameters?.[0] === tag.null) attempt(faults, () => new Der(parameters).nothing('the algorithm parameters'))
}

function openRsa(key: Bytes): { bits: number; exponent: Bytes } {
  const { bits, exponent } = readRsaKey(new Der(key))
  return { bits, exponent }
}

/** Trailing zero bits are a fault with a rule of its own (lessons, row 10); the usages are read all the same. */
function openKeyUsage(faults: Fault[]): (value: Bytes) => KeyUsage[] {
  return value => {
    const bits = new Der(value).bits('keyUsage')
    const shortest = withoutTrailingZeros(bits.octets)
    if (shortest === undefined || equalBits(value, shortest)) return readKeyUsage(value)
    const usages = readKeyUsage(shortest)
    faults.push({ fault: 'key_usage_trailing_zeros', says: 'keyUsage has trailing zero bits' })
    return usages
  }
}

/** The DER of the same named bits in the fewest; undefined when no bit is set, or there are bits that mean nothing. */
function withoutTrailingZeros(octets: Bytes): Buffer | undefined {
  let length = octets.length
  while (length > 0 && octets[length - 1] === 0) length--
  if (length === 0 || length > 2) return undefined
  const last = octets[length - 1]!
  const unused = 31 - Math.clz32(last & -last)
  return Buffer.of(tag.bitString, length + 1, unused, ...octets.subarray(0, length))
}

function equalBits(value: Bytes, shortest: Buffer): boolean {
  // Only what a BIT STRING of the same length would be; octets after it are for readKeyUsage to refuse.
  return value.length !== 2 + value[1]! || Buffer.compare(value, shortest) === 0
}

/** ApexContingencyKey (RFC 5934 section 4.2.1): the algorithm and the length of the wrapped key. */
function openApex(value: Bytes): { algorithm: string; octets: number } {
  const der = new Der(value)
  const sequence = der.sequence('ApexContingencyKey')
  const identifier = sequence.sequence('the wrap algorithm')
  const algorithm = readOid(identifier, 'the wrap algorithm')
  if (!identifier.done) identifier.any('the parameters of the wrap algorithm')
  identifier.finish('the wrap algorithm')
  const wrapped = sequence.content(tag.octetString, 'the wrapped key')
  sequence.finish('ApexContingencyKey')
  der.finish('ApexContingencyKey')
  return { algorithm, octets: wrapped.length }
}
