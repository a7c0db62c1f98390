/** Supplier of Last Resort (L16): revocations of a failed supplier wait by decision, visibly, and come back due at once. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { ceaseOrganisation } from '../../src/rooms/registration/cease.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { approve, refuse } from '../../src/rooms/registration/tasks.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { caseOf, cases } from '../../src/rooms/revocation/case.ts'
import { certificatesOfDeferral, deferralOf, deferrals } from '../../src/rooms/revocation/covering.ts'
import {
  beginDeferral,
  endDeferral,
  extendDeferral,
  lapseDeferrals,
  type NewDeferral,
  releaseCase,
} from '../../src/rooms/revocation/deferral.ts'
import { openDuties } from '../../src/rooms/revocation/duty.ts'
import { rejectCertificate } from '../../src/rooms/revocation/reject.ts'
import { revokeReturned } from '../../src/rooms/revocation/returned.ts'
import { type Officers, refusal } from '../registration/office.ts'
import { hours, openScene, type Scene } from './scene.ts'

let scene: Scene
let count = 0
before(async () => {
  scene = await openScene(['smki-organisation', 'iki'])
})
after(() => scene.close())

const supplier = async (
  certificates = 2,
): Promise<Officers & { party: number; held: { authority: number; serial: string }[] }> => {
  const subscriber = await scene.subscriber(`supplier-${++count}`)
  const held = []
  for (let nth = 0; nth < certificates; nth++) held.push(await scene.organisationCertificate(subscriber.party, nth))
  return { ...subscriber, held }
}

const begin = async (party: number, more: Partial<NewDeferral> = {}) =>
  beginDeferral(
    scene.hands,
    scene.managers[0],
    {
      decision: await scene.decision(['defer revocation'], [`party:${party}`]),
      party,
      userIds: ['02-a0-00'],
      mpids: ['TEST'],
      reviewAt: new Date(scene.hands.clock().getTime() + hours(24 * 14)),
      ...more,
    },
    { words: 'prepayment customers first' },
  )

const end = async (id: number, party: number, cancel: number[] = []) =>
  endDeferral(
    scene.hands,
    scene.managers[0],
    id,
    { decision: await scene.decision(['end deferral'], [`party:${party}`]), cancel },
    {},
  )

describe('a deferral', () => {
  it('makes a request wait, visibly, with its decision and review date; its end revokes at once', async () => {
    const { party, held, aro } = await supplier()
    const before = await scene.ask(held[0]!, aro)
    await scene.authenticate(before)
    const deferral = await begin(party)
    assert.deepEqual(
      await certificatesOfDeferral(scene.store, deferral.id),
      held
        .map(({ authority, serial }) => ({ authority, serial }))
        .toSorted((a, b) => (a.serial < b.serial ? -1 : 1)),
    )
    // What was under way waits from now on.
    assert.equal((await caseOf(scene.store, before.case)).state, 'deferred')
    await assert.rejects(
      approve(scene.hands, scene.kinds, scene.managers[1], before.task, { digest: before.digest }),
      cause => {
        assert.match((cause as Error).message, new RegExp(`${deferral.decision}, review on `))
        return refusal('REVOCATION_DEFERRED')(cause)
      },
    )
    // And so does what is asked for later.
    const later = await scene.ask(held[1]!, aro)
    assert.equal(later.deferral?.id, deferral.id)
    assert.equal((await caseOf(scene.store, later.case)).state, 'received')
    assert.equal((await scene.authenticate(later)).state, 'deferred')
    assert.deepEqual(
      (await cases(scene.store, { deferral: deferral.id })).map(one => one.state),
      ['deferred', 'deferred'],
    )
    await scene.renew()
    for (const { serial } of held) assert.ok(!(await scene.listed('smki-organisation')).entries.has(serial))

    scene.pass(hours(24))
    const ended = await end(deferral.id, party)
    assert.deepEqual(
      ended.revoked.map(one => one.id),
      [before.case, later.case],
    )
    for (const one of ended.revoked) {
      assert.equal(one.state, 'revoked')
      assert.equal(one.listDueAt!.getTime(), scene.hands.clock().getTime() + hours(1))
    }
    await scene.renew()
    const { entries } = await scene.listed('smki-organisation')
    for (const { serial } of held) assert.deepEqual(entries.get(serial)?.at, scene.hands.clock())
    await assert.rejects(end(deferral.id, party), refusal('DEFERRAL_ENDED'))
    const said = (await scene.journal())
      .filter(({ act, body }) => act !== 'refused' && body.deferral === deferral.id)
      .map(({ act }) => act)
    assert.deepEqual(said, [
      'begin deferral',
      'defer revocation',
      'join deferral',
      'defer revocation',
      'end deferral',
      'approve case',
      'revoke',
      'approve case',
      'revoke',
    ])
  })

  it('is nothing without a decision that covers that supplier, certificates, and dates in their order', async () => {
    const { party } = await supplier(1)
    const empty = await supplier(0)
    const review = (ms: number) => new Date(scene.hands.clock().getTime() + ms)
    await assert.rejects(begin(empty.party), refusal('DEFERRAL_WITHOUT_CERTIFICATES'))
    await assert.rejects(begin(party, { decision: 'PMA-0' }), refusal('DECISION_UNKNOWN'))
    const another = await scene.decision(['defer revocation'], [`party:${empty.party}`])
    await assert.rejects(begin(party, { decision: another }), refusal('DECISION_NOT_COVERING'))
    await assert.rejects(begin(party, { reviewAt: review(0) }), refusal('DEFERRAL_DATES'))
    await assert.rejects(begin(party, { endsAt: review(hours(1)) }), refusal('DEFERRAL_DATES'))
    await assert.rejects(begin(party, { mpids: ['x'.repeat(65)] }), refusal('DEFERRAL_UNFIT'))
    await assert.rejects(begin(party, { certificates: [] }), refusal('DEFERRAL_UNFIT'))
    const { held } = await supplier(1)
    await assert.rejects(begin(party, { certificates: held }), refusal('NOT_OF_PARTY'))
    await assert.rejects(begin(999), refusal('PARTY_UNKNOWN'))
    await begin(party)
    await assert.rejects(begin(party), refusal('DEFERRAL_EXISTS'))
    const refused = (await scene.journal()).filter(({ body }) => body.attempt === 'begin deferral')
    assert.equal(refused.length, 10)
  })

  it('puts a Compromise before the SMKI PMA at once, which may decide that one otherwise', async () => {
    const { party, held, aro } = await supplier()
    const deferral = await begin(party)
    const asked = async () =>
      (await noticesTo(scene.store, 'SMKI PMA')).filter(one => one.about.deferral === deferral.id)
    const quiet = await scene.ask(held[0]!, aro, { ground: 'not needed' })
    assert.deepEqual(await asked(), [])
    const urgent = await scene.ask(held[1]!, aro, { ground: 'key compromise', urgent: true })
    const [question, ...more] = await asked()
    assert.equal(more.length, 0)
    assert.equal(question!.about.case, urgent.case)
    assert.equal((await scene.authenticate(urgent)).question, question!.id)
    assert.equal((await asked()).length, 1)

    const decision = await scene.decision(['revoke'], [`party:${party}`])
    await scene.authenticate(quiet)
    await assert.rejects(
      releaseCase(scene.hands, scene.managers[0], urgent.case, deferral.decision, {}),
      refusal('DECISION_NOT_COVERING'),
    )
    const released = await releaseCase(scene.hands, scene.managers[0], urgent.case, decision, {})
    assert.equal(released.state, 'revoked')
    assert.equal((await caseOf(scene.store, quiet.case)).state, 'deferred')
    await assert.rejects(
      releaseCase(scene.hands, scene.managers[0], urgent.case, decision, {}),
      refusal('CASE_STATE'),
    )
    await assert.rejects(end(deferral.id, party, [urgent.case]), refusal('CASE_STATE'))
    // Of the others the SMKI PMA decided at the end that they stay.
    const ended = await end(deferral.id, party, [quiet.case])
    assert.deepEqual([ended.revoked, ended.cancelled.map(one => one.state)], [[], ['cancelled']])
    await scene.renew()
    const { entries } = await scene.listed('smki-organisation')
    assert.deepEqual(
      held.map(({ serial }) => entries.has(serial)),
      [false, true],
    )
    // What was cancelled may be asked for anew.
    assert.equal((await scene.settle(await scene.ask(held[0]!, aro))).state, 'revoked')
  })

  it('takes from nobody of the Registration Authority a case that waits', async () => {
    const { party, held, aro } = await supplier(1)
    await begin(party)
    const opened = await scene.ask(held[0]!, aro)
    await scene.authenticate(opened)
    await assert.rejects(
      refuse(scene.hands, scene.kinds, scene.managers[0], opened.task, {}),
      refusal('REVOCATION_DEFERRED'),
    )
    assert.equal((await caseOf(scene.store, opened.case)).state, 'deferred')
  })

  it('is extended by a decision of its own, and lapses at its end without one', async () => {
    const { party, held, aro } = await supplier(1)
    const at = (ms: number) => new Date(scene.hands.clock().getTime() + ms)
    const first = at(hours(48))
    const deferral = await begin(party, { reviewAt: at(hours(24)), endsAt: first })
    const opened = await scene.ask(held[0]!, aro)
    await scene.authenticate(opened)
    scene.pass(hours(40))
    const decision = await scene.decision(['extend deferral'], [`party:${party}`])
    const later = { decision, reviewAt: at(hours(20)), endsAt: at(hours(20)) }
    await assert.rejects(
      extendDeferral(scene.hands, scene.managers[0], deferral.id, { ...later, decision: deferral.decision }, {}),
      refusal('DECISION_NOT_COVERING'),
    )
    const extended = await extendDeferral(scene.hands, scene.managers[0], deferral.id, later, {})
    assert.deepEqual(
      extended.extensions.map(one => one.decision),
      [decision],
    )
    scene.pass(hours(19))
    assert.deepEqual(await lapseDeferrals(scene.hands), [])
    scene.pass(hours(1))
    await assert.rejects(
      extendDeferral(scene.hands, scene.managers[0], deferral.id, { ...later, reviewAt: at(1) }, {}),
      refusal('DEFERRAL_ENDED'),
    )
    const [lapsed] = await lapseDeferrals(scene.hands)
    assert.deepEqual(
      lapsed!.revoked.map(one => [one.id, one.state]),
      [[opened.case, 'revoked']],
    )
    assert.deepEqual(await lapseDeferrals(scene.hands), [])
    assert.equal((await deferralOf(scene.store, deferral.id)).endDecision, undefined)
    await assert.rejects(
      extendDeferral(scene.hands, scene.managers[0], deferral.id, later, {}),
      refusal('DEFERRAL_ENDED'),
    )
  })

  it('that has run out holds nothing back, though nobody has noted its end yet', async () => {
    const { party, held, aro } = await supplier()
    const soon = new Date(scene.hands.clock().getTime() + hours(2))
    const deferral = await begin(party, { reviewAt: soon, endsAt: soon })
    const [waiting, later] = [await scene.ask(held[0]!, aro), held[1]!]
    await scene.authenticate(waiting)
    scene.pass(hours(2))
    assert.equal((await scene.ask(later, aro)).deferral, undefined)
    await approve(scene.hands, scene.kinds, scene.managers[1], waiting.task, { digest: waiting.digest })
    assert.equal((await caseOf(scene.store, waiting.case)).state, 'revoked')
    const [lapsed] = await lapseDeferrals(scene.hands)
    assert.deepEqual([lapsed!.deferral.id, lapsed!.revoked], [deferral.id, []])
  })

  it('ends for all the others when one was revoked meanwhile by another way', async () => {
    const { party, held, aro } = await supplier()
    const deferral = await begin(party)
    for (const one of held) await scene.authenticate(await scene.ask(one, aro))
    const expiresAt = new Date(scene.hands.clock().getTime() + hours(24 * 365))
    const revoked = { serial: fromHex(held[0]!.serial), at: scene.hands.clock(), reason: 1, expiresAt }
    await scene.store.transaction(client => markRevoked(client, held[0]!.authority, revoked))
    const ended = await end(deferral.id, party)
    assert.deepEqual(
      [ended.cancelled, ended.revoked].map(some => some.map(one => one.certificate.serial)),
      [[held[0]!.serial], [held[1]!.serial]],
    )
  })

  it('covers what follows when the supplier ceases: duties, returned credentials, rejections', async () => {
    const { party, held, aro } = await supplier()
    const iki = await scene.credential({ kind: 'BATCH_WS', party, role: 2 }, aro)
    const deferral = await begin(party)
    assert.equal((await certificatesOfDeferral(scene.store, deferral.id)).length, 3)
    const rejected = await rejectCertificate(scene.hands, aro, held[0]!, {})
    assert.equal(rejected.state, 'deferred')

    await ceaseOrganisation(scene.hands, scene.managers[0], party, {})
    const [opened, ...more] = await openDuties(scene.hands, scene.personnel[1], party, {})
    assert.equal(more.length, 0)
    assert.equal((await scene.authenticate(opened!)).state, 'deferred')
    assert.deepEqual(
      (await revokeReturned(scene.hands)).map(one => [one.state, one.deferral]),
      [['deferred', deferral.id]],
    )
    assert.deepEqual(await revokeReturned(scene.hands), [])

    const ended = await end(deferral.id, party)
    assert.equal(ended.revoked.length, 3)
    await scene.renew()
    assert.ok((await scene.listed('iki')).entries.has(iki.serial))
    for (const { serial } of held) assert.ok((await scene.listed('smki-organisation')).entries.has(serial))
  })

  it('of some certificates leaves the others to the ordinary way', async () => {
    const { party, held, aro } = await supplier()
    const deferral = await begin(party, { certificates: [held[0]!] })
    assert.equal(deferral.whole, false)
    const [covered, free] = [await scene.ask(held[0]!, aro), await scene.ask(held[1]!, aro)]
    assert.deepEqual([covered.deferral?.id, free.deferral], [deferral.id, undefined])
    assert.equal((await scene.settle(free)).state, 'revoked')
    assert.ok((await deferrals(scene.store, { open: true })).some(one => one.id === deferral.id))
  })
})
