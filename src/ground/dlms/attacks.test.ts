import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { fromHex, toHexUpper } from '../bytes.ts'
import { alterTag, type BlockOracle, includes, type Overheard, recoverAk } from './attack-testing.ts'
import { readProtected } from './frame.ts'
import { answerChallenge } from './hls.ts'
import { protect } from './protect.ts'
import { counterAt, example, hold, noVectors, octets, refused, upper, vector } from './testing.ts'

/** What nobody outside a module may have. */
const aesUnder =
  (key: Uint8Array): BlockOracle =>
  block =>
    createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block)

function overhear(apdu: Uint8Array, title: Uint8Array): Overheard {
  const { counter, body } = readProtected(apdu)
  return { title, counter, ciphertext: body.subarray(0, -12), tag: body.subarray(-12) }
}

// The attacks work: these tests hold that we know them right. That nobody can run them against an S1SP or a DCO is held
// where those are.
describe('Whoever has the GUEK', () => {
  it('has an AK that works, from two APDUs: L1', { skip: noVectors }, () => {
    const { given, expect } = vector('L1')
    const aes = aesUnder(octets(given.guek!))
    const overheard = given.apdus!.map(apdu => overhear(octets(apdu), octets(given.systemTitle!)))
    const candidates = recoverAk(aes, overheard)
    assert.deepEqual(candidates.map(upper), expect.candidates)
    assert.ok(includes(candidates, octets(expect.trueAk!)))
  })

  it('has it of any two keys, and each candidate makes the tags of all that follows', async () => {
    const guek = randomBytes(16)
    const ak = randomBytes(16)
    const { glo } = hold({ guek, ak })
    const texts = ['C001C1000100002B0100FF0200', `C301C1004000002B0000FF0201${'0102'.repeat(10)}`]
    const overheard: Overheard[] = []
    for (const [n, text] of texts.entries()) {
      const apdu = protect(glo, await counterAt(glo.key, example.client, n), fromHex(text))
      overheard.push(overhear(apdu, example.client))
    }
    const candidates = recoverAk(aesUnder(guek), overheard)
    assert.ok(includes(candidates, ak) && candidates.length <= 8, toHexUpper(ak))
    const later = Buffer.concat([octets('C1'), randomBytes(60)])
    const made = new Set<string>()
    for (const each of candidates) {
      const other = hold({ guek, ak: each }).glo
      made.add(upper(protect(other, await counterAt(other.key, example.client, 9), later)))
    }
    assert.equal(made.size, 1)
  })
})

describe('Whoever has H, which is what a key check value is', () => {
  it('alters an APDU in flight, tag and all: L2', { skip: noVectors }, () => {
    const { given, expect } = vector('L2')
    const v9 = vector('V9')
    assert.equal(upper(aesUnder(octets(v9.given.key!))(octets(v9.given.block!))), v9.expect.block)
    assert.equal(given.h, v9.expect.block)
    const [plain, wanted] = [octets(given.plain!), octets(given.wanted!)]
    const { ciphertext, tag } = overhear(octets(given.apdu!), example.server)
    const altered = Buffer.from(ciphertext.map((octet, i) => octet ^ plain[i]! ^ wanted[i]!))
    const newTag = alterTag(octets(given.h!), ciphertext, altered, tag)
    assert.equal(upper(Buffer.concat([octets(given.apdu!).subarray(0, 7), altered, newTag])), expect.apdu)
  })

  it('has in the first block of the key stream of V3 what V10 says', { skip: noVectors }, () => {
    const { given, expect } = vector('V10')
    const stream = aesUnder(octets(given.key!))(octets(given.block!))
    assert.equal(upper(stream), expect.block)
    const { ciphertext } = overhear(example.apdu, example.server)
    assert.equal(upper(ciphertext.map((octet, i) => octet ^ stream[i]!)), upper(example.plain))
  })
})

describe('Whoever may choose challenges and see bare answers', () => {
  it('has the tag of an APDU that is authenticated only: L3; so such a challenge is not answered', {
    skip: noVectors,
  }, async () => {
    const { given, expect } = vector('L3')
    const { cipher, guek, ak, glo } = hold({ guek: octets(given.key!), ak: octets(given.ak!) })
    const challenge = octets(given.challenge!)
    const counter = () => counterAt(guek, octets(given.systemTitle!), Number(`0x${given.ic}`))
    const tag = cipher.authenticate(guek, ak, await counter(), 0x10, challenge)
    assert.equal(`10${given.ic}${upper(tag)}`, expect.value)
    assert.equal(upper(protect(glo, await counter(), challenge, { protection: 'authenticated' })), expect.apdu)
    const ours = await counter()
    assert.throws(() => answerChallenge(glo, ours, challenge), refused('DLMS_CHALLENGE_IS_APDU'))
  })
})
