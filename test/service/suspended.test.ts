/** Emergency suspension (L2.14) at the doors of a service that runs: at once, with the refusal that says so, and back. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeBatchXml } from '../../simulator/batch.ts'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { loadSettings } from '../../src/main/home.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { type DecidedAct, recordDecision } from '../../src/rooms/governance/decisions.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { resume, type SuspendedScope, suspend } from '../../src/rooms/revocation/suspension.ts'
import { type Environment, serving, sleep } from './environment.ts'
import { officerOf, partyNumber, registrationOf } from './officers.ts'

let smki: Environment
before(async () => {
  smki = await serving({ issuing: { threads: 1 } })
})
after(() => smki?.close())

let device = 0x02e1_0000_0000_0000n
const csr = () =>
  makeDeviceCsr({ deviceId: (device++).toString(16).padStart(16, '0'), usage: 'digitalSignature' }).csr
const items = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `R${i}`, csr: csr() }))
/** Longer than a door goes by what it knew. */
const noticed = () => sleep(1200)

function hands(): RevocationHands {
  const settings = loadSettings(smki.home)
  return { ...registrationOf(smki), revocation: settings.revocation, schedules: listSchedules(settings) }
}

let decisions = 0
async function decided(act: DecidedAct, subject: string): Promise<string> {
  const reference = `PMA-${++decisions}`
  const { person } = await officerOf(smki.store, 'PMA_MEMBER')
  const now = new Date(Date.now() - 1)
  const text = 'in immediate danger of material compromise'
  const decision = { reference, acts: [act], subjects: [subject], meeting: 'urgent', text, members: [person] }
  await recordDecision(hands(), person, { ...decision, decidedAt: now, from: now })
  return reference
}

const evidence = [{ kind: 'direction', reference: 'letter of the SMKI PMA' }]

/** Suspends it while the work is done. */
async function during(subject: string, of: SuspendedScope, work: () => Promise<void>): Promise<void> {
  const by = await officerOf(smki.store, 'RA_MANAGER')
  const decision = await decided('suspend', subject)
  const asked = { decision, of, stops: 'both', ground: 'DCC Total System' } as const
  const { id } = await suspend(hands(), by, asked, { evidence })
  await noticed()
  await work()
  await resume(hands(), by, id, await decided('resume', subject), { evidence })
  await noticed()
}

/** A Device without a certificate: UNKNOWN_DEVICE is what the service says when it goes on. */
const adHoc = async (party?: string) => {
  const { fields } = await smki.ask(csr(), party)
  return [fields.Status ?? fields.ResponseStatus, fields.ErrorCode].filter(Boolean).join(' ')
}

describe('A suspended', () => {
  it('participant is told so at each of its doors, others are not; afterwards it goes on', async () => {
    const party = await partyNumber(smki.store, 'import-supplier')
    await during(`party:${party}`, { scope: 'party', party }, async () => {
      assert.match(await adHoc(), /WORKFLOW_ERROR.*WF:SUSP/)
      const refused = await smki.submit(await smkiBatch(2), 'import-supplier')
      assert.equal(refused.fields.ErrorCode, 'WF:SUSP')
      assert.match(await adHoc('dcc'), /UNKNOWN_DEVICE/)
    })
    assert.match(await adHoc(), /UNKNOWN_DEVICE/)
  })

  it('interface takes nothing in; what was taken in waits, and is issued when it resumes', async () => {
    const batch = await smki.send(items(3))
    await smki.until(batch, 'COMPLETED')
    await during('interface:BATCH_WS', { scope: 'interface', interface: 'BATCH_WS' }, async () => {
      const refused = await smki.submit(await smkiBatch(2))
      assert.equal(refused.fields.ErrorCode, 'WF:SUSP')
      assert.equal((await smki.result(batch)).fields.ErrorCode, 'WF:SUSP')
      assert.match(await adHoc(), /UNKNOWN_DEVICE/)
    })
    assert.equal((await smki.result(batch)).fields.BatchStatus, 'COMPLETED')
  })

  it('service stops every door; lists and the Repository go on', async () => {
    await during('service', { scope: 'service' }, async () => {
      assert.match(await adHoc(), /WF:SUSP/)
      assert.equal((await smki.submit(await smkiBatch(1))).fields.ErrorCode, 'WF:SUSP')
    })
    assert.match(await adHoc(), /UNKNOWN_DEVICE/)
    const acts = (await smki.acts()).map(one => one.act)
    assert.ok(acts.includes('suspend') && acts.includes('resume from suspension'), [...new Set(acts)].join(', '))
  })
})

async function smkiBatch(count: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of makeBatchXml(items(count), { id: `B${decisions}-${count}` })) parts.push(part)
  return Buffer.concat(parts)
}
