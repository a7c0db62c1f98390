/** Transport keys in a module: RSA-3072, whose private half unwraps and does nothing else. */

import pkcs11js from 'pkcs11js'
import type { Bytes } from '../../bytes.ts'
import { refusal } from '../refusals.ts'
import { mustBeHsmLabel } from '../symmetric.ts'
import { importTransportKey, transportBits } from '../transport.ts'
import { mustBeGuarded, rsaSpki } from './kinds.ts'
import { type Handle, isResult } from './library.ts'
import { type Attribute, findObjects, guarded, valuesOf } from './objects.ts'
import type { Session } from './sessions.ts'

/** @returns SubjectPublicKeyInfo, DER */
export function makeTransportKey(session: Session, label: string, id: Bytes): Buffer {
  mustBeHsmLabel(label)
  if (findObjects(session, privateNamed(label)).length > 0) throw refusal('KEY_EXISTS', label)
  const names = [
    { type: pkcs11js.CKA_LABEL, value: prefix + label },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id) },
  ]
  const { pkcs11, handle } = session
  const { publicKey, privateKey } = pkcs11.C_GenerateKeyPair(
    handle,
    { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN },
    [
      ...names,
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_WRAP, value: true },
      { type: pkcs11js.CKA_VERIFY, value: false },
      { type: pkcs11js.CKA_MODULUS_BITS, value: transportBits },
      { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
    ],
    [...names, ...guarded(true, { extractable: false, sign: false, decrypt: false, unwrap: true, derive: false })],
  )
  try {
    mustBeGuarded(session, privateKey, label)
  } catch (cause) {
    for (const object of [privateKey, publicKey]) pkcs11.C_DestroyObject(handle, object)
    throw cause
  }
  return rsaSpki(session, publicKey)
}

/** @throws Refusal KEY_UNKNOWN */
export function transportKeyOf(session: Session, label: string): Buffer {
  const [id] = valuesOf(session, findTransportKey(session, label), pkcs11js.CKA_ID)
  const [publicKey] = findObjects(session, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_LABEL, value: prefix + label },
    { type: pkcs11js.CKA_ID, value: id! },
  ])
  if (!publicKey) throw refusal('KEY_UNKNOWN', label)
  return rsaSpki(session, publicKey)
}

/** @throws Refusal KEY_UNKNOWN */
export function findTransportKey(session: Session, label: string): Handle {
  const [handle] = findObjects(session, privateNamed(label))
  if (handle === undefined) throw refusal('KEY_UNKNOWN', label)
  return handle
}

/** A key of the module, under RSA-OAEP to somebody's transport key. */
export function wrapTo(session: Session, recipient: Bytes, key: Handle): Buffer {
  const { n, e } = importTransportKey(recipient).export({ format: 'jwk' })
  const { pkcs11, handle } = session
  const wrapping = pkcs11.C_CreateObject(handle, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_RSA },
    { type: pkcs11js.CKA_TOKEN, value: false },
    { type: pkcs11js.CKA_WRAP, value: true },
    { type: pkcs11js.CKA_MODULUS, value: Buffer.from(n!, 'base64url') },
    { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.from(e!, 'base64url') },
  ])
  try {
    return Buffer.from(pkcs11.C_WrapKey(handle, mechanism, wrapping, key, Buffer.alloc(transportBits / 8)))
  } finally {
    pkcs11.C_DestroyObject(handle, wrapping)
  }
}

/** @throws Refusal TRANSPORT_REFUSED when it does not open */
export function unwrapOaep(session: Session, transport: Handle, wrapped: Bytes, template: Attribute[]): Handle {
  if (wrapped.length !== transportBits / 8) throw refusal('TRANSPORT_REFUSED')
  return refusedUnlessLost(session, 'TRANSPORT_REFUSED', () =>
    session.pkcs11.C_UnwrapKey(session.handle, mechanism, transport, Buffer.from(wrapped), template),
  )
}

/**
 * Modules have no error of their own for a wrap that does not open (smets1-keys.md section 8): it is one if the session
 * still is what it was.
 */
export function refusedUnlessLost<T>(
  session: Session,
  code: 'TRANSPORT_REFUSED' | 'WRAP_REFUSED',
  work: () => T,
): T {
  try {
    return work()
  } catch (cause) {
    if (!isResult(cause, ...notOpened)) throw cause
    session.pkcs11.C_GetSessionInfo(session.handle)
    throw refusal(code, undefined, cause)
  }
}

const notOpened = [
  pkcs11js.CKR_WRAPPED_KEY_INVALID,
  pkcs11js.CKR_WRAPPED_KEY_LEN_RANGE,
  pkcs11js.CKR_ENCRYPTED_DATA_INVALID,
  pkcs11js.CKR_ENCRYPTED_DATA_LEN_RANGE,
  pkcs11js.CKR_GENERAL_ERROR,
  pkcs11js.CKR_FUNCTION_FAILED,
]

const prefix = 'transport-key/'
const privateNamed = (label: string) => [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
  { type: pkcs11js.CKA_LABEL, value: prefix + label },
]

/** CKZ_DATA_SPECIFIED: the label is given; the binding does not name it. */
const dataSpecified = 1

/** SHA-1, MGF1 with SHA-1, empty label: the OAEP that every module has. */
const mechanism = {
  mechanism: pkcs11js.CKM_RSA_PKCS_OAEP,
  parameter: {
    type: pkcs11js.CK_PARAMS_RSA_OAEP,
    hashAlg: pkcs11js.CKM_SHA_1,
    mgf: pkcs11js.CKG_MGF1_SHA1,
    source: dataSpecified,
  },
}
