/** What one certificate must be by itself to stand at its place in a path: rows of rules, each with its clause. */

import { view } from '../../bytes.ts'
import { tag } from '../../der/read.ts'
import { type Certificate, extension } from '../certificate.ts'
import { type Attribute, attributeText } from '../name.ts'
import { oidName, oids } from '../names.ts'
import { needlessParameters, type ProfileName } from './keys.ts'
import type { Opened } from './opened.ts'
import { type PathCode, type PathRefusal, refuse } from './refusals.ts'

/**
 * `target`: what is asked about, CA or not. `ca`: an intermediate, which issued the one below it. `anchor`: trusted by
 * whoever asks, and it too issued the one below it, or is itself what is asked about.
 */
export type Place = 'target' | 'ca' | 'anchor'

/** Everything wrong with the certificate but its signature, its dates and what only a path can show. */
export function ownFaults(opened: Opened, place: Place, profile: ProfileName): PathRefusal[] {
  const { certificate } = opened
  const found = [...opened.faults]
  if (opened.keyFault) found.push(opened.keyFault)
  for (const rule of rules) {
    if (rule.profile !== undefined && rule.profile !== profile) continue
    if (!rule.places.includes(place)) continue
    const says = rule.broken(opened)
    if (says) found.push(refuse(rule.code, certificate, `${says} (${rule.where})`))
  }
  found.push(...criticalFaults(certificate))
  return found
}

/** What is odd and taken all the same. */
export function ownNotes({ certificate, keyUsage, constraints, purposes }: Opened): string[] {
  const notes: string[] = []
  if (needlessParameters(certificate.signatureAlgorithm))
    notes.push('the ECDSA algorithm identifier has NULL parameters, which it must not have')
  if (constraints?.ca && keyUsage === undefined) notes.push('a CA without keyUsage, which a CA must have')
  if (purposes) notes.push(`good only for ${purposes.map(oidName).join(', ')} (extendedKeyUsage)`)
  return notes
}

interface Rule {
  readonly code: PathCode
  readonly where: string
  readonly places: readonly Place[]
  /** Undefined: of both. */
  readonly profile?: ProfileName
  /** What is wrong; undefined or false: nothing. */
  readonly broken: (opened: Opened) => string | undefined | false
}

const numericString = 0x12

const every = ['target', 'ca', 'anchor'] as const
const issuers = ['ca', 'anchor'] as const

/** A version 1 certificate knows no extensions. What it is, only the trust put in it says. */
const isOld = ({ certificate }: Opened) => certificate.version < 3
const isCa = ({ constraints }: Opened) => constraints?.ca === true
const mayCertify = ({ keyUsage }: Opened) => keyUsage === undefined || keyUsage.includes('keyCertSign')
const critical = (certificate: Certificate, oid: string) => extension(certificate, oid)?.critical === true
const present = (certificate: Certificate, oid: string) => extension(certificate, oid) !== undefined

/**
 * RFC 5280 section 6.1 asks less of a certificate than section 4 asks of the CA that made it. What section 4 demands of
 * key identifiers, names, serial numbers and criticality is demanded here as well: a CA that breaks it made something
 * that nobody meant to rely on. keyUsage in a CA is the exception, as in 6.1.4 (n) and 6.3.3 (f): if it is there.
 */
const rules: readonly Rule[] = [
  {
    code: 'VERSION',
    where: 'RFC 5280 6.1.4 (k)',
    places: ['ca'],
    broken: o => isOld(o) && `version ${o.certificate.version} cannot say whether it is a CA`,
  },
  {
    code: 'VERSION',
    where: 'RFC 5280 6.1.4 (k)',
    places: ['anchor'],
    broken: o => isOld(o) && !o.selfIssued && 'an anchor of that version must be self-signed',
  },
  {
    code: 'VERSION',
    where: 'GB profiles',
    profile: 'gb',
    places: every,
    broken: o => isOld(o) && `version ${o.certificate.version}, not 3`,
  },
  {
    code: 'SERIAL_NUMBER',
    where: 'RFC 5280 4.1.2.2',
    places: every,
    broken: ({ certificate: { serial } }) =>
      serial[0]! >= 0x80
        ? 'the serial number is negative'
        : serial.length === 1 && serial[0] === 0
          ? 'the serial number is zero'
          : serial.length > 20 && 'the serial number has more than 20 octets',
  },
  ...(['issuer', 'subject'] as const).map(
    (which): Rule => ({
      code: 'NAME_MALFORMED',
      where: 'RFC 5280 4.1.2.4',
      places: every,
      broken: ({ certificate }) =>
        certificate[which].rdns.flat().some(attribute => !readable(attribute)) &&
        `the ${which} has a value of an unknown type, or one that is not what its type says`,
    }),
  ),
  {
    code: 'NAME_EMPTY',
    where: 'RFC 5280 4.1.2.4',
    places: every,
    broken: ({ certificate }) => certificate.issuer.rdns.length === 0 && 'the issuer is empty',
  },
  {
    code: 'NAME_EMPTY',
    where: 'RFC 5280 4.1.2.6',
    places: every,
    broken: o => {
      if (o.certificate.subject.rdns.length > 0) return undefined
      if (isCa(o) || o.keyUsage?.includes('cRLSign')) return 'the subject of a CA or signer of lists is empty'
      return (
        !critical(o.certificate, oids.subjectAltName) &&
        'the subject is empty and there is no critical subjectAltName'
      )
    },
  },
  {
    code: 'KEY_NOT_UNDERSTOOD',
    where: 'GB profiles',
    profile: 'gb',
    places: every,
    broken: ({ certificate: { publicKey } }) =>
      publicKey.kind === 'P-384' && 'the GB profiles know keys of P-256 and RSA only',
  },
  {
    code: 'NOT_A_CA',
    where: 'RFC 5280 6.1.4 (k)',
    places: issuers,
    broken: o =>
      !isOld(o) &&
      !isCa(o) &&
      (o.constraints ? 'basicConstraints says that it is no CA' : 'it has no basicConstraints, so it is no CA'),
  },
  {
    code: 'BASIC_CONSTRAINTS',
    where: 'RFC 5280 4.2.1.9',
    places: every,
    broken: ({ constraints }) =>
      constraints?.pathLength !== undefined && !constraints.ca && 'a pathLenConstraint stands in what is no CA',
  },
  {
    code: 'BASIC_CONSTRAINTS',
    where: 'RFC 5280 4.2.1.9',
    places: every,
    broken: o =>
      o.constraints?.pathLength !== undefined &&
      !o.keyUsage?.includes('keyCertSign') &&
      'a pathLenConstraint stands where no keyUsage names keyCertSign',
  },
  {
    code: 'KEY_USAGE',
    where: 'RFC 5280 6.1.4 (n)',
    places: issuers,
    broken: o => !mayCertify(o) && 'keyUsage does not allow it to sign certificates',
  },
  {
    code: 'KEY_USAGE',
    where: 'RFC 5280 4.2.1.3',
    places: every,
    broken: o => o.keyUsage?.includes('keyCertSign') && !isCa(o) && 'keyUsage names keyCertSign in what is no CA',
  },
  {
    code: 'KEY_USAGE',
    where: 'GB profiles',
    profile: 'gb',
    places: every,
    broken: o => !isOld(o) && !present(o.certificate, oids.keyUsage) && 'keyUsage is absent',
  },
  {
    code: 'KEY_IDENTIFIER_MISSING',
    where: 'RFC 5280 4.2.1.2',
    places: every,
    broken: o =>
      isCa(o) && !present(o.certificate, oids.subjectKeyIdentifier) && 'a CA without subjectKeyIdentifier',
  },
  {
    code: 'KEY_IDENTIFIER_MISSING',
    where: 'RFC 5280 4.2.1.1',
    // A target that is an anchor was self-signed, or it would not be one.
    places: ['target', 'ca'],
    broken: o => o.authority?.keyIdentifier === undefined && 'authorityKeyIdentifier names no key',
  },
  {
    code: 'KEY_IDENTIFIER_MISSING',
    where: 'RFC 5280 4.2.1.1',
    places: ['anchor'],
    broken: o => !o.selfIssued && o.authority?.keyIdentifier === undefined && 'authorityKeyIdentifier names no key',
  },
  ...(['subjectKeyIdentifier', 'authorityKeyIdentifier'] as const).map(
    (name): Rule => ({
      code: 'EXTENSION_CRITICALITY',
      where: `RFC 5280 4.2.1.${name === 'subjectKeyIdentifier' ? 2 : 1}`,
      places: every,
      broken: ({ certificate }) => critical(certificate, oids[name]) && `${name} is critical, which it must not be`,
    }),
  ),
  {
    code: 'EXTENSION_CRITICALITY',
    where: 'RFC 5280 4.2.1.9',
    places: every,
    broken: o =>
      isCa(o) && !critical(o.certificate, oids.basicConstraints) && 'basicConstraints of a CA is not critical',
  },
  ...(['policyConstraints', 'inhibitAnyPolicy'] as const).map(
    (name): Rule => ({
      code: 'EXTENSION_CRITICALITY',
      where: `RFC 5280 4.2.1.${name === 'policyConstraints' ? 11 : 14}`,
      places: every,
      broken: ({ certificate }) =>
        present(certificate, oids[name]) &&
        !critical(certificate, oids[name]) &&
        `${name} is not critical, which it must be`,
    }),
  ),
  {
    code: 'NAME_CONSTRAINTS_NOT_SUPPORTED',
    where: 'RFC 5280 4.2.1.10',
    places: every,
    broken: ({ certificate }) => present(certificate, oids.nameConstraints) && 'it carries nameConstraints',
  },
  {
    code: 'POLICY_MAPPINGS_NOT_SUPPORTED',
    where: 'RFC 5280 4.2.1.5',
    places: every,
    broken: ({ certificate }) => present(certificate, oids.policyMappings) && 'it carries policyMappings',
  },
]

/** Types that values of names have. What PrintableString may hold is for lint: many a CA writes @ and _ in it. */
const plainStrings: readonly number[] = [
  tag.bitString,
  numericString,
  tag.printableString,
  tag.teletexString,
  tag.ia5String,
]

function readable(attribute: Attribute): boolean {
  const { tag: type, content } = attribute
  if (type === tag.utf8String) return attributeText(attribute) !== undefined
  if (type === tag.bmpString) return isUnicode(content, 2)
  if (type === tag.universalString) return isUnicode(content, 4)
  return plainStrings.includes(type)
}

/** Characters of so many octets each, none beyond Unicode or half of a pair. */
function isUnicode(content: Uint8Array, width: 2 | 4): boolean {
  if (content.length % width !== 0) return false
  for (let at = 0; at < content.length; at += width) {
    const character = view(content).readUIntBE(at, width)
    if (character > 0x10ffff || (character >= 0xd800 && character < 0xe000)) return false
  }
  return true
}

/** The extensions whose meaning is acted upon, so that they may be critical. */
const understood: ReadonlySet<string> = new Set([
  oids.keyUsage,
  oids.basicConstraints,
  oids.subjectAltName,
  oids.certificatePolicies,
  oids.policyConstraints,
  oids.inhibitAnyPolicy,
  oids.extendedKeyUsage,
])

/** These are refused whether critical or not, each by a rule of its own above. */
const refusedByName: ReadonlySet<string> = new Set([
  oids.subjectKeyIdentifier,
  oids.authorityKeyIdentifier,
  oids.nameConstraints,
  oids.policyMappings,
])

/** RFC 5280 4.2: a critical extension that is not understood refuses the certificate. */
function criticalFaults(certificate: Certificate): PathRefusal[] {
  return certificate.extensions
    .filter(({ oid, critical }) => critical && !understood.has(oid) && !refusedByName.has(oid))
    .map(({ oid }) =>
      refuse(
        'UNKNOWN_CRITICAL_EXTENSION',
        certificate,
        `the critical extension ${oidName(oid)} is not understood (RFC 5280 4.2)`,
      ),
    )
}
