/** Rules about public keys: their kind, their one encoding, and that they are keys at all. */

import { equal, fromHex, toBigInt, toHexUpper } from '../../ground/bytes.ts'
import type { PublicKey } from '../../ground/x509/key.ts'
import { oidName } from '../../ground/x509/names.ts'
import { isOnCurve, isPlainP256 } from './curve.ts'
import { kindsWhere } from './profiles.ts'
import { type Rule, rule } from './rule.ts'
import type { View } from './view.ts'

const nullParameters = fromHex('0500')
const p256 = ({ publicKey }: View) => (publicKey?.kind === 'P-256' ? publicKey : undefined)
const withKey = kindsWhere(profile => profile.key)

export const keyRules: readonly Rule[] = [
  rule({
    id: 'public_key_kind',
    says: 'the public key is of the kind that the profile gives: the named curve P-256, or RSA in IKI and DCCKI',
    clause: 'certificates.md 2, 4 to 8, 12',
    kinds: withKey,
    field: 'key',
    of: view => view.publicKey,
    holds: ({ kind }, { profile }) => kind === (profile.key === 'P-256' ? 'P-256' : 'RSA'),
    shows: shownKey,
  }),
  rule({
    id: 'public_key_p256_form',
    says: 'a P-256 key is 91 octets of one form: named curve, uncompressed point',
    clause: 'certificates.md 2',
    of: p256,
    holds: ({ spki }) => isPlainP256(spki),
    shows: ({ spki, key }) => `${spki.length} octets, the point begins ${toHexUpper(key.subarray(0, 1))}`,
  }),
  rule({
    id: 'public_key_on_curve',
    says: 'the point of a P-256 key lies on the curve',
    clause: 'certificates.md 12, SEC 1 3.2.2.1',
    of: view => (p256(view)?.key.length === 65 ? p256(view) : undefined),
    // A point in another form of 65 octets is judged by its coordinates alone: its form has a rule of its own.
    holds: ({ key }) => isOnCurve(Buffer.concat([Buffer.of(4), key.subarray(1)])),
    shows: ({ key }) => `X ${toHexUpper(key.subarray(1, 9))}...`,
  }),
  rule({
    id: 'rsa_bits',
    says: 'the RSA modulus has exactly the bits that the profile gives',
    clause: 'certificates.md 2, 6, 7, 12',
    kinds: kindsWhere(profile => typeof profile.key === 'object'),
    field: 'key',
    of: view => view.rsa,
    holds: ({ bits }, { profile }) => typeof profile.key === 'object' && bits === profile.key.rsaBits,
    shows: ({ bits }) => `${bits} bits`,
  }),
  rule({
    id: 'rsa_exponent',
    says: 'the RSA public exponent is odd and at least 65537',
    clause: 'certificates.md 12, FIPS 186-5 A.1.1',
    of: view => view.rsa,
    holds: ({ exponent }) => (exponent.at(-1)! & 1) === 1 && toBigInt(exponent) >= 65537n,
    shows: ({ exponent }) => toHexUpper(exponent),
  }),
  rule({
    id: 'rsa_key_parameters',
    says: 'the algorithm of an RSA key has NULL as its parameters',
    clause: 'RFC 3279 2.3.1',
    of: ({ publicKey }) => (publicKey?.kind === 'RSA' ? publicKey.algorithm : undefined),
    holds: ({ parameters }) => parameters !== undefined && equal(parameters, nullParameters),
    shows: ({ parameters }) => (parameters ? toHexUpper(parameters) : 'no parameters'),
  }),
]

function shownKey({ kind, algorithm, key }: PublicKey): string {
  return `${kind === 'unknown' ? oidName(algorithm.oid) : kind}, ${key.length} octets`
}
