/**
 * An organisation from nothing to Authorised Subscriber, step by step: who does what, on what evidence, and what is
 * refused on the way. Each test goes on from the one before it.
 */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemChance } from '../../src/main/world.ts'
import type { Hands, Officer } from '../../src/rooms/registration/act.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { aroPolicies, opens, organisationEligibility, subscriberOf } from '../../src/rooms/registration/eligible.ts'
import { makeFirstAppointments } from '../../src/rooms/registration/first.ts'
import { readyCertificate } from '../../src/rooms/registration/give.ts'
import { registrationKinds } from '../../src/rooms/registration/kinds.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { nominate } from '../../src/rooms/registration/nominations.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { apply } from '../../src/rooms/registration/organisation.ts'
import { credentialOf, recordCredential } from '../../src/rooms/registration/parties.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../../src/rooms/registration/srept.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { waitingFor } from '../../src/rooms/registration/task.ts'
import { approve, verify } from '../../src/rooms/registration/tasks.ts'
import { csr, emptyOffice, journalOf, refusal } from './office.ts'

const day = 86_400_000

describe('An organisation, from nothing to Authorised Subscriber', () => {
  let hands: Hands
  let close: () => Promise<void>
  let turn: (ms: number) => void
  before(async () => {
    const office = await emptyOffice()
    hands = office.hands
    close = office.close
    turn = office.pass
  })
  after(() => close())

  // Who is who: references only. What is known of each person stands in one table, and never in the journal.
  let manager: Officer
  let clerk: Officer
  let nominating: Officer
  let sro: Officer
  let aro: Officer
  let acme: number

  it('first, a ceremony appoints those by whom everybody else is appointed', async () => {
    const first = await makeFirstAppointments(hands, {
      operator: { name: 'dcc', tradingName: 'Test DCC' },
      people: [
        {
          data: { name: 'Mary Manager' },
          office: 'RA_MANAGER',
          evidence: [{ kind: 'identity', reference: 'hr/1' }],
        },
        {
          data: { name: 'Claude Clerk' },
          office: 'RA_PERSONNEL',
          evidence: [{ kind: 'identity', reference: 'hr/2' }],
        },
        {
          data: { name: 'Petra Member' },
          office: 'PMA_MEMBER',
          evidence: [{ kind: 'Panel decision', reference: '26/7' }],
        },
      ],
      witnesses: ['auditor-1', 'auditor-2'],
      evidence: [{ kind: 'minutes', reference: 'ceremony of 2026-11-20' }],
    })
    manager = { person: first.people[0]!, as: 'RA_MANAGER' }
    clerk = { person: first.people[1]!, as: 'RA_PERSONNEL' }
  })

  it('an applicant hands in its Organisation Information Form, one continuous range for each User Role', async () => {
    const submitted = await apply(
      hands,
      clerk,
      'acme-energy',
      {
        kind: 'party',
        legalName: 'Acme Energy Supply Limited',
        tradingName: 'Acme Energy',
        identifier: 'SEC-0042',
        companyNumber: '01234567',
        address: '1 Test Street, Testing TE5 7ST',
        contactNumber: '+44 1632 960001',
        userRoles: [
          { userRole: 'IS', first: '02-A0-00-00-00-01-00-00', last: '02-A0-00-00-00-01-FF-FF' },
          { userRole: 'GS', first: '02-A0-00-00-00-02-00-00', last: '02-A0-00-00-00-02-FF-FF' },
        ],
        declaration: { reference: 'form 42, signed', signedOn: '2026-11-18' },
      },
      { evidence: [{ kind: 'signed form', reference: 'post 2026-11-19/3' }] },
    )
    acme = submitted.party
    assert.equal((await standingOf(hands.store, acme)).state, 'applicant')
  })

  it('one person of the Registration Authority verifies who the organisation is, another approves', async () => {
    const kinds = registrationKinds(hands.rules)
    const [waiting] = await waitingFor(hands.store, kinds, clerk.person, hands.clock())
    const { task, step } = waiting!
    assert.deepEqual([task.kind, step], ['organisation form', 'verify'])
    await verify(hands, kinds, clerk, task.id, {
      digest: task.digest,
      words: 'called back on the number of the public register',
      evidence: [
        { kind: 'Party or RDP', reference: 'SEC accession list, row 42' },
        { kind: 'public register', reference: 'extract of 2026-11-20' },
        { kind: 'call-back', reference: 'call log 2026-11-20/1' },
      ],
    })
    const record = { kind: 'verification record', reference: 'case 42, read by me' }
    await approve(hands, kinds, manager, task.id, { digest: task.digest, evidence: [record] })
    assert.equal((await standingOf(hands.store, acme)).state, 'identityVerified')
  })

  it('the organisation nominates its Nominating Officer, he the SRO, the SRO the ARO', async () => {
    nominating = await appointed(clerk, 'Nina Nominating', 'NO')
    sro = await appointed(nominating, 'Sam Senior', 'SRO')
    assert.deepEqual((await standingOf(hands.store, acme)).missing, ['ARO', 'SREPT'])
    aro = await appointed(sro, 'Ali Authorised', 'ARO')
    assert.equal((await standingOf(hands.store, acme)).state, 'officersInPlace')
  })

  it('nobody nominates himself', async () => {
    const attempt = nominate(
      hands,
      sro,
      { person: sro.person, office: 'ARO', party: acme, policies: ['smki-device'] },
      { evidence: [{ kind: 'signed form', reference: 'post/9' }] },
    )
    await assert.rejects(attempt, refusal('OWN_AFFAIRS'))
  })

  it('before the entry process tests, nobody can apply', async () => {
    const attempt = applyAsSubscriber(hands, sro, acme, 'smki-organisation', {
      evidence: [{ kind: 'signed form', reference: 'post/10' }],
    })
    await assert.rejects(attempt, refusal('SREPT_NOT_COMPLETED'))
  })

  it('it plans its tests, and shows every scenario of the plan', async () => {
    await planSrept(hands, sro, acme, ['PORTAL_ORG', 'ADHOC_WS'])
    await assert.rejects(requestCompletion(hands, aro, acme, {}), refusal('SREPT_INCOMPLETE'))
    const { scenarios } = (await planOf(hands.store, acme))!
    assert.equal(scenarios.length, 11)
    for (const { id } of scenarios) {
      const evidence = [{ kind: 'run', reference: `test service, ${id}` }]
      await recordResult(hands, aro, acme, { scenario: id, passed: true, automatic: true, evidence })
    }
    await decided(await requestCompletion(hands, aro, acme, {}), 'test report')
    assert.equal((await standingOf(hands.store, acme)).state, 'sreptComplete')
    const [notice] = await noticesTo(hands.store, 'SEC Panel')
    assert.equal(notice?.subject, 'SREPT completed')
  })

  it('it applies under each Certificate Policy, and is an Authorised Subscriber', async () => {
    for (const policy of ['smki-organisation', 'smki-device'] as const) {
      const evidence = [{ kind: 'signed form', reference: `application, ${policy}` }]
      await decided(await applyAsSubscriber(hands, sro, acme, policy, { evidence }))
    }
    const standing = await standingOf(hands.store, acme)
    assert.equal(standing.state, 'authorised')
    assert.deepEqual(standing.policies['smki-device'], { authorised: true, missing: [] })
  })

  it('its ARO may now have Organisation Certificates of its own identifiers, in roles that its User Roles allow', async () => {
    const subscriber = await subscriberOf(hands.store, acme)
    const may = await aroPolicies(hands.store, aro.person, acme, hands.clock())
    const judge = (eui64: string, role: number) =>
      organisationEligibility(hands.rules, subscriber, { eui64, role }, may)?.code
    assert.equal(judge('02a0000000010000', 0x02), undefined)
    assert.equal(judge('02a0000000010000', 0x03), 'OU_ROLE_NOT_HELD')
    assert.equal(judge('02a0000000030000', 0x02), 'EUI64_NOT_OWN')
  })

  let portal: { issuer: { der: Buffer }; serial: Buffer }
  let credential: number

  it('he gets the credential that opens the portal: requested, verified, approved, issued, handed over', async () => {
    const requested = await requestCredential(hands, aro, {
      kind: 'PORTAL_ORG',
      party: acme,
      person: aro.person,
      role: 0x02,
      systemName: 'acme-aro-1',
      csr: csr('token 1'),
    })
    credential = requested.credential
    await decided(requested)
    const ready = await readyCertificate(hands, credential)
    assert.equal(ready.tradingName, 'Acme Energy')
    // Issuance makes the certificate, and keeps this record in its own transaction.
    portal = { issuer: { der: Buffer.from('Issuing ICA') }, serial: Buffer.from(systemChance(16)) }
    await hands.store.transaction(client =>
      recordCredential(client, portal, { ...ready, kind: 'PORTAL_ORG', life: credential }, hands.clock()),
    )
    const opensNow = async () =>
      opens((await credentialOf(hands.store, portal.issuer.der, portal.serial))!, 'PORTAL_ORG')
    assert.equal(await opensNow(), false)
    await handOver(hands, clerk, credential, { evidence: [{ kind: 'receipt', reference: 'token 1, PIN apart' }] })
    assert.equal(await opensNow(), true)
  })

  it('a year later its only ARO leaves: from that moment his credential opens nothing, and the Party is suspended', async () => {
    turn(365 * day)
    const { ended, standing } = await cease(
      hands,
      sro,
      { person: aro.person, office: 'ARO', party: acme },
      { words: 'leaves the company', evidence: [{ kind: 'letter', reference: 'post 2027-11-20/1' }] },
    )
    assert.deepEqual(
      ended.map(one => [one.id, one.state]),
      [[credential, 'revoked']],
    )
    assert.equal(standing?.state, 'suspended')
    assert.deepEqual(standing?.missing, ['ARO'])
    turn(1)
    const record = await credentialOf(hands.store, portal.issuer.der, portal.serial)
    assert.equal(record?.state, 'revoked')
    const next = { kind: 'BATCH_WS', party: acme, systemName: 'late', csr: csr('late') } as const
    await assert.rejects(requestCredential(hands, aro, next), refusal('NOT_IN_OFFICE'))
    const [notice] = await noticesTo(hands.store, `party ${acme}`)
    assert.equal(notice?.subject, 'Authorised Subscriber suspended')
  })

  it('another takes his place, and it is an Authorised Subscriber again', async () => {
    await appointed(sro, 'Ann Another', 'ARO')
    assert.equal((await standingOf(hands.store, acme)).state, 'authorised')
    assert.equal((await credentialRecord(hands.store, credential)).state, 'revoked')
  })

  it('the journal has it all, and names nobody', async () => {
    const acts = await journalOf(hands.store)
    const standings = acts.filter(({ act }) => act === 'standing').map(({ body }) => body.after)
    assert.deepEqual(standings, [
      'identityVerified',
      'officersInPlace',
      'sreptComplete',
      'authorised',
      'suspended',
      'authorised',
    ])
    assert.ok(acts.length > 60 && acts[0]!.act === 'first appointments')
    const text = JSON.stringify(acts)
    for (const name of ['Mary', 'Claude', 'Petra', 'Nina', 'Sam Senior', 'Ali', 'Ann']) {
      assert.ok(!text.includes(name), name)
    }
  })

  /** Nominated by one, his identity verified by another, appointed by a third. */
  async function appointed(by: Officer, name: string, office: 'NO' | 'SRO' | 'ARO'): Promise<Officer> {
    const person = await enterPerson(hands, clerk, { name, telephone: '+44 1632 960002' })
    const policies = office === 'ARO' ? (['smki-organisation', 'smki-device'] as const) : undefined
    const nomination = { person, office, party: acme, policies }
    const evidence = [{ kind: 'signed form', reference: `nomination ${office}` }]
    await decided(await nominate(hands, by, nomination, { evidence }), 'identity', 'meeting', 'screening')
    return { person, as: office, party: acme }
  }

  /** The clerk verifies, the manager approves. */
  async function decided({ task, digest }: { task: number; digest: string }, ...kindsOfEvidence: string[]) {
    const kinds = registrationKinds(hands.rules)
    const evidence = kindsOfEvidence.map(kind => ({ kind, reference: `case ${task}` }))
    await verify(hands, kinds, clerk, task, { digest, evidence, level: 3 })
    await approve(hands, kinds, manager, task, { digest })
  }
})
