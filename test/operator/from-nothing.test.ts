/**
 * An organisation from nothing to Authorised Subscriber through the operator API alone, over mutual TLS, and its
 * officers at work with their own credentials. Each test goes on from the one before it.
 */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { acts } from '../issuing/rooms.ts'
import { type OperatorOffice, openOperatorOffice, paper, portalCsr, refusal } from './office.ts'

describe('An organisation, through the operator API', () => {
  let office: OperatorOffice
  before(async () => {
    office = await openOperatorOffice()
  })
  after(() => office.close())

  let acme: number
  let no: string
  let sro: string
  let aro: string

  it('the caller is told who it is taken for', async () => {
    const self = await office.as('ra-manager-2').ask('GET', '/self')
    assert.deepEqual(self.offices, ['RA_MANAGER'])
    assert.equal(self.environment, 'rooms')
    assert.equal((self.credential as { systemName: string }).systemName, 'ra-manager-2')
  })

  it('a clerk receives its form', async () => {
    const submitted = await office.as('ra-clerk-2').ask<{ party: number; task: number }>('POST', '/organisations', {
      name: 'acme-energy',
      form: {
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
      evidence: paper,
    })
    acme = submitted.party
    const one = await office.as('ra-clerk-1').ask('GET', `/tasks/${submitted.task}`)
    assert.deepEqual((one.due as { step: string }).step, 'verify')
    // Whoever entered it may verify it too (REG-A01 keeps the approval apart): all four of the Registration Authority.
    assert.deepEqual((one.waitsFor as { known: string }[]).map(({ known }) => known).sort(), [
      'ra-clerk-1',
      'ra-clerk-2',
      'ra-manager-1',
      'ra-manager-2',
    ])
    assert.equal((one.asked as { form: { legalName: string } }).form.legalName, 'Acme Energy Supply Limited')
    await office.decide(submitted.task)
    const shown = await office.as('ra-clerk-1').ask('GET', `/organisations/${acme}`)
    assert.deepEqual((shown.ranges as object[])[1], {
      userRole: 'IS',
      first: '02a0000000010000',
      last: '02a000000001ffff',
    })
  })

  it('its officers are nominated by those before them, whose papers the clerk records', async () => {
    const clerk = office.as('ra-clerk-2')
    const person = async (name: string) => {
      const entered = await clerk.ask<{ person: string }>('POST', '/persons', { data: { name } })
      return entered.person
    }
    const appoint = async (name: string, of: string, signedBy: object | undefined, policies?: string[]) => {
      const reference = await person(name)
      const { task } = await clerk.ask<{ task: number }>('POST', '/nominations', {
        person: reference,
        office: of,
        party: acme,
        ...(policies && { policies }),
        ...(signedBy && { signedBy }),
        evidence: paper,
      })
      await office.decide(task)
      return reference
    }
    no = await appoint('Nina Nominating', 'NO', undefined)
    sro = await appoint('Sam Senior', 'SRO', { person: no, as: 'NO', party: acme })
    aro = await appoint('Ali Authorised', 'ARO', { person: sro, as: 'SRO', party: acme }, [
      'smki-organisation',
      'smki-device',
    ])
    const { officers } = await clerk.ask<{ officers: { office: string; state: string }[] }>(
      'GET',
      `/organisations/${acme}/officers`,
    )
    assert.deepEqual(
      officers.map(({ office: of, state }) => `${of} ${state}`),
      ['NO appointed', 'SRO appointed', 'ARO appointed'],
    )
  })

  it('it shows its tests, and the Panel is told', async () => {
    const clerk = office.as('ra-clerk-2')
    const signedBy = { person: aro, as: 'ARO', party: acme }
    await clerk.ask('PUT', `/organisations/${acme}/srept`, { interfaces: ['PORTAL_ORG'], signedBy })
    const plan = await clerk.ask<{ scenarios: { id: string }[] }>('GET', `/organisations/${acme}/srept`)
    await assert.rejects(
      clerk.ask('POST', `/organisations/${acme}/srept/completion`, { signedBy, evidence: paper }),
      refusal('SREPT_INCOMPLETE'),
    )
    for (const { id } of plan.scenarios) {
      await clerk.ask('POST', `/organisations/${acme}/srept/results`, {
        scenario: id,
        passed: true,
        evidence: [{ kind: 'run', reference: `test service, ${id}` }],
        signedBy,
      })
    }
    const { task } = await clerk.ask<{ task: number }>('POST', `/organisations/${acme}/srept/completion`, {
      signedBy,
      evidence: paper,
    })
    await office.decide(task)
    const { notices } = await clerk.ask<{ notices: { subject: string }[] }>('GET', '/notices?to=SEC%20Panel')
    assert.equal(notices.at(-1)?.subject, 'SREPT completed')
  })

  it('it applies under each policy, and is an Authorised Subscriber', async () => {
    for (const policy of ['smki-organisation', 'smki-device']) {
      const { task } = await office
        .as('ra-clerk-2')
        .ask<{ task: number }>('POST', `/organisations/${acme}/applications`, {
          policy,
          signedBy: { person: sro, as: 'SRO', party: acme },
          evidence: paper,
        })
      await office.decide(task)
    }
    const standing = await office.as('ra-clerk-1').ask('GET', `/organisations/${acme}/standing`)
    assert.equal(standing.state, 'authorised')
  })

  let portal: number

  it('its ARO gets the credential of the portal, and comes in with it himself', async () => {
    const { key, csr, pem } = portalCsr('Acme Energy', 'acme-aro-1')
    const asked = await office.as('ra-clerk-2').ask<{ credential: number; task: number }>('POST', '/credentials', {
      kind: 'PORTAL_ORG',
      party: acme,
      person: aro,
      csr: pem,
      signedBy: { person: sro, as: 'SRO', party: acme },
      evidence: paper,
    })
    portal = asked.credential
    await office.decide(asked.task)
    await office.issue(portal, csr, key, 'acme', 'portal-org')
    // Issued, and not handed over yet: it opens nothing.
    await assert.rejects(office.as('acme').ask('GET', '/self'), refusal('CREDENTIAL_NOT_IN_USE'))
    await office.as('ra-clerk-1').ask('POST', `/credentials/${portal}/hand-over`, {
      evidence: [{ kind: 'receipt', reference: 'token 1, PIN apart' }],
    })
    const self = await office.as('acme').ask('GET', '/self')
    assert.deepEqual([self.offices, self.party, self.person], [['ARO'], acme, aro])
  })

  it('he asks for a key of the Repository; it is shown once, opens, and letter for letter', async () => {
    const asked = await office.as('acme').ask<{ credential: number; task: number }>('POST', '/credentials', {
      kind: 'REPO_API_KEY',
      party: acme,
      systemName: 'repository',
    })
    await office.decide(asked.task)
    const clerk = office.as('ra-clerk-1')
    const { apiKey } = await clerk.ask<{ apiKey: string }>('POST', `/credentials/${asked.credential}/api-key`, {})
    await clerk.ask('POST', `/credentials/${asked.credential}/hand-over`, { evidence: paper })
    assert.deepEqual(await clerk.ask('POST', '/api-keys/owner', { apiKey }), { party: acme })
    const wrong = apiKey.replace(/[a-z]/, one => one.toUpperCase())
    assert.notEqual(wrong, apiKey)
    await assert.rejects(clerk.ask('POST', '/api-keys/owner', { apiKey: wrong }), refusal('API_KEY_UNKNOWN'))
    await assert.rejects(
      clerk.ask('POST', `/credentials/${asked.credential}/api-key`, {}),
      refusal('CREDENTIAL_STATE'),
    )
    assert.ok(!JSON.stringify(await acts(office.rooms.store)).includes(apiKey))
    assert.ok(!office.log.join('').includes(apiKey))
  })

  it('a credential of a system opens its own interface and not this one', async () => {
    const { key, csr, pem } = portalCsr('Acme Energy', 'acme-batch-1')
    const request = { kind: 'BATCH_WS', party: acme, csr: pem }
    const asked = await office.as('acme').ask<{ credential: number; task: number }>('POST', '/credentials', request)
    await office.decide(asked.task)
    await office.issue(asked.credential, csr, key, 'acme-batch', 'batch-ws')
    await office.as('ra-clerk-1').ask('POST', `/credentials/${asked.credential}/hand-over`, { evidence: paper })
    await assert.rejects(office.as('acme-batch/batch-ws').ask('GET', '/self'), refusal('CREDENTIAL_OTHER_DOOR'))
  })

  it('he sees what is his, and nothing else', async () => {
    const his = office.as('acme')
    const { organisations } = await his.ask<{ organisations: { party: number }[] }>('GET', '/organisations')
    assert.deepEqual(
      organisations.map(one => one.party),
      [acme],
    )
    const { operator } = office.ceremony
    for (const path of [
      `/organisations/${operator}`,
      `/organisations/${operator}/officers`,
      `/organisations/${operator}/credentials`,
      '/persons',
      '/notices?to=SEC%20Panel',
      '/tasks?party=1',
      '/tasks/1',
      '/credentials/1',
    ]) {
      await assert.rejects(his.ask('GET', path), refusal('NOT_YOURS_TO_SEE'), path)
    }
    assert.deepEqual(await his.ask('GET', '/tasks'), { tasks: [] })
  })

  it('a second after he ceased his credential is refused, on the connection that is open too', async () => {
    const { ended, standing } = await office.as('ra-clerk-1').ask<{
      ended: { credential: number; state: string }[]
      standing: { state: string; missing: string[] }
    }>('POST', '/cessations', {
      person: aro,
      office: 'ARO',
      party: acme,
      words: 'leaves the company',
      signedBy: { person: sro, as: 'SRO', party: acme },
      evidence: paper,
    })
    assert.deepEqual(
      ended.map(one => [one.credential, one.state]),
      [[portal, 'revoked']],
    )
    assert.deepEqual([standing.state, standing.missing], ['suspended', ['ARO']])
    office.pass(1000)
    await assert.rejects(office.as('acme').ask('GET', '/self'), refusal('CREDENTIAL_NOT_IN_USE'))
    await assert.rejects(office.as('acme').ask('GET', '/self'), refusal('CREDENTIAL_NOT_IN_USE'))
    const turned = (await acts(office.rooms.store)).filter(
      ({ body }) => body.attempt === 'come in' && body.holder === aro,
    )
    // Tried before it was handed over, and after it ended: each on record, and once within the hour.
    const refused = ['refused', 'CREDENTIAL_NOT_IN_USE', portal, aro]
    assert.deepEqual(
      turned.map(({ act, body }) => [act, body.code, body.credential, body.holder]),
      [refused, refused],
    )
  })

  it('the journal has it all, and names nobody', async () => {
    const all = await acts(office.rooms.store)
    const standings = all.filter(({ act, body }) => act === 'standing' && body.party === acme)
    assert.deepEqual(
      standings.map(({ body }) => body.after),
      ['identityVerified', 'officersInPlace', 'sreptComplete', 'authorised', 'suspended'],
    )
    const recorded = all.find(({ act, body }) => act === 'cease' && body.party === acme)
    const by = recorded!.body.by as { as: string; through: { as: string } }
    assert.deepEqual([by.as, by.through.as], ['SRO', 'RA_PERSONNEL'])
    for (const name of ['Nina', 'Sam Senior', 'Ali Auth']) assert.ok(!JSON.stringify(all).includes(name), name)
  })
})
