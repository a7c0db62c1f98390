import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { makeDeviceCsr } from '../../../../simulator/device.ts'
import { toPem } from '../../../ground/x509/pem.ts'
import { readForm, requireNoKey } from './form.ts'

describe('a form', () => {
  it('gives text by field, without the white space around it, but for what is secret', () => {
    const form = readForm(Buffer.from('a=+x+&a=y&secret=+z'))
    assert.equal(form.text('a'), 'x')
    assert.deepEqual(form.all('a'), [' x ', 'y'])
    assert.equal(form.secret('secret'), ' z')
    assert.equal(form.text('missing'), '')
    assert.throws(() => readForm(Buffer.from([0x61, 0x3d, 0xff])), { code: 'FORM_UNFIT' })
  })

  it('is refused with a private key in it, in whichever of the forms that OpenSSL writes', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const kinds = [
      [ec, 'pkcs8'],
      [ec, 'sec1'],
      [rsa, 'pkcs8'],
      [rsa, 'pkcs1'],
    ] as const
    for (const [key, form] of kinds) {
      const pem = key.export({ format: 'pem', type: form as 'pkcs8' }).toString()
      const der = key.export({ format: 'der', type: form as 'pkcs8' })
      for (const text of [
        pem,
        `words before\r\n${pem.replaceAll('\n', '\r\n')}`,
        der.toString('base64'),
        der.toString('base64').replace(/.{64}/g, '$&\n'),
      ]) {
        assert.throws(() => requireNoKey(text), { code: 'PRIVATE_KEY' }, form)
        assert.throws(() => readForm(Buffer.from(new URLSearchParams({ csr: text }).toString())), {
          code: 'PRIVATE_KEY',
        })
      }
    }
    const locked = ec.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
    assert.throws(() => requireNoKey(locked), { code: 'PRIVATE_KEY' })
    assert.throws(() => requireNoKey('-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA'), {
      code: 'PRIVATE_KEY',
    })
  })

  it('takes a request and a certificate for no private key', () => {
    const { csr } = makeDeviceCsr({ deviceId: '02d4000000000001', usage: 'digitalSignature' })
    for (const text of [toPem('CERTIFICATE REQUEST', csr), csr.toString('base64'), 'my private key is at home', ''])
      requireNoKey(text)
  })
})
