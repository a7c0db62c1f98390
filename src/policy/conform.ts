/** Proves that the octets of a planned certificate are what was decided, before anything is signed. */

import { type Bytes, equal, toHex, view } from '../ground/bytes.ts'
import { Der, NotDer, tag } from '../ground/der/read.ts'
import { forever } from '../ground/der/time.ts'
import { type Certificate, readTbs, type TbsCertificate } from '../ground/x509/certificate.ts'
import {
  type Extension,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCertificatePolicies,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readSubjectKeyIdentifier,
} from '../ground/x509/extensions.ts'
import { readRsaKey } from '../ground/x509/key.ts'
import { attributeText } from '../ground/x509/name.ts'
import { oids } from '../ground/x509/names.ts'
import { isLikeProven, rememberProven } from './alike.ts'
import { methodTwo } from './method-two.ts'
import type { ExtensionRule, Profile } from './profile.ts'
import type { Wanted } from './wanted.ts'

const conforms = Symbol('conforms') // not exported: only `conform` can make one

/** A to-be-signed certificate that conforms to its profile and to what was decided. */
export interface Conforming {
  readonly [conforms]: true
  readonly tbs: Bytes
  readonly wanted: Wanted
}

/** A fault of ours: what was planned is not what was decided. Nothing is signed. */
export class DoesNotConform extends Error {
  readonly broken: readonly string[]

  constructor(profile: string, broken: readonly string[]) {
    super(`a planned ${profile} does not conform: ${broken.join('; ')}`)
    this.name = 'DoesNotConform'
    this.broken = broken
  }
}

/**
 * The first certificate of its like is read and held against every rule; the next is held against that one (alike.ts), and
 * against the rules again when it differs. A rule that looks at anything new of `Wanted` needs it there too.
 *
 * @throws DoesNotConform naming every rule that is broken; NotDer when the octets cannot be read at all.
 */
export function conform(tbs: Bytes, wanted: Wanted): Conforming {
  if (isLikeProven(tbs, wanted)) return { [conforms]: true, tbs, wanted }
  const certificate = readTbs(tbs)
  const broken = rules.filter(rule => !holds(rule, certificate, wanted)).map(rule => `${rule.says} (${rule.where})`)
  if (broken.length > 0) throw new DoesNotConform(wanted.profile.name, broken)
  rememberProven(tbs, certificate, wanted)
  return { [conforms]: true, tbs, wanted }
}

/** What stands in an extension or a key and cannot be read is not what was decided. */
function holds(rule: ConformRule, certificate: TbsCertificate, wanted: Wanted): boolean {
  try {
    return rule.holds(certificate, wanted)
  } catch (cause) {
    if (cause instanceof NotDer) return false
    throw cause
  }
}

export interface ConformRule {
  readonly says: string
  readonly where: string
  readonly holds: (certificate: TbsCertificate, wanted: Wanted) => boolean
}

const algorithms = {
  'P-256': Buffer.from('300a06082a8648ce3d040302', 'hex'),
  RSA: Buffer.from('300d06092a864886f70d01010b0500', 'hex'),
}

export const rules: readonly ConformRule[] = [
  { says: 'the version is 3', where: 'RFC 5280 4.1.2.1', holds: c => c.version === 3 },
  {
    says: 'the serial number is the one decided, of 16 octets, the first 01 to 7F',
    where: 'certificates.md 3',
    holds: (c, w) =>
      equal(c.serial, w.serial) && c.serial.length === 16 && c.serial[0]! >= 0x01 && c.serial[0]! <= 0x7f,
  },
  {
    says: "the signature algorithm is that of the issuer's key",
    where: 'certificates.md 2',
    holds: (c, w) => {
      const key = w.issuer === 'self' ? w.profile.key : w.issuer.publicKey.kind
      return equal(c.signatureAlgorithm.der, key === 'P-256' ? algorithms['P-256'] : algorithms.RSA)
    },
  },
  {
    says: "the issuer is the issuer's subject, octet for octet, and not empty",
    where: 'certificates.md 3',
    holds: (c, w) =>
      equal(c.issuer.der, w.issuer === 'self' ? c.subject.der : w.issuer.subject.der) && c.issuer.rdns.length > 0,
  },
  {
    says: 'the period begins where the profile says',
    where: 'certificates.md 4, 5',
    holds: (c, w) => {
      const begin = c.notBefore.ms
      const moment = w.moment.getTime()
      return w.profile.validity.from === 'day'
        ? begin % 86_400_000 === 0 && begin <= moment && moment < begin + 86_400_000
        : begin === moment
    },
  },
  { says: 'the period is that of the policy, to the second', where: 'CERT-A01', holds: periodHolds },
  {
    says: 'times are UTCTime to 2049 and GeneralizedTime from 2050',
    where: 'RFC 5280 4.1.2.5',
    holds: c => [c.notBefore, c.notAfter].every(t => (t.form === 'UTCTime') === t.ms < Date.UTC(2050, 0, 1)),
  },
  {
    says: 'the subject is as the profile and the request have it',
    where: 'certificates.md 4-8',
    holds: subjectHolds,
  },
  {
    says: 'there are no unique identifiers',
    where: 'certificates.md 3',
    holds: c => !c.issuerUniqueId && !c.subjectUniqueId,
  },
  {
    says: 'the public key is the one decided, of the kind of the profile',
    where: 'certificates.md 2',
    holds: (c, w) => equal(c.publicKey.spki, w.publicKey) && keyIsOfKind(c, w.profile),
  },
  {
    says: 'the extensions are those of the profile, in its order, with its criticality and content',
    where: 'certificates.md 3-8',
    holds: (c, w) =>
      c.extensions.length === w.profile.extensions.length &&
      w.profile.extensions.every((rule, i) => extensionHolds(rule, c.extensions[i]!, c, w)),
  },
]

/** The inclusive period: one second after notAfter is the anniversary, or the last day of February of its year. */
function periodHolds(c: TbsCertificate, { profile }: Wanted): boolean {
  if (profile.validity.years === 'forever') return c.notAfter.ms === forever
  const from = new Date(c.notBefore.ms)
  const after = new Date(c.notAfter.ms + 1000)
  const sameClock = from.getTime() % 86_400_000 === after.getTime() % 86_400_000
  const sameYear = after.getUTCFullYear() === from.getUTCFullYear() + profile.validity.years
  const leapDay = from.getUTCMonth() === 1 && from.getUTCDate() === 29
  const day =
    leapDay && new Date(Date.UTC(after.getUTCFullYear(), 1, 29)).getUTCDate() !== 29 ? 28 : from.getUTCDate()
  return sameClock && sameYear && after.getUTCMonth() === from.getUTCMonth() && after.getUTCDate() === day
}

const stringTags = { UTF8String: tag.utf8String, PrintableString: tag.printableString, 'BIT STRING': tag.bitString }

function subjectHolds(c: TbsCertificate, { profile, subject }: Wanted): boolean {
  const due = profile.subject.filter(rule => !(rule.optional && subject[rule.attribute] === undefined))
  // Nothing that was asked for may be dropped, nothing may be added.
  const asked = Object.keys(subject)
  if (asked.some(attribute => !profile.subject.some(rule => rule.attribute === attribute))) return false
  return (
    c.subject.rdns.length === due.length &&
    due.every((rule, i) => {
      const [attribute, ...more] = c.subject.rdns[i]!
      if (!attribute || more.length > 0) return false
      if (attribute.oid !== oids[rule.attribute] || attribute.tag !== stringTags[rule.string]) return false
      if (rule.string === 'BIT STRING') {
        return (
          attribute.content.length === 9 &&
          attribute.content[0] === 0 &&
          toHex(attribute.content.subarray(1)) === subject[rule.attribute]
        )
      }
      const text = attributeText(attribute)
      if (text === undefined || text === '') return false
      const asked = subject[rule.attribute]
      return (
        text === (rule.fixed ?? asked) &&
        (asked === undefined || text === asked) &&
        (rule.atMost === undefined || [...text].length <= rule.atMost)
      )
    })
  )
}

function keyIsOfKind({ publicKey }: TbsCertificate, profile: Profile): boolean {
  if (profile.key === 'P-256')
    return (
      publicKey.kind === 'P-256' &&
      publicKey.key.length === 65 &&
      publicKey.key[0] === 4 &&
      publicKey.spki.length === 91
    )
  if (publicKey.kind !== 'RSA') return false
  const { bits, exponent } = readRsaKey(new Der(publicKey.key))
  const size = profile.key === 'RSA-2048' ? 2048 : 4096
  return bits === size && (exponent[exponent.length - 1]! & 1) === 1 && exponent.length >= 3
}

const extensionOids: Record<Exclude<ExtensionRule['is'], 'wrappedApexContingencyKey'>, string> = {
  keyUsage: oids.keyUsage,
  basicConstraints: oids.basicConstraints,
  certificatePolicies: oids.certificatePolicies,
  extendedKeyUsage: oids.extendedKeyUsage,
  subjectKeyIdentifier: oids.subjectKeyIdentifier,
  authorityKeyIdentifier: oids.authorityKeyIdentifier,
  hardwareModuleName: oids.subjectAltName,
  serverNames: oids.subjectAltName,
}

function extensionHolds(rule: ExtensionRule, found: Extension, c: TbsCertificate, w: Wanted): boolean {
  const oid = rule.is === 'wrappedApexContingencyKey' ? rule.oid : extensionOids[rule.is]
  if (found.oid !== oid || found.critical !== rule.critical) return false
  const { value } = found
  switch (rule.is) {
    case 'keyUsage': {
      const usages = readKeyUsage(value)
      if ('all' in rule) return usages.length === rule.all.length && rule.all.every(usage => usages.includes(usage))
      return usages.length === 1 && usages[0] === w.usage && rule.oneOf.includes(usages[0]!)
    }
    case 'basicConstraints': {
      const { ca, pathLength } = readBasicConstraints(value)
      return ca && pathLength === rule.pathLength
    }
    case 'certificatePolicies': {
      const policies = readCertificatePolicies(value)
      return policies.length === 1 && policies[0]!.oid === rule.oid && policies[0]!.qualifiers === undefined
    }
    case 'extendedKeyUsage': {
      const purposes = readExtendedKeyUsage(value)
      return (
        purposes.length === rule.purposes.length && rule.purposes.every((purpose, i) => purposes[i] === purpose)
      )
    }
    case 'subjectKeyIdentifier':
      return isMethodTwo(readSubjectKeyIdentifier(value), c.publicKey.key)
    case 'authorityKeyIdentifier': {
      const { keyIdentifier, issuer, serial } = readAuthorityKeyIdentifier(value)
      return (
        w.issuer !== 'self' &&
        !issuer &&
        !serial &&
        !!keyIdentifier &&
        toHex(keyIdentifier) === idOfIssuer(w.issuer)
      )
    }
    case 'hardwareModuleName': {
      const [name, ...more] = readGeneralNames(value)
      return (
        more.length === 0 &&
        name?.kind === 'hardwareModuleName' &&
        name.hwType === w.hardwareModule?.hwType &&
        name.hwSerialNum.length === 8 &&
        equal(name.hwSerialNum, w.hardwareModule.hwSerialNum)
      )
    }
    case 'serverNames': {
      const names = readGeneralNames(value).map(name => (name.kind === 'other' ? serverName(name) : ''))
      return (
        names.length > 0 &&
        names.length === w.serverNames?.length &&
        names.every((name, i) => name === w.serverNames![i])
      )
    }
    case 'wrappedApexContingencyKey':
      return w.contingencyKey !== undefined && equal(value, w.contingencyKey)
  }
}

function isMethodTwo(id: Bytes, key: Bytes): boolean {
  return toHex(id) === methodTwo(key)
}

/** An authority issues by the ten thousand, and its identifier is always the same. */
const issuerIds = new WeakMap<Certificate, string>()

function idOfIssuer(issuer: Certificate): string {
  const known = issuerIds.get(issuer) ?? methodTwo(issuer.publicKey.key)
  issuerIds.set(issuer, known)
  return known
}

/** A dNSName as its text, an iPAddress in the form that RFC 5952 gives it; other names as nothing. */
function serverName({ tag: kind, der }: { tag: number; der: Bytes }): string {
  const content = view(der).subarray(2)
  if (kind === 0x82) return content.toString('latin1')
  if (kind !== 0x87) return ''
  if (content.length === 4) return content.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => content.readUInt16BE(2 * i).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
