/** Device Certificates: one request, several at once, and a batch from its upload to its last result. */

import assert from 'node:assert/strict'
import { makeDeviceCsr } from '../../../simulator/device.ts'
import { hierarchies, profileNamed } from '../../../src/policy/hierarchies.ts'
import { advance, decideBatch, parse } from '../../../src/rooms/issuance/batch.ts'
import { type DeviceIssuing, deviceIssuing, issueDevices } from '../../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../../src/rooms/issuance/issuing-dcas.ts'
import {
  issuePortion,
  type PortionItem,
  recover,
  releasePortion,
  takePortion,
} from '../../../src/rooms/issuance/portion.ts'
import { beginUpload } from '../../../src/rooms/issuance/upload.ts'
import { anyDevice } from '../../issuing/rooms.ts'
import { type Scenario, scenario } from '../scenario.ts'
import type { Acting, Stage } from '../stage.ts'

let next = 0n
const newDeviceId = () => (0x02e7_0000_0000_0000n + ++next).toString(16).padStart(16, '0')
const usages = ['digitalSignature', 'keyAgreement'] as const
const both = (deviceId: string) => usages.map(usage => makeDeviceCsr({ deviceId, usage }).csr)

function devices({ hands, keys, settings }: Acting): DeviceIssuing {
  const { keyUse } = hierarchies(settings)['smki-device'].issuing
  const profile = profileNamed(settings, 'Device Certificate')
  return deviceIssuing(hands, issuingDcas(hands, keys.issuing, profile, keyUse!, 8))
}

/** Certificates of a Device that exist, by usage. */
async function complete({ scene }: Stage, deviceId: string): Promise<number[]> {
  const { rows } = await scene.store.query<{ usage: number }>(
    `SELECT c.usage FROM certificate c JOIN signing s ON s.id = c.signing
      WHERE c.eui64 = $1 AND s.state = 'complete' ORDER BY c.usage`,
    [Buffer.from(deviceId, 'hex')],
  )
  return rows.map(row => row.usage)
}

function singles(name: string, requests: (deviceId: string) => Buffer[], usages: number[]): Scenario {
  interface Given {
    readonly deviceId: string
    readonly requests: readonly Uint8Array[]
  }
  const issue = (acting: Acting, given: Given) =>
    issueDevices(devices(acting), { requests: given.requests, rules: anyDevice, says: {} })
  return scenario<Given>({
    name,
    async prepare() {
      const deviceId = newDeviceId()
      return { deviceId, requests: requests(deviceId) }
    },
    act: issue,
    async finish(acting, given) {
      await recover(acting.hands)
      const outcomes = await issue(acting, given)
      // Either it comes now, or it came before and nobody was told.
      for (const one of outcomes) if ('refusal' in one) assert.match(one.refusal.code, /^CR:(9999|CC2)$/)
    },
    async check(stage, { deviceId }) {
      assert.deepEqual(await complete(stage, deviceId), usages)
    },
  })
}

interface Batch {
  readonly deviceIds: readonly string[]
  readonly items: readonly PortionItem[]
  readonly reference: string
}

/** As the door takes it in. */
async function upload({ hands }: Acting, { items, reference }: Batch): Promise<void> {
  const coming = await beginUpload(hands, 2)
  for (const item of items) {
    coming.take(item)
    await coming.keep()
  }
  await coming.accept({ party: 1, reference })
}

/** As the signer's loop brings it to its end. */
async function workOff(acting: Acting, { reference }: Batch): Promise<void> {
  const { hands } = acting
  const { rows } = await hands.store.query<{ id: bigint; state: string }>(
    'SELECT id, state FROM batch WHERE reference = $1',
    [reference],
  )
  const batch = rows[0]!.id
  if (rows[0]!.state === 'PENDING') await decideBatch(hands, batch, { approve: true, by: 'test' })
  await parse(hands, batch)
  await advance(hands, true)
  const issuing = devices(acting)
  for (;;) {
    const portion = await takePortion(hands, 'worker')
    if (!portion) break
    try {
      await issuePortion(issuing, portion, 'worker', anyDevice, undefined)
    } catch (cause) {
      await releasePortion(hands.store, portion, 'worker', { counts: true }).catch(() => {})
      throw cause
    }
  }
  await advance(hands, true)
}

/** Six requests in portions of two: four good ones, one that is none, and one that is there twice. */
const batch = scenario<Batch>({
  name: 'a batch of several portions',
  async prepare() {
    const deviceIds = [newDeviceId(), newDeviceId()]
    const csrs = deviceIds.flatMap(both)
    const items = [csrs[0]!, Buffer.from([1]), csrs[1]!, csrs[2]!, csrs[3]!, csrs[0]!].map((csr, i) => ({
      id: `i${i}`,
      csr,
    }))
    return { deviceIds, items, reference: `faults-${deviceIds[0]}` }
  },
  async act(acting, given) {
    await upload(acting, given)
    await workOff(acting, given)
  },
  async finish(acting, given) {
    await recover(acting.hands)
    const { rowCount } = await acting.hands.store.query('SELECT FROM batch WHERE reference = $1', [given.reference])
    // Whoever did not hear that it was accepted sends it again; here only when it was not.
    if (rowCount === 0) await upload(acting, given)
    await workOff(acting, given)
  },
  async check(stage, { deviceIds, reference }) {
    const { rows } = await stage.scene.store.query<{
      state: string
      results: [string, ...unknown[]][]
      signing: bigint
    }>(
      `SELECT b.state, p.results, p.signing FROM batch b JOIN portion p ON p.batch = b.id
        WHERE b.reference = $1 ORDER BY p.number`,
      [reference],
    )
    assert.deepEqual(
      rows.map(row => row.state),
      ['COMPLETED', 'COMPLETED', 'COMPLETED'],
    )
    const results = rows.flatMap(row => row.results)
    assert.deepEqual(
      results.map(([id]) => id),
      ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'],
    )
    assert.deepEqual(
      results.map(([, what]) => (typeof what === 'number' ? 'SUCCESS' : what)),
      ['SUCCESS', 'CR:CC2', 'SUCCESS', 'SUCCESS', 'SUCCESS', 'CR:9999'],
    )
    for (const deviceId of deviceIds) assert.deepEqual(await complete(stage, deviceId), [1, 2])
  },
})

export const deviceScenarios: readonly Scenario[] = [
  singles('a single Device CSR', deviceId => both(deviceId).slice(0, 1), [1]),
  singles('a group of single Device CSRs', deviceId => [...both(deviceId), Buffer.from([1])], [1, 2]),
  batch,
]
