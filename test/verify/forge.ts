/** Forges certificates and lists for tests, right ones and wrong ones: every part can be replaced by any octets. */

import { createHash, generateKeyPairSync, type KeyObject, constants as padding, sign } from 'node:crypto'
import type { Bytes } from '../../src/ground/bytes.ts'
import { Der } from '../../src/ground/der/read.ts'
import {
  bitString,
  boolean,
  element,
  enumerated,
  integer,
  namedBits,
  nothing,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  tagged,
  taggedPrimitive,
  utf8String,
} from '../../src/ground/der/write.ts'
import { type KeyUsage, keyUsageBits } from '../../src/ground/x509/extensions.ts'
import { readPublicKey } from '../../src/ground/x509/key.ts'
import { oids } from '../../src/ground/x509/names.ts'

export interface Pair {
  readonly privateKey: KeyObject
  readonly spki: Buffer
  /** Key identifier by method 2 over the key's octets. */
  readonly id: Buffer
  readonly sign: (octets: Bytes) => Buffer
  readonly algorithm: Buffer
}

export const algorithm = (id: string, ...parameters: Bytes[]): Buffer => sequence(oid(id), ...parameters)

export const algorithms = {
  ecdsaSha256: algorithm(oids.ecdsaWithSha256),
  ecdsaSha384: algorithm(oids.ecdsaWithSha384),
  rsaSha256: algorithm(oids.sha256WithRsa, nothing()),
  rsaSha384: algorithm(oids.sha384WithRsa, nothing()),
  rsaSha1: algorithm('1.2.840.113549.1.1.5', nothing()),
  ed25519: algorithm('1.3.101.112'),
}

function pair(privateKey: KeyObject, publicKey: KeyObject, signs: Buffer, hash: string | null): Pair {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const id = createHash('sha1')
    .update(readPublicKey(new Der(spki)).key)
    .digest()
    .subarray(12)
  id[0] = (id[0]! & 0x0f) | 0x40
  return { privateKey, spki, id, algorithm: signs, sign: octets => sign(hash, octets, privateKey) }
}

export function p256(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return pair(privateKey, publicKey, algorithms.ecdsaSha256, 'sha256')
}

export function p384(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  return pair(privateKey, publicKey, algorithms.ecdsaSha384, 'sha384')
}

export function rsa(bits: number, publicExponent = 65537): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent })
  return pair(privateKey, publicKey, algorithms.rsaSha256, 'sha256')
}

export function ed25519(): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return pair(privateKey, publicKey, algorithms.ed25519, null)
}

/** The same key, signing in another way. */
export function signing(key: Pair, how: { algorithm: Bytes; hash: string; pss?: boolean }): Pair {
  return {
    ...key,
    algorithm: Buffer.from(how.algorithm),
    sign: octets =>
      sign(
        how.hash,
        octets,
        how.pss ? { key: key.privateKey, padding: padding.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : key.privateKey,
      ),
  }
}

export const attribute = (type: string, value: Bytes): Buffer => setOf(sequence(oid(type), value))
export const name = (...rdns: Bytes[]): Buffer => sequence(...rdns)
export const cn = (text: string): Buffer => name(attribute(oids.commonName, utf8String(text)))
export const printableCn = (text: string): Buffer => name(attribute(oids.commonName, printableString(text)))

export const extension = (id: string, critical: boolean, value: Bytes): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value))

export const extensions = {
  constraints: (ca: boolean, pathLength?: number, critical = true): Buffer =>
    extension(
      oids.basicConstraints,
      critical,
      sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
    ),
  usage: (...usages: KeyUsage[]): Buffer =>
    extension(oids.keyUsage, true, namedBits(...usages.map(usage => keyUsageBits.indexOf(usage)))),
  ski: (id: Bytes, critical = false): Buffer => extension(oids.subjectKeyIdentifier, critical, octetString(id)),
  aki: (id: Bytes, critical = false): Buffer =>
    extension(oids.authorityKeyIdentifier, critical, sequence(taggedPrimitive(0, id))),
  /** All three fields of an authority key identifier. */
  fullAki: (id: Bytes, issuer: Bytes, serial: number): Buffer =>
    extension(
      oids.authorityKeyIdentifier,
      false,
      sequence(taggedPrimitive(0, id), tagged(1, tagged(4, issuer)), taggedPrimitive(2, Buffer.of(serial))),
    ),
  policies: (...policies: string[]): Buffer =>
    extension(oids.certificatePolicies, true, sequence(...policies.map(policy => sequence(oid(policy))))),
  dns: (host: string, critical = false): Buffer =>
    extension(oids.subjectAltName, critical, sequence(taggedPrimitive(2, Buffer.from(host)))),
  device: (id: Bytes): Buffer =>
    extension(
      oids.subjectAltName,
      true,
      sequence(tagged(0, oid(oids.hardwareModuleName), tagged(0, sequence(oid('1.2.3.4'), octetString(id))))),
    ),
  purposes: (critical: boolean, ...purposes: string[]): Buffer =>
    extension(oids.extendedKeyUsage, critical, sequence(...purposes.map(oid))),
  policyConstraints: (requireExplicit: number, critical = true): Buffer =>
    extension(oids.policyConstraints, critical, sequence(taggedPrimitive(0, Buffer.of(requireExplicit)))),
  inhibitAny: (skip: number, critical = true): Buffer => extension(oids.inhibitAnyPolicy, critical, integer(skip)),
  any: extension,
  unknown: (critical: boolean): Buffer => extension('1.3.6.1.4.1.99999.1', critical, nothing()),
  crlNumber: (number: number, critical = false): Buffer => extension(oids.crlNumber, critical, integer(number)),
}

/** UTCTime, or GeneralizedTime from 2050 on, of `2025-06-01` or `2025-06-01T00:00:00`. */
export function time(text: string): Buffer {
  const digits = `${text.includes('T') ? text : `${text}T00:00:00`}Z`.replace(/[-:T]/g, '')
  return digits < '2050' ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

export interface CertificateParts {
  version?: 1 | 2 | 3
  /** A small number, or the content octets of the INTEGER. */
  serial?: number | Bytes
  issuer: Bytes
  subject: Bytes
  from?: string
  until?: string
  spki: Bytes
  extensions?: readonly Bytes[]
  by: Pair
  inner?: Bytes
  outer?: Bytes
  /** Changes the signature value. */
  spoil?: (signature: Buffer) => Bytes
}

let counter = 1000

export function forgeTbs(parts: CertificateParts): Buffer {
  const { version = 3, serial = ++counter, issuer, subject, spki, by } = parts
  return sequence(
    ...(version === 1 ? [] : [tagged(0, integer(version - 1))]),
    typeof serial === 'number' ? integer(serial) : element(0x02, serial),
    parts.inner ?? by.algorithm,
    issuer,
    sequence(time(parts.from ?? '2020-01-01'), time(parts.until ?? '2040-01-01')),
    subject,
    spki,
    ...(parts.extensions && parts.extensions.length > 0 ? [tagged(3, sequence(...parts.extensions))] : []),
  )
}

export function forgeCertificate(parts: CertificateParts): Buffer {
  return seal(forgeTbs(parts), parts)
}

/** Signs octets as they are. */
export function seal(
  tbs: Bytes,
  { by, outer, spoil = s => s }: { by: Pair; outer?: Bytes; spoil?: (signature: Buffer) => Bytes },
): Buffer {
  return sequence(tbs, outer ?? by.algorithm, bitString(spoil(by.sign(tbs))))
}

export interface Entry {
  serial: number | Bytes
  at?: string
  reason?: number
  extensions?: readonly Bytes[]
}

export interface ListParts {
  version?: 1 | 2
  issuer: Bytes
  from?: string
  /** `null`: no nextUpdate. */
  until?: string | null
  revoked?: readonly Entry[]
  extensions?: readonly Bytes[]
  by: Pair
  inner?: Bytes
  outer?: Bytes
  spoil?: (signature: Buffer) => Bytes
}

export function forgeListTbs(parts: ListParts): Buffer {
  const { version = 2, issuer, until = '2025-07-01', revoked = [], by } = parts
  const entries = revoked.map(({ serial, at = '2025-01-01', reason, extensions: own = [] }) => {
    const all = [...(reason === undefined ? [] : [extension(oids.reasonCode, false, enumerated(reason))]), ...own]
    return sequence(
      typeof serial === 'number' ? integer(serial) : element(0x02, serial),
      time(at),
      ...(all.length > 0 ? [sequence(...all)] : []),
    )
  })
  const own = parts.extensions ?? [extensions.aki(by.id), extensions.crlNumber(1)]
  return sequence(
    ...(version === 2 ? [integer(1)] : []),
    parts.inner ?? by.algorithm,
    issuer,
    time(parts.from ?? '2025-05-01'),
    ...(until === null ? [] : [time(until)]),
    ...(entries.length > 0 ? [sequence(Buffer.concat(entries))] : []),
    ...(own.length > 0 ? [tagged(0, sequence(...own))] : []),
  )
}

export function forgeList(parts: ListParts): Buffer {
  return seal(forgeListTbs(parts), parts)
}
