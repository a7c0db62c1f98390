import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../src/ground/bytes.ts'
import { readGeneralNames, readKeyUsage } from '../src/ground/x509/extensions.ts'
import { oids } from '../src/ground/x509/names.ts'
import { readRequest } from '../src/ground/x509/request.ts'
import { noOpenssl, openssl } from '../test/outside.ts'
import { csrWith, type Device, makeDeviceCsr, makeKeyPair, spkiOf } from './device.ts'
import { accepted, refused } from './peculiar.ts'

const device: Device = { deviceId: 'a1b2c3d4e5f60718', usage: 'digitalSignature' }

/** What OpenSSL says of a request: that it is well signed, that it is not, or why it is no request. */
function verdict(csr: Buffer): 'signed' | 'not signed' | 'no request' {
  const { says } = openssl(['req', '-inform', 'DER', '-verify', '-noout'], csr)
  return /verify OK/.test(says) ? 'signed' : /Unable to load/.test(says) ? 'no request' : 'not signed'
}

describe('A simulated Device', () => {
  it('asks for what it was told to, with the key that it gives', () => {
    const hex = fc.stringMatching(/^[0-9a-f]{16}$/)
    const usages = fc.constantFrom('digitalSignature', 'keyAgreement')
    fc.assert(
      fc.property(
        hex,
        usages,
        fc.option(fc.constant('1.2.826.0.1.99'), { nil: undefined }),
        (deviceId, usage, hwType) => {
          const { csr, publicKey } = makeDeviceCsr({ deviceId, usage, ...(hwType && { hwType }) })
          const request = readRequest(csr)
          assert.deepEqual([request.version, toHex(request.subject.der)], [0, '3000'])
          assert.deepEqual(
            request.extensions.map(({ oid, critical }) => [oid, critical]),
            [
              [oids.keyUsage, true],
              [oids.subjectAltName, true],
            ],
          )
          assert.deepEqual(readKeyUsage(request.extensions[0]!.value), [usage])
          const [name, ...more] = readGeneralNames(request.extensions[1]!.value)
          assert.ok(name?.kind === 'hardwareModuleName' && more.length === 0)
          assert.equal(toHex(name.hwSerialNum), deviceId)
          if (hwType) assert.equal(name.hwType, hwType)
          assert.deepEqual(Buffer.from(request.publicKey.spki), publicKey.export({ format: 'der', type: 'spki' }))
          assert.ok(verify('sha256', request.tbs, publicKey, request.signature))
        },
      ),
    )
  })

  it('has a new key pair each time, unless it is given one', () => {
    const keyPair = makeKeyPair()
    const spki = (one: Device) => toHex(readRequest(makeDeviceCsr(one).csr).publicKey.spki)
    assert.notEqual(spki(device), spki(device))
    assert.equal(spki({ ...device, keyPair }), toHex(spkiOf(keyPair.publicKey)))
  })

  it('is believed by OpenSSL', { skip: noOpenssl }, () => {
    for (const usage of ['digitalSignature', 'keyAgreement'] as const)
      assert.equal(verdict(makeDeviceCsr({ ...device, usage }).csr), 'signed')
  })

  it('is refused a Device ID of another length, or of other characters', () => {
    for (const deviceId of ['', 'a1b2', 'a1b2c3d4e5f6071', 'a1b2c3d4e5f607180', 'g1b2c3d4e5f60718'])
      assert.throws(() => makeDeviceCsr({ ...device, deviceId }), RangeError, deviceId)
  })
})

describe('A peculiar request', () => {
  it('differs from a good one and from every other', () => {
    const keyPair = makeKeyPair()
    const all = Object.values({ ...refused, ...accepted }).map(make => make({ ...device, keyPair }))
    assert.ok(all.length > 35)
    assert.equal(new Set(all.map(toHex)).size, all.length)
    assert.ok(!all.map(toHex).includes(toHex(csrWith({ ...device, keyPair }))))
  })

  it('is well signed unless its name says otherwise, so that it is refused for its one reason', {
    skip: noOpenssl,
  }, () => {
    const otherwise: Partial<Record<keyof typeof refused, string>> = {
      'the point is off the curve': 'not signed',
      'the point is at infinity': 'not signed',
      'the signature is bad': 'not signed',
      'the signature is by another key': 'not signed',
      'the signature value is not in the fewest octets': 'not signed',
      'the request is cut short': 'no request',
      'there are no octets': 'no request',
    }
    for (const [name, make] of Object.entries({ ...refused, ...accepted })) {
      const expected = otherwise[name as keyof typeof refused] ?? 'signed'
      assert.equal(verdict(make(device)), expected, name)
    }
  })
})
