/** The kinds of signing key in a module: how each is made, what its public half is, and how it signs. */

import { createPublicKey, hash } from 'node:crypto'
import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import * as der from '../../der/write.ts'
import type { KeyKind } from '../keystore.ts'
import { refusal } from '../refusals.ts'
import { type Handle, isResult } from './library.ts'
import { type Attribute, guarded, isTrue, toNumber, valuesOf } from './objects.ts'
import { Lost, type Session } from './sessions.ts'

/** What tells an object of ours from every other: its label, and an id that both halves of a pair share. */
export interface Names {
  readonly label: string
  readonly id: Bytes
}

/**
 * Makes a key pair on the token, whose private half cannot leave it, and never could.
 * @returns its SubjectPublicKeyInfo, DER
 * @throws Refusal MODULE_KEY_EXPOSED, MODULE_LACKS
 */
export function makePair(session: Session, kind: KeyKind, { label, id }: Names): Buffer {
  const { mechanism, params } = making[kind]
  const { pkcs11, handle } = session
  const names = [
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id) },
  ]
  const open = [{ type: pkcs11js.CKA_TOKEN, value: true }, { type: pkcs11js.CKA_VERIFY, value: true }, ...params]
  const uses = { extractable: false, sign: true, decrypt: false, unwrap: false, derive: false }
  const { publicKey, privateKey } = ifAble(kind, () =>
    pkcs11.C_GenerateKeyPair(handle, { mechanism }, [...names, ...open], [...names, ...guarded(true, uses)]),
  )
  try {
    mustBeGuarded(session, privateKey, label)
    return spkiOf(session, kind, publicKey)
  } catch (cause) {
    pkcs11.C_DestroyObject(handle, privateKey)
    pkcs11.C_DestroyObject(handle, publicKey)
    throw cause
  }
}

/** A module may ignore a template. @throws Refusal MODULE_KEY_EXPOSED */
export function mustBeGuarded(session: Session, key: Handle, label: string): void {
  const asked = [
    pkcs11js.CKA_SENSITIVE,
    pkcs11js.CKA_ALWAYS_SENSITIVE,
    pkcs11js.CKA_NEVER_EXTRACTABLE,
    pkcs11js.CKA_LOCAL,
  ]
  const answers = valuesOf(session, key, pkcs11js.CKA_EXTRACTABLE, ...asked)
  if (isTrue(answers[0]!) || !answers.slice(1).every(isTrue)) throw refusal('MODULE_KEY_EXPOSED', label)
}

/** What kind a public key on the token is; undefined for one that is none of ours. */
export function kindOf(session: Session, publicKey: Handle): KeyKind | undefined {
  const [type] = valuesOf(session, publicKey, pkcs11js.CKA_KEY_TYPE)
  switch (toNumber(type!)) {
    case pkcs11js.CKK_RSA: {
      const [modulus] = valuesOf(session, publicKey, pkcs11js.CKA_MODULUS)
      const bits = modulus!.length * 8
      return bits === 2048 ? 'RSA-2048' : bits === 4096 ? 'RSA-4096' : undefined
    }
    case pkcs11js.CKK_EC:
      return 'P-256'
    case edwardsKeyType:
      return 'Ed25519'
    default:
      return undefined
  }
}

/** SubjectPublicKeyInfo, DER, in the one encoding that is used here. */
export function spkiOf(session: Session, kind: KeyKind, publicKey: Handle): Buffer {
  if (kind === 'P-256' || kind === 'Ed25519') {
    const [value] = valuesOf(session, publicKey, pkcs11js.CKA_EC_POINT)
    return Buffer.concat([spkiStart[kind], pointOf(value!, pointLength[kind])])
  }
  return rsaSpki(session, publicKey)
}

export function rsaSpki(session: Session, publicKey: Handle): Buffer {
  const [n, e] = valuesOf(session, publicKey, pkcs11js.CKA_MODULUS, pkcs11js.CKA_PUBLIC_EXPONENT)
  const jwk = { kty: 'RSA', n: n!.toString('base64url'), e: e!.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' })
}

/** As `KeyStore.sign` describes it. The octets are hashed here: only a hash, or little more, travels to the module. */
export function signWith({ pkcs11, handle }: Session, kind: KeyKind, key: Handle, octets: Bytes): Buffer {
  switch (kind) {
    case 'P-256': {
      pkcs11.C_SignInit(handle, { mechanism: pkcs11js.CKM_ECDSA }, key)
      return toDer(pkcs11.C_Sign(handle, hash('sha256', octets, 'buffer'), Buffer.alloc(64)))
    }
    case 'RSA-2048':
    case 'RSA-4096': {
      pkcs11.C_SignInit(handle, { mechanism: pkcs11js.CKM_RSA_PKCS }, key)
      const info = Buffer.concat([sha256Info, hash('sha256', octets, 'buffer')])
      return pkcs11.C_Sign(handle, info, Buffer.alloc(kind === 'RSA-2048' ? 256 : 512))
    }
    case 'Ed25519': {
      pkcs11.C_SignInit(handle, { mechanism: eddsa }, key)
      return pkcs11.C_Sign(handle, Buffer.from(octets), Buffer.alloc(64))
    }
  }
}

/** @throws Refusal MODULE_LACKS when the module does not know the mechanism or the curve; what `work` throws */
export function ifAble<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (isResult(cause, ...lacking)) throw refusal('MODULE_LACKS', what, cause)
    throw cause
  }
}

// PKCS#11 3.0 and 2.40; the binding does not name them.
const curveNotSupported = 0x140
const edwardsKeyType = 0x40
const edwardsPair = 0x1055
const eddsa = 0x1057

const lacking: readonly number[] = [
  pkcs11js.CKR_MECHANISM_INVALID,
  pkcs11js.CKR_MECHANISM_PARAM_INVALID,
  pkcs11js.CKR_FUNCTION_NOT_SUPPORTED,
  curveNotSupported,
  pkcs11js.CKR_DOMAIN_PARAMS_INVALID,
  pkcs11js.CKR_KEY_SIZE_RANGE,
]

const rsaParams = (bits: number): Attribute[] => [
  { type: pkcs11js.CKA_MODULUS_BITS, value: bits },
  { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
]
const curve = (oid: string): Attribute[] => [{ type: pkcs11js.CKA_EC_PARAMS, value: der.oid(oid) }]

const making: Record<KeyKind, { mechanism: number; params: Attribute[] }> = {
  'P-256': { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN, params: curve('1.2.840.10045.3.1.7') },
  'RSA-2048': { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN, params: rsaParams(2048) },
  'RSA-4096': { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN, params: rsaParams(4096) },
  Ed25519: { mechanism: edwardsPair, params: curve('1.3.101.112') },
}

/** DigestInfo of SHA-256 up to the digest (RFC 8017 section 9.2, note 1). */
const sha256Info = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/** SubjectPublicKeyInfo up to the point: certificates.md section 2, RFC 8410 section 4. */
const spkiStart = {
  'P-256': Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  Ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
}
const pointLength = { 'P-256': 65, Ed25519: 32 }

/** CKA_EC_POINT is a point inside an OCTET STRING; some modules leave the OCTET STRING out. */
function pointOf(value: Buffer, length: number): Buffer {
  const wrapped = value.length === length + 2 && value[0] === 0x04 && value[1] === length
  const point = wrapped ? value.subarray(2) : value
  if (point.length !== length) throw new Lost('the module gave a point of another length')
  return point
}

/** r and s of 32 octets each, as SEQUENCE { r, s } with both INTEGERs minimal. */
function toDer(raw: Buffer): Buffer {
  if (raw.length !== 64) throw new Lost('the module gave a signature of another length')
  return der.sequence(der.integer(raw.subarray(0, 32)), der.integer(raw.subarray(32)))
}
