/** Which public keys path validation takes, and which signatures by them. */

import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Bytes, equal, toBigInt, view } from '../../bytes.ts'
import { Der } from '../../der/read.ts'
import type { AlgorithmIdentifier, PublicKey, PublicKeyKind } from '../key.ts'
import { readEcdsaSignature, readRsaKey } from '../key.ts'
import { oidName, oids } from '../names.ts'
import { notDer, type PathCode } from './refusals.ts'

/** `gb` takes what the GB profiles use; `rfc5280` takes P-384 and the longer hashes as well. */
export type ProfileName = 'gb' | 'rfc5280'

export interface Fault {
  readonly code: PathCode
  readonly says: string
}

/**
 * The key, imported; or why not. P-256 and P-384 by name with an uncompressed point on the curve; RSA of 2,048 to
 * 16,384 bits, odd, with an odd exponent of at least 65,537 and at most 64 bits (longer ones only cost time).
 */
export function importKey(
  publicKey: PublicKey,
): { key: KeyObject; fault?: never } | { key: undefined; fault: Fault } {
  const fault = publicKey.kind === 'RSA' ? rsaFault(publicKey) : curveFault(publicKey)
  if (fault) return { key: undefined, fault }
  try {
    return { key: createPublicKey({ key: view(publicKey.spki), format: 'der', type: 'spki' }) }
  } catch (cause) {
    if (!isLibraryError(cause)) throw cause
    return { key: undefined, fault: { code: 'KEY_BAD', says: 'the public key is no point of its curve' } }
  }
}

const pointLength: Partial<Record<PublicKeyKind, number>> = { 'P-256': 65, 'P-384': 97 }

function curveFault({ kind, key, algorithm }: PublicKey): Fault | undefined {
  const length = pointLength[kind]
  if (length === undefined)
    return { code: 'KEY_NOT_UNDERSTOOD', says: `a public key of ${oidName(algorithm.oid)} is not understood here` }
  if (key.length !== length || key[0] !== 0x04)
    return { code: 'KEY_BAD', says: `the public key is no uncompressed point of ${kind}` }
  return undefined
}

function rsaFault({ key, algorithm }: PublicKey): Fault | undefined {
  if (!algorithm.parameters || !equal(algorithm.parameters, asn1Null))
    return { code: 'KEY_BAD', says: 'the RSA key has other parameters than NULL' }
  try {
    const { modulus, bits, exponent } = readRsaKey(new Der(key))
    if (bits < 2048) return { code: 'KEY_WEAK', says: `the RSA key has ${bits} bits, fewer than 2,048` }
    if (bits > 16_384) return { code: 'KEY_NOT_UNDERSTOOD', says: `the RSA key has ${bits} bits, more than 16,384` }
    if (modulus[modulus.length - 1]! % 2 === 0) return { code: 'KEY_BAD', says: 'the RSA modulus is even' }
    if (exponent.length > 8 || exponent[exponent.length - 1]! % 2 === 0 || toBigInt(exponent) < 65_537n)
      return { code: 'KEY_WEAK', says: 'the RSA exponent is even, below 65,537 or above 64 bits' }
  } catch (cause) {
    return { code: 'KEY_BAD', says: notDer(cause) }
  }
  return undefined
}

const asn1Null = Buffer.from('0500', 'hex')

interface Algorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly kinds: readonly PublicKeyKind[]
  readonly profiles: readonly ProfileName[]
}

const both = ['gb', 'rfc5280'] as const
const curves = ['P-256', 'P-384'] as const

/** What is understood: RFC 5758 3.2 for ECDSA, RFC 4055 5 for RSA with PKCS #1 v1.5 padding. */
const algorithms: Readonly<Record<string, Algorithm>> = {
  [oids.ecdsaWithSha256]: { hash: 'sha256', kinds: curves, profiles: both },
  [oids.ecdsaWithSha384]: { hash: 'sha384', kinds: curves, profiles: ['rfc5280'] },
  [oids.ecdsaWithSha512]: { hash: 'sha512', kinds: curves, profiles: ['rfc5280'] },
  [oids.sha256WithRsa]: { hash: 'sha256', kinds: ['RSA'], profiles: both },
  [oids.sha384WithRsa]: { hash: 'sha384', kinds: ['RSA'], profiles: ['rfc5280'] },
  [oids.sha512WithRsa]: { hash: 'sha512', kinds: ['RSA'], profiles: ['rfc5280'] },
}

/** Known, and refused by that name. */
const weak: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2 with RSA',
  '1.2.840.113549.1.1.4': 'MD5 with RSA',
  '1.2.840.113549.1.1.5': 'SHA-1 with RSA',
  '1.2.840.10040.4.3': 'SHA-1 with DSA',
  '1.2.840.10045.4.1': 'SHA-1 with ECDSA',
}

/** What was signed: a certificate or a list. */
export interface Signed {
  readonly tbs: Bytes
  readonly inner: AlgorithmIdentifier
  readonly outer: AlgorithmIdentifier
  readonly signature: Bytes
}

/**
 * What is wrong with the algorithm identifiers, before any key is looked at: inner and outer are the same octets (RFC
 * 5280 4.1.1.2), the algorithm is taken by the profile, and its parameters are as due. NULL where ECDSA has none is
 * taken by `gb` alone, because real certificates have it (it means nothing, and was signed); RFC 5758 3.2 forbids it.
 */
export function algorithmFault(
  { inner, outer }: Pick<Signed, 'inner' | 'outer'>,
  profile: ProfileName,
): Fault | undefined {
  if (weak[inner.oid] ?? weak[outer.oid])
    return { code: 'ALGORITHM_WEAK', says: `${weak[inner.oid] ?? weak[outer.oid]} is no longer good enough` }
  if (!equal(inner.der, outer.der))
    return { code: 'ALGORITHM_MISMATCH', says: 'the signature algorithms inside and outside differ' }
  const algorithm = algorithms[inner.oid]
  if (!algorithm?.profiles.includes(profile))
    return { code: 'ALGORITHM_NOT_UNDERSTOOD', says: `a signature by ${oidName(inner.oid)} is not understood here` }
  if (!parametersFit(inner, algorithm, profile))
    return { code: 'ALGORITHM_NOT_UNDERSTOOD', says: `${oidName(inner.oid)} has other parameters than are due` }
  return undefined
}

function parametersFit({ parameters }: AlgorithmIdentifier, algorithm: Algorithm, profile: ProfileName): boolean {
  const isNull = parameters !== undefined && equal(parameters, asn1Null)
  if (algorithm.kinds.includes('RSA')) return isNull
  return parameters === undefined || (isNull && profile === 'gb')
}

/** Whether a signature with that algorithm has parameters where there should be none: worth a note. */
export function needlessParameters(algorithm: AlgorithmIdentifier): boolean {
  return algorithms[algorithm.oid]?.kinds.includes('P-256') === true && algorithm.parameters !== undefined
}

/** Whether the key made the signature; `kind` is the kind of that key. Undefined: it did. */
export function signatureFault(
  signed: Signed,
  by: { key: KeyObject | undefined; kind: PublicKeyKind },
  profile: ProfileName,
): Fault | undefined {
  const wrong = algorithmFault(signed, profile)
  if (wrong) return wrong
  const { hash, kinds } = algorithms[signed.inner.oid]!
  if (!kinds.includes(by.kind))
    return {
      code: 'ALGORITHM_MISMATCH',
      says: `${oidName(signed.inner.oid)} is no signature by a key of ${by.kind}`,
    }
  if (by.key === undefined) return { code: 'SIGNATURE_BAD', says: 'the issuer’s key cannot be used' }
  const isCurve = by.kind !== 'RSA'
  if (isCurve) {
    try {
      readEcdsaSignature(new Der(signed.signature))
    } catch (cause) {
      return {
        code: 'SIGNATURE_NOT_DER',
        says: `${notDer(cause)}; a value that is not DER is not looked at further`,
      }
    }
  }
  return holds(hash, signed, by.key, isCurve)
    ? undefined
    : { code: 'SIGNATURE_BAD', says: 'the signature is not by the issuer’s key' }
}

function holds(hash: string, { tbs, signature }: Signed, key: KeyObject, isCurve: boolean): boolean {
  const how = isCurve ? { key, dsaEncoding: 'der' as const } : { key, padding: constants.RSA_PKCS1_PADDING }
  try {
    return verify(hash, tbs, how, signature)
  } catch (cause) {
    if (!isLibraryError(cause)) throw cause
    return false
  }
}

function isLibraryError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && /^ERR_(OSSL|CRYPTO)/.test(String(cause.code))
}
