import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bytes, toHex } from '../bytes.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import {
  BadNote,
  type NoteSigner,
  openNote,
  parseVerifierKey,
  signNote,
  verifierKey,
  verifierKeyText,
} from './note.ts'
import { pkcs8, roots } from './testing.ts'

// Keys, text and signatures of Go's golang.org/x/mod/sumdb/note, note_test.go.
const peterKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const peterSecret = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const enochKey = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop'
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterLine =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const enochLine =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'

const peter = parseVerifierKey(peterKey)
const enoch = parseVerifierKey(enochKey)
const signer = signerOf('PeterNeumann', Buffer.from(peterSecret, 'base64').subarray(1), peter.publicKey)

describe('a verifier key', () => {
  it('is the text that Go reads, and back', () => {
    assert.equal(peter.name, 'PeterNeumann')
    assert.equal(toHex(peter.keyId), 'c74f20a3')
    assert.equal(verifierKeyText(verifierKey('PeterNeumann', peter.publicKey)), peterKey)
    assert.equal(verifierKeyText(enoch), enochKey)
  })

  it('is refused in every mangled form', () => {
    let mangled = 0
    const refused = (key: string) => {
      mangled += 1
      assert.throws(() => parseVerifierKey(key), RangeError, key)
    }
    for (let from = 0; from <= peterKey.length; from++) {
      for (let to = from + 1; to <= peterKey.length; to++)
        if (to - from < peterKey.length) refused(peterKey.slice(from, to))
    }
    for (let at = 0; at < peterKey.length; at++) {
      refused(peterKey.slice(0, at) + String.fromCharCode(peterKey.charCodeAt(at) + 1) + peterKey.slice(at + 1))
    }
    // A key of the wrong length, and one of an unknown algorithm, each with the key ID that goes with it.
    refused('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==')
    refused('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
    assert.ok(mangled > 2000)
  })

  it('has a name without spaces, plus and control characters', () => {
    for (const name of ['', 'a b', 'a+b', 'a\tb', 'a\nb', 'a\u00a0b', 'a\u2003b', 'a\u0085b', '\ud800']) {
      assert.throws(() => verifierKey(name, peter.publicKey), RangeError, JSON.stringify(name))
    }
    assert.equal(verifierKey('smki.example/journal', peter.publicKey).name, 'smki.example/journal')
    assert.throws(() => verifierKey('a', peter.publicKey.subarray(1)), RangeError)
  })
})

describe('a signed note', () => {
  it('is octet for octet the one that Go signs', async () => {
    assert.equal(await signNote(text, signer), `${text}\n${peterLine}`)
  })

  it('opens when a trusted key signed it, and says which', () => {
    assert.deepEqual(openNote(`${text}\n${peterLine}${enochLine}`, [peter]), { text, signedBy: [peter] })
    assert.deepEqual(openNote(`${text}\n${peterLine}${enochLine}`, [enoch, peter]), {
      text,
      signedBy: [peter, enoch],
    })
    assert.deepEqual(openNote(`${text}\n${peterLine}${peterLine}`, [peter]).signedBy, [peter])
    const poem = 'one\n\n\ntwo\n'
    const line = `\n${peterLine}`
    assert.throws(() => openNote(poem + line, [peter]), /is wrong/, 'the signature is of another text')
  })

  it('may have empty lines in its text', async () => {
    assert.equal(openNote(await signNote('one\n\ntwo\n', signer), [peter]).text, 'one\n\ntwo\n')
  })

  it('is refused when no trusted key signed it', () => {
    for (const keys of [[], [enoch]]) assert.throws(() => openNote(`${text}\n${peterLine}`, keys), /no trusted key/)
    const namesake = verifierKey('PeterNeumann', enoch.publicKey)
    assert.throws(() => openNote(`${text}\n${peterLine}`, [namesake]), /no trusted key/)
    assert.deepEqual(openNote(`${text}\n${peterLine}`, [namesake, peter]).signedBy, [peter])
    const renamed = peterLine.replace('PeterNeumann', 'CarmenSandiego')
    assert.throws(() => openNote(`${text}\n${renamed}`, [peter]), /no trusted key/)
  })

  it('is refused when a trusted key did not sign it, whoever else did', () => {
    const wrong = enochLine.replace('rwz+eBzm', 'rwz+eBzn')
    assert.throws(() => openNote(`${text}\n${peterLine}${wrong}`, [peter, enoch]), /EnochRoot\+af0cfe78 is wrong/)
    assert.deepEqual(openNote(`${text}\n${peterLine}${wrong}`, [peter]).signedBy, [peter])
    const long = peterLine.replace('JnAM=', 'JnAMA')
    assert.throws(() => openNote(`${text}\n${long}`, [peter]), /PeterNeumann\+c74f20a3 is wrong/)
  })

  it('is refused when it is malformed', () => {
    const bad = [
      '',
      '\n',
      '\n\n',
      text,
      `${text}\n`,
      `${text}${peterLine}`,
      `\n${peterLine}`,
      `${text}\n${peterLine.slice(0, -1)}`,
      `\u0001${text}\n${peterLine}`,
      `\t${text}\n${peterLine}`,
      `${text.replace('\n', '\r\n')}\n${peterLine}`,
      `\ud800${text}\n${peterLine}`,
      `${text}\n${peterLine}Unexpected line.\n`,
      `${text}\n${peterLine.replace('PeterNeumann', 'Bad Name')}`,
      `${text}\n${peterLine.replace('PeterNeumann', 'Bad+Name')}`,
      `${text}\n${peterLine.replace('— ', '- ')}`,
      `${text}\n${peterLine.replace('=', '')}`,
      `${text}\n${peterLine.replace('AM=', 'AN=')}`,
      `${text}\n— PeterNeumann x08gow==\n`,
      `${text}\n${peterLine.repeat(101)}`,
      `${'x'.repeat(1_000_000)}\n\n${peterLine}`,
    ]
    for (const note of bad) {
      const malformed = (error: Error) => error instanceof BadNote && error.message === 'not a signed note'
      assert.throws(() => openNote(note, [peter]), malformed, note.slice(0, 300))
    }
  })

  it('is not made of what no note can hold, nor with the wrong key', async () => {
    for (const wrong of ['', 'no newline', 'a\tb\n', 'a\r\n', '\ud800\n']) {
      await assert.rejects(signNote(wrong, signer), RangeError)
    }
    await assert.rejects(signNote(text, { ...signer, publicKey: enoch.publicKey }), /does not hold the key/)
    await assert.rejects(signNote(text, { ...signer, sign: () => Buffer.alloc(63) }), /does not hold the key/)
    await assert.rejects(signNote(text, { ...signer, name: 'a b' }), RangeError)
  })
})

describe('a checkpoint', () => {
  const root = roots[7]!

  it('is three lines and a signature, as tlog-checkpoint has it', async () => {
    const note = await signCheckpoint(8, root, signer)
    const [body, signature] = note.split('\n\n')
    assert.equal(body, 'PeterNeumann\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=')
    assert.match(signature!, /^— PeterNeumann x08go\S+=\n$/)
    assert.deepEqual(openCheckpoint(note, [peter]), { origin: 'PeterNeumann', size: 8, root })
  })

  it('is refused when its text is no checkpoint, or is of another log', async () => {
    const base64 = Buffer.from(root).toString('base64')
    const signed = (body: string) => signNote(body, signer)
    assert.equal(openCheckpoint(await signed(`PeterNeumann\n8\n${base64}\n`), [peter]).size, 8)
    for (const body of [
      `OtherLog\n8\n${base64}\n`,
      `PeterNeumann\n08\n${base64}\n`,
      `PeterNeumann\n-8\n${base64}\n`,
      `PeterNeumann\n8.0\n${base64}\n`,
      `PeterNeumann\n9999999999999999\n${base64}\n`,
      `PeterNeumann\n8\n${base64.replace('yg=', 'yh=')}\n`,
      `PeterNeumann\n8\n${base64.slice(4)}\n`,
      `PeterNeumann\n8\n${base64}\nextension\n`,
      `PeterNeumann\n8\n`,
      text,
    ]) {
      await assert.rejects(async () => openCheckpoint(await signed(body), [peter]), BadNote, body)
    }
  })

  it('is refused with any one octet of it changed', async () => {
    const note = Buffer.from(await signCheckpoint(8, root, signer))
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const octets = Buffer.from(note)
        octets[at]! ^= change
        assert.throws(() => openCheckpoint(octets.toString(), [peter]), BadNote)
      }),
    )
  })
})

function signerOf(name: string, seed: Bytes, publicKey: Bytes): NoteSigner {
  const key = createPrivateKey({ key: pkcs8(seed), format: 'der', type: 'pkcs8' })
  return { name, publicKey, sign: octets => sign(null, octets, key) }
}
