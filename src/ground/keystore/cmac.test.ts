import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noVectors, octets, upper, vectors } from '../dlms/testing.ts'
import { ecbBlocks } from './blocks.ts'
import { aesCmac } from './cmac.ts'

describe('AES-CMAC', () => {
  it('is as RFC 4493 says, whatever was sealed before with the same key', { skip: noVectors }, () => {
    const found = vectors('aes-cmac')
    assert.equal(found.length, 4)
    const mac = aesCmac(createSecretKey(octets(found[0]!.given.key!)))
    for (const { id, given, expect } of [...found, ...found.toReversed(), ...found]) {
      const made = mac(octets(given.message!))
      assert.equal(upper(made), expect.mac, id)
      // What was given out is the caller's.
      made.fill(0)
    }
  })

  it('of one message is always the same, and as a cipher that was just made has it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 2, maxLength: 8 }),
        (octets, messages) => {
          const key = createSecretKey(octets)
          const mac = aesCmac(key)
          for (const message of messages) assert.deepEqual(mac(message), aesCmac(key)(message))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('agrees with OpenSSL over a message as long as a key record', () => {
    const key = randomBytes(16)
    const mac = aesCmac(createSecretKey(key))
    for (const length of [329, 330, 336]) {
      const message = randomBytes(length)
      const command = ['mac', '-cipher', 'AES-128-CBC', '-macopt', `hexkey:${key.toString('hex')}`, 'CMAC']
      const theirs = execFileSync('openssl', command, { input: message }).toString().trim()
      assert.equal(upper(mac(message)), theirs)
    }
  })
})

describe('a block of AES-ECB', () => {
  it('is 16 octets, and one that is not changes nothing for those after it', () => {
    const key = createSecretKey(randomBytes(16))
    const blocks = ecbBlocks(key)
    const plain = randomBytes(16)
    const once = ecbBlocks(key).encrypt(plain)
    for (const length of [0, 1, 15, 17, 32]) {
      assert.throws(() => blocks.encrypt(randomBytes(length)), RangeError)
      assert.throws(() => blocks.decrypt(randomBytes(length)), RangeError)
      assert.deepEqual(blocks.encrypt(plain), once)
      assert.deepEqual(blocks.decrypt(once), plain)
    }
  })

  it('is as FIPS 197 says (vector S1)', { skip: noVectors }, () => {
    const found = vectors('aes-block').filter(({ id }) => id === 'S1')
    assert.equal(found.length, 1)
    for (const { given, expect } of found) {
      const { encrypt, decrypt } = ecbBlocks(createSecretKey(octets(given.key!)))
      for (let again = 0; again < 3; again++) {
        assert.equal(upper(encrypt(octets(given.block!))), expect.block)
        assert.equal(upper(decrypt(octets(expect.block!))), given.block!.toUpperCase())
      }
    }
  })
})
