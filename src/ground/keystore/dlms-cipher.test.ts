import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { memoryLedger, sendingCounters } from '../dlms/counter.ts'
import { example, hold, noVectors, octets, refused, upper, vectors } from '../dlms/testing.ts'
import { type DlmsCipher, Opened, softwareDlmsCipher } from './dlms-cipher.ts'

const title = example.client
const iv = (counter: number) => Buffer.concat([title, Buffer.of(0, 0, 0, counter)])
const counters = () => sendingCounters(memoryLedger())
const text = octets('C001C1000100002B0100FF0200')

describe('The key wrap', () => {
  it('is what both vectors say, and gives the key back', { skip: noVectors }, () => {
    const found = vectors('key-wrap')
    assert.equal(found.length, 2)
    for (const { id, given, expect } of found) {
      const cipher = softwareDlmsCipher()
      const mk = cipher.hold('MK', 'mk', octets(given.kek!))
      const wrapped = cipher.wrap(mk, cipher.hold('AK', 'ak', octets(given.key!)))
      assert.equal(upper(wrapped), expect.wrapped, id)
      // The key itself is not to be had; that it is the same shows in what it does.
      const asMk = cipher.unwrap(mk, wrapped, 'MK', 'as an MK')
      const held = cipher.hold('MK', 'held', octets(given.key!))
      assert.deepEqual(cipher.wrap(asMk, mk), cipher.wrap(held, mk), id)
    }
  })

  it('does not open when an octet was changed, under another MK, or at another length', () => {
    const cipher = softwareDlmsCipher()
    const mk = cipher.hold('MK', 'mk', example.guek)
    const wrapped = cipher.wrap(mk, cipher.hold('GUEK', 'guek', example.dk))
    assert.equal(cipher.unwrap(mk, wrapped, 'GUEK', 'again').type, 'GUEK')
    for (let at = 0; at < 24; at++) {
      const bad = Buffer.from(wrapped)
      bad[at]! ^= 0x80
      assert.throws(() => cipher.unwrap(mk, bad, 'GUEK', 'no'), refused('DLMS_WRAP'))
    }
    const other = cipher.hold('MK', 'other', example.ak)
    assert.throws(() => cipher.unwrap(other, wrapped, 'GUEK', 'no'), refused('DLMS_WRAP'))
    for (const length of [0, 8, 16, 23, 25, 32]) {
      assert.throws(() => cipher.unwrap(mk, Buffer.alloc(length), 'GUEK', 'no'), refused('DLMS_WRAP'))
    }
  })
})

describe('A Device key', () => {
  it('is taken where it is due and nowhere else: the compiler says so, and the cipher too', async () => {
    const { cipher, guek, ak, dk } = hold()
    const mk = cipher.hold('MK', 'mk', example.guek)
    const counter = await counters().take(guek, title)
    const due = /a key of type \w+ where/
    // @ts-expect-error: an AK is never a cipher key
    assert.throws(() => cipher.seal(ak, ak, counter, 0x30, text), due)
    // @ts-expect-error: a GUEK is no AK
    assert.throws(() => cipher.seal(guek, guek, counter, 0x30, text), due)
    // @ts-expect-error: an MK wraps, and does nothing else
    assert.throws(() => cipher.decipher(mk, iv(0), text), due)
    // @ts-expect-error: only an MK wraps
    assert.throws(() => cipher.wrap(guek, ak), due)
    // @ts-expect-error: a Dedicated Key is not transferred
    assert.throws(() => cipher.wrap(mk, dk), due)
    const another = await counters().take(guek, title)
    // @ts-expect-error: no other key stands in a text
    assert.throws(() => cipher.encipher(guek, another, [text, mk]), due)
    // @ts-expect-error: what looks like a key is none
    assert.throws(() => cipher.wrap({ type: 'MK', id: 'mk', close() {} }, ak), TypeError)
  })

  it('of another key store is not taken', () => {
    class Elsewhere extends Opened<'MK'> {
      close(): void {}
    }
    const cipher: DlmsCipher = softwareDlmsCipher()
    const { ak } = hold()
    assert.throws(() => cipher.wrap(new Elsewhere('MK', 'mk'), ak), /another key store/)
  })

  it('is zeroed when it is closed, and every use after that is a fault', async () => {
    const cipher = softwareDlmsCipher()
    const octetsOf = Buffer.from(example.guek)
    const guek = cipher.hold('GUEK', 'guek', octetsOf)
    const ak = cipher.hold('AK', 'ak', example.ak)
    assert.deepEqual(octetsOf, Buffer.from(example.guek), 'the buffer stays the caller’s')
    octetsOf.fill(0xff)
    const before = cipher.seal(guek, ak, await counters().take(guek, title), 0x30, text)
    assert.deepEqual(cipher.open(guek, ak, iv(0), 0x30, before), text)
    guek.close()
    guek.close()
    const counter = await counters().take(guek, title)
    assert.throws(() => cipher.seal(guek, ak, counter, 0x30, text), /was closed/)
    assert.throws(() => cipher.open(guek, ak, iv(0), 0x30, before), /was closed/)
  })

  it('shows nothing of itself in a log, a message or JSON', () => {
    const { guek, cipher } = hold()
    const hidden = upper(example.guek)
    for (const shown of [inspect(guek, { depth: 9, showHidden: true }), JSON.stringify(guek), inspect(cipher)]) {
      assert.ok(!shown.replaceAll(/[ ,]/g, '').toUpperCase().includes(hidden.slice(8, 16)), shown)
    }
    assert.deepEqual(Object.keys(guek), ['type', 'id'])
  })

  it('is 16 octets, and has a name', () => {
    const cipher = softwareDlmsCipher()
    for (const length of [0, 15, 17, 24, 32]) {
      assert.throws(() => cipher.hold('AK', 'ak', Buffer.alloc(length)), RangeError)
    }
    assert.throws(() => cipher.hold('AK', '', Buffer.alloc(16)), RangeError)
  })
})

describe('The cipher', () => {
  it('gives nothing out when the tag is wrong, too short or missing', async () => {
    const { cipher, guek, ak } = hold()
    const sealed = cipher.seal(guek, ak, await counters().take(guek, title), 0x30, text)
    assert.deepEqual(cipher.open(guek, ak, iv(0), 0x30, sealed), text)
    for (const bad of [sealed.subarray(0, -1), sealed.subarray(0, 11), Buffer.alloc(0)]) {
      assert.throws(() => cipher.open(guek, ak, iv(0), 0x30, bad), refused('DLMS_TAG'))
    }
    assert.throws(() => cipher.open(guek, ak, iv(0), 0x10, sealed), refused('DLMS_TAG'))
    const tag = cipher.authenticate(guek, ak, await counters().take(guek, title), 0x10, text)
    cipher.verify(guek, ak, iv(0), 0x10, text, tag)
    // GCM has tags of 4 to 16 octets: a short one would be a guess in 2^32.
    for (const bad of [
      tag.subarray(0, 4),
      tag.subarray(0, 8),
      Buffer.alloc(12),
      Buffer.alloc(16),
      Buffer.alloc(0),
    ]) {
      assert.throws(() => cipher.verify(guek, ak, iv(0), 0x10, text, bad), refused('DLMS_TAG'))
    }
  })

  it('puts a Dedicated Key into a text without giving it out', async () => {
    const { cipher, guek, ak, dk } = hold()
    const parts = [octets('01 01 10'), dk, octets('00')]
    const sealed = cipher.seal(guek, ak, await counters().take(guek, title), 0x30, parts)
    assert.equal(upper(cipher.open(guek, ak, iv(0), 0x30, sealed)), `010110${upper(example.dk)}00`)
  })

  it('is named on what it did', () => {
    assert.equal(softwareDlmsCipher('dco').identity, 'software:dlms:dco')
  })
})
