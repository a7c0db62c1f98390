/** Admits a CSR by the profiles of its PKI alone: a profile is data, and says all that such a CSR may ask for. */

import type { Bytes } from '../../ground/bytes.ts'
import { view } from '../../ground/bytes.ts'
import { tag } from '../../ground/der/read.ts'
import {
  type Extension,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
} from '../../ground/x509/extensions.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { attributeText, type Name } from '../../ground/x509/name.ts'
import { oids } from '../../ground/x509/names.ts'
import type { ExtensionRule, Profile } from '../../policy/profile.ts'
import { criticalExtension, provenP256, provenRsa2048, readCsr, refuseCsr, requested, strictly } from './csr.ts'

const admits = Symbol('admits') // not exported: only `admitProfiled` can make one

/** A CSR of the form of one profile, whose signer holds the key. */
export interface AdmittedProfiled {
  readonly [admits]: true
  readonly profile: Profile
  readonly subject: ProfiledSubject
  /** DNS names, where the profile has them; empty where it has none. */
  readonly names: readonly string[]
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
  readonly keyId: Bytes
}

export interface ProfiledSubject {
  readonly organizationName: string
  readonly organizationalUnitName: string
  readonly commonName: string
}

/**
 * Which profile it is follows from what it asks for: keyUsage, extendedKeyUsage, and whether it names hosts. Extensions
 * that no profile knows are left aside (certificates.md section 12).
 * @param profiles of one PKI, all for one kind of key
 * @throws Refusal with a code of csr.ts
 */
export function admitProfiled(octets: Bytes, profiles: readonly Profile[]): AdmittedProfiled {
  const csr = readCsr(octets)
  const usages = strictly('CR:CC6', 'the requested keyUsage cannot be read', () =>
    readKeyUsage(criticalExtension(csr, oids.keyUsage, 'keyUsage').value),
  )
  const purposes = purposesOf(requested(csr, oids.extendedKeyUsage))
  const names = namesOf(requested(csr, oids.subjectAltName))
  const profile = profiles.find(
    ({ extensions }) =>
      same(ruleOf(extensions, 'keyUsage'), usages) &&
      same(ruleOf(extensions, 'extendedKeyUsage'), purposes) &&
      extensions.some(rule => rule.is === 'serverNames') === names.length > 0,
  )
  if (!profile)
    refuseCsr('CR:CC6', 'keyUsage, extendedKeyUsage and subjectAltName together are of no profile of this PKI')
  const subject = subjectOf(csr.subject)
  if (profile.key === 'P-256') provenP256(csr)
  else provenRsa2048(csr)
  const keyId = keyIdentifier(csr.publicKey.key)
  return { [admits]: true, profile, subject, names, publicKey: csr.publicKey.spki, keyId }
}

/** All that the rule of that kind asks for; nothing where the profile has no such rule. */
function ruleOf(extensions: readonly ExtensionRule[], is: 'keyUsage' | 'extendedKeyUsage'): readonly string[] {
  const rule = extensions.find(one => one.is === is)
  if (rule?.is === 'keyUsage') return 'all' in rule ? rule.all : []
  return rule?.is === 'extendedKeyUsage' ? rule.purposes : []
}

function same(due: readonly string[], asked: readonly string[]): boolean {
  return due.length === asked.length && due.every(one => asked.includes(one))
}

function purposesOf(asked: Extension | undefined): string[] {
  if (!asked) return []
  return strictly('CR:CC6', 'the requested extendedKeyUsage cannot be read', () =>
    readExtendedKeyUsage(asked.value),
  )
}

function namesOf(asked: Extension | undefined): string[] {
  if (!asked) return []
  const names = strictly('CR:CC7', 'the requested subjectAltName cannot be read', () =>
    readGeneralNames(asked.value),
  ).map(name => {
    // [2] dNSName, its length in one octet: longer ones are no host names here (`hostName` in policy/dccki).
    if (name.kind !== 'other' || name.tag !== 0x82 || name.der[1]! > 0x7f)
      return refuseCsr('CR:CC7', 'subjectAltName has names of hosts alone, of 127 characters at most')
    return view(name.der).subarray(2).toString('latin1')
  })
  if (new Set(names).size !== names.length) refuseCsr('CR:CC7', 'subjectAltName has a name twice')
  return names
}

const due = [
  { name: 'organizationName', says: 'O' },
  { name: 'organizationalUnitName', says: 'OU' },
  { name: 'commonName', says: 'CN' },
] as const

/** Exactly these three, each once, in whatever order; 1 to 64 characters (RFC 5280 Appendix A.1). */
function subjectOf(name: Name): ProfiledSubject {
  const attributes = name.rdns.flat()
  if (name.rdns.some(rdn => rdn.length !== 1) || attributes.length !== due.length)
    refuseCsr('CR:CC5', 'the subject is not O, OU and CN, each once')
  const texts = due.map(({ name: attribute, says }) => {
    const found = attributes.find(one => one.oid === oids[attribute])
    const isText = found?.tag === tag.utf8String || found?.tag === tag.printableString
    const text = isText ? attributeText(found!) : undefined
    if (text === undefined || text === '' || [...text].length > 64)
      return refuseCsr('CR:CC5', `the subject has no ${says} of 1 to 64 characters of text`)
    return text
  })
  return { organizationName: texts[0]!, organizationalUnitName: texts[1]!, commonName: texts[2]! }
}
