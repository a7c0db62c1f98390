/** Organisation CSRs at the Portal: each check of service-interface.md section 3.1, in its order, with its own code. */

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { csrWith, keyUsage } from '../../simulator/device.ts'
import * as der from '../../src/ground/der/write.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { Refusal } from '../../src/ground/refusal.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { ikiCsr } from '../../src/main/csr.ts'
import { heldSubmissions, submissionOf, submissionsOf } from '../../src/rooms/issuance/organisation-csr.ts'
import { decideHeld } from '../../src/rooms/issuance/organisation-held.ts'
import { issueSubmission } from '../../src/rooms/issuance/organisation-issue.ts'
import { type Shown, submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import { familyOf } from '../../src/rooms/issuance/refusals.ts'
import { cease, withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { lockCredential } from '../../src/rooms/registration/credentials.ts'
import { hex, type Officers, ranges, refusal } from '../registration/office.ts'
import { csrFor, openPortal, type Portal } from './portal.ts'

type Subscriber = Officers & { party: number; shown: Shown; eui64: string }

describe('an Organisation CSR', () => {
  let portal: Portal
  let supplier: Subscriber
  let other: Subscriber
  /** Of `supplier`, in its range as network operator. */
  let networkEui64: string

  before(async () => {
    portal = await openPortal()
    const userRoles = ranges('IS', 'ED')
    networkEui64 = userRoles[1]!.first
    const join = async (name: string, roles: ReturnType<typeof ranges>): Promise<Subscriber> => {
      const who = await portal.office.subscriber(name, { userRoles: roles })
      return { ...who, shown: await portal.shown(who.party, who.aro), eui64: roles[0]!.first }
    }
    supplier = await join('supplier', userRoles)
    other = await join('other', ranges('OU'))
  })
  after(() => portal.close())

  const act = async (name: string) => (await portal.office.journal()).filter(one => one.act === name)
  const codeOf = async (csr: Uint8Array | string, shown = supplier.shown) =>
    (await portal.submit(shown, csr)).refusal?.code

  it('that is good is approved, on record and in the journal, with the instant of receipt', async () => {
    const submission = await portal.submit(supplier.shown, csrFor(supplier.eui64, 0x02, 'keyAgreement'))
    assert.equal(submission.state, 'approved')
    assert.deepEqual(submission.approvedAt, portal.office.hands.clock())
    assert.equal(submission.answeredAt, undefined)
    assert.equal(submission.asks?.eui64, supplier.eui64)
    assert.equal(submission.asks.usage, 'keyAgreement')
    const [entry] = (await act('approve Organisation CSR')).slice(-1)
    assert.equal(entry!.body.submission, String(submission.id))
    assert.equal(entry!.body.csr, submission.sha256)
    assert.equal((entry!.body.by as { person: string }).person, supplier.aro.person)
    const own = { party: supplier.party, id: submission.id }
    assert.deepEqual(
      await submissionOf(portal.office.store, own, portal.rules, portal.office.hands.clock()),
      submission,
    )
    // Of another Party it is not known.
    const theirs = submissionOf(portal.office.store, { ...own, party: other.party }, portal.rules, new Date())
    await assert.rejects(theirs, refusal('SUBMISSION_UNKNOWN'))
  })

  it('is taken in every form of section 7 of the interface', async () => {
    const csr = csrFor(supplier.eui64, 0x02)
    const base64 = csr.toString('base64')
    const broken = (at: number, end: string) => base64.replace(new RegExp(`.{${at}}`, 'g'), line => line + end)
    const forms = [
      toPem('CERTIFICATE REQUEST', csr),
      toPem('NEW CERTIFICATE REQUEST', csr),
      toPem('CERTIFICATE REQUEST', csr).replaceAll('\n', '\r\n'),
      base64,
      broken(64, '\n'),
      broken(76, '\r\n'),
    ]
    const digests = new Set<string>()
    for (const form of forms) {
      const submission = await portal.submit(supplier.shown, form)
      assert.equal(submission.state, 'approved', form)
      digests.add(submission.sha256)
    }
    assert.equal(digests.size, 1, 'the same CSR whatever its text form')
  })

  it('that has not the form of one is refused with the code of what is wrong', async () => {
    const pair = makeKeyPair('P-256')
    const good = csrFor(supplier.eui64, 0x02, 'digitalSignature', { pair })
    const name = (...rdns: Buffer[]) => der.sequence(...rdns)
    const rdn = (oid: string, value: Buffer) => der.setOf(der.sequence(der.oid(oid), value))
    const ou = (text: string) => rdn(oids.organizationalUnitName, der.utf8String(text))
    const uid = rdn(oids.uniqueIdentifier, der.bitString(Buffer.from(supplier.eui64, 'hex')))
    const parts = { deviceId: supplier.eui64, usage: 'digitalSignature' } as const
    const asked = { ...parts, subject: name(ou('02'), uid), extensions: [keyUsage(['digitalSignature'])] }
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const brokenProof = Buffer.from(good)
    brokenProof[brokenProof.length - 5]! ^= 1
    const otherKey = csrWith({ ...asked, spki: makeKeyPair('P-256').publicKey })
    const cases: [string, Uint8Array | string, string][] = [
      ['no base64', 'this is no CSR', 'CR:CC2'],
      ['nothing', '', 'CR:CC2'],
      ['two blocks', toPem('CERTIFICATE REQUEST', good).repeat(2), 'CR:CC2'],
      ['a certificate', toPem('CERTIFICATE', good), 'CR:CC2'],
      ['very long', 'A'.repeat(20_000), 'CR:CC2'],
      ['cut short', good.subarray(0, -1), 'CR:CC2'],
      ['version 1', csrWith({ ...asked, version: 1 }), 'CR:CC4'],
      ['proof of possession broken', brokenProof, 'CR:CC3'],
      ['signed with another key', otherKey, 'CR:CC3'],
      ['key on P-384', csrWith({ ...asked, keyPair: p384 }), 'CR:CC8'],
      ['RSA', ikiCsr(makeKeyPair('RSA-2048'), { tradingName: 'x', role: 2, systemName: 'y' }), 'CR:CC5'],
      [
        'RSA key and signature',
        csrWith({
          ...asked,
          keyPair: generateKeyPairSync('rsa', { modulusLength: 2048 }),
          algorithm: der.sequence(der.oid(oids.sha256WithRsa), der.nothing()),
        }),
        'CR:CC1',
      ],
      [
        'keyUsage not critical',
        csrWith({ ...asked, extensions: [keyUsage(['digitalSignature'], false)] }),
        'CR:CC6',
      ],
      [
        'both usages',
        csrWith({ ...asked, extensions: [keyUsage(['digitalSignature', 'keyAgreement'])] }),
        'CR:CC6',
      ],
      ['no OU', csrWith({ ...asked, subject: name(uid) }), 'CR:CC5'],
      ['decimal OU', csrWith({ ...asked, subject: name(ou('137'), uid) }), 'CR:CC5'],
      ['OU of no role', csrWith({ ...asked, subject: name(ou('09'), uid) }), 'CR:CC5'],
      ['no EUI-64', csrWith({ ...asked, subject: name(ou('02')) }), 'CR:CC5'],
      [
        'a common name of 17 characters',
        csrFor(supplier.eui64, 2, 'digitalSignature', { commonName: 'x'.repeat(17) }),
        'CR:CC5',
      ],
      [
        'a country',
        csrWith({ ...asked, subject: name(rdn(oids.countryName, der.printableString('GB')), ou('02'), uid) }),
        'CR:CC5',
      ],
    ]
    for (const [what, csr, code] of cases) {
      const submission = await portal.submit(supplier.shown, csr)
      assert.equal(submission.refusal?.code, code, `${what}: ${submission.refusal?.says}`)
      assert.equal(submission.state, 'refused')
      assert.equal(familyOf(code), 'CR')
    }
    assert.equal(await codeOf(csrWith(asked)), undefined, 'the same parts without a fault are good')
    const refusals = await act('refuse Organisation CSR')
    assert.equal(refusals.length, cases.length)
    assert.ok(refusals.every(one => one.body.party === supplier.party && typeof one.body.csr === 'string'))
  })

  it('of somebody who may not have that Certificate is refused with the code of the reason', async () => {
    const last = hex(BigInt(`0x${supplier.eui64}`) + 0xffffn)
    assert.equal(await codeOf(csrFor(last, 0x02)), undefined, 'the last of the range is in it')
    const cases: [string, string, number, string][] = [
      ['an EUI-64 of nobody', '0123456789abcdef', 0x02, 'EUI64_NOT_OWN'],
      ['an EUI-64 of another', other.eui64, 0x7f, 'EUI64_OF_ANOTHER'],
      ['outside the range for the User Role', networkEui64, 0x02, 'EUI64_OUTSIDE_USER_ROLE'],
      ['an OU role of another User Role', supplier.eui64, 0x7f, 'OU_ROLE_NOT_HELD'],
      ['an OU role of authorities', supplier.eui64, 0x07, 'OU_ROLE_NOT_HELD'],
      ['an OU role of roots', supplier.eui64, 0x00, 'OU_ROLE_NOT_HELD'],
      ['an OU role of the DCC', supplier.eui64, 0x01, 'OU_ROLE_NOT_HELD'],
    ]
    const before = (await act('refuse Organisation CSR')).length
    for (const [what, eui64, role, code] of cases) {
      const submission = await portal.submit(supplier.shown, csrFor(eui64, role))
      assert.equal(submission.refusal?.code, code, what)
      assert.equal(familyOf(code), 'IN')
    }
    const refusals = (await act('refuse Organisation CSR')).slice(before)
    assert.deepEqual(
      refusals.map(one => one.body.code),
      cases.map(([, , , code]) => code),
    )
  })

  it('of an ARO who is not authorised for Organisation Certificates, or of another credential, is refused', async () => {
    const { office } = portal
    const csr = csrFor(supplier.eui64, 0x02)
    // Authorised for Device Certificates alone, he has no PORTAL_ORG token, and his other token does not open this.
    const device = await office.appoint(supplier.sro, await office.person('Dev'), 'ARO', supplier.party, [
      'smki-device',
    ])
    const token = await portal.shown(supplier.party, device, 'PORTAL_DEVICE')
    await assert.rejects(portal.submit(token, csr), refusal('CREDENTIAL_NOT_FOR_THIS'))
    const batch = await portal.shown(supplier.party, supplier.sro, 'BATCH_WS')
    await assert.rejects(portal.submit(batch, csr), refusal('CREDENTIAL_NOT_FOR_THIS'))
    const unknown = { issuer: Buffer.from('nobody'), serial: Buffer.alloc(16, 9) }
    await assert.rejects(portal.submit(unknown, csr), refusal('CREDENTIAL_NOT_FOR_THIS'))
    const refused = (await act('refused')).filter(one => one.body.attempt === 'open SMKI Portal')
    assert.equal(refused.length, 3)
    // One who holds the token and lost the authorisation for Organisation Certificates.
    await office.store.query("UPDATE appointment SET policies = '{smki-device}' WHERE person = $1", [
      (await office.store.query('SELECT id FROM person WHERE reference = $1', [supplier.aro.person])).rows[0]!.id,
    ])
    assert.equal(await codeOf(csr), 'ARO_NOT_AUTHORISED')
    await office.store.query(
      "UPDATE appointment SET policies = '{smki-organisation,smki-device}' WHERE person = (SELECT id FROM person WHERE reference = $1)",
      [supplier.aro.person],
    )
    assert.equal(await codeOf(csr), undefined)
  })

  it('is refused a second after its officer ceased or his token was locked, though the token is good until then', async () => {
    const { office } = portal
    const { hands } = office
    const gone = await office.appoint(supplier.sro, await office.person('Gone'), 'ARO', supplier.party, [
      'smki-organisation',
    ])
    const token = await portal.shown(supplier.party, gone)
    assert.equal((await portal.submit(token, csrFor(supplier.eui64, 0x02))).state, 'approved')
    await cease(hands, supplier.sro, { person: gone.person, office: 'ARO', party: supplier.party }, {})
    office.pass(1000)
    await assert.rejects(portal.submit(token, csrFor(supplier.eui64, 0x02)), refusal('CREDENTIAL_NOT_FOR_THIS'))
    const locked = await office.appoint(supplier.sro, await office.person('Lost'), 'ARO', supplier.party, [
      'smki-organisation',
    ])
    const lost = await portal.shown(supplier.party, locked)
    assert.equal((await portal.submit(lost, csrFor(supplier.eui64, 0x02))).state, 'approved')
    await lockCredential(hands, supplier.sro, lost.credential, { words: 'lost' })
    office.pass(1000)
    await assert.rejects(portal.submit(lost, csrFor(supplier.eui64, 0x02)), refusal('CREDENTIAL_NOT_FOR_THIS'))
  })

  it('is not taken while the service is stopped, and what was approved before waits', async () => {
    const { hands, store } = portal.office
    const waiting = await portal.submit(supplier.shown, csrFor(supplier.eui64, 0x02))
    const stopped = () => new Refusal('WF:SUSP', 'SMKI Services are suspended')
    const submitting = { credential: supplier.shown, csr: toPem('CERTIFICATE REQUEST', csrFor(supplier.eui64, 2)) }
    const before = await submissionsOf(store, supplier.party, portal.rules, hands.clock(), 1000)
    await assert.rejects(submitOrganisation(hands, portal.rules, submitting, stopped), refusal('WF:SUSP'))
    assert.deepEqual(await submissionsOf(store, supplier.party, portal.rules, hands.clock(), 1000), before)
    assert.equal((await act('refused')).at(-1)!.body.code, 'WF:SUSP')
    const by = await portal.issuing()
    assert.equal(((await issueSubmission(hands, by, waiting.id, stopped)) as Refusal).code, 'WF:SUSP')
    const own = { party: supplier.party, id: waiting.id }
    assert.equal((await submissionOf(store, own, portal.rules, hands.clock())).state, 'approved')
    assert.ok(Buffer.isBuffer(await issueSubmission(hands, by, waiting.id)))
  })

  it('that is sent again under its reference is one, also by two at one moment; another CSR is refused', async () => {
    const csr = csrFor(supplier.eui64, 0x02)
    for (const reference of ['order-1', 'order-2', 'order-3', 'order-4']) {
      const many = await Promise.all(Array.from({ length: 6 }, () => portal.submit(supplier.shown, csr, reference)))
      assert.equal(new Set(many.map(one => one.id)).size, 1)
    }
    const first = await portal.submit(supplier.shown, csr, 'order-1')
    const another = portal.submit(supplier.shown, csrFor(supplier.eui64, 0x02), 'order-1')
    await assert.rejects(another, refusal('REFERENCE_TAKEN'))
    await assert.rejects(portal.submit(supplier.shown, csr, 'no reference'), refusal('REFERENCE_UNFIT'))
    // Without one, each is its own: the same key again is a renewal.
    assert.notEqual((await portal.submit(supplier.shown, csr)).id, first.id)
    // Another Party's references are its own.
    assert.equal((await portal.submit(other.shown, csrFor(other.eui64, 0x7f), 'order-1')).state, 'approved')
  })

  describe('for a key of another subject', () => {
    const pair = makeKeyPair('P-256')
    const held = async (eui64: string, role: number, shown = supplier.shown) =>
      portal.submit(shown, csrFor(eui64, role, 'digitalSignature', { pair }))

    it('is held for the Registration Authority, also while the first still waits', async () => {
      assert.equal((await held(supplier.eui64, 0x02)).state, 'approved')
      for (const [eui64, role, shown] of [
        [supplier.eui64, 0x87, supplier.shown],
        [hex(BigInt(`0x${supplier.eui64}`) + 1n), 0x02, supplier.shown],
        [other.eui64, 0x7f, other.shown],
      ] as const) {
        const submission = await held(eui64, role, shown)
        assert.equal(submission.state, 'held')
        assert.equal(submission.refusal?.code, 'KEY_OF_ANOTHER_SUBJECT')
        assert.equal(familyOf(submission.refusal.code), 'CA')
      }
      assert.equal((await held(supplier.eui64, 0x02)).state, 'approved', 'for its own subject it is a renewal')
      assert.equal((await act('hold Organisation CSR')).length, 3)
      // And when the first was issued, for another role of the same identifier too.
      const certified = makeKeyPair('P-256')
      const csr = (role: number) => csrFor(supplier.eui64, role, 'digitalSignature', { pair: certified })
      await portal.issue(supplier.shown, csr(0x02))
      assert.equal((await portal.submit(supplier.shown, csr(0x87))).refusal?.code, 'KEY_OF_ANOTHER_SUBJECT')
      assert.equal((await portal.submit(supplier.shown, csr(0x02))).state, 'approved')
    })

    it('is issued when an RA Manager has looked into it, and is answered when he refuses; nobody else decides', async () => {
      const { hands, store, managers, personnel } = portal.office
      const [first, second] = await heldSubmissions(store, portal.rules, hands.clock())
      const decide = (id: bigint, approve: boolean, by = managers[0]) =>
        decideHeld(hands, portal.rules, by, id, { approve, words: 'spoken to the ARO' })
      const by = await portal.issuing()
      assert.equal(((await issueSubmission(hands, by, first!.id)) as Refusal).code, 'KEY_OF_ANOTHER_SUBJECT')
      await assert.rejects(decide(first!.id, true, personnel[0]), refusal('NOT_FOR_THIS_OFFICE'))
      await assert.rejects(decide(first!.id, true, supplier.aro), refusal('NOT_FOR_THIS_OFFICE'))
      const both = await Promise.allSettled([decide(first!.id, true), decide(first!.id, true, managers[1])])
      assert.deepEqual(both.map(one => one.status).toSorted(), ['fulfilled', 'rejected'])
      refusal('SUBMISSION_STATE')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
      assert.ok(Buffer.isBuffer(await issueSubmission(hands, by, first!.id)))
      const no = await decide(second!.id, false)
      assert.equal(no.state, 'refused')
      assert.equal(((await issueSubmission(hands, by, second!.id)) as Refusal).code, 'REFUSED_BY_RA')
      await assert.rejects(decide(999_999n, true), refusal('SUBMISSION_UNKNOWN'))
    })
  })

  it('is not decided by a Manager who submitted it himself as an ARO', async () => {
    const { office } = portal
    const [manager] = office.managers
    const twice = await office.appoint(supplier.sro, manager.person, 'ARO', supplier.party, ['smki-organisation'])
    const token = await portal.shown(supplier.party, twice)
    const pair = makeKeyPair('P-256')
    const csr = (role: number) => csrFor(supplier.eui64, role, 'digitalSignature', { pair })
    await portal.submit(token, csr(0x02))
    const own = await portal.submit(token, csr(0x87))
    assert.equal(own.state, 'held')
    const decision = { approve: true, words: 'my own' }
    await assert.rejects(decideHeld(office.hands, portal.rules, manager, own.id, decision), refusal('OWN_AFFAIRS'))
    const other = await decideHeld(office.hands, portal.rules, office.managers[1], own.id, decision)
    assert.equal(other.state, 'approved')
  })

  it('that was approved is judged again when it is issued: what is not right any more is refused then', async () => {
    const { office } = portal
    const { hands } = office
    const userRoles = ranges('OU')
    const late = await office.subscriber('late', { userRoles })
    const submission = await portal.submit(
      await portal.shown(late.party, late.aro),
      csrFor(userRoles[0]!.first, 0x7f),
    )
    assert.equal(submission.state, 'approved')
    const condition = { condition: 'application', policy: 'smki-organisation' } as const
    await withdrawCondition(hands, office.managers[0], late.party, condition, {})
    const by = await portal.issuing()
    for (let i = 0; i < 2; i++) {
      const answer = (await issueSubmission(hands, by, submission.id)) as Refusal
      assert.equal(answer.code, 'NOT_AUTHORISED_SUBSCRIBER')
    }
    const said = (await act('refuse Organisation CSR')).filter(one => one.body.submission === String(submission.id))
    assert.equal(said.length, 1)
    await assert.rejects(issueSubmission(hands, by, 999_999n), refusal('SUBMISSION_UNKNOWN'))
  })
})
