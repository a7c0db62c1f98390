/** The content of WrappedApexContingencyKey: the Contingency Public Key under the Symmetric Key. */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Bytes } from '../bytes.ts'
import { view } from '../bytes.ts'
import type { Chance } from '../clock.ts'
import { refusal } from './refusals.ts'

/** id-aes128-GCM with the GCMParameters of RFC 5084: lengths in octets (recovery.md section 8, REC-A09). */
export const wrapLengths = { key: 16, nonce: 12, icv: 16 } as const

/** `octets` is the ciphertext followed by the ICV: 16 octets more than what was wrapped. */
export interface Wrapped {
  readonly nonce: Bytes
  readonly octets: Bytes
}

/**
 * Wraps a DER SubjectPublicKeyInfo (P-256: 91 octets become 107) under the Symmetric Key, with a fresh nonce and no
 * associated data. The key stays the caller's to zero.
 * @throws RangeError unless the key is 16 octets
 */
export function wrapContingencyKey(spki: Bytes, symmetricKey: Bytes, chance: Chance): Wrapped {
  const nonce = chance(wrapLengths.nonce)
  const cipher = createCipheriv('aes-128-gcm', symmetricKey, nonce, { authTagLength: wrapLengths.icv })
  const octets = Buffer.concat([cipher.update(spki), cipher.final(), cipher.getAuthTag()])
  return { nonce, octets }
}

/**
 * @returns the SubjectPublicKeyInfo that was wrapped.
 * @throws Refusal WRAP_REFUSED for another key or a changed wrap: the two cannot be told apart. RangeError unless the
 * key is 16 octets.
 */
export function unwrapContingencyKey(wrapped: Wrapped, symmetricKey: Bytes): Bytes {
  const { nonce, octets } = wrapped
  // GCM itself would take other nonces and shorter ICVs; the parameters of REC-A09 do not.
  if (nonce.length !== wrapLengths.nonce || octets.length < wrapLengths.icv) throw refusal('WRAP_REFUSED')
  const end = octets.length - wrapLengths.icv
  const decipher = createDecipheriv('aes-128-gcm', symmetricKey, nonce, { authTagLength: wrapLengths.icv })
  decipher.setAuthTag(view(octets).subarray(end))
  const spki = decipher.update(octets.subarray(0, end))
  try {
    decipher.final()
  } catch (cause) {
    throw refusal('WRAP_REFUSED', undefined, cause)
  }
  return spki
}
