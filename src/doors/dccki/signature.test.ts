import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { Refusal } from '../../ground/refusal.ts'
import { readCertificate } from '../../ground/x509/certificate.ts'
import { readPem } from '../../ground/x509/pem.ts'
import { readParts } from './multipart.ts'
import { readDetached, signatureHolds } from './signature.ts'

describe('a detached signature', { skip: noOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-cms-'))
  const message = Buffer.from('a message of a system')
  let signature: Buffer
  let spki: Uint8Array
  const run = (...args: string[]) => {
    const { ok, says } = openssl(args, '', folder)
    assert.ok(ok, says)
  }
  const sign = (...more: string[]) => {
    const how = ['-binary', '-outform', 'DER', '-out', 'cms', '-signer', 'crt', '-inkey', 'key']
    run('cms', '-sign', '-in', 'message', ...how, ...(more.includes('-md') ? [] : ['-md', 'sha256']), ...more)
    return readFileSync(join(folder, 'cms'))
  }
  before(() => {
    writeFileSync(join(folder, 'message'), message)
    run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key')
    run('req', '-x509', '-new', '-key', 'key', '-subj', '/CN=signer', '-days', '1', '-out', 'crt')
    spki = readCertificate(readPem(readFileSync(join(folder, 'crt'), 'utf8'))[0]!.der).publicKey.spki
    signature = sign('-nocerts')
  })
  after(() => rmSync(folder, { recursive: true }))

  const read = (octets: Buffer) => readDetached(octets.toString('base64'))

  it("of OpenSSL's holds over its message, with certificates in it or without", () => {
    for (const one of [signature, sign(), sign('-nosmimecap')]) assert.ok(signatureHolds(read(one), message, spki))
  })

  it('holds over no other message, and by no other key', () => {
    fc.assert(
      fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const other = Buffer.from(message)
        other[at]! ^= change
        assert.ok(!signatureHolds(read(signature), other, spki))
      }),
    )
    run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key2')
    run('pkey', '-in', 'key2', '-pubout', '-outform', 'DER', '-out', 'spki2')
    assert.ok(!signatureHolds(read(signature), message, readFileSync(join(folder, 'spki2'))))
  })

  it('is read or refused, whichever one octet of it was changed, and what is signed never changes unseen', () => {
    const good = read(signature)
    let refused = 0
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const broken = Buffer.from(signature)
        broken[at]! ^= change
        try {
          const found = read(broken)
          const same = [found.signed, found.digest, found.signature].every((octets, i) =>
            Buffer.from(octets).equals([good.signed, good.digest, good.signature][i]!),
          )
          assert.equal(signatureHolds(found, message, spki), same)
        } catch (cause) {
          if (!(cause instanceof Refusal)) throw cause
          assert.equal(cause.code, 'SIGNATURE_UNFIT')
          refused++
        }
      }),
      { numRuns: 300 },
    )
    assert.ok(refused > 50, `${refused} of 300`)
  })

  it('of another form is refused', () => {
    for (const args of [['-noattr'], ['-nodetach'], ['-keyid'], ['-md', 'sha384']])
      assert.throws(() => read(sign('-nocerts', ...args)), { code: 'SIGNATURE_UNFIT' }, args.join(' '))
    for (const text of ['', '!', `${signature.toString('base64')}=`, 'A'.repeat(20_000)])
      assert.throws(() => readDetached(text), { code: 'SIGNATURE_UNFIT' })
  })
})

describe('several requests in one message', () => {
  const part = (content: string) => `--b\r\nContent-Type: application/pkcs10\r\n\r\n${content}`
  const type = 'multipart/mixed; boundary="b"'
  const read = (text: string, atMost = 3) =>
    readParts(type, Buffer.from(text, 'latin1'), atMost).map(one => one.toString('latin1'))

  it('are read octet for octet, line ends within them too', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1, maxLength: 3 }), parts => {
        fc.pre(parts.every(one => !one.includes('\r\n--b')))
        assert.deepEqual(read(`${parts.map(part).join('\r\n')}\r\n--b--\r\n`), parts)
      }),
    )
  })

  it('are refused when they are too many, cut short, or of another type', () => {
    const all = `${['1', '2', '3', '4'].map(part).join('\r\n')}\r\n--b--`
    const wrong = [all, part('1'), `${part('1')}\r\n--b--x`, `x${part('1')}\r\n--b--`]
    wrong.push(`--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--`, '--b\r\n\r\n1\r\n--b--', '')
    for (const text of wrong) assert.throws(() => read(text), { code: 'MESSAGE_UNFIT' }, JSON.stringify(text))
    assert.throws(() => readParts('multipart/mixed', Buffer.from(all), 9), { code: 'MESSAGE_UNFIT' })
    assert.equal(read(all, 4).length, 4)
  })
})
