/** What an S1SP does besides rotating: finds what is lost, keeps dates, lets people see, runs campaigns, compares journals. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from '../../../src/ground/bytes.ts'
import type { Client } from '../../../src/ground/store/store.ts'
import { confirmDecision, enterDecision as enterAtDco } from '../../../src/rooms/symmetric/dco/decisions.ts'
import { signer } from '../../../src/rooms/symmetric/dco/hands.ts'
import { makeSharedKey, openRenewal } from '../../../src/rooms/symmetric/dco/hsm.ts'
import { fingerprintOf, writeHsmPackage } from '../../../src/rooms/symmetric/hsm-package.ts'
import {
  approveCampaign,
  beginOfCampaigns,
  type DecisionForm,
  enterDecision,
  pauseCampaign,
  progressOf,
  resumeCampaign,
} from '../../../src/rooms/symmetric/s1sp/campaign.ts'
import { compareJournals, entriesOf } from '../../../src/rooms/symmetric/s1sp/compare.ts'
import { commissioned, proveInherited } from '../../../src/rooms/symmetric/s1sp/devices.ts'
import { collect, expectSource, forward, silentSources } from '../../../src/rooms/symmetric/s1sp/environment.ts'
import { exposed } from '../../../src/rooms/symmetric/s1sp/exposure.ts'
import { removeFromStore } from '../../../src/rooms/symmetric/s1sp/housekeeping.ts'
import { renewRecords, takeHsmKeys, transportFingerprint } from '../../../src/rooms/symmetric/s1sp/hsm-keys.ts'
import { checkDevice } from '../../../src/rooms/symmetric/s1sp/lost.ts'
import { endNomination, nominate, openRecord } from '../../../src/rooms/symmetric/s1sp/people.ts'
import { keysOf } from '../../../src/rooms/symmetric/s1sp/records.ts'
import { cannotBeReKeyed, exceptionList, overdue, standings } from '../../../src/rooms/symmetric/s1sp/report.ts'
import { enterReview, reviewState, warnOfReview } from '../../../src/rooms/symmetric/s1sp/review.ts'
import { closeRotation, rotationOf } from '../../../src/rooms/symmetric/s1sp/rotation.ts'
import { round } from '../../../src/rooms/symmetric/s1sp/worker.ts'
import { openPackageForTest } from '../rotation/opened.ts'
import { makeRig, type Rig, requireAgreement } from '../rotation/rig.ts'

const day = 86_400_000
const refused = (code: string) => ({ name: 'Refusal', code })

let rig: Rig
before(async () => {
  rig = await makeRig()
})
after(() => rig.close())

/** Acts that the S1SP's journal holds, from the newest. */
async function acts(act: string): Promise<readonly Record<string, unknown>[]> {
  const found = await Array.fromAsync(entriesOf(rig.stores.s1sp.store))
  return found.filter(entry => entry.act === act).map(({ body }) => body)
}

async function active(device: string, holder: string, type: string) {
  const keys = await keysOf(rig.stores.s1sp.store, device)
  return keys.find(key => key.holder === holder && key.type === type && key.stage === 'active')
}

async function damage(device: string, holder: string, type: string): Promise<void> {
  const key = await active(device, holder, type)
  const octets = Buffer.from(key!.octets!)
  octets[octets.length >> 1]! ^= 1
  await rig.stores.s1sp.store.query('UPDATE key_record SET octets = $1 WHERE id = $2', [octets, key!.id])
}

describe('A key record', () => {
  it('that one bit was changed of is found, never opened, and replaced through Management', async () => {
    const { meters, ids } = await rig.meters({ switches: { setupAccess: 'Management writes all' } })
    const device = ids[0]!
    assert.deepEqual(await checkDevice(rig.hands, device), [])
    await damage(device, 'firmware', 'AK')
    assert.deepEqual(await checkDevice(rig.hands, device), [
      { device, holder: 'firmware', type: 'AK', how: 'corrupt', can: 'rotate' },
    ])
    const [corrupt] = (await acts('record.corrupt')).filter(body => body.device === device)
    assert.equal(corrupt?.record, (await active(device, 'firmware', 'AK'))?.id)
    const result = await round(rig.hands)
    assert.deepEqual(result.by, { open: 0, unresolved: 0, unreachable: 0, closed: 1 })
    const generations = await requireAgreement(rig, meters[0]!)
    assert.equal(generations.get('firmware/AK'), 1)
    assert.equal(generations.get('firmware/GUEK'), 0, 'nothing else was touched')
    const closed = (await acts('rotation.closed')).find(body => body.device === device)
    assert.equal(closed?.ground, 'lost-or-corrupt')
    assert.match(String(closed?.reference), /^firmware\/AK corrupt [0-9a-f]{32}$/)
  })

  it('that the DCO did not sign, or that is of another Device, is not stored', async () => {
    const [{ ids }, other] = [await rig.meters({}), await rig.meters({})]
    await commissioned(rig.hands, ids, rig.clock())
    const foreign = (await active(other.ids[0]!, 'data-collection', 'AK'))!.octets!.toString('hex')
    const swapped = (change: (record: string) => string) =>
      rig.s1spOver({
        dco: {
          async ask(message) {
            const content = await rig.dcoLine.ask(message)
            return message.type === 'make-key'
              ? { record: change((content as { record: string }).record) }
              : (content as never)
          },
        } as typeof rig.dcoLine,
      })
    const codes = async () =>
      (
        await rig.stores.s1sp.store.query<{ code: string }>(
          'SELECT a.code FROM attempt a JOIN rotation r ON r.id = a.rotation WHERE r.device = $1 ORDER BY a.at',
          ids,
        )
      ).rows.map(({ code }) => code)
    // The last octet of the signature.
    await round(swapped(record => record.slice(0, -2) + (record.endsWith('00') ? '01' : '00')))
    rig.later(1000)
    await round(swapped(() => foreign))
    assert.deepEqual(await codes(), ['RECORD_CORRUPT', 'RECORD_WRONG_DEVICE'])
    assert.equal((await keysOf(rig.stores.s1sp.store, ids[0]!)).length, 9)
    rig.later(1000)
    assert.equal((await round(rig.hands)).closed, 1, 'and the good one comes by the same message')
  })

  it('of Management that is lost can be reported only, where no other client writes its Security Setup', async () => {
    const { ids } = await rig.meters({})
    await damage(ids[0]!, 'management', 'GUEK')
    const [found] = await checkDevice(rig.hands, ids[0]!)
    assert.deepEqual([found?.how, found?.can], ['corrupt', 'report'])
  })

  it('of a Master Key that is lost is reported, and the rotation closes and says so', async () => {
    const { ids } = await rig.meters({})
    const device = ids[0]!
    await rig.stores.s1sp.store.query("DELETE FROM key_record WHERE device = $1 AND type = 'MK'", [device])
    await commissioned(rig.hands, ids, rig.clock())
    assert.deepEqual((await round(rig.hands)).by, { open: 0, unresolved: 0, unreachable: 0, closed: 1 })
    const lost = (await cannotBeReKeyed(rig.hands)).filter(each => each.device === device)
    assert.match(lost[0]!.says, /Master Key is missing or corrupt: the Device can never be re-keyed/)
    const says = (await exceptionList(rig.hands)).filter(each => each.device === device)
    assert.equal(says.length, 9, 'eight keys that cannot be replaced, and why')
    assert.equal((await acts('master-key.lost')).filter(body => body.device === device).length, 1)
    const { rows } = await rig.stores.dco.store.query<{ stage: string }>(
      'SELECT DISTINCT stage FROM dco_key WHERE device = $1 AND generation > 0',
      [Buffer.from(device, 'hex')],
    )
    assert.deepEqual(
      rows.map(({ stage }) => stage),
      ['abandoned'],
      'what was made and never offered is given up',
    )
  })

  it('was taken on without a Master Key: the Device cannot be re-keyed, and that is said at once', async () => {
    const { ids, taken } = await rig.meters({ withoutMk: true })
    assert.match(taken[0]!.cannot ?? '', /without a Master Key/)
    assert.ok((await cannotBeReKeyed(rig.hands)).some(({ device }) => device === ids[0]))
  })

  it('leaves the store ninety days after it was superseded, and that is called nothing else', async () => {
    const { ids } = await rig.meters({})
    await commissioned(rig.hands, ids, rig.clock())
    await round(rig.hands)
    assert.equal(await removeFromStore(rig.hands), 0)
    const before = rig.clock()
    rig.later(91 * day)
    assert.ok((await removeFromStore(rig.hands)) >= 8)
    rig.at(before)
    const keys = await keysOf(rig.stores.s1sp.store, ids[0]!)
    assert.deepEqual(
      [...new Set(keys.filter(({ octets }) => octets === null).map(({ stage }) => stage))],
      ['superseded'],
    )
    const all = await Array.fromAsync(entriesOf(rig.stores.s1sp.store))
    assert.ok(all.some(({ act }) => act === 'key.removed-from-store'))
    // Policy (d)(vii), (ix), (x): there is no such thing, and no word for it.
    assert.deepEqual(
      all.filter(entry => /revok|destroy|archiv|backup/i.test(JSON.stringify(entry))),
      [],
    )
  })
})

describe('Whoever asks for a key record', () => {
  it('is an S1SP Privileged Person with a reason and a ticket, and stands in the journal', async () => {
    const { ids } = await rig.meters({})
    const record = (await active(ids[0]!, 'management', 'AK'))!
    const access = { person: 'person-7', reason: 'support case', ticket: 'T-77' }
    await assert.rejects(openRecord(rig.hands, record.id, access), refused('NOT_PRIVILEGED'))
    await assert.rejects(nominate(rig.hands, 'person-7', 'person-7'), refused('TWO_PERSONS'))
    await nominate(rig.hands, 'person-7', 'person-1')
    await assert.rejects(openRecord(rig.hands, record.id, { ...access, reason: ' ' }), refused('REASON_MISSING'))
    await assert.rejects(openRecord(rig.hands, record.id, { ...access, ticket: '' }), refused('REASON_MISSING'))
    assert.deepEqual(await openRecord(rig.hands, record.id, access), record.octets)
    await endNomination(rig.hands, 'person-7', 'person-1')
    await assert.rejects(openRecord(rig.hands, record.id, access), refused('NOT_PRIVILEGED'))
    const opened = (await acts('record.opened-by-person')).filter(body => body.record === record.id)
    assert.deepEqual(
      opened.map(({ person, ticket, reason }) => [person, ticket, reason]),
      [['person-7', 'T-77', 'support case']],
    )
    const codes = (await acts('record.access-refused'))
      .filter(body => body.record === record.id)
      .map(body => body.code)
    assert.deepEqual(codes, ['NOT_PRIVILEGED', 'REASON_MISSING', 'REASON_MISSING', 'NOT_PRIVILEGED'])
  })
})

describe('The seven days', () => {
  it('run from when the Device was Commissioned; a late one is listed with each attempt', async () => {
    const start = rig.clock()
    const { ids } = await rig.meters({ switches: { reachable: 'never' } })
    const device = ids[0]!
    const recorded = new Date(start.getTime() - 2 * day)
    assert.equal(await commissioned(rig.hands, ids, recorded), 1)
    assert.equal(await commissioned(rig.hands, ids, start), 0, 'told again, nothing begins anew')
    const mine = async (hours = 0) => (await overdue(rig.hands, hours)).filter(one => one.device === device)
    assert.deepEqual(await mine(), [])
    await round(rig.hands)
    assert.deepEqual(
      (await mine(6 * 24)).map(({ due }) => due),
      [new Date(recorded.getTime() + 7 * day)],
    )
    rig.at(new Date(recorded.getTime() + 7 * day))
    await round(rig.hands)
    assert.equal((await acts('rotation.late')).filter(body => body.device === device).length, 0, 'not yet')
    rig.later(1000)
    await round(rig.hands)
    rig.later(1000)
    await round(rig.hands)
    const [late] = await mine()
    assert.deepEqual(
      late?.attempts.map(({ code }) => code),
      new Array(4).fill('DEVICE_UNREACHABLE'),
    )
    assert.equal((await acts('rotation.late')).filter(body => body.device === device).length, 1, 'it is said once')
    await rig.stores.s1sp.store.query("UPDATE rotation SET state = 'closed', closed = now() WHERE device = $1", [
      device,
    ])
    rig.at(start)
  })

  it('of a Device that is taken on as Commissioned are running already', async () => {
    const at = new Date(rig.clock().getTime() - 6 * day)
    const { ids } = await rig.meters({}, 1, { commissionedAt: at })
    const found = (await overdue(rig.hands, 25)).filter(one => one.device === ids[0])
    assert.deepEqual(
      found.map(({ due }) => due),
      [new Date(at.getTime() + 7 * day)],
    )
    assert.deepEqual((await round(rig.hands)).by.closed, 1)
  })

  it('are the only time there is: an age never opens a rotation', async () => {
    const start = rig.clock()
    const { ids } = await rig.meters({})
    await commissioned(rig.hands, ids, start)
    await round(rig.hands)
    rig.later(20 * 365 * day)
    assert.equal((await round(rig.hands)).tried, 0)
    rig.at(start)
  })
})

describe('A client that does not answer under an inherited key', () => {
  it('is marked, not guessed at', async () => {
    const { meters, ids } = await rig.meters({})
    meters[0]!.memory.clients.get(80)!.ak = Buffer.alloc(16, 7)
    assert.deepEqual(Object.fromEntries(await proveInherited(rig.hands, ids[0]!)), {
      'data-collection': true,
      'extended-data-collection': true,
      management: true,
      firmware: false,
    })
  })
})

describe('The review of the risk', () => {
  it('is due five years after the last, warned of six months before, once', async () => {
    const start = rig.clock()
    assert.equal((await reviewState(rig.hands)).state, 'none')
    await assert.rejects(enterReview(rig.hands, start, ' ', 'person-1'), refused('REASON_MISSING'))
    await enterReview(rig.hands, new Date('2024-02-29T12:00:00Z'), 'PMA paper 12', 'person-1')
    assert.equal((await reviewState(rig.hands)).due?.toISOString(), '2029-02-28T12:00:00.000Z')
    rig.at('2028-08-28T11:59:59Z')
    assert.equal(await warnOfReview(rig.hands), false)
    rig.at('2028-08-28T12:00:00Z')
    assert.equal((await reviewState(rig.hands)).state, 'warned')
    assert.equal(await warnOfReview(rig.hands), true)
    assert.equal(await warnOfReview(rig.hands), false)
    rig.at('2029-02-28T12:00:01Z')
    assert.equal((await reviewState(rig.hands)).state, 'overdue')
    await enterReview(rig.hands, rig.clock(), 'PMA paper 40', 'person-1')
    assert.equal((await reviewState(rig.hands)).state, 'current')
    rig.at(start)
  })
})

describe('The log of the environment', () => {
  it('is forwarded, kept apart from the journal, and missed when it stops', async () => {
    const start = rig.clock()
    await expectSource(rig.hands, 'module', 5)
    await collect(rig.hands, 'module', [{ source: 'module', at: start, kind: 'log-in.failed', says: 'slot 0' }])
    const taken: string[] = []
    await assert.rejects(
      forward(rig.hands, () => Promise.reject(new Error('away'))),
      /away/,
    )
    assert.equal(await forward(rig.hands, async events => void taken.push(...events.map(({ kind }) => kind))), 1)
    assert.equal(await forward(rig.hands, async () => {}), 0)
    assert.deepEqual(taken, ['log-in.failed'])
    rig.later(5 * 60_000)
    assert.deepEqual(await silentSources(rig.hands), [])
    rig.later(1)
    assert.deepEqual(await silentSources(rig.hands), ['module'])
    assert.deepEqual(await silentSources(rig.hands), [], 'it is said once')
    await collect(rig.hands, 'module', [])
    rig.later(6 * 60_000)
    assert.deepEqual(await silentSources(rig.hands), ['module'], 'and again after it was heard')
    const all = await Array.fromAsync(entriesOf(rig.stores.s1sp.store))
    assert.ok(!JSON.stringify(all).includes('log-in.failed'))
    rig.at(start)
  })
})

describe('A campaign', () => {
  const form = (decision: string, devices: string[]): DecisionForm => ({
    decision,
    compromised: 'the S1SP’s host',
    where: 'S1SP',
    scope: { of: 'devices', devices },
    keyTypes: ['AK', 'GUEK'],
    hsmKeys: [],
    by: '2026-12-31T00:00:00Z',
    masterKeysInQuestion: true,
  })
  const person = (name: string) =>
    ({ person: name, role: 'DCO operator', reason: 'decision', ticket: 'T-2' }) as const

  async function atDco(reference: string): Promise<void> {
    await enterAtDco(rig.dco(), person('dco-1'), { reference, mksInQuestion: true })
    await confirmDecision(rig.dco(), person('dco-2'), reference)
  }

  it('is entered by one and approved by another, over a list that is frozen', async () => {
    const { ids } = await rig.meters({}, 2)
    const entered = await enterDecision(rig.hands, form('PMA-7', ids), 'person-1')
    assert.equal(entered.devices, 2)
    assert.match(entered.warning ?? '', /shuts out those who are not on the wire/)
    await assert.rejects(enterDecision(rig.hands, form('PMA-7', ids), 'person-1'), refused('CAMPAIGN_EXISTS'))
    await assert.rejects(approveCampaign(rig.hands, entered.id, 'person-1'), refused('TWO_PERSONS'))
    assert.equal((await round(rig.hands)).tried, 0, 'nothing starts without approval')
    await rig.meters({})
    await approveCampaign(rig.hands, entered.id, 'person-2')
    // The DCO has a register of its own: without the decision in it, it makes no key.
    assert.deepEqual((await round(rig.hands)).by, { open: 0, unresolved: 2, unreachable: 0, closed: 0 })
    await atDco('PMA-7')
    assert.equal((await round(rig.hands)).closed, 2)
    assert.deepEqual(await progressOf(rig.hands, entered.id), {
      state: 'finished',
      devices: 2,
      waiting: 0,
      done: 2,
      unresolved: 0,
      unreachable: 0,
      cannot: 0,
      open: 0,
    })
    assert.equal((await active(ids[0]!, 'firmware', 'GUEK'))?.generation, 1)
  })

  it('goes at its pace, pauses, goes on, and shows where each Device stands', async () => {
    const start = rig.clock()
    const { ids } = await rig.meters({}, 3)
    await atDco('PMA-8')
    const hands = rig.s1spOver({ settings: { ...rig.hands.settings, pace: 1 } })
    const { id } = await enterDecision(hands, form('PMA-8', ids), 'person-1')
    await approveCampaign(hands, id, 'person-2')
    await round(hands)
    const { done, waiting } = await progressOf(hands, id)
    assert.deepEqual([done, waiting], [1, 2], 'one a minute')
    await pauseCampaign(hands, id, 'somebody looks')
    rig.later(60_000)
    assert.equal((await round(hands)).tried, 0)
    await resumeCampaign(hands, id, 'person-1', 10)
    await round(hands)
    assert.equal((await progressOf(hands, id)).state, 'finished')
    rig.at(start)
  })

  it('is finished also when its last two rotations close at one moment', async () => {
    const { ids } = await rig.meters({}, 2)
    await atDco('PMA-8B')
    const { id } = await enterDecision(rig.hands, form('PMA-8B', ids), 'person-1')
    await approveCampaign(rig.hands, id, 'person-2')
    await beginOfCampaigns(rig.hands)
    const { rows } = await rig.hands.store.query<{ id: bigint }>('SELECT id FROM rotation WHERE campaign = $1', [
      id,
    ])
    const [first, second] = await Promise.all(rows.map(row => rotationOf(rig.hands.store, row.id)))
    let other = Promise.resolve()
    const { store } = rig.hands
    const slow = {
      ...rig.hands,
      // Has done its work and not committed yet when the other comes to its end, unless that has to wait for it.
      store: {
        ...store,
        transaction: <T>(work: (client: Client) => Promise<T>) =>
          store.transaction(async client => {
            const done = await work(client)
            other = closeRotation(rig.hands, second!, [])
            await Promise.race([other, sleep(300)])
            return done
          }),
      },
    }
    await closeRotation(slow, first!, [])
    await other
    assert.equal((await progressOf(rig.hands, id)).state, 'finished')
  })

  it('pauses by itself when failures pass the threshold', async () => {
    const { ids } = await rig.meters({ switches: { protection: 'demands 10' } }, 3)
    await atDco('PMA-9')
    const hands = rig.s1spOver({ settings: { ...rig.hands.settings, failuresCountedFrom: 3, atOnce: 1 } })
    const { id } = await enterDecision(hands, form('PMA-9', ids), 'person-1')
    await approveCampaign(hands, id, 'person-2')
    await round(hands)
    const { state, unresolved } = await progressOf(hands, id)
    assert.deepEqual([state, unresolved], ['paused', 3])
    assert.equal((await acts('campaign.paused')).at(-1)?.campaign, Number(id))
  })

  it('that names a Device which nobody took on, or none, is refused whole', async () => {
    await assert.rejects(
      enterDecision(rig.hands, form('PMA-10', ['00'.repeat(8)]), 'person-1'),
      refused('CAMPAIGN_EMPTY'),
    )
    const { ids } = await rig.meters({})
    const mixed = form('PMA-10', [...ids, '00'.repeat(8)])
    await assert.rejects(enterDecision(rig.hands, mixed, 'person-1'), refused('DEVICE_NOT_TAKEN_ON'))
    await enterDecision(rig.hands, form('PMA-10', ids), 'person-1')
  })
})

describe('A Shared Key', () => {
  it('comes in a signed package, and every other package is refused', async () => {
    const { world, parties } = rig
    const transportKey = rig.modules.s1sp.transportKey('transport')
    assert.equal(transportFingerprint(parties), fingerprintOf(transportKey))
    const good = {
      hsmKey: 'shared-key-x',
      generation: 9,
      role: 'Shared Key' as const,
      between: 's1sp',
      sender: 'dco',
      recipient: 's1sp',
      fingerprint: fingerprintOf(transportKey),
      at: rig.clock().toISOString(),
      agreement: 'PMA-1',
      wrapped: Buffer.alloc(384),
    }
    const offered = (what: object, by = signer(world, 'distribution')) => {
      const envelope = writeHsmPackage({ ...good, ...what }, by)
      const dco = { ask: async () => ({ packages: [toHex(envelope)] }) } as unknown as typeof rig.dcoLine
      return takeHsmKeys(rig.s1spOver({ dco }), parties)
    }
    await assert.rejects(offered({}, { name: 'dco', sign: rig.signers.maker.sign }), refused('PACKAGE_UNSIGNED'))
    await assert.rejects(offered({ recipient: 'other' }), refused('PACKAGE_NOT_FOR_US'))
    await assert.rejects(offered({ fingerprint: '00'.repeat(32) }), refused('PACKAGE_NOT_FOR_US'))
    const known = rig.modules.s1sp.hsmKeys()[0]!.label
    await rig.stores.s1sp.store.query('UPDATE hsm_key SET receipt = NULL WHERE label = $1', [known])
    await assert.rejects(offered({ hsmKey: known }), refused('PACKAGE_SEEN'))
  })

  it('is renewed: what is still needed is packaged anew, key for key, and the Devices notice nothing', async () => {
    const { meters, ids } = await rig.meters({})
    const before = (await active(ids[0]!, 'management', 'GUEK'))!
    const transportKey = rig.modules.s1sp.transportKey('transport')
    const recipient = { name: 's1sp', transportKey, fingerprint: fingerprintOf(transportKey) }
    const ceremony = { present: ['card-1', 'card-2'], reason: 'renewal', ticket: 'T-3', agreement: 'PMA-2' }
    const old = rig.modules.s1sp.hsmKeys().map(({ label }) => label)
    const label = await makeSharedKey(rig.world, ceremony, 's1sp', [recipient])
    assert.deepEqual(await takeHsmKeys(rig.hands, rig.parties), [label])
    assert.deepEqual(await takeHsmKeys(rig.hands, rig.parties), [], 'once')
    await openRenewal(rig.world, ceremony, { role: 'Shared Key', s1sp: 's1sp' }, 'PMA-2')
    let renewed = 0
    for (const each of old) renewed += await renewRecords(rig.hands, each)
    assert.ok(renewed >= 4, `${renewed} records`)
    const now = (await active(ids[0]!, 'management', 'GUEK'))!
    assert.notEqual(now.id, before.id)
    assert.deepEqual(openPackageForTest(rig, now.octets!), openPackageForTest(rig, before.octets!))
    assert.notDeepEqual(now.octets, before.octets)
    await requireAgreement(rig, meters[0]!)
    await commissioned(rig.hands, ids, rig.clock())
    await round(rig.hands)
    assert.equal((await requireAgreement(rig, meters[0]!)).get('management/GUEK'), 1)
  })
})

describe('The report of what a compromise reaches', () => {
  it('lists exactly the keys of every Device that are within reach', async () => {
    const { ids } = await rig.meters({})
    const [device] = ids
    const of = async (reach: Parameters<typeof exposed>[1]) =>
      (await Array.fromAsync(exposed(rig.hands, reach))).filter(key => key.device === device)
    const names = (keys: readonly { holder: string; type: string }[]) =>
      keys.map(({ holder, type }) => `${holder}/${type}`).sort()
    const clients = ['data-collection', 'extended-data-collection', 'firmware', 'management']
    assert.deepEqual(
      names(await of('S1SP')),
      clients.map(client => `${client}/GUEK`),
    )
    const all = await of('DCO')
    assert.deepEqual(
      names(all),
      [...clients.flatMap(client => [`${client}/AK`, `${client}/GUEK`]), 'device/MK'].sort(),
    )
    const label = all.find(({ type }) => type === 'MK')!.hsmKey
    assert.deepEqual(
      names(await of({ hsmKeys: [label] })),
      [...clients.map(client => `${client}/AK`), 'device/MK'].sort(),
    )
    assert.deepEqual(await of({ hsmKeys: ['another'] }), [])
  })
})

describe('The two journals', () => {
  it('agree: each message stands in both; what stands in one only is listed', async () => {
    const [from, until] = [new Date(0), new Date(rig.clock().getTime() + day)]
    const found = await compareJournals(rig.hands, from, until)
    assert.ok(found.inBoth >= 300, `${found.inBoth} messages`)
    assert.deepEqual([found.theirsOnly, found.otherType], [[], []])
    // One that was lost on its way, and one that we never sent.
    const lost = rig.s1spOver({ dco: { ask: () => Promise.reject(new Error('no connection')) } })
    await assert.rejects(checkDevice(lost, (await rig.meters({})).ids[0]!), refused('DCO_UNREACHABLE'))
    const stranger = toHex(Buffer.alloc(16, 9))
    await rig.dcoLine.ask({
      type: 'tell-device',
      id: stranger,
      at: rig.clock().toISOString(),
      device: (await rig.meters({})).ids[0]!,
    })
    const again = await compareJournals(rig.hands, from, until)
    assert.equal(again.oursOnly.length, found.oursOnly.length + 1)
    assert.deepEqual(again.theirsOnly, [stranger])
  })

  it('hold no key, package, wrapped key or APDU', async () => {
    const { rows } = await rig.stores.s1sp.store.query<{ octets: Buffer }>(
      'SELECT octets FROM key_record WHERE octets IS NOT NULL AND NOT corrupt',
    )
    const keys = rows.map(({ octets }) => openPackageForTest(rig, octets).toString('hex'))
    assert.ok(keys.length > 50)
    for (const store of [rig.stores.s1sp.store, rig.stores.dco.store]) {
      const all = (await Array.fromAsync(entriesOf(store))).map(entry => JSON.stringify(entry))
      assert.ok(all.length > 500)
      // No member is as long as an APDU or a record; and no key stands in any, in hexadecimal or in base64.
      const text = all.join('\n')
      for (const key of keys) {
        assert.ok(!text.includes(key))
        assert.ok(!text.includes(Buffer.from(key, 'hex').toString('base64').slice(0, 21)))
      }
      const long = all.flatMap(entry => entry.match(/"[0-9a-f]{65,}"/g) ?? [])
      assert.deepEqual(long, [])
    }
  })
})

describe('The table of models', () => {
  it('counts every Device once', async () => {
    const rows = await standings(rig.hands)
    const { rows: all } = await rig.stores.s1sp.store.query<{ n: bigint }>('SELECT count(*) AS n FROM device')
    assert.equal(
      rows.reduce((sum, row) => sum + row.devices, 0),
      Number(all[0]!.n),
    )
  })
})
