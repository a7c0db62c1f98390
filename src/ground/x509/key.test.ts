import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { corpusFile, corpusIndex, noCorpus } from '../../../test/outside.ts'
import { fromBigInt, fromHex, toBigInt, toHex } from '../bytes.ts'
import { Der } from '../der/read.ts'
import { bitString, element, integer, nothing, oid, sequence } from '../der/write.ts'
import { readCertificate } from './certificate.ts'
import {
  keyIdentifier,
  longKeyIdentifier,
  readAlgorithm,
  readEcdsaSignature,
  readPublicKey,
  readRsaKey,
} from './key.ts'
import { oids } from './names.ts'

const spki = (type: 'ec' | 'rsa' | 'ed25519', options: object = {}) =>
  generateKeyPairSync(type as 'ec', { namedCurve: 'P-256', ...options }).publicKey.export({
    format: 'der',
    type: 'spki',
  })
const read = (octets: Buffer) => readPublicKey(new Der(octets))

describe('A public key', () => {
  it('has a kind where it is RSA or on a named curve of ours', () => {
    assert.equal(read(spki('ec')).kind, 'P-256')
    assert.equal(read(spki('ec', { namedCurve: 'P-384' })).kind, 'P-384')
    assert.equal(read(spki('rsa', { modulusLength: 2048 })).kind, 'RSA')
    assert.equal(read(spki('ec', { namedCurve: 'P-521' })).kind, 'unknown')
    assert.equal(read(spki('ed25519')).kind, 'unknown')
    // A key for ECDH alone (RFC 5480 2.1.2), though on a curve of ours.
    assert.equal(
      read(sequence(sequence(oid('1.3.132.1.12'), oid(oids.prime256v1)), bitString(Buffer.of(4)))).kind,
      'unknown',
    )
    // The same curve, spelt out: some software takes it, with parameters that an enemy may have chosen.
    assert.equal(read(spki('ec', { paramEncoding: 'explicit' })).kind, 'unknown')
    assert.equal(read(sequence(sequence(oid(oids.ecPublicKey)), bitString(Buffer.of(4)))).kind, 'unknown')
    assert.equal(
      read(sequence(sequence(oid(oids.ecPublicKey), nothing()), bitString(Buffer.of(4)))).kind,
      'unknown',
    )
  })

  it('is the whole of its octets, and the point in them', () => {
    const octets = spki('ec')
    const { spki: whole, key } = read(octets)
    assert.deepEqual(whole, octets)
    assert.deepEqual(key, octets.subarray(26))
    assert.equal(toHex(octets.subarray(0, 27)), '3059301306072a8648ce3d020106082a8648ce3d03010703420004')
  })

  it('is refused when it is not DER', () => {
    const algorithm = sequence(oid(oids.ecPublicKey), oid(oids.prime256v1))
    for (const [fault, octets] of [
      ['bit_string', sequence(algorithm, bitString(Buffer.of(4, 0), 1))],
      ['tag', sequence(algorithm, element(0x04, Buffer.of(0, 4)))],
      ['trailing', sequence(algorithm, bitString(Buffer.of(4)), nothing())],
      ['trailing', sequence(sequence(oid('1.2.3'), nothing(), nothing()), bitString(Buffer.of(4)))],
      ['truncated', sequence(algorithm)],
      ['truncated', sequence(sequence(), bitString(Buffer.of(4)))],
      ['tag', sequence(sequence(oid(oids.ecPublicKey), element(0x26, oid('1.2.3'))), bitString(Buffer.of(4)))],
    ] as const) {
      assert.throws(() => read(octets), { name: 'NotDer', fault }, toHex(octets))
    }
  })
})

describe('An algorithm', () => {
  it('has parameters, or has none, or NULL, which is not the same', () => {
    const parameters = (hex: string) => readAlgorithm(new Der(fromHex(hex)), 'it').parameters
    assert.equal(parameters('300a06082a8648ce3d040302'), undefined)
    assert.equal(toHex(parameters('300d06092a864886f70d01010b0500')!), '0500')
    assert.equal(
      toHex(readAlgorithm(new Der(fromHex('300a06082a8648ce3d0403020500')), 'it').der),
      '300a06082a8648ce3d040302',
    )
  })
})

describe('A key identifier', () => {
  it('is 0100 and the last 60 bits of SHA-1, or all of SHA-1 (RFC 5280 4.2.1.2)', () => {
    // FIPS 180-4's message "abc": A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D
    const key = Buffer.from('abc')
    assert.equal(toHex(longKeyIdentifier(key)), 'a9993e364706816aba3e25717850c26c9cd0d89d')
    assert.equal(toHex(keyIdentifier(key)), '4850c26c9cd0d89d')
  })

  it('of each published issuer key is the one that its certificates name', { skip: noCorpus }, () => {
    const { issuerKeys, certificates } = corpusIndex()
    assert.equal(issuerKeys.length, 8)
    for (const { file, keyIdentifier: id } of issuerKeys) {
      assert.equal(toHex(keyIdentifier(read(corpusFile(file)).key)), id, file)
      for (const one of certificates.filter(({ issuerKey }) => issuerKey === file)) assert.equal(one.aki, id)
    }
    const z1 = read(corpusFile('issuer-public-keys-recovered/Z1.pub.pem'))
    const ca = certificates.find(({ kind }) => kind === 'ca-issuing')!
    assert.deepEqual(readCertificate(corpusFile(ca.file)).publicKey.spki, z1.spki)
  })
})

describe('An RSA key', () => {
  it('is read with the length of its modulus', () => {
    for (const modulusLength of [1024, 2047, 2048]) {
      const { bits, exponent, modulus } = readRsaKey(new Der(read(spki('rsa', { modulusLength })).key))
      assert.deepEqual([bits, toHex(exponent)], [modulusLength, '010001'])
      assert.notEqual(modulus[0], 0)
    }
  })

  it('is refused when it is not DER, is negative, or is followed by anything', () => {
    for (const [fault, octets] of [
      ['integer', sequence(element(0x02, Buffer.of(0x80)), integer(3))],
      ['integer', sequence(element(0x02, Buffer.of(0, 1)), integer(3))],
      ['trailing', sequence(integer(5), integer(3), integer(1))],
      ['trailing', Buffer.concat([sequence(integer(5), integer(3)), Buffer.of(0)])],
      ['truncated', sequence(integer(5))],
    ] as const) {
      assert.throws(() => readRsaKey(new Der(octets)), { name: 'NotDer', fault }, toHex(octets))
    }
  })
})

describe('An ECDSA signature', () => {
  it('is read as its two numbers', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
        fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
        (r, s) => {
          const found = readEcdsaSignature(new Der(sequence(integer(r), integer(s))))
          assert.deepEqual([toBigInt(found.r), toBigInt(found.s)], [r, s])
          assert.ok(found.r.length <= 32 && found.s.length <= 32)
        },
      ),
    )
  })

  it('of OpenSSL is read as the two numbers that it verifies in the plain format too', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (let i = 0; i < 50; i++) {
      const { r, s } = readEcdsaSignature(new Der(sign('sha256', Buffer.of(i), privateKey)))
      const plain = Buffer.concat([r, s].map(number => fromBigInt(toBigInt(number), 32)))
      assert.ok(verify('sha256', Buffer.of(i), { key: publicKey, dsaEncoding: 'ieee-p1363' }, plain))
    }
  })

  it('is refused when it is not DER', () => {
    for (const [fault, octets] of [
      ['integer', sequence(integer(1), element(0x02, Buffer.of(0, 1)))],
      ['integer', sequence(element(0x02, Buffer.of(0xff)), integer(1))],
      ['integer', sequence(element(0x02), integer(1))],
      ['trailing', sequence(integer(1), integer(1), integer(1))],
      ['trailing', Buffer.concat([sequence(integer(1), integer(1)), Buffer.of(0)])],
      ['tag', Buffer.alloc(64, 1)],
    ] as const) {
      assert.throws(() => readEcdsaSignature(new Der(octets)), { name: 'NotDer', fault }, toHex(octets))
    }
  })
})
