import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toPem } from '../x509/pem.ts'
import { type KeyPair, makeKeyPair } from './pair.ts'
import { writePkcs12 } from './pkcs12.ts'

const chance = (length: number) => randomFillSync(new Uint8Array(length))
const password = Buffer.from('a PIN, 1234')

describe('a PKCS #12 file', () => {
  let folder: string
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })
  const file = (name: string, octets: Uint8Array) => writeFileSync(join(folder, name), octets)

  /** Self-signed by OpenSSL: what stands in it is not of our making. */
  function certificateOf(pair: KeyPair, name: string): Buffer {
    file('key.pem', pair.pem())
    openssl('req', '-x509', '-new', '-key', 'key.pem', '-subj', `/CN=${name}`, '-outform', 'DER', '-out', 'crt.der')
    return execFileSync('cat', ['crt.der'], { cwd: folder })
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'opensmki-pkcs12-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const kind of ['RSA-2048', 'P-256'] as const) {
    it(`of a key of kind ${kind} is read by OpenSSL, with its certificates and their names`, () => {
      const pair = makeKeyPair(kind)
      const own = certificateOf(pair, 'own')
      const authority = certificateOf(makeKeyPair('P-256'), 'authority')
      const made = writePkcs12({
        pair,
        certificates: [own, authority],
        friendlyName: 'p-0123 (test)',
        password,
        chance,
        iterations: 2048,
      })
      file('token.p12', made)
      const read = openssl('pkcs12', '-in', 'token.p12', '-passin', `pass:${password}`, '-nodes')
      assert.match(read, /friendlyName: p-0123 \(test\)/)
      for (const one of [own, authority]) assert.ok(read.includes(toPem('CERTIFICATE', one)))
      const key = createPrivateKey(read.slice(read.indexOf('-----BEGIN PRIVATE KEY')))
      assert.deepEqual(
        createPublicKey(key).export({ format: 'der', type: 'spki' }),
        Buffer.from(pair.publicKey),
        'the key is the one that was put in',
      )
      const ids = [...read.matchAll(/localKeyID: ((?:[0-9A-F]{2} ){20})/g)].map(([, id]) => id)
      assert.equal(ids.length, 2, 'the key and its certificate are told by one identifier')
      assert.equal(ids[0], ids[1])
    })
  }

  it('is sealed and enciphered by what RFC 8018 and RFC 7292 name, as OpenSSL says', () => {
    const pair = makeKeyPair('P-256')
    const made = writePkcs12({
      pair,
      certificates: [certificateOf(pair, 'own')],
      friendlyName: 'x',
      password,
      chance,
      iterations: 2048,
    })
    file('token.p12', made)
    const said = execFileSync(
      'sh',
      ['-c', `openssl pkcs12 -info -noout -in token.p12 -passin 'pass:${password}' 2>&1`],
      { cwd: folder, encoding: 'utf8' },
    )
    assert.match(said, /MAC: sha256, Iteration 2048/)
    assert.equal(said.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256/g)?.length, 2, said)
    assert.ok(!made.includes(pair.pkcs8().subarray(-32)))
    // Salts and IVs are new each time.
    assert.notDeepEqual(made, writePkcs12({ ...again(pair), certificates: [certificateOf(pair, 'own')] }))
  })

  it('does not open with another password, and not when an octet of it was changed', () => {
    const pair = makeKeyPair('P-256')
    const made = writePkcs12({ ...again(pair), certificates: [certificateOf(pair, 'own')] })
    const opens = (octets: Uint8Array, pass: string) => {
      file('token.p12', octets)
      const { status } = execStatus(folder, pass)
      return status === 0
    }
    assert.ok(opens(made, String(password)))
    assert.ok(!opens(made, 'a PIN, 1235'))
    for (const at of [80, Math.floor(made.length / 2), made.length - 60]) {
      const changed = Buffer.from(made)
      changed[at]! ^= 1
      assert.ok(!opens(changed, String(password)), `octet ${at}`)
    }
  })

  it('is not made for a password or a name that programs read in different ways, nor without a certificate', () => {
    const pair = makeKeyPair('P-256')
    const certificates = [certificateOf(pair, 'own')]
    for (const wrong of [
      { password: Buffer.from('123') },
      { password: Buffer.from('pässword') },
      { password: Buffer.alloc(129, 0x61) },
      { friendlyName: 'Zoë' },
      { certificates: [] },
    ]) {
      assert.throws(() => writePkcs12({ ...again(pair), certificates, ...wrong }), RangeError)
    }
  })
})

function again(pair: KeyPair) {
  return { pair, friendlyName: 'x', password, chance, iterations: 2048 }
}

function execStatus(folder: string, pass: string): { status: number } {
  try {
    execFileSync('openssl', ['pkcs12', '-in', 'token.p12', '-passin', `pass:${pass}`, '-nodes'], {
      cwd: folder,
      stdio: 'pipe',
    })
    return { status: 0 }
  } catch (cause) {
    return { status: (cause as { status: number }).status }
  }
}
