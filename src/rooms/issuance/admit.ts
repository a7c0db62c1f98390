/** Admits a Device CSR: the form that Appendix F asks for, read once, or the code that says what is wrong. */

import { type Bytes, toHex } from '../../ground/bytes.ts'
import { NotDer } from '../../ground/der/read.ts'
import { verifyOnce } from '../../ground/keystore/check.ts'
import { Refusal } from '../../ground/refusal.ts'
import { type Extension, type KeyUsage, readGeneralNames, readKeyUsage } from '../../ground/x509/extensions.ts'
import { keyIdentifier } from '../../ground/x509/key.ts'
import { oids } from '../../ground/x509/names.ts'
import { type CertificationRequest, readRequest } from '../../ground/x509/request.ts'
import type { DeviceCode } from '../../policy/smki-device/codes.ts'

const admits = Symbol('admits') // not exported: only `admit` can make one

/** A Device CSR of the right form, whose signer holds the key. */
export interface Admitted {
  readonly [admits]: true
  /** 16 lower-case hexadecimal digits. */
  readonly deviceId: string
  readonly eui64: Bytes
  readonly hwType: string
  readonly usage: Extract<KeyUsage, 'digitalSignature' | 'keyAgreement'>
  /** The whole SubjectPublicKeyInfo. */
  readonly publicKey: Bytes
  readonly keyId: Bytes
}

/** The longest Device CSR: a real one has 279 octets. Defends memory and time. */
const longest = 4096

const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

/**
 * The checks of service-interface.md section 3.2, rows 5 and 6. Criticality of the requested extensions is not
 * validated on any channel (APPM); extensions that no profile knows are left aside (certificates.md section 12).
 * @throws Refusal with a code of the Device CSR web services
 */
export function admit(csr: Bytes): Admitted {
  const request = read(csr)
  if (request.version !== 0) refuse('CR:CC4', 'the version of the request is not 0')
  if (request.subject.rdns.length > 0) refuse('CR:CC5', 'the subject of a Device CSR is empty')
  if (!ecdsaWithSha256.equals(request.signatureAlgorithm.der)) {
    refuse('CR:CC1', 'the signature algorithm is not ecdsa-with-SHA256 without parameters')
  }
  const extra = request.attributes.find(oid => oid !== oids.extensionRequest)
  if (extra !== undefined)
    refuse('CR:CC2', `the request has the attribute ${extra}, which a Device CSR does not have`)

  const usage = usageOf(find(request, oids.keyUsage))
  const { hwType, hwSerialNum } = moduleOf(find(request, oids.subjectAltName))
  proveKey(request)

  const deviceId = toHex(hwSerialNum)
  const keyId = keyIdentifier(request.publicKey.key)
  return { [admits]: true, deviceId, eui64: hwSerialNum, hwType, usage, publicKey: request.publicKey.spki, keyId }
}

function refuse(code: DeviceCode, sentence: string, cause?: unknown): never {
  throw new Refusal<DeviceCode>(code, sentence, { cause })
}

function read(csr: Bytes): CertificationRequest {
  if (csr.length > longest) refuse('CR:CC2', `the request has ${csr.length} octets; at most ${longest} are read`)
  return strictly('CR:CC2', 'the request is not PKCS#10 in DER', () => readRequest(csr))
}

function strictly<T>(code: DeviceCode, sentence: string, reading: () => T): T {
  try {
    return reading()
  } catch (cause) {
    if (cause instanceof NotDer) refuse(code, `${sentence}: ${cause.message}`, cause)
    throw cause
  }
}

function find(request: CertificationRequest, oid: string): Extension | undefined {
  return request.extensions.find(extension => extension.oid === oid)
}

function usageOf(asked: Extension | undefined): Admitted['usage'] {
  if (!asked) refuse('CR:CC6', 'the request asks for no keyUsage')
  const usages = strictly('CR:CC6', 'the requested keyUsage cannot be read', () => readKeyUsage(asked.value))
  const [usage, ...more] = usages
  if (more.length > 0 || (usage !== 'digitalSignature' && usage !== 'keyAgreement')) {
    refuse('CR:CC6', `keyUsage is digitalSignature or keyAgreement, one of them; asked for: ${usages.join(', ')}`)
  }
  return usage
}

function moduleOf(asked: Extension | undefined): { hwType: string; hwSerialNum: Bytes } {
  if (!asked) refuse('CR:CC7', 'the request asks for no subjectAltName')
  const names = strictly('CR:CC7', 'the requested subjectAltName cannot be read', () =>
    readGeneralNames(asked.value),
  )
  const [name, ...more] = names
  if (more.length > 0 || name?.kind !== 'hardwareModuleName') {
    refuse('CR:CC7', 'subjectAltName is one hardwareModuleName and nothing else')
  }
  if (name.hwSerialNum.length !== 8) {
    refuse('CR:CC7', `hwSerialNum is the Device ID, 8 octets; the request has ${name.hwSerialNum.length}`)
  }
  return name
}

/** Proof of possession, and with it that the point is on the curve. */
function proveKey({ publicKey, tbs, signature }: CertificationRequest): void {
  const { algorithm, kind, key } = publicKey
  if (algorithm.oid !== oids.ecPublicKey || kind !== 'P-256')
    refuse('CR:CC8', 'the public key is not of the named curve P-256')
  if (key.length !== 65 || key[0] !== 0x04)
    refuse('CR:CC8', 'the point of the public key is not in its uncompressed form')
  const verdict = verifyOnce(publicKey.spki, tbs, signature)
  if (verdict === 'off-curve') refuse('CR:CC8', 'the point of the public key is not on the curve')
  if (verdict === 'not-p256') refuse('CR:CC8', 'the public key is not of the named curve P-256')
  if (verdict === 'invalid') refuse('CR:CC3', 'the signature of the request does not verify with the key in it')
}
