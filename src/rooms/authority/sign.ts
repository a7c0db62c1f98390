/** The seam between deciding and signing: only what conforms is signed, and nothing leaves unchecked. */

import { type Bytes, equal } from '../../ground/bytes.ts'
import { verifier } from '../../ground/keystore/check.ts'
import type { KeyStore } from '../../ground/keystore/keystore.ts'
import { assembleCertificate } from '../../ground/x509/assemble.ts'
import type { Certificate } from '../../ground/x509/certificate.ts'
import type { Conforming } from '../../policy/conform.ts'

/** A signed certificate. */
export interface Signed {
  readonly signature: Bytes
  readonly der: Buffer
}

/** What came back from the key store is not a signature of what was handed to it. */
export class SignatureFault extends Error {
  override name = 'SignatureFault'
}

/** An authority that can sign: its certificate (of a root in the making: its public key) and its key. */
export interface Authority {
  readonly certificate: Certificate | 'self'
  readonly keyLabel: string
  /** Identity of the key store that signs: stands on the entry of what was signed. */
  readonly keyStore: string
  sign(conforming: Conforming): Signed
}

/**
 * Every signature is verified with the authority's public key before it leaves, over the octets that were checked
 * (lessons, rows 4 and 13): a failing module, or a handle that names another key, is found here.
 */
export function authority(keys: KeyStore, keyLabel: string, certificate: Certificate | 'self'): Authority {
  const spki = certificate === 'self' ? keys.publicKey(keyLabel) : certificate.publicKey.spki
  if (!equal(spki, keys.publicKey(keyLabel)))
    throw new SignatureFault(`the key ${keyLabel} is not the key of its certificate`)
  const verifies = verifier(spki)
  return {
    certificate,
    keyLabel,
    keyStore: keys.identity,
    sign({ tbs, wanted }) {
      if (
        wanted.issuer === 'self'
          ? certificate !== 'self'
          : certificate === 'self' || !equal(wanted.issuer.der, certificate.der)
      ) {
        throw new SignatureFault('a certificate was planned for another authority')
      }
      // A copy: what the key store does to its octets, by mistake or not, it does not do to those that were checked.
      const signature = keys.sign(keyLabel, Buffer.from(tbs))
      if (!verifies(tbs, signature))
        throw new SignatureFault(`${keys.identity} gave a signature that does not verify`)
      return { signature, der: assembleCertificate(tbs, signature) }
    },
  }
}
