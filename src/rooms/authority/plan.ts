/** Decides the octets of one certificate: a template for each authority and profile, with holes for what differs. */

import { isIP } from 'node:net'
import type { Bytes } from '../../ground/bytes.ts'
import { fromHex } from '../../ground/bytes.ts'
import { Der } from '../../ground/der/read.ts'
import { forever, writeTime } from '../../ground/der/time.ts'
import * as der from '../../ground/der/write.ts'
import { type KeyUsage, keyUsageBits } from '../../ground/x509/extensions.ts'
import { keyIdentifier, readPublicKey } from '../../ground/x509/key.ts'
import { oids } from '../../ground/x509/names.ts'
import { type AttributeRule, type ExtensionRule, type Profile, signatureAlgorithmOf } from '../../policy/profile.ts'
import type { Wanted } from '../../policy/wanted.ts'
import { templated } from './template.ts'

/** DER of the TBSCertificate that was decided. @throws RangeError when a value does not fit its place. */
export type Plan = (wanted: Wanted) => Buffer

/**
 * A plan for certificates of one profile from one issuer. Everything that is the same in each of them is encoded here,
 * once. The same function serves roots (`issuer: 'self'`), authorities and end entities of every hierarchy.
 */
export function planFor(profile: Profile, issuer: Wanted['issuer']): Plan {
  return templated(wholePlan(profile, issuer))
}

/** The same without a memory of certificates before it. */
export function wholePlan(profile: Profile, issuer: Wanted['issuer']): Plan {
  const version = der.tagged(0, der.integer(2))
  const issuerKey = issuer === 'self' ? profile.key : issuer.publicKey.kind === 'P-256' ? 'P-256' : 'RSA-4096'
  const algorithm = algorithms[signatureAlgorithmOf(issuerKey)]
  const parts = profile.extensions.map(rule => extensionPart(rule, issuer))
  const validity = validityOf(profile)

  return wanted => {
    const key = keyOctets(wanted.publicKey)
    const subject = writeSubject(profile.subject, wanted.subject)
    return der.sequence(
      version,
      der.integer(wanted.serial),
      algorithm,
      issuer === 'self' ? subject : issuer.subject.der,
      validity(wanted.moment),
      subject,
      wanted.publicKey,
      der.tagged(3, der.sequence(...parts.map(part => (typeof part === 'function' ? part(wanted, key) : part)))),
    )
  }
}

/** The octets that key identifiers are made of: of a P-256 key the point, which ends its 91 octets. */
function keyOctets(spki: Bytes): Bytes {
  return spki.length === 91 ? spki.subarray(26) : readPublicKey(new Der(spki)).key
}

export const algorithms = {
  'ecdsa-with-SHA256': der.sequence(der.oid(oids.ecdsaWithSha256)),
  sha256WithRSAEncryption: der.sequence(der.oid(oids.sha256WithRsa), der.nothing()),
} as const

/** The first and the last second of the period (inclusive, RFC 5280 4.1.2.5). */
export function periodOf(profile: Profile, moment: Date): { notBefore: Date; notAfter: Date } {
  const { years, from } = profile.validity
  const notBefore = new Date(from === 'day' ? moment.getTime() - (moment.getTime() % 86_400_000) : moment.getTime())
  if (years === 'forever') return { notBefore, notAfter: new Date(forever) }
  const anniversary = new Date(notBefore)
  anniversary.setUTCFullYear(notBefore.getUTCFullYear() + years)
  // 29 February has no anniversary in most years; JavaScript would say 1 March, a day more than the policy gives.
  if (anniversary.getUTCMonth() !== notBefore.getUTCMonth()) anniversary.setUTCDate(0)
  return { notBefore, notAfter: new Date(anniversary.getTime() - 1000) }
}

/** The period of a moment; a batch has hundreds of certificates of one second. */
function validityOf(profile: Profile): (moment: Date) => Buffer {
  let last = Number.NaN
  let written: Buffer = Buffer.alloc(0)
  return moment => {
    if (moment.getTime() !== last) {
      const { notBefore, notAfter } = periodOf(profile, moment)
      written = der.sequence(writeTime(notBefore), writeTime(notAfter))
      last = moment.getTime()
    }
    return written
  }
}

function writeSubject(rules: readonly AttributeRule[], values: Wanted['subject']): Buffer {
  return der.sequence(
    ...rules
      .filter(rule => !(rule.optional && values[rule.attribute] === undefined))
      .map(rule =>
        der.setOf(
          der.sequence(der.oid(oids[rule.attribute]), writeValue(rule, rule.fixed ?? values[rule.attribute])),
        ),
      ),
  )
}

function writeValue(rule: AttributeRule, value: string | undefined): Buffer {
  if (value === undefined) throw new RangeError(`the subject needs a ${rule.attribute}`)
  if (rule.string === 'BIT STRING') return der.bitString(fromHex(value))
  return rule.string === 'UTF8String' ? der.utf8String(value) : der.printableString(value)
}

type Part = Buffer | ((wanted: Wanted, key: Bytes) => Buffer)

function extensionPart(rule: ExtensionRule, issuer: Wanted['issuer']): Part {
  const { critical } = rule
  switch (rule.is) {
    case 'keyUsage': {
      if ('all' in rule) return extension(oids.keyUsage, critical, usageBits(rule.all))
      const choices = new Map(
        rule.oneOf.map(usage => [usage, extension(oids.keyUsage, critical, usageBits([usage]))]),
      )
      return ({ usage }) => choices.get(usage!) ?? misfit('keyUsage')
    }
    case 'basicConstraints':
      return extension(
        oids.basicConstraints,
        critical,
        der.sequence(der.boolean(true), der.integer(rule.pathLength)),
      )
    case 'certificatePolicies':
      return extension(oids.certificatePolicies, critical, der.sequence(der.sequence(der.oid(rule.oid))))
    case 'extendedKeyUsage':
      return extension(oids.extendedKeyUsage, critical, der.sequence(...rule.purposes.map(der.oid)))
    case 'subjectKeyIdentifier':
      return (_, key) => extension(oids.subjectKeyIdentifier, critical, der.octetString(keyIdentifier(key)))
    case 'authorityKeyIdentifier': {
      if (issuer === 'self') throw new RangeError('a root has no authority key identifier')
      const id = keyIdentifier(issuer.publicKey.key)
      return extension(oids.authorityKeyIdentifier, critical, der.sequence(der.taggedPrimitive(0, id)))
    }
    case 'hardwareModuleName':
      return ({ hardwareModule }) => {
        const { hwType, hwSerialNum } = hardwareModule ?? misfit('hardwareModuleName')
        const module = der.sequence(der.oid(hwType), der.octetString(hwSerialNum))
        const other = der.tagged(0, der.oid(oids.hardwareModuleName), der.tagged(0, module))
        return extension(oids.subjectAltName, critical, der.sequence(other))
      }
    case 'serverNames':
      return ({ serverNames }) => {
        const names = (serverNames ?? misfit('server names')).map(writeServerName)
        return extension(oids.subjectAltName, critical, der.sequence(...names))
      }
    case 'wrappedApexContingencyKey':
      return ({ contingencyKey }) => extension(rule.oid, critical, contingencyKey ?? misfit('contingency key'))
  }
}

/** [2] dNSName, or [7] iPAddress of 4 or 16 octets. */
function writeServerName(name: string): Buffer {
  if (isIP(name) === 0) return der.ia5String(name, 0x82)
  if (isIP(name) === 4) return der.taggedPrimitive(7, Buffer.from(name.split('.').map(Number)))
  const [before = [], after] = name.split('::').map(half => half.split(':').filter(group => group !== ''))
  const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  const groups = [...before, ...zeros, ...(after ?? [])]
  return der.taggedPrimitive(7, Buffer.from(groups.map(group => group.padStart(4, '0')).join(''), 'hex'))
}

function misfit(what: string): never {
  throw new RangeError(`the profile needs a ${what}`)
}

function usageBits(usages: readonly KeyUsage[]): Buffer {
  return der.namedBits(...usages.map(usage => keyUsageBits.indexOf(usage)))
}

function extension(oid: string, critical: boolean, value: Bytes): Buffer {
  const wrapped = der.octetString(value)
  return critical ? der.sequence(der.oid(oid), der.boolean(true), wrapped) : der.sequence(der.oid(oid), wrapped)
}
