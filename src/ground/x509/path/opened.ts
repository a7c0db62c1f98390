/** A certificate with the extensions opened that path validation decides by, each read once and strictly. */

import type { KeyObject } from 'node:crypto'
import type { Bytes } from '../../bytes.ts'
import { oidText, readOid } from '../../der/oid.ts'
import { Der, tag } from '../../der/read.ts'
import { type Certificate, extension } from '../certificate.ts'
import {
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type GeneralName,
  type KeyUsage,
  type Policy,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from '../extensions.ts'
import { readName, sameName } from '../name.ts'
import { oids } from '../names.ts'
import { importKey } from './keys.ts'
import { notDer, type PathRefusal, refuse } from './refusals.ts'

export interface Opened {
  readonly certificate: Certificate
  /** Issuer and subject are the same name (RFC 5280 6.1): such a certificate does not count in a path length. */
  readonly selfIssued: boolean
  /** Undefined when the public key is not one that is understood, or is not what it says it is. */
  readonly key: KeyObject | undefined
  /** Why there is no key. */
  readonly keyFault: PathRefusal | undefined
  readonly keyUsage: readonly KeyUsage[] | undefined
  readonly constraints: BasicConstraints | undefined
  readonly subjectKeyIdentifier: Bytes | undefined
  readonly authority: AuthorityKeyIdentifier | undefined
  readonly policies: readonly Policy[] | undefined
  /** SkipCerts of requireExplicitPolicy (policyConstraints). */
  readonly requireExplicitPolicy: number | undefined
  /** SkipCerts of inhibitAnyPolicy. */
  readonly inhibitAnyPolicy: number | undefined
  readonly purposes: readonly string[] | undefined
  readonly names: readonly GeneralName[] | undefined
  /** Extensions that could not be read; the certificate is refused wherever it stands. */
  readonly faults: readonly PathRefusal[]
}

export function open(certificate: Certificate): Opened {
  const faults: PathRefusal[] = []
  const read = <T>(oid: string, reader: (value: Bytes) => T): T | undefined => {
    const found = extension(certificate, oid)
    if (!found) return undefined
    try {
      return reader(found.value)
    } catch (cause) {
      faults.push(refuse('EXTENSION_MALFORMED', certificate, notDer(cause)))
      return undefined
    }
  }
  const { key, fault } = importKey(certificate.publicKey)
  return {
    certificate,
    selfIssued: sameName(certificate.issuer, certificate.subject),
    key,
    keyFault: fault && refuse(fault.code, certificate, fault.says),
    keyUsage: read(oids.keyUsage, readKeyUsage),
    constraints: read(oids.basicConstraints, readBasicConstraints),
    subjectKeyIdentifier: read(oids.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authority: read(oids.authorityKeyIdentifier, readAuthority),
    policies: read(oids.certificatePolicies, readPolicies),
    requireExplicitPolicy: read(oids.policyConstraints, readPolicyConstraints)?.requireExplicitPolicy,
    inhibitAnyPolicy: read(oids.inhibitAnyPolicy, readInhibitAnyPolicy),
    purposes: read(oids.extendedKeyUsage, readExtendedKeyUsage),
    names: read(oids.subjectAltName, readNames),
    faults,
  }
}

/** The names in authorityCertIssuer stand there together with the serial number or not at all (RFC 5280 4.2.1.1). */
export function readAuthority(value: Bytes): AuthorityKeyIdentifier {
  const authority = readAuthorityKeyIdentifier(value)
  if ((authority.issuer === undefined) !== (authority.serial === undefined)) {
    new Der(value).fail(
      'structure',
      'authorityKeyIdentifier has an issuer without a serial number, or the other way',
    )
  }
  if (authority.issuer) readNames(retagged(authority.issuer), 'authorityCertIssuer')
  return authority
}

/** GeneralNames under an implicit tag, under their own again. */
export function retagged(names: Bytes): Bytes {
  const own = Buffer.from(names)
  own[0] = tag.sequence
  return own
}

/** Names of the forms that are known, each read to its end. Nothing is decided by them, but what is critical was read. */
function readNames(value: Bytes, what = 'subjectAltName'): GeneralName[] {
  const names = readGeneralNames(value, what)
  for (const name of names) {
    if (name.kind !== 'other') continue
    const der = new Der(name.der)
    if (name.tag === 0xa4) {
      const explicit = der.enter(0xa4, `directoryName of ${what}`)
      readName(explicit, `directoryName of ${what}`)
      explicit.finish(`directoryName of ${what}`)
      continue
    }
    if (name.tag === 0xa3 || name.tag === 0xa5) der.fail('structure', `${what} holds a name of an unused form`)
    if (name.tag === 0xa0) continue
    const content = der.content(name.tag, `a name of ${what}`)
    if (name.tag === 0x87) {
      if (content.length !== 4 && content.length !== 16) der.fail('structure', `${what} holds no IP address`)
    } else if (name.tag === 0x88) {
      oidText(content, `registeredID of ${what}`)
    } else if (content.length === 0 || content.some(octet => octet >= 0x80)) {
      der.fail('string', `${what} holds a name that is not IA5`)
    }
  }
  return names
}

/**
 * The two known qualifiers restrict nothing (RFC 5280 4.2.1.4), so they are read only to see that they are those. Any
 * other is refused: its policies might mean something else than they seem to.
 */
function readPolicies(value: Bytes): Policy[] {
  const policies = readCertificatePolicies(value)
  for (const { qualifiers } of policies) {
    if (qualifiers === undefined) continue
    const list = new Der(qualifiers).sequence('the policy qualifiers')
    if (list.done) list.fail('empty', 'the policy qualifiers are an empty list')
    while (!list.done) {
      const one = list.sequence('a policy qualifier')
      const kind = readOid(one, 'a policy qualifier')
      if (!knownQualifiers.includes(kind)) one.fail('structure', `the policy qualifier ${kind} is not understood`)
      one.any('a policy qualifier')
      one.finish('a policy qualifier')
    }
  }
  return policies
}

/** id-qt-cps and id-qt-unotice. */
const knownQualifiers = ['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2']

/** RFC 5280 4.2.1.11. At least one of the two is there. */
function readPolicyConstraints(value: Bytes): { requireExplicitPolicy: number | undefined } {
  const der = new Der(value)
  const sequence = der.sequence('policyConstraints')
  if (sequence.done) sequence.fail('empty', 'policyConstraints is an empty sequence')
  const requireExplicitPolicy = sequence.peek() === 0x80 ? sequence.small('requireExplicitPolicy', 0x80) : undefined
  // inhibitPolicyMapping constrains what is never allowed here.
  if (sequence.peek() === 0x81) sequence.small('inhibitPolicyMapping', 0x81)
  sequence.finish('policyConstraints')
  der.finish('policyConstraints')
  return { requireExplicitPolicy }
}

/** RFC 5280 4.2.1.14. */
function readInhibitAnyPolicy(value: Bytes): number {
  const der = new Der(value)
  const skipCerts = der.small('inhibitAnyPolicy')
  der.finish('inhibitAnyPolicy')
  return skipCerts
}
