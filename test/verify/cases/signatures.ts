/** Cases about signatures, algorithms and keys. */

import { bitString, integer, nothing, sequence } from '../../../src/ground/der/write.ts'
import { oids } from '../../../src/ground/x509/names.ts'
import { algorithm, algorithms, ed25519, p384, rsa, signing } from '../forge.ts'
import { type Case, ca, ica, keys, leaf, ofIca, ofLeaf, ofRoot, root } from '../scene.ts'

const big = {
  p384: p384(),
  rsa: rsa(2048),
  second: rsa(2048),
  rsa1024: rsa(1024),
  rsa3: rsa(2048, 3),
  ed: ed25519(),
}

/** A chain whose CAs hold `key`. */
function under(key: typeof big.rsa, leafKey = keys.leaf, by = key): Pick<Case, 'target' | 'trust' | 'untrusted'> {
  const anchor = ca('Root', by)
  const below = ca('Issuing', by, anchor)
  return { target: leaf(leafKey, below), trust: [anchor.der], untrusted: [below.der] }
}

/** An SPKI of that algorithm with those key octets. */
const spki = (head: Buffer, key: Uint8Array) => sequence(head, bitString(key))
const curve = algorithm(oids.ecPublicKey, Buffer.from('06082a8648ce3d030107', 'hex'))
const point = keys.leaf.spki.subarray(26)
const compressed = Buffer.concat([Buffer.of(2 + (point[64]! & 1)), point.subarray(1, 33)])
const offCurve = Buffer.from(point)
offCurve[64]! ^= 1
const rsaKey = (modulus: bigint, exponent: number) =>
  spki(algorithm(oids.rsaEncryption, nothing()), sequence(integer(modulus), integer(exponent)))

/** r as it is, s with a needless leading zero octet. */
function padded(signature: Buffer): Buffer {
  const r = signature.subarray(2, 4 + signature[3]!)
  const s = signature.subarray(4 + signature[3]!)
  return sequence(r, Buffer.concat([Buffer.of(0x02, s[1]! + 1, 0), s.subarray(2)]))
}

const flipped = (signature: Buffer) => {
  const other = Buffer.from(signature)
  other[other.length - 1]! ^= 1
  return other
}

const nullEcdsa = algorithm(oids.ecdsaWithSha256, nothing())

export const signatureCases: Case[] = [
  { says: 'an ordinary chain holds', expect: 'valid', ...ofLeaf({}) },
  {
    says: 'an ordinary chain holds in the GB profile too',
    expect: 'valid',
    ...ofLeaf({}),
    profile: 'gb',
  },
  {
    says: 'a leaf with one bit of its signature changed',
    expect: ['SIGNATURE_BAD'],
    ...ofLeaf({ spoil: flipped }),
  },
  {
    says: 'an issuing CA with one bit of its signature changed',
    expect: ['SIGNATURE_BAD'],
    ...ofIca({ spoil: flipped }),
  },
  {
    says: 'a root with one bit of its signature changed',
    expect: ['SIGNATURE_BAD'],
    ...ofRoot({ spoil: flipped }),
  },
  {
    says: 'a leaf signed by another key of the same issuer name',
    expect: ['SIGNATURE_BAD'],
    ...ofLeaf({ by: keys.other }),
  },
  {
    says: 'a leaf with an empty signature',
    expect: ['SIGNATURE_NOT_DER'],
    ...ofLeaf({ spoil: () => Buffer.alloc(0) }),
  },
  { says: 'a leaf whose s has a needless zero octet', expect: ['SIGNATURE_NOT_DER'], ...ofLeaf({ spoil: padded }) },
  {
    says: 'a leaf whose signature has an octet behind it',
    expect: ['SIGNATURE_NOT_DER'],
    ...ofLeaf({ spoil: s => Buffer.concat([s, Buffer.of(0)]) }),
  },
  {
    says: 'a leaf whose r and s are zero',
    expect: ['SIGNATURE_BAD'],
    ...ofLeaf({ spoil: () => sequence(integer(0), integer(0)) }),
  },
  {
    says: 'a leaf whose algorithm inside is another than outside',
    expect: ['ALGORITHM_MISMATCH'],
    ...ofLeaf({ inner: algorithms.ecdsaSha384 }),
  },
  {
    says: 'a leaf whose algorithm outside is another than inside',
    expect: ['ALGORITHM_MISMATCH'],
    ...ofLeaf({ outer: nullEcdsa }),
  },
  {
    says: 'NULL parameters of ECDSA, which RFC 5758 forbids',
    expect: ['ALGORITHM_NOT_UNDERSTOOD'],
    ...ofLeaf({ inner: nullEcdsa, outer: nullEcdsa }),
  },
  {
    says: 'NULL parameters of ECDSA in the GB profile, whose real certificates have them',
    expect: 'valid',
    ...ofLeaf({ inner: nullEcdsa, outer: nullEcdsa }),
    profile: 'gb',
  },
  {
    says: 'other parameters of ECDSA',
    expect: ['ALGORITHM_NOT_UNDERSTOOD'],
    ...ofLeaf({
      inner: algorithm(oids.ecdsaWithSha256, integer(1)),
      outer: algorithm(oids.ecdsaWithSha256, integer(1)),
    }),
    profile: 'gb',
  },
  { says: 'P-384 with SHA-384', expect: 'valid', ...under(big.p384) },
  { says: 'P-384 in the GB profile', expect: ['ALGORITHM_NOT_UNDERSTOOD'], ...under(big.p384), profile: 'gb' },
  {
    says: 'P-384 with SHA-256 in the GB profile',
    expect: ['KEY_NOT_UNDERSTOOD'],
    ...under(signing(big.p384, { algorithm: algorithms.ecdsaSha256, hash: 'sha256' })),
    profile: 'gb',
  },
  { says: 'RSA of 2,048 bits with SHA-256', expect: 'valid', ...under(big.rsa) },
  {
    says: 'RSA of 2,048 bits with SHA-256 in the GB profile',
    expect: 'valid',
    ...under(big.rsa, big.second),
    profile: 'gb',
  },
  {
    says: 'RSA with SHA-384',
    expect: 'valid',
    ...under(signing(big.rsa, { algorithm: algorithms.rsaSha384, hash: 'sha384' })),
  },
  {
    says: 'RSA with SHA-384 in the GB profile',
    expect: ['ALGORITHM_NOT_UNDERSTOOD'],
    ...under(signing(big.rsa, { algorithm: algorithms.rsaSha384, hash: 'sha384' })),
    profile: 'gb',
  },
  {
    says: 'RSA without the NULL that is due',
    expect: ['ALGORITHM_NOT_UNDERSTOOD'],
    ...under(signing(big.rsa, { algorithm: algorithm(oids.sha256WithRsa), hash: 'sha256' })),
  },
  {
    says: 'RSA with SHA-1',
    expect: ['ALGORITHM_WEAK'],
    ...under(signing(big.rsa, { algorithm: algorithms.rsaSha1, hash: 'sha1' })),
  },
  {
    says: 'RSA with PSS padding',
    expect: ['ALGORITHM_NOT_UNDERSTOOD'],
    ...under(
      signing(big.rsa, { algorithm: algorithm('1.2.840.113549.1.1.10', sequence()), hash: 'sha256', pss: true }),
    ),
  },
  {
    says: 'PSS padding under the name of PKCS #1 v1.5',
    expect: ['SIGNATURE_BAD'],
    ...under(signing(big.rsa, { algorithm: algorithms.rsaSha256, hash: 'sha256', pss: true })),
  },
  { says: 'RSA of 1,024 bits in the CAs', expect: ['KEY_WEAK'], ...under(big.rsa1024) },
  { says: 'RSA of 1,024 bits in the leaf', expect: ['KEY_WEAK'], ...ofLeaf({ spki: big.rsa1024.spki }) },
  { says: 'an RSA exponent of 3', expect: ['KEY_WEAK'], ...under(big.rsa3) },
  { says: 'an even RSA modulus', expect: ['KEY_BAD'], ...ofLeaf({ spki: rsaKey(1n << 2047n, 65537) }) },
  { says: 'an even RSA exponent', expect: ['KEY_WEAK'], ...ofLeaf({ spki: rsaKey((1n << 2048n) - 1n, 65538) }) },
  { says: 'an RSA exponent of 1', expect: ['KEY_WEAK'], ...ofLeaf({ spki: rsaKey((1n << 2048n) - 1n, 1) }) },
  {
    says: 'an RSA key that is an empty sequence',
    expect: ['KEY_BAD'],
    ...ofLeaf({ spki: spki(algorithm(oids.rsaEncryption, nothing()), sequence()) }),
  },
  {
    says: 'an issuing CA whose RSA key is empty',
    expect: ['KEY_BAD'],
    ...ofIca({ spki: spki(algorithm(oids.rsaEncryption, nothing()), Buffer.alloc(0)) }),
  },
  {
    says: 'an RSA key without NULL parameters',
    expect: ['KEY_BAD'],
    ...ofLeaf({ spki: spki(algorithm(oids.rsaEncryption), big.rsa.spki.subarray(24)) }),
  },
  { says: 'a leaf key of Ed25519', expect: ['KEY_NOT_UNDERSTOOD'], ...ofLeaf({ spki: big.ed.spki }) },
  { says: 'a signature by Ed25519', expect: ['KEY_NOT_UNDERSTOOD'], ...under(big.ed) },
  { says: 'a compressed point', expect: ['KEY_BAD'], ...ofLeaf({ spki: spki(curve, compressed) }) },
  { says: 'a point off the curve', expect: ['KEY_BAD'], ...ofLeaf({ spki: spki(curve, offCurve) }) },
  { says: 'the point at infinity', expect: ['KEY_BAD'], ...ofLeaf({ spki: spki(curve, Buffer.of(0)) }) },
  {
    says: 'a curve without a name of ours',
    expect: ['KEY_NOT_UNDERSTOOD'],
    ...ofLeaf({ spki: spki(algorithm(oids.ecPublicKey, Buffer.from('06052b8104000a', 'hex')), point) }),
  },
  {
    says: 'an ECDSA algorithm over an RSA key',
    expect: ['KEY_IDENTIFIER_MISSING', 'ALGORITHM_MISMATCH'],
    target: leaf(keys.leaf, { ...ca('Root', big.rsa), key: keys.other }, { aki: null }),
    trust: [ca('Root', big.rsa).der],
  },
  {
    says: 'a leaf right below the root',
    expect: 'valid',
    target: leaf(keys.leaf, root),
    trust: [root.der],
  },
  {
    says: 'an issuing CA as the only anchor, though not self-signed',
    expect: 'valid',
    target: leaf(keys.leaf, ica),
    trust: [ica.der],
  },
]
