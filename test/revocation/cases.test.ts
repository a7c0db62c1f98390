/** Certificate Revocation Requests: who may ask for what, two people decide, and the list names it in time. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import type { Ground } from '../../src/policy/revocation/grounds.ts'
import { issueDevices } from '../../src/rooms/issuance/issue.ts'
import { issuingDcas } from '../../src/rooms/issuance/issuing-dcas.ts'
import { ceaseOrganisation } from '../../src/rooms/registration/cease.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { credentialOf } from '../../src/rooms/registration/parties.ts'
import { waitingFor } from '../../src/rooms/registration/task.ts'
import { approve, refuse, verify, withdraw } from '../../src/rooms/registration/tasks.ts'
import { markRevoked } from '../../src/rooms/repository/lists.ts'
import { caseAbout, caseOf, cases } from '../../src/rooms/revocation/case.ts'
import { dutiesToRevoke, openDuties } from '../../src/rooms/revocation/duty.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import type { CertificateRef } from '../../src/rooms/revocation/object.ts'
import {
  closeInvestigation,
  deviceRejections,
  rejectCertificate,
  rejectDeviceCertificate,
} from '../../src/rooms/revocation/reject.ts'
import { suspensionOf } from '../../src/rooms/revocation/suspended.ts'
import { anyDevice, newCsr } from '../issuing/rooms.ts'
import { evidence, type Officers, refusal } from '../registration/office.ts'
import { hours, openScene, type Scene } from './scene.ts'

type Subscriber = Officers & { party: number }

let scene: Scene
let acme: Subscriber
let other: Subscriber
let device: CertificateRef

before(async () => {
  scene = await openScene(['smki-organisation', 'smki-device', 'iki'], { certificates: { issuingDcaStock: 1 } })
  acme = await scene.subscriber('acme')
  other = await scene.subscriber('other')
  const profile = profileNamed(scene.settings, 'Device Certificate')
  const { keyUse } = hierarchies(scene.settings)['smki-device'].issuing
  const by = { ...scene.hands, authorities: issuingDcas(scene.hands, scene.keys.issuing, profile, keyUse!, 1) }
  const [outcome] = await issueDevices(by, { requests: [newCsr()], rules: anyDevice, says: {} })
  const { serial } = readCertificate(outcome && 'der' in outcome ? outcome.der : assert.fail())
  device = { authority: scene.authority('smki-device').id, serial: Buffer.from(serial).toString('hex') }
})
after(() => scene.close())

const listed = (pki: 'smki-organisation' | 'iki', level: 'issuing' | 'root' = 'issuing') => scene.listed(pki, level)

describe('a Certificate Revocation Request', () => {
  it('is received, authenticated, approved by somebody else, and on the list within the hour', async () => {
    const certificate = await scene.organisationCertificate(acme.party)
    const opened = await scene.ask(certificate, acme.aro)
    assert.equal((await caseOf(scene.store, opened.case)).state, 'received')
    const waiting = await waitingFor(scene.store, scene.kinds, scene.personnel[0].person, scene.hands.clock())
    assert.ok(waiting.some(one => one.task.id === opened.task && one.step === 'verify'))
    assert.equal((await scene.authenticate(opened)).state, 'authenticated')

    scene.pass(90_000)
    const decided = scene.hands.clock()
    await approve(scene.hands, scene.kinds, scene.managers[0], opened.task, { digest: opened.digest })
    const revoked = await caseOf(scene.store, opened.case)
    assert.equal(revoked.state, 'revoked')
    assert.equal(revoked.revokedAt!.getTime(), decided.getTime())
    assert.equal(revoked.listDueAt!.getTime(), decided.getTime() + hours(1))

    scene.pass(60_000)
    assert.deepEqual(
      (await scene.renew()).map(list => list.name),
      ['Organisation CRL'],
    )
    const done = await caseOf(scene.store, opened.case)
    const { list, entries } = await listed('smki-organisation')
    assert.equal(done.state, 'listed')
    assert.equal(done.listNumber, list.number)
    assert.ok(done.listedAt! <= revoked.listDueAt!)
    const entry = entries.get(certificate.serial)!
    assert.equal(entry.reason, 1)
    // The date is that of the decision, not of the list.
    assert.equal(entry.at.getTime(), decided.getTime())

    const said = (await scene.journal()).filter(
      ({ body }) => body.case === opened.case || body.task === opened.task,
    )
    assert.deepEqual(
      said.map(({ act }) => act),
      ['revocation case', 'request', 'verify', 'authenticate request', 'approve', 'revoke'],
    )
    const closing = (await scene.journal()).find(({ act }) => act === 'list cases')
    assert.deepEqual(closing!.body.cases, [opened.case])
  })

  it('is refused for what is revoked already, and for what is asked for already', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 1)
    const opened = await scene.ask(certificate, acme.sro)
    await assert.rejects(scene.ask(certificate, acme.aro), refusal('CASE_OPEN'))
    await scene.settle(opened)
    await assert.rejects(scene.ask(certificate, acme.aro), refusal('ALREADY_REVOKED'))
    await scene.renew()
    await assert.rejects(scene.ask(certificate), refusal('ALREADY_REVOKED'))
  })

  it('is not approved for what was revoked by another way since', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 30)
    const opened = await scene.ask(certificate, acme.aro)
    await scene.authenticate(opened)
    await rejectCertificate(scene.hands, acme.aro, certificate, {}).then(() => assert.fail(), refusal('CASE_OPEN'))
    const at = scene.hands.clock()
    const revoked = {
      serial: fromHex(certificate.serial),
      at,
      reason: 1,
      expiresAt: new Date(at.getTime() + hours(9)),
    }
    await scene.store.transaction(client => markRevoked(client, certificate.authority, revoked))
    await assert.rejects(
      approve(scene.hands, scene.kinds, scene.managers[0], opened.task, { digest: opened.digest }),
      refusal('ALREADY_REVOKED'),
    )
    await refuse(scene.hands, scene.kinds, scene.managers[0], opened.task, { words: 'revoked already' })
  })

  it('of one certificate by two at the same time is one case', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 2)
    const both = await Promise.allSettled([scene.ask(certificate, acme.aro), scene.ask(certificate, acme.sro)])
    assert.deepEqual(both.map(one => one.status).toSorted(), ['fulfilled', 'rejected'])
    refusal('CASE_OPEN')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
  })

  it("is refused for another Party's certificate, of the Organisation PKI and of the IKI", async () => {
    const organisation = await scene.organisationCertificate(acme.party, 3)
    await assert.rejects(scene.ask(organisation, other.aro), refusal('OTHER_ORGANISATION'))
    const iki = await scene.credential({ kind: 'BATCH_WS', party: acme.party, role: 2 }, acme.aro)
    await assert.rejects(scene.ask(iki, other.sro), refusal('OTHER_ORGANISATION'))
  })

  it('is refused for a Device Certificate, whoever asks', async () => {
    for (const by of [acme.aro, scene.managers[0], scene.pma[0]]) {
      await assert.rejects(scene.ask(device, by), refusal('DEVICE_NEVER_REVOKED'))
    }
    const refused = (await scene.journal()).filter(({ body }) => body.code === 'DEVICE_NEVER_REVOKED')
    assert.equal(refused.length, 3)
    assert.equal(refused[0]!.body.attempt, 'request revocation')
  })

  it('is refused for what nobody issued, what is no serial number, and what has expired', async () => {
    const { id } = scene.authority('smki-organisation')
    for (const serial of ['00', `7f${'0'.repeat(30)}`, 'x'.repeat(32)]) {
      await assert.rejects(scene.ask({ authority: id, serial }), refusal('CERTIFICATE_UNKNOWN'))
    }
    // The serial number of one authority is not that of another.
    const { serial } = await scene.organisationCertificate(acme.party, 4)
    const iki = scene.authority('iki').id
    await assert.rejects(scene.ask({ authority: iki, serial }), refusal('CERTIFICATE_UNKNOWN'))
  })

  it('needs a ground that fits, and a Member a decision that covers it', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 5)
    const grounds = ['CA compromise', 'rejected', 'unacceptable performance', 'toString', 'no ground'] as Ground[]
    for (const ground of grounds) {
      await assert.rejects(scene.ask(certificate, acme.aro, { ground }), refusal('GROUND_UNFIT'))
    }
    const [member] = scene.pma
    await assert.rejects(scene.ask(certificate, member), refusal('DIRECTION_NEEDED'))
    await assert.rejects(scene.ask(certificate, member, { decision: 'PMA-0' }), refusal('DIRECTION_NEEDED'))
    const wrong = await scene.decision(['revoke'], [`party:${other.party}`])
    const opened = await scene.ask(certificate, member, { ground: 'direction', decision: wrong })
    await assert.rejects(scene.settle(opened), refusal('DECISION_NOT_COVERING'))
    await refuse(scene.hands, scene.kinds, scene.managers[0], opened.task, { words: 'it names another Party' })
    assert.equal((await caseOf(scene.store, opened.case)).state, 'refused')

    const right = await scene.decision(['revoke'], [`party:${acme.party}`], 1)
    const again = await scene.ask(certificate, member, { ground: 'direction', decision: right })
    const revoked = await scene.settle(again)
    assert.equal(revoked.reason, 9)
    // It allowed one use.
    const next = await scene.organisationCertificate(acme.party, 6)
    const more = await scene.ask(next, member, { ground: 'direction', decision: right })
    await assert.rejects(scene.settle(more), refusal('DECISION_USED_UP'))
  })

  it('is verified and approved by different people, and of two approvals at once one wins', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 7)
    const opened = await scene.ask(certificate, acme.aro)
    const given = { digest: opened.digest }
    await assert.rejects(
      approve(scene.hands, scene.kinds, scene.managers[0], opened.task, given),
      refusal('STEP_NOT_DUE'),
    )
    await assert.rejects(
      verify(scene.hands, scene.kinds, scene.managers[0], opened.task, given),
      refusal('EVIDENCE_MISSING'),
    )
    await scene.authenticate(opened, scene.managers[0])
    await assert.rejects(
      approve(scene.hands, scene.kinds, scene.managers[0], opened.task, given),
      refusal('TWO_PERSON_RULE'),
    )
    await assert.rejects(
      approve(scene.hands, scene.kinds, acme.aro, opened.task, given),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    const extra = await scene.appoint(scene.managers[0], await scene.person('Third'), 'RA_MANAGER')
    const both = await Promise.allSettled(
      [scene.managers[1], extra].map(by => approve(scene.hands, scene.kinds, by, opened.task, given)),
    )
    assert.deepEqual(both.map(one => one.status).toSorted(), ['fulfilled', 'rejected'])
    refusal('TASK_DECIDED')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
    const revocations = (await scene.journal()).filter(
      ({ act, body }) => act === 'revoke' && body.case === opened.case,
    )
    assert.equal(revocations.length, 1)
  })

  it('that was withdrawn or refused can be made anew', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 8)
    const first = await scene.ask(certificate, acme.aro)
    await withdraw(scene.hands, scene.kinds, acme.sro, first.task, { words: 'a mistake' })
    assert.equal((await caseOf(scene.store, first.case)).state, 'refused')
    assert.equal(await caseAbout(scene.store, certificate), undefined)
    assert.equal((await scene.settle(await scene.ask(certificate, acme.aro))).state, 'revoked')
  })

  it('gives each ground its reason code, and never certificateHold or removeFromCRL', async () => {
    const expected: [Ground, number][] = [
      ['identity changed', 3],
      ['replaced', 4],
      ['not needed', 5],
      ['unspecified', 0],
    ]
    for (const [i, [ground, reason]] of expected.entries()) {
      const certificate = await scene.organisationCertificate(acme.party, 10 + i)
      const revoked = await scene.settle(await scene.ask(certificate, acme.aro, { ground }))
      assert.equal(revoked.reason, reason, ground)
    }
    await scene.renew()
    const { entries } = await listed('smki-organisation')
    const seen = new Set([...entries.values()].map(one => one.reason))
    assert.deepEqual([...seen].toSorted(), [0, 1, 3, 4, 5, 9])
  })
})

describe('the credential of a Party', () => {
  it('ends with its certificate, in one transaction: it opens no door from then on', async () => {
    const iki = await scene.credential({ kind: 'ADHOC_WS', party: acme.party, role: 2 }, acme.aro)
    const issuer = scene.authority('iki').certificate.subject.der
    const state = async () => (await credentialOf(scene.store, issuer, fromHex(iki.serial)))?.state
    assert.equal(await state(), 'active')
    await scene.settle(await scene.ask(iki, acme.aro, { ground: 'holder gone' }))
    assert.equal(await state(), 'revoked')
    assert.equal((await credentialRecord(scene.store, iki.credential)).state, 'revoked')
    await scene.renew()
    assert.ok((await listed('iki')).entries.has(iki.serial))
  })

  it('of one person is asked for by that person and the SRO, and by no other ARO', async () => {
    const request = { kind: 'PORTAL_ORG', party: acme.party, person: acme.aro.person, role: 2 } as const
    const iki = await scene.credential(request, acme.sro)
    const second = await scene.appoint(acme.sro, await scene.person('Bo'), 'ARO', acme.party, ['smki-organisation'])
    await assert.rejects(scene.ask(iki, second), refusal('NOT_OWN_CREDENTIAL'))
    const opened = await scene.ask(iki, acme.aro)
    await withdraw(scene.hands, scene.kinds, acme.aro, opened.task)
    assert.equal((await scene.settle(await scene.ask(iki, acme.sro))).state, 'revoked')
  })
})

describe('the certificate of an authority', () => {
  const ca = (pki: 'smki-organisation' | 'iki', level: 'root' | 'issuing' = 'issuing'): CertificateRef => ({
    authority: scene.authority(pki, 'root').id,
    serial: Buffer.from(scene.authority(pki, level).certificate.serial).toString('hex'),
  })

  it('is no business of an ARO, nor of an SRO or of RA Personnel', async () => {
    for (const by of [acme.aro, acme.sro, scene.personnel[0]]) {
      await assert.rejects(scene.ask(ca('iki'), by, { ground: 'CA compromise' }), refusal('NOT_FOR_THIS_OFFICE'))
    }
  })

  it('of a root stands on no list', async () => {
    await assert.rejects(
      scene.ask(ca('smki-organisation', 'root'), scene.managers[0], { ground: 'CA compromise' }),
      refusal('ROOT_NOT_LISTED'),
    )
  })

  it('is revoked by the DCC on Compromise, or by direction; it issues nothing any more, and the ARL names it', async () => {
    const [manager] = scene.managers
    await assert.rejects(scene.ask(ca('iki'), manager, { ground: 'not needed' }), refusal('DIRECTION_NEEDED'))
    await assert.rejects(
      scene.ask(ca('iki'), scene.pma[0], { ground: 'CA compromise' }),
      refusal('DIRECTION_NEEDED'),
    )
    await assert.rejects(scene.ask(ca('iki'), manager, { ground: 'key compromise' }), refusal('GROUND_UNFIT'))

    const now = scene.hands.clock()
    const authority = scene.authority('iki').id
    assert.equal(await suspensionOf(scene.store, { authority }, now), undefined)
    const opened = await scene.ask(ca('iki'), manager, { ground: 'CA compromise' })
    const revoked = await scene.settle(opened)
    assert.equal(revoked.listDueAt!.getTime() - revoked.revokedAt!.getTime(), hours(24))
    assert.equal((await suspensionOf(scene.store, { authority }, scene.hands.clock()))?.forGood, true)

    // A root is offline: its list waits for a ceremony.
    assert.ok(!(await scene.renew()).some(list => list.name === 'IKI ARL'))
    const root = scene.authority('iki', 'root')
    await publishList(scene.hands, root, scene.keys.root, scene.hands.schedules(root)!)
    const { entries } = await listed('iki', 'root')
    assert.equal(entries.get(ca('iki').serial)?.reason, 2)
    assert.equal((await caseOf(scene.store, opened.case)).state, 'listed')
  })
})

describe('a certificate that is rejected after download', () => {
  it('is revoked as superseded by the word of an ARO of its Party alone, and the list is due', async () => {
    const certificate = await scene.organisationCertificate(acme.party, 20)
    await assert.rejects(rejectCertificate(scene.hands, other.aro, certificate, {}), refusal('NOT_OF_PARTY'))
    await assert.rejects(rejectCertificate(scene.hands, acme.sro, certificate, {}), refusal('NOT_FOR_THIS_OFFICE'))
    const revoked = await rejectCertificate(scene.hands, acme.aro, certificate, { words: 'not our key' })
    assert.deepEqual([revoked.state, revoked.reason, revoked.origin], ['revoked', 4, 'rejection'])
    await scene.renew()
    assert.equal((await listed('smki-organisation')).entries.get(certificate.serial)?.reason, 4)
    await assert.rejects(rejectCertificate(scene.hands, acme.aro, certificate, {}), refusal('ALREADY_REVOKED'))
  })

  it('of a Device stays what it is, and is logged and investigated', async () => {
    await assert.rejects(rejectCertificate(scene.hands, acme.aro, device, {}), refusal('DEVICE_NEVER_REVOKED'))
    const id = await rejectDeviceCertificate(scene.hands, acme.aro, device, { words: 'another key than the CSR' })
    await assert.rejects(rejectDeviceCertificate(scene.hands, acme.aro, device, {}), refusal('REJECTION_LOGGED'))
    assert.deepEqual(
      (await deviceRejections(scene.store, { open: true })).map(one => [one.id, one.certificate.serial, one.party]),
      [[id, device.serial, acme.party]],
    )
    await closeInvestigation(scene.hands, scene.personnel[0], id, 'the certificate has the key of the CSR', {})
    await assert.rejects(
      closeInvestigation(scene.hands, scene.personnel[0], id, 'once more', {}),
      refusal('REJECTION_UNKNOWN'),
    )
    assert.deepEqual(await deviceRejections(scene.store, { open: true }), [])
    const { rows } = await scene.store.query('SELECT FROM revoked WHERE authority = $1', [device.authority])
    assert.equal(rows.length, 0)
    const said = (await scene.journal())
      .filter(({ act, body }) => act !== 'refused' && body.rejection === id)
      .map(({ act }) => act)
    assert.deepEqual(said, ['reject certificate', 'investigate rejection'])
  })
})

describe('the duty to revoke', () => {
  it('falls on every Organisation Certificate of a Subscriber that has ceased, and opens a case for each', async () => {
    const gone = await scene.subscriber('gone')
    const held = [0, 1, 2].map(nth => scene.organisationCertificate(gone.party, nth))
    const certificates = await Promise.all(held)
    const duties = () => dutiesToRevoke(scene.store, scene.hands.clock(), scene.hands.revocation)
    assert.deepEqual(await duties(), [])
    await assert.rejects(openDuties(scene.hands, scene.personnel[0], gone.party, {}), refusal('GROUND_UNFIT'))

    await ceaseOrganisation(scene.hands, scene.managers[0], gone.party, { words: 'wound up' })
    const [duty, ...more] = await duties()
    assert.equal(more.length, 0)
    assert.deepEqual([duty!.party, duty!.standing, duty!.inCases], [gone.party, 'ceased', 0])
    assert.deepEqual(
      duty!.certificates.map(one => one.serial).toSorted(),
      certificates.map(one => one.serial).toSorted(),
    )

    const opened = await openDuties(scene.hands, scene.personnel[1], gone.party, {})
    assert.equal(opened.length, 3)
    assert.deepEqual(
      (await duties()).map(one => [one.certificates.length, one.inCases]),
      [[0, 3]],
    )
    assert.deepEqual(await openDuties(scene.hands, scene.personnel[1], gone.party, {}), [])
    for (const one of opened) assert.equal((await scene.settle(one)).reason, 9)
    assert.deepEqual(await duties(), [])
    const states = (await cases(scene.store, { party: gone.party })).map(one => one.state)
    assert.deepEqual(states, ['revoked', 'revoked', 'revoked'])
  })
})

it('no personal data and no evidence but by reference stands in the journal of this room', async () => {
  const text = JSON.stringify(await scene.journal())
  for (const name of ['Nina', 'Sam', 'Ali']) assert.ok(!text.includes(name), name)
  assert.ok(text.includes(evidence('signed form')[0]!.reference))
})
