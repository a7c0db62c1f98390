import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { verifySignature } from './check.ts'
import type { KeyKind } from './keystore.ts'
import { makeKeyPair, readKeyPair } from './pair.ts'

const octets = Buffer.from('to be signed')

describe('A key pair outside the key stores', () => {
  for (const kind of ['P-256', 'RSA-2048', 'Ed25519'] satisfies KeyKind[]) {
    it(`is read by OpenSSL from its PEM, and signs: ${kind}`, () => {
      const pair = makeKeyPair(kind)
      const spki = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], { input: pair.pem() })
      assert.deepEqual(spki, Buffer.from(pair.publicKey))
      assert.ok(verifySignature({ spki, kind, octets, signature: pair.sign(octets) }))
    })

    it(`is written as the library itself would write it: ${kind}`, () => {
      const pair = makeKeyPair(kind)
      const pem = pair.pem()
      assert.equal(createPrivateKey(pem).export({ format: 'pem', type: 'pkcs8' }), pem.toString())
      assert.equal(
        createPrivateKey(pem).equals(createPrivateKey({ key: pair.pkcs8(), format: 'der', type: 'pkcs8' })),
        true,
      )
    })

    it(`comes back from PEM and from DER: ${kind}`, () => {
      const pair = makeKeyPair(kind)
      for (const again of [readKeyPair(pair.pem()), readKeyPair(pair.pkcs8())]) {
        assert.equal(again.kind, kind)
        assert.deepEqual(again.publicKey, pair.publicKey)
        assert.ok(verifySignature({ spki: pair.publicKey, kind, octets, signature: again.sign(octets) }))
      }
    })
  }

  it('is not read from anything else', () => {
    const p384 = execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'])
    for (const bad of [
      p384,
      Buffer.alloc(0),
      Buffer.from('3000', 'hex'),
      Buffer.from('-----BEGIN PRIVATE KEY-----'),
    ]) {
      assert.throws(() => readKeyPair(bad), { name: 'Refusal', code: 'KEY_UNUSABLE' })
    }
  })
})
