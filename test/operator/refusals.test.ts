/** What the operator API says no to: each over real TLS, with its code, and on record in the journal. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { acts } from '../issuing/rooms.ts'
import { type OperatorOffice, openOperatorOffice, paper, portalCsr, refusal, seen } from './office.ts'

type Ids = { party: number; task: number; digest: string; credential: number; appointment: number }

const form = (name: string, userRoles: object[], more: object = {}) => ({
  kind: 'party',
  legalName: `${name} Limited`,
  tradingName: name,
  identifier: `SEC-${name}`,
  companyNumber: '00000001',
  address: '1 Test Street',
  contactNumber: '+44 1632 960001',
  userRoles,
  declaration: { reference: 'form 1', signedOn: '2026-11-01' },
  ...more,
})
const range = (userRole: string, first: string, last: string) => ({ userRole, first, last })

describe('The operator API refuses', () => {
  let office: OperatorOffice
  let acme: number
  before(async () => {
    office = await openOperatorOffice({ registration: { passwordLog2N: 14, sroMayBeAro: false } })
    const submitted = await clerk().ask<Ids>('POST', '/organisations', {
      name: 'acme',
      form: form('Acme', [range('IS', '02a0000000010000', '02a000000001ffff')]),
      evidence: paper,
    })
    acme = submitted.party
    await office.decide(submitted.task)
  })
  after(() => office.close())

  const clerk = () => office.as('ra-clerk-1')
  const person = async (name: string) =>
    (await clerk().ask<{ person: string }>('POST', '/persons', { data: { name } })).person
  const nominated = (reference: string, of: string, signedBy?: object, more: object = {}) =>
    clerk().ask<Ids>('POST', '/nominations', {
      person: reference,
      office: of,
      party: acme,
      ...(signedBy && { signedBy }),
      evidence: paper,
      ...more,
    })
  const appointed = async (name: string, of: string, signedBy?: object, more: object = {}) => {
    const reference = await person(name)
    await office.decide((await nominated(reference, of, signedBy, more)).task)
    return reference
  }

  const forms: Record<string, { code: string; userRoles: object[]; more?: object }> = {
    'overlapping ranges of two User Roles': {
      code: 'RANGES_OVERLAP',
      userRoles: [
        range('IS', '02b0000000000000', '02b000000000ffff'),
        range('GS', '02b000000000ffff', '02b000000001ffff'),
      ],
    },
    'a reversed range': {
      code: 'RANGE_REVERSED',
      userRoles: [range('IS', '02b000000000ffff', '02b0000000000000')],
    },
    'a User Role twice': {
      code: 'ROLE_TWICE',
      userRoles: [
        range('IS', '02b0000000000000', '02b00000000000ff'),
        range('IS', '02b0000000000100', '02b00000000001ff'),
      ],
    },
    'a pair of User Roles that H1.5 does not allow': {
      code: 'SHARED_PAIR_NOT_ALLOWED',
      userRoles: [
        range('IS', '02b0000000000000', '02b000000000000f'),
        range('GS', '02b000000000000f', '02b000000000001f'),
      ],
      more: { shared: [{ eui64: '02b000000000000f', userRoles: ['IS', 'GS'] }] },
    },
    'identifiers of another organisation': {
      code: 'RANGE_OF_ANOTHER',
      userRoles: [range('IS', '02a000000001fff0', '02a000000002ffff')],
    },
    'an identifier of more than 64 bits': {
      code: 'EUI64_BEYOND_64_BITS',
      userRoles: [range('IS', '102b0000000000000', '102b000000000000f')],
    },
    'a User Role that there is not': {
      code: 'ROLE_UNKNOWN',
      userRoles: [range('XX', '02b0000000000000', '02b000000000000f')],
    },
  }
  for (const [says, { code, userRoles, more }] of Object.entries(forms)) {
    it(`a form with ${says}`, async () => {
      const asked = { name: 'bravo', form: form('Bravo', userRoles, more), evidence: paper }
      await assert.rejects(clerk().ask('POST', '/organisations', asked), refusal(code))
      const { organisations } = await clerk().ask<{ organisations: { name: string }[] }>('GET', '/organisations')
      assert.ok(!organisations.some(one => one.name === 'bravo'))
    })
  }

  let no: string
  let sro: string

  it('a nomination by the nominee, and one person in both control roles where these are two people', async () => {
    no = await appointed('Nina', 'NO')
    sro = await appointed('Sam', 'SRO', { person: no, as: 'NO', party: acme })
    const aroFor = { policies: ['smki-organisation', 'smki-device'] }
    const bySro = { person: sro, as: 'SRO', party: acme }
    await assert.rejects(nominated(no, 'SRO', { person: no, as: 'NO', party: acme }), refusal('OWN_AFFAIRS'))
    await assert.rejects(nominated(sro, 'ARO', bySro, aroFor), refusal('SRO_NOT_ARO'))
    await assert.rejects(
      nominated(sro, 'ARO', { person: no, as: 'NO', party: acme }, aroFor),
      refusal('SRO_NOT_ARO'),
    )
  })

  it('a nomination of a kind of office that its officer may not make, or without the paper', async () => {
    const reference = await person('Ola')
    await assert.rejects(nominated(reference, 'SRO'), refusal('NOT_FOR_THIS_OFFICE'))
    await assert.rejects(
      nominated(reference, 'SRO', { person: no, as: 'NO', party: acme }, { evidence: [] }),
      refusal('EVIDENCE_MISSING'),
    )
    // Nobody records in the name of somebody of the Registration Authority: the shape has no such office.
    await assert.rejects(nominated(reference, 'SRO', { person: no, as: 'RA_MANAGER' }), refusal('REQUEST_UNFIT'))
  })

  it('approval by whoever verified, a step out of order, and a digest of something else', async () => {
    const { task, digest } = await nominated(await person('Uma'), 'NO')
    const manager = office.as('ra-manager-1')
    const identity = seen(['identity', 'meeting'])
    await assert.rejects(manager.ask('POST', `/tasks/${task}/approval`, { digest }), refusal('STEP_NOT_DUE'))
    const verified = { digest, level: 3, evidence: identity }
    await assert.rejects(
      manager.ask('POST', `/tasks/${task}/verification`, { ...verified, digest: '0'.repeat(64) }),
      refusal('TASK_CHANGED'),
    )
    await assert.rejects(
      manager.ask('POST', `/tasks/${task}/verification`, { ...verified, level: 2 }),
      refusal('IDENTITY_LEVEL'),
    )
    const after = await manager.ask('POST', `/tasks/${task}/verification`, verified)
    assert.equal((after.due as { step: string }).step, 'approve')
    assert.equal(after.yours, undefined)
    await assert.rejects(manager.ask('POST', `/tasks/${task}/approval`, { digest }), refusal('TWO_PERSON_RULE'))
    await assert.rejects(
      office.as('ra-clerk-1').ask('POST', `/tasks/${task}/approval`, { digest }),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    const decided = await office.as('ra-manager-2').ask('POST', `/tasks/${task}/approval`, { digest })
    assert.equal(decided.state, 'approved')
  })

  it('of two approvals at once one; the other is told that it was decided', async () => {
    for (let round = 0; round < 5; round++) {
      const { task, digest } = await nominated(await person(`Eve ${round}`), 'NO')
      await office.as('ra-clerk-1').ask('POST', `/tasks/${task}/verification`, {
        digest,
        level: 3,
        evidence: seen(['identity', 'meeting']),
      })
      const both = await Promise.allSettled(
        ['ra-manager-1', 'ra-manager-2'].map(name =>
          office.as(name).ask('POST', `/tasks/${task}/approval`, { digest }),
        ),
      )
      const lost = both.filter(one => one.status === 'rejected').map(one => (one.reason as { code: string }).code)
      assert.deepEqual(lost, ['TASK_DECIDED'])
    }
  })

  it('an office that the caller does not hold, and recording by whoever is not of the Registration Authority', async () => {
    const member = office.as('pma-member-1')
    const asked = { person: await person('Kim'), office: 'NO', party: acme, evidence: paper }
    await assert.rejects(
      member.ask('POST', '/nominations', asked, { office: 'RA_MANAGER' }),
      refusal('NOT_IN_OFFICE'),
    )
    await assert.rejects(member.ask('POST', '/nominations', asked), refusal('NOT_FOR_THIS_OFFICE'))
    const signedBy = { person: no, as: 'NO', party: acme }
    await assert.rejects(
      member.ask('POST', '/nominations', { ...asked, office: 'SRO', signedBy }),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
  })

  it('a locked credential until it is unlocked by somebody else, who says on what he knew its holder', async () => {
    const { credential } = await office.as('ra-clerk-1').ask<{ credential: { number: number } }>('GET', '/self')
    const { number } = credential
    const manager = office.as('ra-manager-1')
    await manager.ask('POST', `/credentials/${number}/lock`, { words: 'token not found', evidence: paper })
    await assert.rejects(office.as('ra-clerk-1').ask('GET', '/tasks'), refusal('CREDENTIAL_NOT_IN_USE'))
    await assert.rejects(manager.ask('POST', `/credentials/${number}/unlock`, {}), refusal('EVIDENCE_MISSING'))
    await manager.ask('POST', `/credentials/${number}/unlock`, { evidence: paper })
    await office.as('ra-clerk-1').ask('GET', '/tasks')
  })

  it('a revoked credential of the Registration Authority, which any SMKI PMA Member may have asked for', async () => {
    const { credential } = await office.as('ra-clerk-2').ask<{ credential: { number: number } }>('GET', '/self')
    const asked = await office
      .as('pma-member-2')
      .ask<Ids>('POST', `/credentials/${credential.number}/revocation`, { words: 'form A7', evidence: paper })
    await assert.rejects(
      office.as('ra-clerk-2').ask('POST', `/tasks/${asked.task}/verification`, { digest: asked.digest }),
      refusal('OWN_AFFAIRS'),
    )
    await office.decide(asked.task)
    await assert.rejects(office.as('ra-clerk-2').ask('GET', '/tasks'), refusal('CREDENTIAL_NOT_IN_USE'))
  })

  it('an account after five wrong passwords in an hour, the right one too, until the hour is over', async () => {
    const officer = office.as('ra-clerk-1')
    const signedBy = { person: sro, as: 'SRO', party: acme }
    const aro = await person('Ali')
    const nomination = {
      person: aro,
      office: 'ARO',
      party: acme,
      policies: ['smki-device'],
      signedBy,
      evidence: paper,
    }
    await office.decide((await officer.ask<Ids>('POST', '/nominations', nomination)).task)
    const account = { kind: 'REPO_PORTAL', party: acme, person: aro, systemName: 'ali', signedBy, evidence: paper }
    await assert.rejects(officer.ask('POST', '/credentials', account), refusal('SREPT_NOT_COMPLETED'))
    await entryTests(officer, signedBy)
    const asked = await officer.ask<Ids>('POST', '/credentials', account)
    await office.decide(asked.task)
    const given = { username: 'ali.acme' }
    const { password } = await officer.ask<{ password: string }>(
      'POST',
      `/credentials/${asked.credential}/account`,
      given,
    )
    await officer.ask('POST', `/credentials/${asked.credential}/hand-over`, { evidence: paper })
    const at = '/repository-accounts/ali.acme'
    const opened = await officer.ask('POST', `${at}/check`, { password })
    assert.equal(opened.mustChange, true)
    for (let wrong = 1; wrong <= 5; wrong++) {
      const code = wrong < 5 ? 'LOGIN_REFUSED' : 'LOGIN_LOCKED'
      await assert.rejects(officer.ask('POST', `${at}/check`, { password: `wrong ${wrong}` }), refusal(code))
    }
    await assert.rejects(officer.ask('POST', `${at}/check`, { password }), refusal('LOGIN_LOCKED'))
    const change = { former: password, password: 'correct horse battery staple' }
    await assert.rejects(officer.ask('POST', `${at}/password`, change), refusal('LOGIN_LOCKED'))
    office.pass(3_600_000)
    await officer.ask('POST', `${at}/password`, change)
    await assert.rejects(officer.ask('POST', `${at}/check`, { password }), refusal('LOGIN_REFUSED'))
    await officer.ask('POST', `${at}/check`, { password: change.password })
  })

  it('a CSR of another name, another trading name, or a broken proof of possession', async () => {
    const { pem, csr } = portalCsr('Somebody Else', 'acme-batch')
    const signedBy = { person: sro, as: 'SRO', party: acme }
    const asked = { kind: 'BATCH_WS', party: acme, signedBy, evidence: paper }
    const officer = office.as('ra-clerk-1')
    await assert.rejects(officer.ask('POST', '/credentials', { ...asked, csr: pem }), refusal('REQUEST_UNFIT'))
    await assert.rejects(
      officer.ask('POST', '/credentials', { ...asked, csr: pem, systemName: 'another' }),
      refusal('REQUEST_UNFIT'),
    )
    const broken = Buffer.from(csr)
    broken[broken.length - 1]! ^= 1
    await assert.rejects(
      officer.ask('POST', '/credentials', { ...asked, csr: broken.toString('base64') }),
      refusal('CR:CC3'),
    )
    await assert.rejects(officer.ask('POST', '/credentials', { ...asked, csr: '!!' }), refusal('CR:CC2'))
  })

  it('each of them stands in the journal, with who tried and what', async () => {
    const refused = (await acts(office.rooms.store)).filter(({ act }) => act === 'refused')
    const codes = new Set(refused.map(({ body }) => String(body.code)))
    for (const code of [
      'RANGES_OVERLAP',
      'RANGE_REVERSED',
      'ROLE_TWICE',
      'SHARED_PAIR_NOT_ALLOWED',
      'RANGE_OF_ANOTHER',
      'OWN_AFFAIRS',
      'SRO_NOT_ARO',
      'NOT_FOR_THIS_OFFICE',
      'EVIDENCE_MISSING',
      'TASK_CHANGED',
      'TWO_PERSON_RULE',
      'TASK_DECIDED',
      'CREDENTIAL_NOT_IN_USE',
      'SREPT_NOT_COMPLETED',
    ]) {
      assert.ok(codes.has(code), code)
    }
    const wrong = (await acts(office.rooms.store)).filter(({ act }) => act === 'wrong password')
    assert.equal(wrong.length, 6)
  })

  async function entryTests(officer: ReturnType<OperatorOffice['as']>, signedBy: object) {
    const path = `/organisations/${acme}/srept`
    await officer.ask('PUT', path, { interfaces: ['REPO_PORTAL'], signedBy, evidence: paper })
    const { scenarios } = await officer.ask<{ scenarios: { id: string }[] }>('GET', path)
    for (const { id } of scenarios)
      await officer.ask('POST', `${path}/results`, { scenario: id, passed: true, evidence: paper })
    const { task } = await officer.ask<Ids>('POST', `${path}/completion`, { signedBy, evidence: paper })
    await office.decide(task)
  }
})
