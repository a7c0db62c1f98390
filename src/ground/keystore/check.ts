/** The public side of signatures: no secret, and no exception for what a stranger sent. */

import { type KeyObject, verify } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import { Refusal } from '../refusal.ts'
import type { KeyKind } from './keystore.ts'
import { importPublic, isP256 } from './kinds.ts'

/** Why a signature by a fresh P-256 key holds or not. `off-curve`: the coordinates are no point of the curve. */
export type Verdict = 'valid' | 'invalid' | 'not-p256' | 'off-curve'

/**
 * ecdsa-with-SHA256 by a key that is seen once, as in a CSR: the fastest right way, some 50 µs.
 * @param spki a SubjectPublicKeyInfo, DER; anything but P-256 with an uncompressed point is `not-p256`
 * @param signature SEQUENCE { r, s } in strict DER; any other encoding is `invalid`
 */
export function verifyOnce(spki: Bytes, octets: Bytes, signature: Bytes): Verdict {
  if (!isP256(spki)) return 'not-p256'
  try {
    return verdict(verify('sha256', octets, seenOnce(spki), signature))
  } catch (cause) {
    return offCurve(cause)
  }
}

/** The same on another thread of the runtime's: the caller's has its hands free meanwhile. */
export function verifyOnceAside(spki: Bytes, octets: Bytes, signature: Bytes): Promise<Verdict> {
  if (!isP256(spki)) return Promise.resolve('not-p256')
  return new Promise<Verdict>((resolve, reject) => {
    verify('sha256', octets, seenOnce(spki), signature, (cause, holds) => {
      if (cause) reject(cause)
      else resolve(verdict(holds))
    })
  }).catch(offCurve)
}

const seenOnce = (spki: Bytes) => ({ key: view(spki), format: 'der', type: 'spki' }) as const
const verdict = (holds: boolean): Verdict => (holds ? 'valid' : 'invalid')

/** With the header fixed, only the point is left for the library to refuse; a bad signature is `false`, not an error. */
function offCurve(cause: unknown): Verdict {
  if (isLibraryError(cause)) return 'off-curve'
  throw cause
}

/**
 * A function that verifies by one key, imported once: for keys of authorities.
 * @param spki a SubjectPublicKeyInfo, DER, of one of our kinds, which decides the signature algorithm
 * @throws Refusal KEY_UNUSABLE
 */
export function verifier(spki: Bytes): (octets: Bytes, signature: Bytes) => boolean {
  const { kind, key } = importPublic(spki)
  return (octets, signature) => verify(hashFor(kind), octets, key, signature)
}

/** Whether the signature holds, by a key that must be of that kind. A key that is not, or is unusable: false. */
export function verifySignature(signed: { spki: Bytes; kind: KeyKind; octets: Bytes; signature: Bytes }): boolean {
  const { spki, kind, octets, signature } = signed
  if (kind === 'P-256') return verifyOnce(spki, octets, signature) === 'valid'
  const imported = importOrNot(spki)
  return imported?.kind === kind && verify(hashFor(kind), octets, imported.key, signature)
}

/** For RSA keys the padding is PKCS #1 v1.5, the library's default; an Ed25519 key hashes by itself. */
function hashFor(kind: KeyKind): 'sha256' | null {
  return kind === 'Ed25519' ? null : 'sha256'
}

function importOrNot(spki: Bytes): { kind: KeyKind; key: KeyObject } | undefined {
  try {
    return importPublic(spki)
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}

function isLibraryError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_OSSL')
}
