import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { checkAnswerable, checkPeerChallenge, makeChallenge } from './challenge.ts'
import { newFloor } from './floor.ts'
import { answerChallenge, checkAnswer } from './hls.ts'
import { protect } from './protect.ts'
import { counterAt, example, hold, noVectors, octets, refused, upper, vectors } from './testing.ts'

const { client, server, plain } = example
const challenge = octets('503677524A323146')

describe('The answer to a challenge', () => {
  it('is what both vectors say, and is taken back as such', { skip: noVectors }, async () => {
    const found = vectors('hls-gmac')
    assert.equal(found.length, 2)
    for (const { id, given, expect } of found) {
      const { glo } = hold({ guek: octets(given.key!), ak: octets(given.ak!) })
      const title = octets(given.systemTitle!)
      const value = Number(`0x${given.ic}`)
      const asked = octets(given.challenge!)
      const answer = answerChallenge(glo, await counterAt(glo.key, title, value), asked)
      assert.equal(upper(answer), expect.value, id)
      assert.equal(checkAnswer(glo, answer, asked, { title, floor: newFloor() }), value, id)
    }
  })

  it('is wrong for another challenge, key, title, counter or security control', async () => {
    const { glo } = hold()
    const answer = answerChallenge(glo, await counterAt(glo.key, server, 9), challenge)
    const from = { title: server, floor: newFloor() }
    assert.equal(checkAnswer(glo, answer, challenge, from), 9)
    for (let at = 0; at < answer.length; at++) {
      const bad = Buffer.from(answer)
      bad[at]! ^= 0x01
      assert.throws(() => checkAnswer(glo, bad, challenge, from), refused('DLMS_HLS'), `octet ${at}`)
    }
    const { glo: otherGuek } = hold({ guek: example.dk })
    const { glo: otherAk } = hold({ ak: example.dk })
    for (const keys of [otherGuek, otherAk]) {
      assert.throws(() => checkAnswer(keys, answer, challenge, from), refused('DLMS_HLS'))
    }
    assert.throws(
      () =>
        checkAnswer(
          glo,
          answer,
          makeChallenge(n => Buffer.alloc(n)),
          from,
        ),
      refused('DLMS_HLS'),
    )
    assert.throws(() => checkAnswer(glo, answer, challenge, { ...from, title: client }), refused('DLMS_HLS'))
    for (const bad of [answer.subarray(1), Buffer.concat([answer, answer]), Buffer.alloc(0)]) {
      assert.throws(() => checkAnswer(glo, bad, challenge, from), refused('DLMS_LENGTH'))
    }
    const late = { ...from, floor: { lowest: 10, rule: 'greater' } } as const
    assert.throws(() => checkAnswer(glo, answer, challenge, late), refused('DLMS_COUNTER'))
  })

  it('is never made under a Dedicated Key', async () => {
    const { cipher, dk, ak } = hold()
    const counter = await counterAt(dk, client, 1)
    // @ts-expect-error: HLS uses the GUEK
    assert.ok(answerChallenge({ cipher, key: dk, ak }, counter, challenge), 'so the compiler says; see protect')
  })

  it('is not made for what reads like a request: it would be the tag of one', async () => {
    const { glo } = hold()
    for (const hex of [
      'C0010000080000010000FF0200',
      'C301C1004000002B0000FF02010101020202160209',
      'C101C1000800000100',
      'C003C10200080000010000FF0200',
      '01000000065F1F0400221E5DFFFF',
      '01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0',
    ]) {
      // Long enough to be a challenge at all.
      const asked = Buffer.concat([octets(hex), Buffer.alloc(Math.max(0, 8 - hex.length / 2))])
      const counter = await counterAt(glo.key, client, 1)
      assert.throws(() => answerChallenge(glo, counter, asked), refused('DLMS_CHALLENGE_IS_APDU'), hex)
    }
  })

  it('would be the tag of an APDU that is authenticated only, if the request were answered', async () => {
    const { cipher, guek, ak, glo } = hold()
    const made = protect(glo, await counterAt(guek, server, 5), plain, { protection: 'authenticated' })
    const bare = cipher.authenticate(guek, ak, await counterAt(guek, server, 5), 0x10, plain)
    assert.equal(upper(bare), upper(made.subarray(-12)))
  })
})

describe('A challenge', () => {
  it('is 8 to 64 octets', () => {
    for (const length of [8, 16, 64]) {
      checkAnswerable(makeChallenge(n => Buffer.alloc(n, 0x55), length))
    }
    for (const length of [0, 7, 65]) {
      assert.throws(() => makeChallenge(n => Buffer.alloc(n), length), RangeError)
      assert.throws(() => checkAnswerable(Buffer.alloc(length, 0x55)), refused('DLMS_CHALLENGE_LENGTH'))
    }
  })

  it('of the peer is not our own', () => {
    checkPeerChallenge(challenge, Buffer.alloc(16, 0x55))
    assert.throws(() => checkPeerChallenge(challenge, Buffer.from(challenge)), refused('DLMS_CHALLENGE_REFLECTED'))
  })

  it('that is random is answered', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 64, size: 'max' }), checkAnswerable), {
      numRuns: 2000,
      // One in 470,000 is not: the same ones each time.
      seed: 1,
    })
  })
})
