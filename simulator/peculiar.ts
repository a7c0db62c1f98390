/** Requests that are not as a good Device would make them, each under the name of what is peculiar about it. */

import { generateKeyPairSync, sign } from 'node:crypto'
import type { Bytes } from '../src/ground/bytes.ts'
import {
  bitString,
  element,
  ia5String,
  nothing,
  octetString,
  oid,
  sequence,
  setOf,
  utf8String,
} from '../src/ground/der/write.ts'
import { oids } from '../src/ground/x509/names.ts'
import {
  attribute,
  csrWith,
  type Device,
  extensionOf,
  hardwareModuleName,
  keyUsage,
  makeKeyPair,
  spkiOf,
  subjectAltName,
} from './device.ts'

type Make = (device: Device) => Buffer

/**
 * To be refused, each for this one reason. Where the request can be signed at all it is: the self-signature of all but
 * those whose name says otherwise is good.
 */
export const refused = {
  'the version is 1': device => csrWith({ ...device, version: 1 }),
  'the subject is not empty': device =>
    csrWith({ ...device, subject: sequence(setOf(sequence(oid(oids.commonName), utf8String('meter')))) }),

  'the key is P-384': device => csrWith({ ...device, keyPair: generateKeyPairSync('ec', { namedCurve: 'P-384' }) }),
  'the key is RSA': device =>
    csrWith({
      ...device,
      keyPair: generateKeyPairSync('rsa', { modulusLength: 2048 }),
      algorithm: sequence(oid(oids.sha256WithRsa), nothing()),
    }),
  'the curve has explicit parameters': device =>
    csrWith({
      ...device,
      ...withSpki(({ publicKey }) => publicKey.export({ format: 'der', type: 'spki' }), explicitKeyPair()),
    }),
  'the point is compressed': device => csrWith({ ...device, ...withPoint(compressed) }),
  'the point is in the hybrid form': device => csrWith({ ...device, ...withPoint(hybrid) }),
  'the point is off the curve': device => csrWith({ ...device, ...withPoint(offTheCurve) }),
  'the point is at infinity': device => csrWith({ ...device, ...withPoint(() => Buffer.of(0)) }),

  'there is no keyUsage': device => withExtensions(device, [san(device)]),
  'keyUsage is empty': device =>
    withExtensions(device, [extensionOf(oids.keyUsage, bitString(Buffer.alloc(0))), san(device)]),
  'keyUsage has trailing zero bits': device =>
    withExtensions(device, [extensionOf(oids.keyUsage, bitString(Buffer.of(0x80))), san(device)]),
  'keyUsage names both usages': device =>
    withExtensions(device, [keyUsage(['digitalSignature', 'keyAgreement']), san(device)]),
  'keyUsage names another usage': device =>
    withExtensions(device, [extensionOf(oids.keyUsage, bitString(Buffer.of(0x04), 2)), san(device)]),
  'keyUsage stands there twice': device => withExtensions(device, [usage(device), usage(device), san(device)]),

  'there is no subjectAltName': device => withExtensions(device, [usage(device)]),
  'subjectAltName is an empty list': device => withExtensions(device, [usage(device), subjectAltName([])]),
  'subjectAltName is a dNSName': device =>
    withExtensions(device, [usage(device), subjectAltName([ia5String('meter.example', 0x82)])]),
  'subjectAltName holds two names': device =>
    withExtensions(device, [
      usage(device),
      subjectAltName([hardwareModuleName(device), hardwareModuleName(device)]),
    ]),
  'hwSerialNum has 7 octets': device => withSerial(device, 7),
  'hwSerialNum has 9 octets': device => withSerial(device, 9),

  'there is no extensionRequest': device => csrWith({ ...device, extensions: [] }),
  'the extensionRequest stands there twice': device =>
    csrWith({ ...device, attributes: [attribute(oids.extensionRequest, sequence(usage(device), san(device)))] }),
  'there is an unknown attribute': device =>
    csrWith({ ...device, attributes: [attribute(challengePassword, utf8String('unknown'))] }),

  'the signature is bad': device =>
    csrWith({ ...device, sign: (information, privateKey) => flipped(sign('sha256', information, privateKey)) }),
  'the signature is by another key': device =>
    csrWith({ ...device, sign: information => sign('sha256', information, makeKeyPair().privateKey) }),
  'the signature is over SHA-384': device =>
    csrWith({
      ...device,
      algorithm: sequence(oid(oids.ecdsaWithSha384)),
      sign: (information, privateKey) => sign('sha384', information, privateKey),
    }),
  'the signature algorithm has NULL parameters': device =>
    csrWith({ ...device, algorithm: sequence(oid(oids.ecdsaWithSha256), nothing()) }),
  'the signature value is not in the fewest octets': device =>
    csrWith({ ...device, sign: (information, privateKey) => padded(sign('sha256', information, privateKey)) }),

  'an octet follows the request': device => Buffer.concat([csrWith(device), Buffer.of(0)]),
  'the request is cut short': device => csrWith(device).subarray(0, -1),
  'the length is in the form of BER': device => indefinite(csrWith(device)),
  'the length is longer than it needs to be': device => longLength(csrWith(device)),
  'there are no octets': () => Buffer.alloc(0),
} as const satisfies Record<string, Make>

/** To be taken like any other: what real Devices differ in. */
export const accepted = {
  'keyUsage is not critical': device => withExtensions(device, [keyUsage([device.usage], false), san(device)]),
  'subjectAltName is not critical': device =>
    withExtensions(device, [usage(device), subjectAltName([hardwareModuleName(device)], false)]),
  'subjectAltName comes first': device => withExtensions(device, [san(device), usage(device)]),
  'an unknown extension is asked for': device =>
    withExtensions(device, [
      usage(device),
      san(device),
      extensionOf('1.2.826.0.1.1.1', octetString(Buffer.of(1)), false),
    ]),
} as const satisfies Record<string, Make>

const challengePassword = '1.2.840.113549.1.9.7'

const usage = (device: Device) => keyUsage([device.usage])
const san = (device: Device) => subjectAltName([hardwareModuleName(device)])
const withExtensions = (device: Device, extensions: Bytes[]) => csrWith({ ...device, extensions })

function withSerial(device: Device, length: number): Buffer {
  const serial = Buffer.alloc(length, device.deviceId, 'hex')
  return withExtensions(device, [usage(device), subjectAltName([hardwareModuleName(device, serial)])])
}

/** A key pair, and its SubjectPublicKeyInfo in another form. */
function withSpki(spki: (keyPair: ReturnType<typeof makeKeyPair>) => Buffer, keyPair = makeKeyPair()) {
  return { keyPair, spki: spki(keyPair) }
}

/** The same where only the point, 04 ‖ X ‖ Y, is written otherwise. */
function withPoint(change: (point: Buffer) => Buffer) {
  return withSpki(({ publicKey }) =>
    sequence(
      sequence(oid(oids.ecPublicKey), oid(oids.prime256v1)),
      bitString(change(spkiOf(publicKey).subarray(26))),
    ),
  )
}

const isOdd = (point: Buffer) => point[64]! & 1
const compressed = (point: Buffer) => Buffer.concat([Buffer.of(2 | isOdd(point)), point.subarray(1, 33)])
const hybrid = (point: Buffer) => Buffer.concat([Buffer.of(6 | isOdd(point)), point.subarray(1)])
/** Two Y go with an X, and they sum to the prime: a neighbour of one is not the other, but for one point in 2^255. */
const offTheCurve = (point: Buffer) => Buffer.concat([point.subarray(0, 64), Buffer.of(point[64]! ^ 1)])

function explicitKeyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
}

function flipped(signature: Buffer): Buffer {
  signature[signature.length - 1]! ^= 1
  return signature
}

/** ECDSA-Sig-Value with a needless zero octet before r. */
function padded(signature: Buffer): Buffer {
  const r = signature.subarray(4, 4 + signature[3]!)
  const s = signature.subarray(4 + r.length)
  return sequence(element(0x02, Buffer.of(0), r), s)
}

/** The outer SEQUENCE, which has three octets of header or four, with BER's indefinite length. */
function indefinite(csr: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x30, 0x80), content(csr), Buffer.of(0, 0)])
}

function longLength(csr: Buffer): Buffer {
  const inside = content(csr)
  return Buffer.concat([Buffer.of(0x30, 0x83, 0, inside.length >> 8, inside.length & 0xff), inside])
}

const content = (csr: Buffer) => csr.subarray(2 + (csr[1]! & 0x7f))
