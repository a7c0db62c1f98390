/** What every key store does, whether it is a file or a module behind PKCS#11. */

import type { Bytes } from '../bytes.ts'
import type { Signatures } from './own-check.ts'

/**
 * What a signing key is, and with it the one way in which it signs (certificates.md section 2):
 * `P-256` ecdsa-with-SHA256, `RSA-2048` and `RSA-4096` sha256WithRSAEncryption (PKCS #1 v1.5, exponent 65537),
 * `Ed25519` as RFC 8032 has it (checkpoints of the journal).
 */
export type KeyKind = 'P-256' | 'RSA-2048' | 'RSA-4096' | 'Ed25519'

/**
 * Signing keys, and secrets that are not keys of ours to use (shares, the Contingency Symmetric Key), each under a
 * label. Labels are unique over both, and are 1 to 128 printable ASCII characters (Refusal KEY_LABEL_INVALID).
 *
 * Every call is synchronous: a signature with P-256 takes 15 µs, and worker threads do them side by side. What
 * changes the store is durable when the call returns. What another process changed is seen after `reload`.
 */
export interface KeyStore {
  /** Who signed: stands on every journal entry of what this store did. `software:issuing:5f0c11d2`. */
  readonly identity: string
  /** Where the store is: a file, or the module and token. For messages to the operator. */
  readonly path: string

  /**
   * Makes a key pair under a new label.
   * @returns its SubjectPublicKeyInfo, DER.
   * @throws Refusal KEY_EXISTS
   */
  generate(label: string, kind: KeyKind): Bytes

  /**
   * @returns the SubjectPublicKeyInfo, DER.
   * @throws Refusal KEY_UNKNOWN; KEY_NOT_FOR_THIS when the label names a secret
   */
  publicKey(label: string): Bytes

  has(label: string): boolean

  /** @throws Refusal KEY_UNKNOWN */
  kind(label: string): KeyKind | 'secret'

  /** Of keys and secrets alike, ascending. */
  labels(): readonly string[]

  /**
   * Signs the octets themselves: they are hashed here.
   * @returns P-256: SEQUENCE { r, s } in DER, both INTEGERs minimal; RSA: as many octets as the modulus; Ed25519: 64.
   * @throws Refusal KEY_UNKNOWN; KEY_NOT_FOR_THIS when the label names a secret
   */
  sign(label: string, octets: Bytes): Bytes

  /**
   * For each signature, whether it is by the key of that SubjectPublicKeyInfo, which must be the label's. Only a store that
   * can look at its keys has this, and has it for P-256: its answer is that of the public key, sooner (own-check.ts).
   * @returns undefined for other kinds of key
   * @throws Refusal KEY_UNKNOWN; KEY_NOT_FOR_THIS when the label names a secret
   */
  checkOwn?(label: string, spki: Bytes, signatures: Signatures): boolean[] | undefined

  /**
   * Keeps 1 to 65,535 octets under a new label. The caller's buffer stays the caller's to zero.
   * @throws Refusal KEY_EXISTS, SECRET_LENGTH
   */
  keepSecret(label: string, octets: Bytes): void

  /**
   * Lends a secret to `use`, and zeroes the buffer when it returns or throws. `use` is synchronous, and keeps nothing
   * of the buffer: a Promise is refused with a TypeError, since it would find zeros.
   * @throws Refusal KEY_UNKNOWN; KEY_NOT_FOR_THIS when the label names a key
   */
  withSecret<T>(label: string, use: (octets: Bytes) => T): T

  /**
   * Destroys the key or secret: when this returns, the store has it no more, also after a power cut. Another process
   * that has signed with the key keeps it in memory until it reloads or closes.
   * @throws Refusal KEY_UNKNOWN
   */
  destroy(label: string): void

  /** Takes over what other processes added and destroyed. Cheap when nothing changed. */
  reload(): void

  /** Forgets every key, and zeroes what can be zeroed. Every later call is a fault. */
  close(): void
}
