/** L11.5 to L11.7: a Certificate is downloaded, compared, accepted or rejected; who says nothing has accepted. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHexUpper } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { entryOf, readList } from '../../src/ground/x509/list.ts'
import { hierarchies } from '../../src/policy/hierarchies.ts'
import {
  acceptOrganisation,
  downloadOrganisation,
  rejectOrganisation,
} from '../../src/rooms/issuance/acceptance.ts'
import { inconsistencies } from '../../src/rooms/issuance/organisation-compare.ts'
import { submissionOf } from '../../src/rooms/issuance/organisation-csr.ts'
import type { Shown } from '../../src/rooms/issuance/organisation-submit.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { findByEui64 } from '../../src/rooms/repository/find.ts'
import { currentIntervals, isWaiting } from '../../src/rooms/repository/lists.ts'
import { renewLists } from '../../src/rooms/revocation/schedule.ts'
import { evidence, type Officers, ranges, refusal } from '../registration/office.ts'
import { csrFor, openPortal, type Portal } from './portal.ts'

const day = 86_400_000

describe('an issued Organisation Certificate', () => {
  let portal: Portal
  let supplier: Officers & { party: number; shown: Shown }
  let other: Officers & { party: number }
  let eui64: string

  before(async () => {
    portal = await openPortal()
    const userRoles = ranges('IS')
    eui64 = userRoles[0]!.first
    const who = await portal.office.subscriber('supplier', { userRoles })
    supplier = { ...who, shown: await portal.shown(who.party, who.aro) }
    other = await portal.office.subscriber('other')
  })
  after(() => portal.close())

  const issued = async (csr = csrFor(eui64, 0x02)) => {
    const { submission, certificate } = await portal.issue(supplier.shown, csr)
    return { own: { party: supplier.party, id: submission.id }, certificate, csr }
  }
  type Own = { party: number; id: bigint }
  const accept = (own: Own, by: Officer = supplier.aro) =>
    acceptOrganisation(portal.office.hands, portal.rules, by, own)
  const reject = (own: Own, by: Officer = supplier.aro, words = 'the EUI-64 is not ours') =>
    rejectOrganisation(portal.office.hands, portal.rules, by, own, { words, evidence: evidence('signed form') })
  const download = (own: Own, by: Officer = supplier.aro) =>
    downloadOrganisation(portal.office.hands, portal.rules, by, own)
  const acceptance = async (own: Own) =>
    (await submissionOf(portal.office.store, own, portal.rules, portal.office.hands.clock())).acceptance
  const said = async (own: Own) =>
    (await portal.office.journal()).filter(one => one.body.submission === String(own.id)).map(one => one.act)
  const statusOf = async (serial: Uint8Array) =>
    (await findByEui64(portal.office.store, fromHex(eui64), 'organisation', portal.office.hands.clock())).find(
      one => toHexUpper(one.serial) === toHexUpper(serial),
    )?.status

  it('is downloaded as often as one likes, and agrees with its CSR; the first time stands in the journal', async () => {
    const { own, certificate, csr } = await issued()
    assert.equal(await acceptance(own), 'open')
    const first = await download(own)
    assert.deepEqual(first.submission.downloadedAt, portal.office.hands.clock())
    portal.office.pass(1000)
    const again = await download(own)
    assert.deepEqual(again.submission.downloadedAt, first.submission.downloadedAt)
    assert.deepEqual(first.der, Buffer.from(certificate.der))
    assert.deepEqual(inconsistencies(csr, first.der), [])
    assert.equal((await said(own)).filter(act => act === 'download Organisation Certificate').length, 1)
  })

  it('that is not what was asked for is told apart from its CSR by whoever compares', async () => {
    const { certificate } = await issued(csrFor(eui64, 0x02, 'digitalSignature', { commonName: 'HEADEND' }))
    const wrong = inconsistencies(csrFor(eui64, 0x87, 'keyAgreement', { commonName: 'OTHER' }), certificate.der)
    assert.deepEqual(wrong, [
      'the public key is not that of the CSR',
      'commonName is HEADEND, and OTHER was asked for',
      'organizationalUnitName is 02, and 87 was asked for',
      'keyUsage is digitalSignature, and keyAgreement was asked for',
    ])
    assert.equal(
      inconsistencies(csrFor(eui64, 0x02), certificate.der)[1],
      'commonName is HEADEND, and nothing was asked for',
    )
  })

  it('is accepted once, and is not rejected after that', async () => {
    const { own, certificate } = await issued()
    assert.equal((await accept(own)).acceptance, 'accepted')
    await assert.rejects(accept(own), refusal('ACCEPTED_ALREADY'))
    await assert.rejects(reject(own), refusal('ACCEPTED_ALREADY'))
    assert.equal(await statusOf(certificate.serial), 'I')
  })

  it('that is rejected is revoked as superseded at once, and stands on the next list; the RA is told to investigate', async () => {
    const { hands, store } = portal.office
    const { own, certificate } = await issued()
    const [interval] = (await currentIntervals(store)).filter(one => one.name === 'Organisation CRL')
    assert.equal(await isWaiting(store, interval!), false)
    const told = (await noticesTo(store, 'Registration Authority')).length

    const rejected = await reject(own)
    assert.equal(rejected.acceptance, 'rejected')
    assert.equal(await statusOf(certificate.serial), 'R')
    assert.equal(await isWaiting(store, interval!), true)
    const notices = await noticesTo(store, 'Registration Authority')
    assert.equal(notices.length, told + 1)
    assert.equal(notices.at(-1)!.about.serial, toHexUpper(certificate.serial))
    assert.equal((await said(own)).at(-1), 'reject Organisation Certificate')
    const [revoked] = (await portal.office.journal()).filter(one => one.act === 'revoke certificate').slice(-1)
    assert.equal(revoked!.body.serial, toHexUpper(certificate.serial))

    const schedule = hierarchies(portal.settings)['smki-organisation'].issuing.list!
    const [list] = await renewLists(hands, portal.keys.issuing, ({ level }) =>
      level === 'issuing' ? schedule : undefined,
    )
    const entry = entryOf(readList(list!.der), certificate.serial)
    assert.ok(entry, 'it is on the list')
    assert.equal(toHexUpper(entry.extensions[0]!.value), '0A0104', 'superseded')
    assert.equal(entry.revokedAt.ms, Math.floor(hands.clock().getTime() / 1000) * 1000)

    await assert.rejects(reject(own), refusal('REJECTED_ALREADY'))
    await assert.rejects(accept(own), refusal('REJECTED_ALREADY'))
    assert.ok(readCertificate((await download(own)).der), 'it can still be looked at')
  })

  it('that the Subscriber rejected through the Service Desk is recorded by the Registration Authority', async () => {
    const { own } = await issued()
    const clerk = { person: portal.office.personnel[0].person, as: 'RA_PERSONNEL' } as const
    assert.equal((await reject(own, { ...supplier.sro, through: clerk })).acceptance, 'rejected')
    const [entry] = (await portal.office.journal()).filter(
      one => one.act === 'reject Organisation Certificate' && one.body.submission === String(own.id),
    )
    const by = entry!.body.by as { person: string; through: { person: string } }
    assert.deepEqual([by.person, by.through.person], [supplier.sro.person, clerk.person])
  })

  it('is accepted by silence when its time is over, and not a millisecond before', async () => {
    const { office, rules } = portal
    const kept = await issued()
    const late = await issued()
    office.pass(rules.rejectionDays * day)
    assert.equal(await acceptance(kept.own), 'open')
    assert.equal((await reject(late.own)).acceptance, 'rejected')
    office.pass(1)
    assert.equal(await acceptance(kept.own), 'accepted by silence')
    await assert.rejects(reject(kept.own), refusal('ACCEPTED_ALREADY'))
    await assert.rejects(accept(kept.own), refusal('ACCEPTED_ALREADY'))
    assert.equal(await acceptance(late.own), 'rejected')
    assert.equal(await statusOf(kept.certificate.serial), 'I')
  })

  it('is nobody else’s to speak for', async () => {
    const { office } = portal
    const { own } = await issued()
    const device = await office.appoint(supplier.sro, await office.person('Dev'), 'ARO', supplier.party, [
      'smki-device',
    ])
    for (const act of [accept, reject, download]) {
      await assert.rejects(act(own, other.aro), refusal('OTHER_ORGANISATION'))
      await assert.rejects(act({ ...own, party: other.party }, other.aro), refusal('SUBMISSION_UNKNOWN'))
      await assert.rejects(act(own, office.managers[0]), refusal('NOT_FOR_THIS_OFFICE'))
      await assert.rejects(act(own, supplier.no), refusal('NOT_FOR_THIS_OFFICE'))
      await assert.rejects(act(own, device), refusal('ARO_NOT_AUTHORISED'))
    }
    assert.equal(await acceptance(own), 'open')
    const attempts = (await office.journal()).filter(
      one => one.act === 'refused' && String(one.body.attempt).endsWith('Organisation Certificate'),
    )
    assert.ok(attempts.length >= 15)
  })

  it('that is not issued yet has nothing to accept', async () => {
    const { id } = await portal.submit(supplier.shown, csrFor(eui64, 0x02))
    const own = { party: supplier.party, id }
    for (const act of [accept, reject, download]) await assert.rejects(act(own), refusal('SUBMISSION_STATE'))
    assert.equal(await acceptance(own), undefined)
  })

  it('of two who decide at one moment one wins, and the other is told', async () => {
    for (let round = 0; round < 6; round++) {
      const { own, certificate } = await issued()
      const both = await Promise.allSettled(round % 2 ? [accept(own), reject(own)] : [reject(own), accept(own)])
      assert.deepEqual(both.map(one => one.status).toSorted(), ['fulfilled', 'rejected'])
      const won = await acceptance(own)
      const told = (both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason
      refusal(won === 'rejected' ? 'REJECTED_ALREADY' : 'ACCEPTED_ALREADY')(told)
      assert.equal(await statusOf(certificate.serial), won === 'rejected' ? 'R' : 'I')
    }
  })
})

describe('a Subscriber', () => {
  let portal: Portal
  let supplier: Officers & { party: number; shown: Shown }
  let eui64: string

  before(async () => {
    portal = await openPortal()
    const userRoles = ranges('IS')
    eui64 = userRoles[0]!.first
    const who = await portal.office.subscriber('supplier', { userRoles })
    supplier = { ...who, shown: await portal.shown(who.party, who.aro) }
  })
  after(() => portal.close())

  const statuses = async () =>
    (await findByEui64(portal.office.store, fromHex(eui64), 'organisation', portal.office.hands.clock())).map(
      one => `${one.usage} ${one.status}`,
    )

  it('has two Key Agreement Certificates in use, for management and for prepayment top-up', async () => {
    await portal.issue(supplier.shown, csrFor(eui64, 0x02, 'keyAgreement'))
    await portal.issue(supplier.shown, csrFor(eui64, 0x02, 'keyAgreement'))
    assert.deepEqual(await statuses(), ['KA I', 'KA I'])
  })

  it('renews a Certificate with the same key, has several for one key, and for both usages', async () => {
    const pair = makeKeyPair('P-256')
    const certificates = []
    for (const usage of ['digitalSignature', 'digitalSignature', 'keyAgreement'] as const) {
      certificates.push((await portal.issue(supplier.shown, csrFor(eui64, 0x02, usage, { pair }))).certificate)
    }
    assert.equal(new Set(certificates.map(one => toHexUpper(one.serial))).size, 3)
    assert.equal(new Set(certificates.map(one => toHexUpper(one.publicKey.spki))).size, 1)
    assert.deepEqual(await statuses(), ['KA I', 'KA I', 'DS I', 'DS I', 'KA I'])
  })

  it('gets each of many that it asks for at one moment', async () => {
    const before = (await statuses()).length
    const made = await Promise.all(
      Array.from({ length: 8 }, () => portal.issue(supplier.shown, csrFor(eui64, 0x02))),
    )
    assert.equal(new Set(made.map(one => toHexUpper(one.certificate.serial))).size, 8)
    assert.equal((await statuses()).length, before + 8)
  })
})
