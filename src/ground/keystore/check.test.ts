import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, ECDH, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { verifier, verifyOnce, verifySignature } from './check.ts'
import { makeKeyPair } from './pair.ts'

const home = mkdtempSync(join(tmpdir(), 'check-'))
after(() => rmSync(home, { recursive: true }))
const keyFile = join(home, 'key.pem')

const octets = Buffer.from('to be signed')
const der = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })
const pair = makeKeyPair('P-256')
const spki = Buffer.from(pair.publicKey)
const signature = Buffer.from(pair.sign(octets))

/** A public key that OpenSSL made. */
function opensslKey(...options: string[]): Buffer {
  const key = execFileSync('openssl', ['genpkey', ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  return execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], { input: key })
}

describe('A signature by a fresh P-256 key', () => {
  it('is valid for its octets and invalid for others', () => {
    assert.equal(verifyOnce(spki, octets, signature), 'valid')
    assert.equal(verifyOnce(spki, Buffer.from('other octets'), signature), 'invalid')
    assert.equal(verifyOnce(makeKeyPair('P-256').publicKey, octets, signature), 'invalid')
  })

  it('is valid in one encoding only', () => {
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = Buffer.from(signature)
        bad[at] = bad[at]! ^ change
        assert.equal(verifyOnce(spki, octets, bad), 'invalid')
      }),
    )
    for (const bad of [
      Buffer.alloc(0),
      Buffer.concat([signature, Buffer.of(0)]),
      signature.subarray(0, -1),
      withNeedlessZero(signature),
      Buffer.from('3006020100020100', 'hex'),
      Buffer.from('3006020101020101', 'hex'),
    ]) {
      assert.equal(verifyOnce(spki, octets, bad), 'invalid', bad.toString('hex'))
    }
  })

  it('is never an exception, whatever the key: not P-256, off the curve, or another key', () => {
    const verdicts = new Map<string, number>()
    fc.assert(
      fc.property(fc.nat(90), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = Buffer.from(spki)
        bad[at] = bad[at]! ^ change
        const verdict = verifyOnce(bad, octets, signature)
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
        assert.equal(verdict, at < 27 ? 'not-p256' : 'off-curve')
      }),
      { numRuns: 1000 },
    )
    assert.deepEqual([...verdicts.keys()].sort(), ['not-p256', 'off-curve'])
    for (const filled of [0x00, 0xff]) {
      assert.equal(verifyOnce(Buffer.from(spki).fill(filled, 27), octets, signature), 'off-curve')
      assert.equal(verifyOnce(Buffer.from(spki).fill(filled, 27, 59), octets, signature), 'off-curve')
    }
  })

  it('is refused for other encodings of a key, though the library would take them', () => {
    const point = spki.subarray(26)
    const hybrid = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'hybrid') as Buffer
    const compressed = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed') as Buffer
    const others = {
      hybrid: Buffer.concat([spki.subarray(0, 26), hybrid]),
      compressed: Buffer.concat([
        Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
        compressed,
      ]),
      trailing: Buffer.concat([spki, Buffer.of(0)]),
      explicit: opensslKey(
        ...['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
      ),
    }
    for (const [name, key] of Object.entries(others)) {
      createPublicKey({ key, format: 'der', type: 'spki' })
      assert.equal(verifyOnce(key, octets, signature), 'not-p256', name)
      assert.throws(() => verifier(key), { code: 'KEY_UNUSABLE' }, name)
    }
    assert.equal(verifyOnce(Buffer.alloc(0), octets, signature), 'not-p256')
  })

  /** The same two numbers, the second with a leading zero octet that DER forbids, as two real certificates have it. */
  function withNeedlessZero(good: Buffer): Buffer {
    const s = 4 + good[3]!
    const bad = Buffer.concat([good.subarray(0, s + 2), Buffer.of(0), good.subarray(s + 2)])
    bad[1]! += 1
    bad[s + 1]! += 1
    return bad
  }
})

describe('A verifier', () => {
  it('verifies what OpenSSL signed, for each kind of key', () => {
    const made = {
      'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      'RSA-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
      Ed25519: ['-algorithm', 'ED25519'],
    } as const
    for (const [kind, options] of Object.entries(made) as [keyof typeof made, readonly string[]][]) {
      const pem = execFileSync('openssl', ['genpkey', ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
      const spki = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], { input: pem })
      writeFileSync(keyFile, pem)
      // What is signed is this test.
      const file = new URL(import.meta.url).pathname
      const digest = kind === 'Ed25519' ? [] : ['-digest', 'sha256']
      const command = ['pkeyutl', '-sign', '-inkey', keyFile, '-rawin', ...digest, '-in', file]
      const signature = execFileSync('openssl', command)
      const signed = readFileSync(file)
      const verifies = verifier(spki)
      assert.ok(verifies(signed, signature), kind)
      assert.ok(verifySignature({ spki, kind, octets: signed, signature }), kind)
      signed[0]! ^= 1
      assert.ok(!verifies(signed, signature), kind)
      assert.ok(!verifySignature({ spki, kind, octets: signed, signature }), kind)
      const other = kind === 'Ed25519' ? 'P-256' : 'Ed25519'
      signed[0]! ^= 1
      assert.ok(
        !verifySignature({ spki, kind: other, octets: signed, signature }),
        'a key of another kind than was said',
      )
    }
  })

  it('is not made for keys of other kinds, sizes and exponents', () => {
    const others = {
      'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      'RSA 1024': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
      'exponent 3': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'],
      'RSA-PSS': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
      X25519: ['-algorithm', 'X25519'],
    }
    for (const [name, options] of Object.entries(others)) {
      assert.throws(() => verifier(opensslKey(...options)), { code: 'KEY_UNUSABLE' }, name)
    }
    const offCurve = Buffer.from(spki)
    offCurve[90]! ^= 1
    for (const bad of [offCurve, Buffer.alloc(0), Buffer.from('3000', 'hex')]) {
      assert.throws(() => verifier(bad), { code: 'KEY_UNUSABLE' })
      assert.equal(verifySignature({ spki: bad, kind: 'RSA-2048', octets, signature }), false)
    }
  })

  it('takes an RSA key in strict DER only', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const good = der(publicKey)
    const signature = sign('sha256', octets, privateKey)
    assert.ok(verifySignature({ spki: good, kind: 'RSA-2048', octets, signature }))
    assert.ok(!verifySignature({ spki: good, kind: 'RSA-4096', octets, signature }))
    const trailing = Buffer.concat([good, Buffer.of(0)])
    assert.ok(!verifySignature({ spki: trailing, kind: 'RSA-2048', octets, signature }))
  })
})
