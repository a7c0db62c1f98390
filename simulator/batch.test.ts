import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { SaxesParser } from 'saxes'
import { toHex } from '../src/ground/bytes.ts'
import { readGeneralNames } from '../src/ground/x509/extensions.ts'
import { readRequest } from '../src/ground/x509/request.ts'
import { noOpenssl, openssl } from '../test/outside.ts'
import { type BatchItem, makeBatchXml, makeMany, type OneOfMany } from './batch.ts'
import { makeDeviceCsr } from './device.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('A batch', () => {
  const csr = Buffer.from([1, 2, 3, 4])

  it('is a SubmitCSRBatch document: ID, Version, and each request under its own ID, in order', async () => {
    const items = ['a', 'b-1', 'c'].map(id => ({ id, csr }))
    const text = Buffer.concat(await all(makeBatchXml(items, { id: 'one "two" & <three>\n' }))).toString()
    const parser = new SaxesParser({ xmlns: true })
    const seen: string[] = []
    parser.on('opentag', ({ name, attributes }) => seen.push(`${name} ${attributes.ID?.value ?? ''}`))
    parser.on('text', text => text.trim() && seen.push(text))
    parser.write(text).close()
    assert.deepEqual(seen, [
      'SubmitCSRBatch one "two" & <three>\n',
      'Version ',
      '1.0',
      'DeviceCSR a',
      'AQIDBA==',
      'DeviceCSR b-1',
      'AQIDBA==',
      'DeviceCSR c',
      'AQIDBA==',
    ])
  })

  it('is made in pieces, of which one is in memory however many requests there are', async () => {
    function* many(): Generator<BatchItem> {
      const { csr } = makeDeviceCsr({ deviceId: 'a1b2c3d4e5f60718', usage: 'keyAgreement' })
      for (let i = 0; i < 100_000; i++) yield { id: `x${i}`, csr }
    }
    let octets = 0
    let longest = 0
    for await (const piece of makeBatchXml(many(), { id: 'x' })) {
      octets += piece.length
      longest = Math.max(longest, piece.length)
    }
    assert.ok(octets > 40_000_000, `${octets} octets`)
    assert.ok(longest < 70_000, `${longest} octets in one piece`)
  })

  it('of nothing is a document too, though no schema takes it', async () => {
    assert.match(
      Buffer.concat(await all(makeBatchXml([], { id: 'x' }))).toString(),
      /<Version>1\.0<\/Version>\n<\/SubmitCSRBatch>\n$/,
    )
  })
})

describe('Many requests', () => {
  const many = { firstDeviceId: '00000000fffffe00', usages: ['digitalSignature', 'keyAgreement'] } as const

  it('are made on several threads and come in order, each Device with each usage and a key of its own', async () => {
    const made = await all(makeMany({ ...many, count: 2101, threads: 2 }))
    assert.equal(made.length, 2101)
    assert.equal(made[2100]!.deviceId, '000000010000021a')
    const keys = new Set<string>()
    for (const [i, { id, deviceId, usage, csr, privateKey }] of made.entries()) {
      assert.equal(deviceId, (0xfffffe00n + BigInt(i >> 1)).toString(16).padStart(16, '0'))
      assert.equal(usage, many.usages[i % 2])
      assert.equal(id, `${i % 2 ? 'ka' : 'ds'}-${deviceId}`)
      assert.equal(privateKey, undefined)
      const request = readRequest(csr)
      const [name] = readGeneralNames(request.extensions[1]!.value)
      assert.ok(name?.kind === 'hardwareModuleName')
      assert.equal(toHex(name.hwSerialNum), deviceId)
      keys.add(toHex(request.publicKey.spki))
    }
    assert.equal(keys.size, 2101)
  })

  it('come with their private keys where these are wanted', async () => {
    for (const { csr, privateKey } of await all(makeMany({ ...many, count: 20, threads: 1, privateKeys: true }))) {
      const { tbs, signature, publicKey } = readRequest(csr)
      const key = createPrivateKey({ key: privateKey!, format: 'der', type: 'pkcs8' })
      assert.deepEqual(createPublicKey(key).export({ format: 'der', type: 'spki' }), Buffer.from(publicKey.spki))
      assert.ok(verify('sha256', tbs, createPublicKey(key), signature))
    }
  })

  it('are believed by OpenSSL', { skip: noOpenssl }, async () => {
    for (const { csr } of await all(makeMany({ ...many, count: 6, threads: 2, hwType: '1.2.3.4' }))) {
      const { says } = openssl(['req', '-inform', 'DER', '-verify', '-noout'], csr)
      assert.match(says, /verify OK/)
    }
  })

  it('stop being made when nobody reads on', async () => {
    const seen: OneOfMany[] = []
    for await (const one of makeMany({ ...many, count: 1_000_000, threads: 2 })) {
      seen.push(one)
      if (seen.length === 3) break
    }
    assert.equal(seen.length, 3)
  })

  it('may be none, one, or as many as there are Device IDs left', async () => {
    assert.deepEqual(await all(makeMany({ ...many, count: 0 })), [])
    assert.equal((await all(makeMany({ ...many, count: 1 }))).length, 1)
    const last = { firstDeviceId: 'ffffffffffffffff', usages: ['keyAgreement'], threads: 1 } as const
    assert.equal((await all(makeMany({ ...last, count: 1 }))).length, 1)
    await assert.rejects(all(makeMany({ ...last, count: 2 })), RangeError)
    await assert.rejects(all(makeMany({ ...many, firstDeviceId: 'ff', count: 1 })), RangeError)
  })

  it('fail with the reason when a thread does', async () => {
    await assert.rejects(all(makeMany({ ...many, count: 5, hwType: 'nonsense' })), /not an object identifier/)
  })
})
