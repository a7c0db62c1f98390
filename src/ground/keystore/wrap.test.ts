import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { makeKeyPair } from './pair.ts'
import { unwrapContingencyKey, wrapContingencyKey } from './wrap.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const key = randomBytes(16)
const { publicKey } = makeKeyPair('P-256')
const wrapped = wrapContingencyKey(publicKey, key, randomBytes)

describe('A wrapped Contingency Public Key', () => {
  it('is what the specification of GCM says: its test cases 2 and 3', () => {
    // D. McGrew, J. Viega: The Galois/Counter Mode of Operation (GCM), appendix B.
    const vectors = [
      {
        key: hex('00000000000000000000000000000000'),
        nonce: hex('000000000000000000000000'),
        plain: hex('00000000000000000000000000000000'),
        cipher: hex('0388dace60b6a392f328c2b971b2fe78'),
        tag: hex('ab6e47d42cec13bdf53a67b21257bddf'),
      },
      {
        key: hex('feffe9928665731c6d6a8f9467308308'),
        nonce: hex('cafebabefacedbaddecaf888'),
        plain: hex(`d9313225f88406e5a55909c5aff5269a 86a7a9531534f7da2e4c303d8a318a72
                    1c3c0c95956809532fcf0e2449a6b525 b16aedf5aa0de657ba637b391aafd255`),
        cipher: hex(`42831ec2217774244b7221b784d0d49c e3aa212f2c02a4e035c17e2329aca12e
                     21d514b25466931c7d8f6a5aac84aa05 1ba30b396a0aac973d58e091473f5985`),
        tag: hex('4d5c2af327cd64a62cf35abd2ba6fab4'),
      },
    ]
    for (const { key, nonce, plain, cipher, tag } of vectors) {
      const made = wrapContingencyKey(plain, key, length => {
        assert.equal(length, 12)
        return nonce
      })
      assert.deepEqual(made, { nonce, octets: Buffer.concat([cipher, tag]) })
      assert.deepEqual(unwrapContingencyKey(made, key), plain)
    }
  })

  it('is 107 octets for P-256, and its text is what OpenSSL makes in counter mode from counter 2', () => {
    assert.equal(wrapped.nonce.length, 12)
    assert.equal(wrapped.octets.length, 107)
    const iv = `${Buffer.from(wrapped.nonce).toString('hex')}00000002`
    const command = ['enc', '-aes-128-ctr', '-K', key.toString('hex'), '-iv', iv]
    assert.deepEqual(
      execFileSync('openssl', command, { input: publicKey }),
      Buffer.from(wrapped.octets.subarray(0, 91)),
    )
  })

  it('opens with its key', () => {
    assert.deepEqual(unwrapContingencyKey(wrapped, key), publicKey)
  })

  it('does not open with another key, nor when any one octet was changed, nor shortened', () => {
    const refused = { name: 'Refusal', code: 'WRAP_REFUSED' }
    assert.throws(() => unwrapContingencyKey(wrapped, randomBytes(16)), refused)
    for (const part of ['nonce', 'octets'] as const) {
      for (let at = 0; at < wrapped[part].length; at++) {
        const bad = { nonce: Buffer.from(wrapped.nonce), octets: Buffer.from(wrapped.octets) }
        bad[part][at]! ^= 1 << (at % 8)
        assert.throws(() => unwrapContingencyKey(bad, key), refused)
      }
    }
    for (let length = 0; length < 107; length++) {
      assert.throws(
        () => unwrapContingencyKey({ ...wrapped, octets: wrapped.octets.subarray(0, length) }, key),
        refused,
      )
    }
  })

  it('does not open when it was made with a nonce or an ICV of another length, though GCM would', () => {
    for (const [nonceLength, icvLength] of [
      [16, 16],
      [8, 16],
      [12, 12],
    ] as const) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-128-gcm', key, nonce, { authTagLength: icvLength })
      const octets = Buffer.concat([cipher.update(publicKey), cipher.final(), cipher.getAuthTag()])
      assert.throws(() => unwrapContingencyKey({ nonce, octets }, key), { code: 'WRAP_REFUSED' })
    }
  })

  it('takes a Symmetric Key of 16 octets only', () => {
    assert.throws(() => wrapContingencyKey(publicKey, randomBytes(32), randomBytes), RangeError)
    assert.throws(() => unwrapContingencyKey(wrapped, randomBytes(32)), RangeError)
  })
})
