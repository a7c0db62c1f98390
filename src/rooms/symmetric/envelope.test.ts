import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { makeKeyPair } from '../../ground/keystore/pair.ts'
import { openAnswer, openMessage, sealAnswer, sealMessage } from './envelope.ts'
import type { Message } from './messages.ts'
import { readSigned, writeSigned } from './signed.ts'

const [s1sp, dco] = [makeKeyPair('P-256'), makeKeyPair('P-256')]
const signers = {
  s1sp: { name: 's1sp-1', sign: (octets: Uint8Array) => s1sp.sign(octets) },
  dco: { name: 'dco-1', sign: (octets: Uint8Array) => dco.sign(octets) },
}
const message: Message<'tell-device'> = {
  type: 'tell-device',
  id: '01'.repeat(16),
  at: '2026-11-20T09:00:00.000Z',
  device: '00005e9010000001',
}
const keyOf = (name: string) => (name === 's1sp-1' ? s1sp.publicKey : undefined)
const code = (code: string) => ({ name: 'Refusal', code })

describe('a message', () => {
  it('comes out as it went in', () => {
    const { by, question } = openMessage(sealMessage(message, signers.s1sp), keyOf)
    assert.equal(by, 's1sp-1')
    assert.deepEqual(question, { ...message, at: new Date(message.at) })
  })

  it('of nobody, of another, or changed in any octet, is refused, and nothing breaks', () => {
    const envelope = sealMessage(message, signers.s1sp)
    assert.throws(() => openMessage(sealMessage(message, signers.dco), keyOf), code('SENDER_UNKNOWN'))
    const borrowed = { ...signers.dco, name: 's1sp-1' }
    assert.throws(() => openMessage(sealMessage(message, borrowed), keyOf), code('MESSAGE_UNSIGNED'))
    fc.assert(
      fc.property(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(envelope)
        changed[at]! ^= change
        assert.throws(() => openMessage(changed, keyOf), { name: 'Refusal' })
      }),
      { numRuns: 300 },
    )
    for (const text of ['', '{}', '[]', 'null', '{"by":1}', '\ufeff{}']) {
      assert.throws(() => openMessage(Buffer.from(text), keyOf), code('MESSAGE_UNREADABLE'))
    }
    assert.throws(() => openMessage(Buffer.of(0xff, 0xfe), keyOf), code('MESSAGE_UNREADABLE'))
  })

  it('that is of no kind, has a field too many or too few, or none of its form, is refused', () => {
    const wrong = [
      { ...message, type: 'encrypt-block' },
      { ...message, key: '00' },
      { ...message, device: '00005E9010000001' },
      { ...message, device: undefined },
      { ...message, id: '01' },
      { ...message, at: 'yesterday' },
    ]
    for (const each of wrong) {
      const envelope = sealMessage(each as unknown as Message, signers.s1sp)
      assert.throws(() => openMessage(envelope, keyOf), code('MESSAGE_UNREADABLE'))
    }
  })

  it('is no answer, and an answer no message, nor is anything else that is signed either', () => {
    const as = (kind: Parameters<typeof writeSigned>[0]) => writeSigned(kind, message, signers.s1sp)
    for (const kind of ['answer', 'instruction', 'inherited keys', 'HSM Key package', 'HSM Key receipt'] as const) {
      assert.throws(() => openMessage(as(kind), keyOf), code('MESSAGE_UNSIGNED'))
    }
    const unreadable = () => assert.fail() as never
    assert.ok(!readSigned('answer', as('message'), unreadable).holds(s1sp.publicKey))
  })
})

describe('an answer', () => {
  const whose = { name: 'dco-1', publicKey: dco.publicKey }
  const content = { model: 'usual', title: null, keys: [] }

  it('comes out as it went in; a Refusal is thrown', () => {
    const done = sealAnswer({ id: message.id, ok: true, content }, signers.dco)
    assert.deepEqual(openAnswer(done, message, whose), content)
    const no = sealAnswer({ id: message.id, ok: false, code: 'DEVICE_UNKNOWN', says: 'so' }, signers.dco)
    assert.throws(() => openAnswer(no, message, whose), code('DEVICE_UNKNOWN'))
  })

  it('to another message, of another DCO, or of another form, is refused', () => {
    const other = sealAnswer({ id: '02'.repeat(16), ok: true, content }, signers.dco)
    assert.throws(() => openAnswer(other, message, whose), code('ANSWER_UNREADABLE'))
    const ours = sealAnswer({ id: message.id, ok: true, content }, { ...signers.s1sp, name: 'dco-1' })
    assert.throws(() => openAnswer(ours, message, whose), code('ANSWER_UNSIGNED'))
    const bent = sealAnswer({ id: message.id, ok: true, content: { record: '' } }, signers.dco)
    assert.throws(() => openAnswer(bent, message, whose), code('ANSWER_UNREADABLE'))
  })
})
