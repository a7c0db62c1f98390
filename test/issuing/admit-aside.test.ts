/** A request is judged alike on this thread and beside it. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Device, makeDeviceCsr, makeKeyPair } from '../../simulator/device.ts'
import { accepted } from '../../simulator/peculiar.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { type Admitted, admit, admitAside } from '../../src/rooms/issuance/admit.ts'
import { badRequests } from '../service/requests.ts'

const device: Device = { deviceId: '90b3d51f30010000', usage: 'digitalSignature', keyPair: makeKeyPair() }

const codeOf = (cause: unknown) => {
  assert.ok(cause instanceof Refusal, String(cause))
  return `${cause.code} ${cause.message}`
}
const onThisThread = (csr: Buffer): Admitted | string => {
  try {
    return admit(csr)
  } catch (cause) {
    return codeOf(cause)
  }
}
const beside = (csr: Buffer): Promise<Admitted | string> => admitAside(csr).catch(codeOf)

describe('A Device CSR, judged beside this thread', () => {
  for (const { what, code, csr } of badRequests(device)) {
    it(`is refused with ${code} where ${what}`, async () => {
      const refused = await beside(csr)
      assert.equal(String(refused).slice(0, 6), code)
      assert.equal(refused, onThisThread(csr))
    })
  }

  it('is admitted as the same request', async () => {
    for (const make of [...Object.values(accepted), (one: Device) => makeDeviceCsr(one).csr]) {
      const csr = make(device)
      const admitted = await beside(csr)
      assert.equal(typeof admitted, 'object')
      assert.deepEqual(admitted, onThisThread(csr))
    }
  })

  it('is refused for one bit of its signature, of a hundred that are judged at a time', async () => {
    const { csr } = makeDeviceCsr(device)
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, n) => {
        const changed = Buffer.from(csr)
        if (n % 2 === 1) changed[csr.length - 1 - (n % 30)]! ^= 1
        return beside(changed)
      }),
    )
    all.forEach((one, n) => {
      if (n % 2 === 0) assert.equal(typeof one, 'object')
      else assert.match(String(one), /^CR:CC3 /)
    })
  })
})
