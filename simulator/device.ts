/** Simulated Devices: key pairs, and certification requests in the shape that real Devices send. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { type Bytes, fromHex } from '../src/ground/bytes.ts'
import {
  bitString,
  boolean,
  integer,
  namedBits,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
} from '../src/ground/der/write.ts'
import { oids } from '../src/ground/x509/names.ts'

export type Usage = 'digitalSignature' | 'keyAgreement'

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export interface Device {
  /** EUI-64: 16 hexadecimal digits. */
  readonly deviceId: string
  readonly usage: Usage
  /** The manufacturer's object identifier for this kind of Device. */
  readonly hwType?: string
  /** A new P-256 key pair unless given. */
  readonly keyPair?: KeyPair
}

export interface DeviceCsr extends KeyPair {
  readonly deviceId: string
  readonly usage: Usage
  /** DER, PKCS#10. */
  readonly csr: Buffer
}

/**
 * A good request (RFC 2986): version 0, empty subject, P-256, one extensionRequest with keyUsage and subjectAltName, both
 * critical, ecdsa-with-SHA256. @throws RangeError unless `deviceId` is 16 hexadecimal digits
 */
export function makeDeviceCsr(device: Device): DeviceCsr {
  const keyPair = device.keyPair ?? makeKeyPair()
  const csr = csrWith({ ...device, keyPair })
  return { deviceId: device.deviceId, usage: device.usage, csr, ...keyPair }
}

export function makeKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** What a request is made of. What is left out is as a good Device would have it. */
export interface CsrParts extends Device {
  readonly version?: number
  /** A whole Name. */
  readonly subject?: Bytes
  /** A whole SubjectPublicKeyInfo; else that of `keyPair`. */
  readonly spki?: Bytes
  /** Whole Extension elements; an empty list leaves the extensionRequest out. */
  readonly extensions?: readonly Bytes[]
  /** Whole Attribute elements beside the extensionRequest. */
  readonly attributes?: readonly Bytes[]
  /** A whole AlgorithmIdentifier. */
  readonly algorithm?: Bytes
  /** The signature value over the request information. */
  readonly sign?: (information: Buffer, privateKey: KeyObject) => Bytes
}

/** A request that differs from a good one in the parts given, and is signed like a good one all the same. */
export function csrWith(parts: CsrParts): Buffer {
  const { privateKey, publicKey } = parts.keyPair ?? makeKeyPair()
  const extensions = parts.extensions ?? [keyUsage([parts.usage]), subjectAltName([hardwareModuleName(parts)])]
  const asked = extensions.length > 0 ? [attribute(oids.extensionRequest, sequence(...extensions))] : []
  const information = sequence(
    integer(parts.version ?? 0),
    parts.subject ?? emptyName,
    parts.spki ?? spkiOf(publicKey),
    tagged(0, ...(parts.attributes ? [...asked, ...parts.attributes].toSorted(Buffer.compare) : asked)),
  )
  const signature = parts.sign?.(information, privateKey) ?? sign('sha256', information, privateKey)
  return sequence(information, parts.algorithm ?? ecdsaWithSha256, bitString(signature))
}

/** One Extension. */
export function extensionOf(type: string, value: Bytes, critical = true): Buffer {
  return critical
    ? sequence(typeOf(type), boolean(true), octetString(value))
    : sequence(typeOf(type), octetString(value))
}

/** One Attribute of one value. */
export const attribute = (type: string, value: Bytes): Buffer => sequence(typeOf(type), setOf(value))

/** The keyUsage extension with the bits of those usages. */
export function keyUsage(usages: readonly Usage[], critical = true): Buffer {
  return extensionOf(
    oids.keyUsage,
    namedBits(...usages.map(usage => (usage === 'digitalSignature' ? 0 : 4))),
    critical,
  )
}

/** The subjectAltName extension with those GeneralNames. */
export function subjectAltName(names: readonly Bytes[], critical = true): Buffer {
  return extensionOf(oids.subjectAltName, sequence(...names), critical)
}

/** An otherName of type id-on-hardwareModuleName (RFC 4108 section 5), whose serial number is the Device ID. */
export function hardwareModuleName(
  { deviceId, hwType = testHwType }: Pick<Device, 'deviceId' | 'hwType'>,
  hwSerialNum: Bytes = eui64(deviceId),
): Buffer {
  return tagged(0, typeOf(oids.hardwareModuleName), tagged(0, sequence(typeOf(hwType), octetString(hwSerialNum))))
}

function eui64(deviceId: string): Buffer {
  if (deviceId.length !== 16) throw new RangeError(`not a Device ID: ${deviceId}`)
  return fromHex(deviceId)
}

/** SubjectPublicKeyInfo. For P-256 we put it together ourselves: the runtime takes seven times as long. */
export function spkiOf(publicKey: KeyObject): Buffer {
  const { crv, x, y } = publicKey.export({ format: 'jwk' })
  if (crv !== 'P-256') return publicKey.export({ format: 'der', type: 'spki' })
  return Buffer.concat([p256Header, Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
}

const testHwType = '1.2.826.0.1.8641679.1.2.2.1'
/** Identifiers that every request holds are encoded once. */
const encoded = new Map([...Object.values(oids), testHwType].map(text => [text as string, oid(text)]))
const typeOf = (text: string): Bytes => encoded.get(text) ?? oid(text)
const emptyName = sequence()
const ecdsaWithSha256 = sequence(oid(oids.ecdsaWithSha256))
/** All of a P-256 SubjectPublicKeyInfo that stands before X: two headers, the algorithm, "no unused bits, uncompressed". */
const p256Header = Buffer.concat([
  Buffer.of(0x30, 0x59),
  sequence(oid(oids.ecPublicKey), oid(oids.prime256v1)),
  Buffer.of(0x03, 0x42, 0x00, 0x04),
])
