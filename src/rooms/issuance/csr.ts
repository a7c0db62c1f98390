/** What the admission of every kind of CSR has in common: reading, refusing, and proof that the signer holds the key. */

import type { Bytes } from '../../ground/bytes.ts'
import { Der, NotDer } from '../../ground/der/read.ts'
import { type Verdict, verifyOnce, verifyOnceAside, verifySignature } from '../../ground/keystore/check.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type Extension, type KeyUsage, readKeyUsage } from '../../ground/x509/extensions.ts'
import { readRsaKey } from '../../ground/x509/key.ts'
import { oids } from '../../ground/x509/names.ts'
import { type CertificationRequest, readRequest } from '../../ground/x509/request.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'

/** One family of codes for every kind of CSR, on every channel (SVC-A04). */
export type CsrCode = Extract<DeviceCode, `CR:${string}`>

export function refuseCsr(code: CsrCode, sentence: string, cause?: unknown): never {
  throw new Refusal<CsrCode>(code, sentence, { cause })
}

/** A refusal instead of the reader's own error; faults of ours pass through. */
export function strictly<T>(code: CsrCode, sentence: string, reading: () => T): T {
  try {
    return reading()
  } catch (cause) {
    if (cause instanceof NotDer) refuseCsr(code, `${sentence}: ${cause.message}`, cause)
    throw cause
  }
}

/** The longest CSR: real ones have 279 octets (Device) to 1,200 (IKI). Defends memory and time. */
const longest = 4096

/** PKCS#10, version 0, with no attribute but extensionRequest. @throws Refusal CR:CC2, CR:CC4 */
export function readCsr(octets: Bytes): CertificationRequest {
  if (octets.length > longest)
    refuseCsr('CR:CC2', `the request has ${octets.length} octets; at most ${longest} are read`)
  const csr = strictly('CR:CC2', 'the request is not PKCS#10 in DER', () => readRequest(octets))
  if (csr.version !== 0) refuseCsr('CR:CC4', 'the version of the request is not 0')
  const extra = csr.attributes.find(oid => oid !== oids.extensionRequest)
  if (extra !== undefined) refuseCsr('CR:CC2', `the request has the attribute ${extra}, which it may not have`)
  return csr
}

export function requested(csr: CertificationRequest, oid: string): Extension | undefined {
  return csr.extensions.find(extension => extension.oid === oid)
}

/** A requested extension that must be there, and critical (certificates.md section 12: checked, but for Devices). */
export function criticalExtension(csr: CertificationRequest, oid: string, name: string): Extension {
  const asked = requested(csr, oid)
  if (!asked) refuseCsr('CR:CC6', `the request asks for no ${name}`)
  if (!asked.critical) refuseCsr('CR:CC6', `the requested ${name} is not critical`)
  return asked
}

/** The one usage that is asked for, of those allowed. @throws Refusal CR:CC6 */
export function onlyUsage<Usage extends KeyUsage>(asked: Extension, allowed: readonly Usage[]): Usage {
  const usages = strictly('CR:CC6', 'the requested keyUsage cannot be read', () => readKeyUsage(asked.value))
  const usage = allowed.find(one => one === usages[0])
  if (usages.length !== 1 || usage === undefined) {
    refuseCsr('CR:CC6', `keyUsage is ${allowed.join(' or ')}, and nothing besides; asked for: ${usages.join(', ')}`)
  }
  return usage
}

const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex')

/** Proof of possession of a P-256 key, and with it that the point is on the curve. @throws Refusal CR:CC1, CR:CC3, CR:CC8 */
export function provenP256(csr: CertificationRequest): void {
  checkP256(csr)
  judge(verifyOnce(csr.publicKey.spki, csr.tbs, csr.signature))
}

/** The same while this thread does something else. @throws as `provenP256`, later */
export async function provenP256Aside(csr: CertificationRequest): Promise<void> {
  checkP256(csr)
  judge(await verifyOnceAside(csr.publicKey.spki, csr.tbs, csr.signature))
}

function checkP256({ publicKey, signatureAlgorithm }: CertificationRequest): void {
  if (!ecdsaWithSha256.equals(signatureAlgorithm.der)) {
    refuseCsr('CR:CC1', 'the signature algorithm is not ecdsa-with-SHA256 without parameters')
  }
  const { algorithm, kind, key } = publicKey
  if (algorithm.oid !== oids.ecPublicKey || kind !== 'P-256')
    refuseCsr('CR:CC8', 'the public key is not of the named curve P-256')
  if (key.length !== 65 || key[0] !== 0x04)
    refuseCsr('CR:CC8', 'the point of the public key is not in its uncompressed form')
}

function judge(verdict: Verdict): void {
  if (verdict === 'off-curve') refuseCsr('CR:CC8', 'the point of the public key is not on the curve')
  if (verdict === 'not-p256') refuseCsr('CR:CC8', 'the public key is not of the named curve P-256')
  if (verdict === 'invalid') refuseCsr('CR:CC3', 'the signature of the request does not verify with the key in it')
}

/** Proof of possession of an RSA key of 2048 bits with an odd exponent from 65537 on. @throws Refusal CR:CC1, CR:CC3, CR:CC8 */
export function provenRsa2048({ publicKey, tbs, signature, signatureAlgorithm }: CertificationRequest): void {
  if (!sha256WithRsa.equals(signatureAlgorithm.der))
    refuseCsr('CR:CC1', 'the signature algorithm is not sha256WithRSAEncryption')
  if (publicKey.kind !== 'RSA') refuseCsr('CR:CC8', 'the public key is not an RSA key')
  const { bits, exponent } = strictly('CR:CC8', 'the RSA key cannot be read', () =>
    readRsaKey(new Der(publicKey.key)),
  )
  if (bits !== 2048) refuseCsr('CR:CC8', `the modulus has ${bits} bits, not 2048`)
  if (exponent.length < 3 || (exponent[exponent.length - 1]! & 1) === 0) {
    refuseCsr('CR:CC8', 'the public exponent is not an odd number from 65537 on')
  }
  const holds = verifySignature({ spki: publicKey.spki, kind: 'RSA-2048', octets: tbs, signature })
  if (!holds) refuseCsr('CR:CC3', 'the signature of the request does not verify with the key in it')
}
