/** A Device's certificate replaced end to end: CS02c, its CSR at the Ad Hoc service, CS02d, and the Repository's statuses. */

import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import type { Smets2Device } from '../../simulator/smets2/device.ts'
import { equal, fromHex } from '../../src/ground/bytes.ts'
import {
  type DeviceKeyUsage,
  readIssued,
  readProvided,
  readUpdated,
  writeUsageCommand,
} from '../../src/ground/gbcs/certificate.ts'
import { readMessage } from '../../src/ground/gbcs/message.ts'
import { requireSignature } from '../../src/ground/gbcs/protect.ts'
import { useCases } from '../../src/ground/gbcs/use-cases.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import { cell, makeWorld, type World } from '../gbcs/world.ts'
import { type Environment, serving } from '../service/environment.ts'

const usages = ['digitalSignature', 'keyAgreement'] as const

describe('A Device Certificate', () => {
  let smki: Environment
  let world: World
  let device: Smets2Device
  let counter = 1000n
  before(async () => {
    smki = await serving({ issuing: { threads: 1 } })
    world = makeWorld()
    world.clock.now = new Date()
    device = world.device('ESME')
    // The Device as its manufacturer makes it: keys, and a first certificate for each, by batch.
    assert.ok(device.publicKey && device.agreementPublicKey)
    const items = usages.map(usage => {
      const pkcs8 = device.state.own.keys[usage]!.pkcs8()
      const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
      const keyPair = { privateKey, publicKey: createPublicKey(privateKey) }
      return { id: usage, csr: makeDeviceCsr({ deviceId: device.id, usage, keyPair }).csr }
    })
    const batch = await smki.until(await smki.send(items), 'COMPLETED')
    assert.ok(batch.items.every(one => one.certificate))
    for (const one of batch.items) device.state.own.certificates[one.id as DeviceKeyUsage] = one.certificate!
  })
  after(() => smki.close())

  /** A command of the responsible supplier; the answer is the Device's own, by its key of that moment. */
  function command(messageCode: number, payload: Uint8Array) {
    const reaction = device.receive(
      world.signed(device, cell(2, 'digitalSignature'), messageCode, payload, ++counter),
    )
    assert.ok('answer' in reaction, JSON.stringify(reaction))
    const answer = readMessage(reaction.answer)
    requireSignature(answer, device.publicKey)
    return answer.payload
  }
  const statuses = async () =>
    (await findByEui64(smki.store, fromHex(device.id), 'device', new Date())).map(
      one => `${one.usage} ${one.status}`,
    )

  for (const usage of usages) {
    it(`for ${usage} is renewed: the Device asks, the service issues, the Device takes it, the old one is not in use`, async () => {
      const short = usage === 'digitalSignature' ? 'DS' : 'KA'
      const before = (await statuses()).filter(one => one.startsWith(short))
      assert.deepEqual(before, [`${short} I`])

      const issued = readIssued(command(useCases.CS02c, writeUsageCommand(usage)))
      assert.ok('given' in issued)
      const answer = await smki.ask(issued.given)
      const certificate = Buffer.from(answer.fields.Certificate ?? '', 'base64')
      assert.ok(certificate.length > 200, answer.text)
      assert.equal(readUpdated(command(useCases.CS02d, certificate)), 0)

      const provided = readProvided(command(useCases.CS02e, writeUsageCommand(usage)))
      assert.ok('given' in provided && equal(provided.given, certificate))
      const spki = readCertificate(certificate).publicKey.spki
      const held = usage === 'digitalSignature' ? device.publicKey : device.agreementPublicKey
      assert.ok(equal(held, spki))
      assert.deepEqual(
        (await statuses()).filter(one => one.startsWith(short)),
        [`${short} N`, `${short} I`],
      )
    })
  }

  it('of another Device is refused by the Device, and what it holds stays', async () => {
    const other = makeDeviceCsr({ deviceId: '00db1234567800ff', usage: 'digitalSignature' })
    const batch = await smki.until(await smki.send([{ id: 'other', csr: other.csr }]), 'COMPLETED')
    const before = device.publicKey
    assert.equal(readUpdated(command(useCases.CS02d, batch.items[0]!.certificate!)), 2)
    assert.equal(device.publicKey, before)
  })
})
