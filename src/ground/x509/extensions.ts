/** Extensions: the list of them, and the content of those that these PKIs know. */

import type { Bytes } from '../bytes.ts'
import { readOid } from '../der/oid.ts'
import { Der, tag } from '../der/read.ts'
import { oids } from './names.ts'

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** The content of the OCTET STRING: the DER of the extension's own type. */
  readonly value: Bytes
}

/** SEQUENCE OF Extension; at least one, none twice (RFC 5280 4.2). */
export function readExtensions(der: Der, what: string): Extension[] {
  const sequence = der.sequence(what)
  const found: Extension[] = []
  const seen = new Set<string>()
  if (sequence.done) sequence.fail('empty', `${what} are an empty list`)
  while (!sequence.done) {
    const one = sequence.sequence(`one of ${what}`)
    const oid = readOid(one, `the identifier of one of ${what}`)
    let critical = false
    if (one.peek() === tag.boolean) {
      critical = one.boolean('critical')
      // X.690 11.5: a DEFAULT value is left out.
      if (!critical) one.fail('default', 'critical is written out although it is FALSE')
    }
    const value = one.content(tag.octetString, `the value of an extension`)
    one.finish(`an extension`)
    if (seen.has(oid)) one.fail('duplicate', `the extension ${oid} stands there twice`)
    seen.add(oid)
    found.push({ oid, critical, value })
  }
  return found
}

/** Bits of keyUsage by number (RFC 5280 4.2.1.3). */
export const keyUsageBits = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsage = (typeof keyUsageBits)[number]

/** The usages whose bits are set, in order. No bit at all, and trailing zero bits (X.690 11.2.2), are refused. */
export function readKeyUsage(value: Bytes): KeyUsage[] {
  const der = new Der(value)
  const { octets, unused } = der.bits('keyUsage')
  der.finish('keyUsage')
  const usages = keyUsageBits.filter(
    (_, bit) => octets[bit >> 3] !== undefined && octets[bit >> 3]! & (0x80 >> (bit & 7)),
  )
  if (usages.length === 0) der.fail('empty', 'keyUsage names no usage')
  const last = octets.length * 8 - 1 - unused
  if (last > 8) der.fail('bit_string', 'keyUsage has bits that mean nothing')
  if ((octets[last >> 3]! & (0x80 >> (last & 7))) === 0) der.fail('bit_string', 'keyUsage has trailing zero bits')
  return usages
}

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength: number | undefined
}

export function readBasicConstraints(value: Bytes): BasicConstraints {
  const der = new Der(value)
  const sequence = der.sequence('basicConstraints')
  let ca = false
  if (sequence.peek() === tag.boolean) {
    ca = sequence.boolean('cA')
    if (!ca) sequence.fail('default', 'cA is written out although it is FALSE')
  }
  const pathLength = sequence.done ? undefined : sequence.small('pathLenConstraint')
  sequence.finish('basicConstraints')
  der.finish('basicConstraints')
  return { ca, pathLength }
}

export function readSubjectKeyIdentifier(value: Bytes): Bytes {
  const der = new Der(value)
  const id = der.content(tag.octetString, 'subjectKeyIdentifier')
  der.finish('subjectKeyIdentifier')
  return id
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Bytes | undefined
  /** The whole [1] GeneralNames element. */
  readonly issuer: Bytes | undefined
  /** Content octets of the [2] INTEGER. */
  readonly serial: Bytes | undefined
}

export function readAuthorityKeyIdentifier(value: Bytes): AuthorityKeyIdentifier {
  const der = new Der(value)
  const sequence = der.sequence('authorityKeyIdentifier')
  const keyIdentifier = sequence.peek() === 0x80 ? sequence.content(0x80, 'keyIdentifier') : undefined
  const issuer = sequence.peek() === 0xa1 ? sequence.element(0xa1, 'authorityCertIssuer') : undefined
  const serial = sequence.peek() === 0x82 ? sequence.integer('authorityCertSerialNumber', 0x82) : undefined
  sequence.finish('authorityKeyIdentifier')
  der.finish('authorityKeyIdentifier')
  return { keyIdentifier, issuer, serial }
}

export interface Policy {
  readonly oid: string
  /** The whole SEQUENCE of qualifiers; undefined when there is none. */
  readonly qualifiers: Bytes | undefined
}

export function readCertificatePolicies(value: Bytes): Policy[] {
  const der = new Der(value)
  const sequence = der.sequence('certificatePolicies')
  const policies: Policy[] = []
  const seen = new Set<string>()
  if (sequence.done) sequence.fail('empty', 'certificatePolicies is an empty list')
  while (!sequence.done) {
    const one = sequence.sequence('a policy')
    const oid = readOid(one, 'a policy identifier')
    const qualifiers = one.done ? undefined : one.element(tag.sequence, 'the policy qualifiers')
    one.finish('a policy')
    if (seen.has(oid)) one.fail('duplicate', `the policy ${oid} stands there twice`)
    seen.add(oid)
    policies.push({ oid, qualifiers })
  }
  der.finish('certificatePolicies')
  return policies
}

export function readExtendedKeyUsage(value: Bytes): string[] {
  const der = new Der(value)
  const sequence = der.sequence('extendedKeyUsage')
  const purposes: string[] = []
  if (sequence.done) sequence.fail('empty', 'extendedKeyUsage is an empty list')
  while (!sequence.done) purposes.push(readOid(sequence, 'a purpose'))
  der.finish('extendedKeyUsage')
  return purposes
}

export type GeneralName =
  | {
      readonly kind: 'hardwareModuleName'
      readonly hwType: string
      readonly hwSerialNum: Bytes
      readonly der: Bytes
    }
  | { readonly kind: 'other'; readonly tag: number; readonly der: Bytes }

/** GeneralNames. An otherName of type id-on-hardwareModuleName (RFC 4108 section 5) is opened; others are kept as they are. */
export function readGeneralNames(value: Bytes, what = 'subjectAltName'): GeneralName[] {
  const der = new Der(value)
  const sequence = der.sequence(what)
  const names: GeneralName[] = []
  if (sequence.done) sequence.fail('empty', `${what} is an empty list`)
  while (!sequence.done) {
    const found = sequence.peek()
    // GeneralName has the alternatives [0] to [8]; 3, 4, 5 and 0 are constructed, the rest primitive.
    if (!generalNameTags.includes(found)) sequence.fail('tag', `${what} holds something that is no GeneralName`)
    const whole = sequence.any(`a name of ${what}`)
    names.push(found === 0xa0 ? readOtherName(whole) : { kind: 'other', tag: found, der: whole })
  }
  der.finish(what)
  return names
}

const generalNameTags = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]

function readOtherName(whole: Bytes): GeneralName {
  const other = new Der(whole).enter(0xa0, 'otherName')
  const type = readOid(other, 'the type of otherName')
  const explicit = other.enter(0xa0, 'the value of otherName')
  other.finish('otherName')
  if (type !== oids.hardwareModuleName) {
    explicit.any('the value of otherName')
    explicit.finish('the value of otherName')
    return { kind: 'other', tag: 0xa0, der: whole }
  }
  const module = explicit.sequence('hardwareModuleName')
  const hwType = readOid(module, 'hwType')
  const hwSerialNum = module.content(tag.octetString, 'hwSerialNum')
  module.finish('hardwareModuleName')
  explicit.finish('hardwareModuleName')
  return { kind: 'hardwareModuleName', hwType, hwSerialNum, der: whole }
}

/** A non-negative INTEGER extension (cRLNumber): its content octets. */
export function readCrlNumber(value: Bytes): Bytes {
  const der = new Der(value)
  const number = der.integer('cRLNumber')
  if (number[0]! >= 0x80) der.fail('integer', 'cRLNumber is negative')
  der.finish('cRLNumber')
  return number
}

/** Reasons of RFC 5280 5.3.1 by number; 7 is not used. */
export const reasonCodes: Readonly<Record<number, string>> = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
}

export function readReasonCode(value: Bytes): number {
  const der = new Der(value)
  const reason = der.small('reasonCode', tag.enumerated)
  der.finish('reasonCode')
  if (reasonCodes[reason] === undefined) der.fail('structure', `reasonCode ${reason} does not exist`)
  return reason
}
