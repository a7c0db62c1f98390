/** Issuance under the room above it: emergency suspension stops it, and a rejection is a case of the revocation room. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import { rejectedCase, stoppedBySuspension } from '../../src/main/stopped.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { rejectOrganisation } from '../../src/rooms/issuance/acceptance.ts'
import { submissionOf } from '../../src/rooms/issuance/organisation-csr.ts'
import { type Shown, submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import type { RevocationHands } from '../../src/rooms/revocation/hands.ts'
import { resume, type SuspendedScope, suspend } from '../../src/rooms/revocation/suspension.ts'
import { type Officers, ranges, refusal } from '../registration/office.ts'
import { csrFor, openPortal, type Portal } from './portal.ts'

describe('an Organisation CSR', () => {
  let portal: Portal
  let supplier: Officers & { party: number; shown: Shown }
  let eui64: string
  let hands: RevocationHands

  before(async () => {
    portal = await openPortal()
    const userRoles = ranges('IS')
    eui64 = userRoles[0]!.first
    const who = await portal.office.subscriber('supplier', { userRoles })
    supplier = { ...who, shown: await portal.shown(who.party, who.aro) }
    const { settings } = portal
    hands = { ...portal.office.hands, revocation: settings.revocation, schedules: listSchedules(settings) }
  })
  after(() => portal.close())

  let number = 0
  const decided = async (act: 'suspend' | 'resume', subject: string) => {
    const at = hands.clock()
    const [member] = portal.office.pma
    const decision = {
      acts: [act],
      subjects: [subject],
      meeting: 'PMA 12',
      text: 'as minuted',
      decidedAt: at,
      from: at,
    }
    const reference = `PMA/2026/${++number}`
    await recordDecision(hands, member.person, { reference, members: [member.person], ...decision })
    return reference
  }
  const submit = () =>
    submitOrganisation(
      portal.office.hands,
      portal.rules,
      { credential: supplier.shown, csr: toPem('CERTIFICATE REQUEST', csrFor(eui64, 0x02)) },
      stoppedBySuspension,
    )

  it('is refused with WF:SUSP while a direction of the SMKI PMA suspends its interface, its Party or the service', async () => {
    const scopes: [SuspendedScope, string][] = [
      [{ scope: 'interface', interface: 'PORTAL_ORG' }, 'interface:PORTAL_ORG'],
      [{ scope: 'party', party: supplier.party }, `party:${supplier.party}`],
      [{ scope: 'service' }, 'service'],
    ]
    const [manager, other] = portal.office.managers
    for (const [of, subject] of scopes) {
      assert.equal((await submit()).state, 'approved')
      const asked = {
        decision: await decided('suspend', subject),
        of,
        stops: 'services',
        ground: 'User System',
      } as const
      const { id } = await suspend(hands, manager, asked, {})
      await assert.rejects(submit(), refusal('WF:SUSP'))
      portal.office.pass(1000)
      await resume(hands, other, id, await decided('resume', subject), {})
      assert.equal((await submit()).state, 'approved')
      portal.office.pass(1000)
    }
  })

  it('that was approved waits while its authority is suspended, and is issued when that ends', async () => {
    const { record } = await portal.issuing()
    const ask = roomSigning(portal.office.hands, portal.keys.issuing, portal.settings, stoppedBySuspension)
    const { id } = await submit()
    const subject = `authority:${record.id}`
    const of = { scope: 'authority', authority: record.id } as const
    const asked = {
      decision: await decided('suspend', subject),
      of,
      stops: 'both',
      ground: 'DCC Total System',
    } as const
    const suspension = await suspend(hands, portal.office.managers[0], asked, {})
    const stopped = await ask({ ask: 'organisation', submission: id })
    assert.equal('code' in stopped && stopped.code, 'WF:SUSP')
    const own = { party: supplier.party, id }
    assert.equal((await submissionOf(hands.store, own, portal.rules, hands.clock())).state, 'approved')
    portal.office.pass(1000)
    await resume(hands, portal.office.managers[1], suspension.id, await decided('resume', subject), {})
    assert.ok('certificate' in (await ask({ ask: 'organisation', submission: id })))
  })

  it('whose Certificate is rejected leads to a case of the revocation room, in the same transaction', async () => {
    const { submission, certificate } = await portal.issue(supplier.shown, csrFor(eui64, 0x02))
    const own = { party: supplier.party, id: submission.id }
    const given = { words: 'the key usage is not ours' }
    const reject = (revoke = rejectedCase(hands)) =>
      rejectOrganisation(portal.office.hands, portal.rules, supplier.aro, own, given, revoke)
    const failed = reject(async (acting, rejected) => {
      await rejectedCase(hands)(acting, rejected)
      throw new Error('it broke off')
    })
    await assert.rejects(failed, /it broke off/)
    const state = async () =>
      (await findByEui64(hands.store, fromHex(eui64), 'organisation', hands.clock())).find(one =>
        one.serial.equals(certificate.serial),
      )!.status
    assert.equal(await state(), 'I')
    assert.equal((await submissionOf(hands.store, own, portal.rules, hands.clock())).acceptance, 'open')
    assert.equal((await reject()).acceptance, 'rejected')
    assert.equal(await state(), 'R')
    const { rows } = await hands.store.query<{ reason: number }>('SELECT reason FROM revoked WHERE serial = $1', [
      certificate.serial,
    ])
    assert.equal(rows[0]!.reason, 4, 'superseded')
  })
})
