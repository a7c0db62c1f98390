/** Whether one certificate issued another: the key identifiers agree, and the key made the signature. */

import { equal, toHexUpper } from '../../bytes.ts'
import { Der } from '../../der/read.ts'
import type { AuthorityKeyIdentifier } from '../extensions.ts'
import { readName, sameName } from '../name.ts'
import { type ProfileName, signatureFault } from './keys.ts'
import { type Opened, retagged } from './opened.ts'
import { type PathRefusal, refuse } from './refusals.ts'

/**
 * What speaks against `issuer` having issued `child`, where the names already agree; empty when nothing does. Chaining
 * by name alone would take certificates that another made under the same name, so both identifier and signature count.
 */
export function linkFaults(child: Opened, issuer: Opened, profile: ProfileName): PathRefusal[] {
  const { certificate } = child
  const mismatch = child.authority && identifierMismatch(child.authority, issuer)
  if (mismatch) return [refuse('KEY_IDENTIFIER_MISMATCH', certificate, `${mismatch} (RFC 5280 4.2.1.1)`)]
  if (issuer.keyFault) return [issuer.keyFault]
  const fault = signatureFault(
    {
      tbs: certificate.tbs,
      inner: certificate.signatureAlgorithm,
      outer: certificate.outerAlgorithm,
      signature: certificate.signature,
    },
    { key: issuer.key, kind: issuer.certificate.publicKey.kind },
    profile,
  )
  return fault ? [refuse(fault.code, certificate, `${fault.says} (RFC 5280 6.1.3 (a))`)] : []
}

/** In what way an authority key identifier, of a certificate or a list, does not mean that issuer. */
export function identifierMismatch(authority: AuthorityKeyIdentifier, issuer: Opened): string | undefined {
  const { keyIdentifier, issuer: names, serial } = authority
  const own = issuer.subjectKeyIdentifier
  if (keyIdentifier && own && !equal(keyIdentifier, own))
    return `the authority key identifier is ${toHexUpper(keyIdentifier)}, the issuer’s key is ${toHexUpper(own)}`
  if (serial && !equal(serial, issuer.certificate.serial))
    return `the authority key identifier names the serial number ${toHexUpper(serial)}, which the issuer does not have`
  // The content was read when the certificate was opened, so reading it again does not fail.
  if (names && !directoryNames(names).some(name => sameName(name, issuer.certificate.issuer)))
    return 'the authority key identifier names another issuer of the issuer’s certificate'
  return undefined
}

/** The directory names among GeneralNames: the only form that can name the issuer of a certificate. */
function directoryNames(names: Uint8Array) {
  const found = []
  for (const all = new Der(retagged(names)).sequence('authorityCertIssuer'); !all.done; ) {
    if (all.peek() === 0xa4) found.push(readName(all.enter(0xa4, 'directoryName'), 'directoryName'))
    else all.any('a name of authorityCertIssuer')
  }
  return found
}
