/** Detached signatures: OpenSSL verifies what we sign and we what it signs; whatever octet is changed, neither holds. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../test/outside.ts'
import { signDetached, verifyDetached } from './cms.ts'
import { NotDer } from './der/read.ts'
import { readKeyPair } from './keystore/pair.ts'
import { Refusal } from './refusal.ts'
import { readCertificate } from './x509/certificate.ts'
import { readPem } from './x509/pem.ts'

describe('A detached signature', { skip: noOpenssl }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-cms-'))
  const content = Buffer.from('fileType,version\r\nnotification,1.0\r\n')
  let made: Buffer
  const at = (name: string) => join(folder, name)
  before(() => {
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('key'), '-out', at('crt')]
    assert.ok(openssl([...request, '-subj', '/O=Test/CN=files', '-days', '30', '-sha256']).ok)
    const certificate = readCertificate(readPem(readFileSync(at('crt'), 'latin1'))[0]!.der)
    const pair = readKeyPair(readFileSync(at('key')))
    made = signDetached(content, {
      certificate,
      sign: octets => pair.sign(octets),
      at: new Date('2026-11-20T10:00:00.5Z'),
    })
    writeFileSync(at('content'), content)
    writeFileSync(at('signature'), made)
  })
  after(() => rmSync(folder, { recursive: true }))

  it('of ours is verified by OpenSSL', () => {
    const verify = [
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      at('signature'),
      '-content',
      at('content'),
    ]
    const found = openssl([...verify, '-CAfile', at('crt'), '-purpose', 'any', '-out', at('out')])
    assert.ok(found.ok, found.says)
    writeFileSync(at('other'), `${content}x`)
    assert.ok(!openssl(verify.with(-1, at('other')).concat('-CAfile', at('crt'), '-purpose', 'any')).ok)
  })

  it('of OpenSSL is verified by us', () => {
    const sign = ['cms', '-sign', '-binary', '-outform', 'DER', '-in', at('content'), '-signer', at('crt')]
    assert.ok(openssl([...sign, '-inkey', at('key'), '-nosmimecap', '-md', 'sha256', '-out', at('theirs')]).ok)
    const { certificate, signedAt } = verifyDetached(readFileSync(at('theirs')), content)
    assert.equal(certificate.publicKey.kind, 'RSA')
    assert.ok(signedAt)
  })

  it('says when it was made, and does not hold for other content', () => {
    assert.equal(verifyDetached(made, content).signedAt?.toISOString(), '2026-11-20T10:00:00.000Z')
    assert.throws(() => verifyDetached(made, Buffer.concat([content, Buffer.of(0)])), { code: 'CMS_SIGNATURE' })
  })

  it('never holds with an octet changed in what is signed, and never breaks anything', () => {
    let refused = 0
    fc.assert(
      fc.property(fc.nat(made.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const other = Buffer.from(made)
        other[place]! ^= change
        try {
          verifyDetached(other, content)
        } catch (cause) {
          assert.ok(cause instanceof Refusal || cause instanceof NotDer, String(cause))
          refused++
        }
      }),
      { numRuns: 300 },
    )
    // Octets of the certificate that do not concern its key are not ours to judge here.
    assert.ok(refused > 100, `${refused} of 300`)
  })
})
