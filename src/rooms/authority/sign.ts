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
  /** As `sign`, for a few dozen: where the key store can check its own signatures, they are checked together. */
  signMany(group: readonly Conforming[]): Signed[]
}

/** Of the signatures that the key store itself has checked, the first and then every so many are checked once more. */
const onceMore = 32

/**
 * Every signature is checked before it leaves, over the octets that were checked (lessons, rows 4 and 13): a failing
 * module, or a handle that names another key, is found here. A single one is verified with the authority's public key. Of a
 * group each is, unless the key store can tell by a second copy of the private key, which is the same statement
 * (own-check.ts); then some are verified with the public key besides, so that no one piece of code is believed for ever.
 */
export function authority(keys: KeyStore, keyLabel: string, certificate: Certificate | 'self'): Authority {
  const spki = certificate === 'self' ? keys.publicKey(keyLabel) : certificate.publicKey.spki
  if (!equal(spki, keys.publicKey(keyLabel)))
    throw new SignatureFault(`the key ${keyLabel} is not the key of its certificate`)
  const verifies = verifier(spki)
  let checked = 0

  function signatureOf({ tbs, wanted }: Conforming): Bytes {
    if (
      wanted.issuer === 'self'
        ? certificate !== 'self'
        : certificate === 'self' || !equal(wanted.issuer.der, certificate.der)
    ) {
      throw new SignatureFault('a certificate was planned for another authority')
    }
    // A copy: what the key store does to its octets, by mistake or not, it does not do to those that were checked.
    return keys.sign(keyLabel, Buffer.from(tbs))
  }

  function signed({ tbs }: Conforming, signature: Bytes, holds: boolean): Signed {
    if (!holds) throw new SignatureFault(`${keys.identity} gave a signature that does not verify`)
    return { signature, der: assembleCertificate(tbs, signature) }
  }

  return {
    certificate,
    keyLabel,
    keyStore: keys.identity,
    sign(conforming) {
      const signature = signatureOf(conforming)
      return signed(conforming, signature, verifies(conforming.tbs, signature))
    },
    signMany(group) {
      const signatures = group.map(one => [one.tbs, signatureOf(one)] as const)
      const own = keys.checkOwn?.(keyLabel, spki, signatures)
      return group.map((one, n) => {
        const [tbs, signature] = signatures[n]!
        const publicly = own === undefined || checked++ % onceMore === 0
        return signed(
          one,
          signature,
          (own === undefined || own[n] === true) && (!publicly || verifies(tbs, signature)),
        )
      })
    },
  }
}
