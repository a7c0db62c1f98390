/** Rules about signatures: the algorithm, the value, and where a key is at hand, that it fits. */

import { verify } from 'node:crypto'
import { equal, fromBigInt, toHexUpper } from '../../ground/bytes.ts'
import { type AlgorithmIdentifier, keyIdentifier, type PublicKey } from '../../ground/x509/key.ts'
import { sameName, showName } from '../../ground/x509/name.ts'
import { oidName, oids } from '../../ground/x509/names.ts'
import { isInRange, isOnCurve, isPlainP256 } from './curve.ts'
import { requestKinds } from './kind.ts'
import { kindsWhere } from './profiles.ts'
import { type Rule, rule } from './rule.ts'
import type { View } from './view.ts'

const ecdsaOids: readonly string[] = [oids.ecdsaWithSha256, oids.ecdsaWithSha384, oids.ecdsaWithSha512]
const rsaOids: readonly string[] = [oids.sha256WithRsa, oids.sha384WithRsa, oids.sha512WithRsa]
const ecdsaAlgorithm = ({ algorithm }: View) => (ecdsaOids.includes(algorithm.oid) ? algorithm : undefined)
const rsaAlgorithm = ({ algorithm }: View) => (rsaOids.includes(algorithm.oid) ? algorithm : undefined)
const isNull = ({ parameters }: AlgorithmIdentifier) => parameters?.[0] === 0x05
const shownAlgorithm = ({ oid, parameters }: AlgorithmIdentifier) =>
  `${oidName(oid)}, ${parameters ? `parameters ${toHexUpper(parameters)}` : 'no parameters'}`

export const signatureRules: readonly Rule[] = [
  rule({
    id: 'algorithm_inner_outer',
    says: 'the algorithm inside the signed octets is the one outside, octet for octet',
    clause: 'RFC 5280 4.1.1.2, certificates.md 2',
    of: ({ innerAlgorithm, algorithm }) => innerAlgorithm && { innerAlgorithm, algorithm },
    holds: ({ innerAlgorithm, algorithm }) => equal(innerAlgorithm.der, algorithm.der),
    shows: ({ innerAlgorithm, algorithm }) => `${shownAlgorithm(innerAlgorithm)} / ${shownAlgorithm(algorithm)}`,
  }),
  rule({
    id: 'signature_algorithm',
    says: 'the signature is ecdsa-with-SHA256, in IKI and DCCKI sha256WithRSAEncryption',
    clause: 'certificates.md 2, 4 to 8, 10, 12',
    kinds: kindsWhere(profile => profile.signature),
    field: 'signature',
    of: view => view.algorithm,
    holds: ({ oid }, { profile }) =>
      oid === (profile.signature === 'ecdsa' ? oids.ecdsaWithSha256 : oids.sha256WithRsa),
    shows: shownAlgorithm,
  }),
  rule({
    id: 'ecdsa_parameters',
    says: 'an ECDSA algorithm has no parameters',
    clause: 'certificates.md 2, RFC 5758 3.2',
    of: ecdsaAlgorithm,
    holds: algorithm => algorithm.parameters === undefined || isNull(algorithm),
    shows: shownAlgorithm,
  }),
  rule({
    id: 'ecdsa_parameters_null',
    severity: 'warning',
    says: 'an ECDSA algorithm has no parameters, not even NULL',
    clause: 'certificates.md 16 (trap 4), RFC 5758 3.2',
    of: ecdsaAlgorithm,
    holds: algorithm => !isNull(algorithm),
    shows: shownAlgorithm,
  }),
  rule({
    id: 'rsa_parameters_null',
    says: 'an RSA signature algorithm has NULL as its parameters',
    clause: 'certificates.md 2, RFC 4055 5',
    of: rsaAlgorithm,
    holds: isNull,
    shows: shownAlgorithm,
  }),
  rule({
    id: 'signature_value',
    says: 'the signature is a SEQUENCE of r and s, each at least 1 and less than the order of the curve',
    clause: 'certificates.md 2, FIPS 186-5 6.4.2',
    of: view => (view.algorithm.oid === oids.ecdsaWithSha256 ? view : undefined),
    holds: ({ ecdsa }) => ecdsa !== undefined && isInRange(ecdsa),
    shows: ({ signature }) => `${toHexUpper(signature.subarray(0, 40))}${signature.length > 40 ? '...' : ''}`,
  }),
  rule({
    id: 'signature_not_minimal',
    // Two published certificates have it: the numbers are right, so it is no error, but most software says no.
    severity: 'warning',
    says: 'r and s are in the fewest octets; strict verifiers (OpenSSL, Node.js) refuse the signature otherwise',
    clause: 'certificates.md 2, X.690 8.3.2',
    of: view => view.ecdsa,
    holds: ({ padded }) => padded.length === 0,
    shows: ({ padded }) => `${padded.join(' and ')} with needless zero octets in front`,
  }),
  rule({
    id: 'root_issuer_is_subject',
    says: 'the issuer of a root is its subject, octet for octet',
    clause: 'certificates.md 4 to 8',
    kinds: kindsWhere(profile => profile.root),
    of: ({ issuer, subject }) => issuer && subject && { issuer, subject },
    holds: ({ issuer, subject }) => equal(issuer.der, subject.der),
    shows: ({ issuer, subject }) => `${showName(issuer)} / ${showName(subject)}`,
  }),
  rule({
    id: 'root_self_signed',
    says: 'a root is signed with the key that it certifies',
    clause: 'certificates.md 1, 4 to 8',
    kinds: kindsWhere(profile => profile.root),
    of: view => view.publicKey,
    holds: fitsSignature,
    shows: () => 'the signature does not fit its own key',
  }),
  rule({
    id: 'request_signature_verifies',
    says: 'a request is signed with the key that it asks to certify',
    clause: 'certificates.md 12, RFC 2986 4.2',
    kinds: [...requestKinds, 'unknown'],
    of: view => (view.form === 'request' ? view.publicKey : undefined),
    holds: fitsSignature,
    shows: () => 'the signature does not fit its own key',
  }),

  // The rest needs the issuer, and is silent when none was given.
  rule({
    id: 'signature_verifies',
    says: "the signature fits the issuer's key",
    clause: 'RFC 5280 6.1.3',
    of: view => view.signer?.publicKey,
    holds: fitsSignature,
    shows: ({ key }) => `the signature does not fit the key ${toHexUpper(keyIdentifier(key))}`,
  }),
  rule({
    id: 'issuer_copied',
    says: "the issuer is the issuer's subject, copied octet for octet",
    clause: 'certificates.md 3, 10',
    of: ({ issuer, signer }) => (issuer && signer?.name ? { issuer, name: signer.name } : undefined),
    holds: ({ issuer, name }) => equal(issuer.der, name.der),
    shows: ({ issuer, name }) =>
      sameName(issuer, name)
        ? `${showName(issuer)}, encoded in another way`
        : `${showName(issuer)}, not ${showName(name)}`,
  }),
  rule({
    id: 'authority_key_identifier_of_issuer',
    says: "authorityKeyIdentifier is the identifier of the issuer's key",
    clause: 'certificates.md 3',
    of: ({ authorityKeyIdentifier, signer }) =>
      authorityKeyIdentifier?.keyIdentifier && signer
        ? { found: authorityKeyIdentifier.keyIdentifier, due: keyIdentifier(signer.publicKey.key) }
        : undefined,
    holds: ({ found, due }) => equal(found, due),
    shows: ({ found, due }) => `${toHexUpper(found)}, not ${toHexUpper(due)}`,
  }),
]

/**
 * Whether the signature fits that key, as arithmetic: r and s are taken as numbers, so that one in too many octets is
 * not called a bad signature. No for an algorithm that these PKIs do not use.
 */
function fitsSignature({ kind, spki, key }: PublicKey, view: View): boolean {
  const { algorithm, tbs, signature, ecdsa } = view
  if (kind === 'P-256' && ecdsa) {
    if (!isPlainP256(spki) || !isOnCurve(key) || !isInRange(ecdsa)) return false
    const value = Buffer.concat([fromBigInt(ecdsa.r, 32), fromBigInt(ecdsa.s, 32)])
    return verify(
      'sha256',
      tbs,
      { key: asKey(spki), format: 'der', type: 'spki', dsaEncoding: 'ieee-p1363' },
      value,
    )
  }
  if (kind !== 'RSA' || algorithm.oid !== oids.sha256WithRsa) return false
  try {
    return verify('sha256', tbs, { key: asKey(spki), format: 'der', type: 'spki' }, signature)
  } catch {
    // OpenSSL throws on what is no RSA key; the rules of the key say what is wrong with it.
    return false
  }
}

function asKey(spki: Uint8Array): Buffer {
  return Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength)
}
