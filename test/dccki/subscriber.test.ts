/** Becoming a DCCKI Subscriber, and the host names behind a connection: the registration room's procedures, as data. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { dcckiNeeds, hostName, personnelReference, whyNotDccki } from '../../src/policy/dccki/requests.ts'
import { partyKindNames } from '../../src/policy/dccki/settings.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { requestCredential } from '../../src/rooms/registration/credentials.ts'
import { connectionOf, requestConnection } from '../../src/rooms/registration/dccki-connection.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { approve, refuse, verify } from '../../src/rooms/registration/tasks.ts'
import { csr, evidence, type Office, type Officers, openOffice, refusal } from '../registration/office.ts'

describe('a Party', () => {
  let office: Office
  let party: number
  let officers: Officers
  before(async () => {
    office = await openOffice()
    party = await office.organisation('acme')
    officers = await office.officers(party, ['dccki'])
  })
  after(() => office.close())
  const form = { evidence: evidence('signed form') }

  it('needs SREPT for the DCCKI where that is set (DCK-A02), and has no application before', async () => {
    const tested = { ...office.hands, rules: { ...office.hands.rules, dcckiEntryTest: true } }
    await assert.rejects(
      applyAsSubscriber(tested, officers.sro, party, 'dccki', form),
      refusal('SREPT_NOT_COMPLETED'),
    )
    const smki = applyAsSubscriber(office.hands, officers.sro, party, 'smki-device', form)
    await assert.rejects(smki, refusal('SREPT_NOT_COMPLETED'))
    const file = { kind: 'FILE_SIGN', party, systemName: 'files', csr: csr('files') } as const
    await assert.rejects(requestCredential(office.hands, officers.sro, file), refusal('SREPT_NOT_COMPLETED'))
  })

  it('is an Authorised DCCKI Subscriber without it, and under that policy alone', async () => {
    await office.decide(await applyAsSubscriber(office.hands, officers.sro, party, 'dccki', form))
    const { state, policies } = await standingOf(office.store, party)
    assert.equal(state, 'authorised')
    assert.equal(policies.dccki.authorised, true)
    assert.deepEqual(policies['smki-organisation'].missing, ['SREPT', 'application'])
    // It may sign what it sends now, and still has no token of the SMKI Portal.
    const file = { kind: 'FILE_SIGN', party, systemName: 'files', csr: csr('files') } as const
    await requestCredential(office.hands, officers.sro, file)
    const token = {
      kind: 'PORTAL_ORG',
      party,
      systemName: 't',
      csr: csr('t'),
      person: officers.aro.person,
    } as const
    await assert.rejects(requestCredential(office.hands, officers.sro, token), refusal('CREDENTIAL_HOLDER'))
  })

  it('has the host names that two others have looked at, until others take their place', async () => {
    const { hands, kinds, personnel, managers } = office
    const ask = (hosts: string[], by = officers.aro) =>
      requestConnection(hands, by, party, { gateway: 'gateway 7', hosts }, {})
    for (const hosts of [[], ['UPPER.example'], ['*.acme.example'], ['10.0.0.1'], ['localhost'], ['a..b']])
      await assert.rejects(ask(hosts), refusal('CONNECTION_UNFIT'), hosts.join())
    const first = await ask(['b.acme.example', 'a.acme.example', 'a.acme.example'])
    const bare = { digest: first.digest, words: 'seen' }
    await assert.rejects(verify(hands, kinds, personnel[0], first.task, bare), refusal('EVIDENCE_MISSING'))
    const seen = { ...bare, evidence: evidence('gateway connection', 'control of the host names') }
    await verify(hands, kinds, managers[0], first.task, seen)
    await assert.rejects(approve(hands, kinds, managers[0], first.task, bare), refusal('TWO_PERSON_RULE'))
    assert.equal(await connectionOf(office.store, party), undefined)
    await approve(hands, kinds, managers[1], first.task, bare)
    assert.deepEqual((await connectionOf(office.store, party))?.hosts, ['a.acme.example', 'b.acme.example'])

    const refused = await ask(['c.acme.example'])
    await verify(hands, kinds, personnel[0], refused.task, { ...seen, digest: refused.digest })
    await refuse(hands, kinds, managers[1], refused.task, { words: 'no such connection' })
    assert.deepEqual((await connectionOf(office.store, party))?.hosts, ['a.acme.example', 'b.acme.example'])
    await office.decide(await ask(['c.acme.example'], officers.sro))
    assert.deepEqual((await connectionOf(office.store, party))?.hosts, ['c.acme.example'])
    const { rows } = await office.store.query('SELECT state FROM dccki_connection WHERE party = $1 ORDER BY id', [
      party,
    ])
    assert.deepEqual(
      rows.map(row => (row as { state: string }).state),
      ['superseded', 'refused', 'in force'],
    )
  })
})

describe('the policy of the DCCKI', () => {
  it('finds a Subscriber eligible exactly when it has everything that its kind asks for', () => {
    const rule = fc.record({
      organisations: fc.subarray([...partyKindNames]),
      needs: fc.subarray([...dcckiNeeds]),
    })
    const has = fc.record({
      kind: fc.constantFrom(...partyKindNames),
      connection: fc.boolean(),
      userRole: fc.boolean(),
    })
    fc.assert(
      fc.property(rule, has, (of, what) => {
        const may =
          of.organisations.includes(what.kind) &&
          (what.connection || !of.needs.includes('gateway connection')) &&
          (what.userRole || !of.needs.includes('User Role'))
        assert.equal(whyNotDccki(of, what) === undefined, may)
      }),
    )
  })

  it('knows a host name from an address, a wildcard and a single label, and a reference from a name', () => {
    for (const good of ['a.b', 'xn--bcher-kva.example', '1.example', `${'a'.repeat(63)}.example`])
      assert.ok(hostName.safeParse(good).success, good)
    for (const bad of [
      '',
      'a',
      'A.b',
      '*.a.b',
      '1.2.3.4',
      'a.b.',
      '-a.b',
      'a-.b',
      'a b.c',
      `${'a'.repeat(64)}.b`,
      'a.b/',
    ])
      assert.ok(!hostName.safeParse(bad).success, bad)
    assert.ok(!hostName.safeParse(`${'a.'.repeat(64)}b`).success, 'longer than 127')
    for (const good of ['person-17', 'p-00000000000a', 'X1.b_c'])
      assert.ok(personnelReference.safeParse(good).success)
    for (const bad of ['Ada Lovelace', '', '-x', 'é', 'a'.repeat(65)])
      assert.ok(!personnelReference.safeParse(bad).success, bad)
  })
})
