/** Organisation Certificates and their revocation through the operator API: asked for, rejected, revoked, deferred, stopped. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { readPem, toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import { acts } from '../issuing/rooms.ts'
import { type OperatorOffice, openOperatorOffice, paper, refusal } from './office.ts'

interface Submitted {
  submission: string
  state: string
  acceptance: string
  certificate: { authority: number; serial: string }
}
interface Opened {
  case: number
  task: number
  digest: string
  deferral?: number
}

describe('Organisation Certificates, through the operator API', () => {
  let office: OperatorOffice
  const party = 2
  before(async () => {
    office = await openOperatorOffice()
    await office.registerParties()
  })
  after(() => office.close())

  const supplier = () => office.as('import-supplier')
  let next = 0
  const csrOf = (eui64: string, role = 0x02) => {
    const subject = { commonName: `test ${++next}`, role, eui64: fromHex(eui64) }
    return toPem('CERTIFICATE REQUEST', organisationCsr(makeKeyPair('P-256'), subject, 'digitalSignature'))
  }
  const submit = (csr: string, reference?: string) =>
    supplier().ask<Submitted>('POST', `/organisations/${party}/csrs`, { csr, ...(reference && { reference }) })
  const issued = async () => {
    const one = await submit(csrOf('02a0000000010000'))
    assert.equal(one.state, 'issued')
    return one
  }
  const members = async () =>
    Promise.all(
      ['pma-member-1', 'pma-member-2'].map(async name => {
        const { person } = await office.as(name).ask<{ person: string }>('GET', '/self')
        return person
      }),
    )
  const decide = async (reference: string, act: string, subjects: string[], more: object = {}) => {
    const at = office.rooms.hands.clock().toISOString()
    const body = {
      reference,
      acts: [act],
      subjects,
      meeting: 'meeting 7',
      text: `to ${act}`,
      members: await members(),
    }
    return office.as('ra-manager-1').ask('POST', '/decisions', { ...body, decidedAt: at, from: at, ...more })
  }
  const stateOf = async (number: number) =>
    (await office.as('ra-clerk-1').ask<{ state: string }>('GET', `/revocations/${number}`)).state

  it('an ARO submits a CSR and downloads its Certificate, the same under one reference', async () => {
    const csr = csrOf('02a0000000010000')
    const one = await submit(csr, 'order-1')
    assert.equal(one.state, 'issued')
    assert.equal((await submit(csr, 'order-1')).submission, one.submission)
    await assert.rejects(submit(csrOf('02a0000000010000'), 'order-1'), refusal('REFERENCE_TAKEN'))
    const at = `/organisations/${party}/csrs/${one.submission}`
    const { certificate } = await supplier().ask<{ certificate: string }>('POST', `${at}/download`, {})
    const read = readCertificate(readPem(certificate)[0]!.der)
    assert.equal(Buffer.from(read.serial).toString('hex'), one.certificate.serial)
    assert.equal((await supplier().ask('POST', `${at}/acceptance`, {})).acceptance, 'accepted')
    await assert.rejects(supplier().ask('POST', `${at}/rejection`, {}), refusal('ACCEPTED_ALREADY'))
  })

  it('a CSR for what is not its own is refused, and the refusal is on record', async () => {
    const refused = await supplier().ask<{ state: string; refusal: { code: string } }>(
      'POST',
      `/organisations/${party}/csrs`,
      { csr: csrOf('02a0000000030000') },
    )
    assert.equal(refused.state, 'refused')
    assert.equal(refused.refusal.code, 'EUI64_OF_ANOTHER')
    const { submissions } = await supplier().ask<{ submissions: Submitted[] }>(
      'GET',
      `/organisations/${party}/csrs`,
    )
    assert.deepEqual(
      submissions.slice(0, 2).map(one => one.state),
      ['refused', 'issued'],
    )
    await assert.rejects(
      office.as('ra-clerk-1').ask('POST', `/organisations/${party}/csrs`, { csr: csrOf('02a0000000010000') }),
      refusal('CREDENTIAL_NOT_FOR_THIS'),
    )
  })

  it('rejected after download it is revoked at once, and stands on the next list', async () => {
    const one = await issued()
    const at = `/organisations/${party}/csrs/${one.submission}`
    await supplier().ask('POST', `${at}/download`, {})
    const rejected = await supplier().ask('POST', `${at}/rejection`, { words: 'the common name is wrong' })
    assert.equal(rejected.acceptance, 'rejected')
    const { cases } = await supplier().ask<{
      cases: { case: number; ground: string; state: string; reason: number }[]
    }>('GET', '/revocations')
    assert.deepEqual(
      cases.map(({ ground, state, reason }) => [ground, state, reason]),
      [['rejected', 'revoked', 4]],
    )
    const waiting = async () =>
      (
        await office.as('ra-clerk-1').ask<{ lists: { name: string; waiting: number }[] }>('GET', '/lists')
      ).lists.find(list => list.name === 'Organisation CRL')!.waiting
    assert.equal(await waiting(), 1)
    await office.publish()
    assert.equal(await waiting(), 0)
    assert.equal(await stateOf(cases[0]!.case), 'listed')
  })

  it('a request is authenticated by one and approved by another; twice is refused, another Party not at all', async () => {
    const { certificate } = await issued()
    const request = { certificate: { serial: certificate.serial }, ground: 'key compromise', urgent: true }
    await assert.rejects(
      office.as('network-operator').ask('POST', '/revocations', request),
      refusal('OTHER_ORGANISATION'),
    )
    const opened = await supplier().ask<Opened>('POST', '/revocations', request)
    await assert.rejects(supplier().ask('POST', '/revocations', request), refusal('CASE_OPEN'))
    const decided = await office.decide(opened.task)
    assert.equal((decided.outcome as { case: number }).case, opened.case)
    assert.equal(await stateOf(opened.case), 'revoked')
    await assert.rejects(supplier().ask('POST', '/revocations', request), refusal('ALREADY_REVOKED'))
    await assert.rejects(
      supplier().ask('POST', '/revocations', { ...request, certificate: { serial: '0'.repeat(32) } }),
      refusal('CERTIFICATE_UNKNOWN'),
    )
    await assert.rejects(
      office.as('network-operator').ask('GET', `/revocations/${opened.case}`),
      refusal('NOT_YOURS_TO_SEE'),
    )
  })

  it('an authority is not revoked on the word of an ARO', async () => {
    const oca = (await authorities(office.rooms.store)).find(one => one.part === 'Issuing OCA')!
    const serial = Buffer.from(oca.certificate.serial).toString('hex')
    const request = { certificate: { serial }, ground: 'CA compromise' }
    await assert.rejects(supplier().ask('POST', '/revocations', request), refusal('NOT_FOR_THIS_OFFICE'))
  })

  it('a decision is recorded with Members who sat, once, and only by whoever may', async () => {
    await assert.rejects(
      office.as('ra-clerk-1').ask('POST', '/decisions', {
        reference: 'PMA-0',
        acts: ['suspend'],
        subjects: ['service'],
        meeting: 'm',
        text: 't',
        members: await members(),
        decidedAt: '2026-01-01T00:00:00Z',
        from: '2026-01-01T00:00:00Z',
      }),
      refusal('NOT_FOR_THIS_OFFICE'),
    )
    await assert.rejects(
      decide('PMA-0', 'suspend', ['service'], { decidedAt: '2020-01-01T00:00:00Z' }),
      refusal('NOT_IN_OFFICE'),
    )
    await decide('PMA-1', 'defer revocation', [`party:${party}`])
    await assert.rejects(decide('PMA-1', 'suspend', ['service']), refusal('DECISION_EXISTS'))
    await assert.rejects(supplier().ask('GET', '/decisions'), refusal('NOT_YOURS_TO_SEE'))
  })

  it('under a deferral a revocation waits, is seen there, and comes back when the deferral ends', async () => {
    const day = (days: number) => new Date(office.rooms.hands.clock().getTime() + days * 86_400_000).toISOString()
    const asked = { decision: 'PMA-1', party, userIds: ['U1'], mpids: ['1012345678901'], review: day(30) }
    await assert.rejects(office.as('ra-clerk-1').ask('POST', '/deferrals', asked), refusal('NOT_FOR_THIS_OFFICE'))
    const meterMaker = { ...asked, party: 3 }
    await assert.rejects(
      office.as('ra-manager-1').ask('POST', '/deferrals', meterMaker),
      refusal('DECISION_NOT_COVERING'),
    )
    const deferral = await office.as('ra-manager-1').ask<{ deferral: number }>('POST', '/deferrals', asked)
    const { certificate } = await issued()
    const opened = await supplier().ask<Opened>('POST', '/revocations', {
      certificate: { serial: certificate.serial },
      ground: 'key compromise',
    })
    assert.equal(opened.deferral, deferral.deferral)
    const { notices } = await office
      .as('pma-member-1')
      .ask<{ notices: { subject: string }[] }>('GET', '/notices?to=SMKI%20PMA')
    assert.match(notices.at(-1)!.subject, /Compromise under a deferral/)
    const shown = await office
      .as('ra-clerk-1')
      .ask<{ digest: string; due: { evidence: string[] } }>('GET', `/tasks/${opened.task}`)
    await office.as('ra-clerk-1').ask('POST', `/tasks/${opened.task}/verification`, {
      digest: shown.digest,
      evidence: shown.due.evidence.map(kind => ({ kind, reference: 'call 1' })),
    })
    assert.equal(await stateOf(opened.case), 'deferred')
    await assert.rejects(
      office.as('ra-manager-1').ask('POST', `/tasks/${opened.task}/approval`, { digest: shown.digest }),
      refusal('REVOCATION_DEFERRED'),
    )
    await decide('PMA-2', 'end deferral', [`party:${party}`])
    const ended = await office
      .as('ra-manager-1')
      .ask<{ revoked: { case: number }[] }>('POST', `/deferrals/${deferral.deferral}/end`, { decision: 'PMA-2' })
    assert.deepEqual(
      ended.revoked.map(one => one.case),
      [opened.case],
    )
  })

  it('under an emergency suspension nothing is issued, and afterwards it is', async () => {
    await decide('PMA-3', 'suspend', [`party:${party}`])
    const suspension = await office.as('ra-clerk-1').ask<{ suspension: number }>('POST', '/suspensions', {
      decision: 'PMA-3',
      of: { scope: 'party', party },
      stops: 'services',
      ground: 'User System',
      words: 'direction by telephone, written to follow',
    })
    const csr = csrOf('02a0000000010000')
    await assert.rejects(submit(csr), refusal('WF:SUSP'))
    office.pass(1000)
    await decide('PMA-4', 'resume', [`party:${party}`])
    const path = `/suspensions/${suspension.suspension}`
    await office.as('ra-clerk-1').ask('POST', `${path}/informed`, { who: 'SSC', how: 'telephone' })
    await assert.rejects(
      office.as('ra-manager-1').ask('POST', `${path}/end`, { decision: 'PMA-3' }),
      refusal('DECISION_NOT_COVERING'),
    )
    await office.as('ra-manager-1').ask('POST', `${path}/end`, { decision: 'PMA-4' })
    assert.equal((await submit(csr)).state, 'issued')
    const { suspensions } = await office
      .as('ra-clerk-1')
      .ask<{ suspensions: { informed: { who: string }[] }[] }>('GET', '/suspensions')
    assert.deepEqual(
      suspensions[0]!.informed.map(one => one.who),
      ['Registration Authority', 'SEC Panel', 'party 2', 'SSC', 'Registration Authority', 'SEC Panel', 'party 2'],
    )
  })

  it('an Event of Default goes from the finding to its outcome, step by step', async () => {
    await decide('PMA-5', 'event of default', [`party:${party}`])
    const member = office.as('pma-member-1')
    const finding = { party, provision: 'L11.1', decision: 'PMA-5', words: 'inaccurate CSRs' }
    const event = await member.ask<{ event: number; due: string }>('POST', '/defaults', finding)
    assert.equal(event.due, 'notice to Panel')
    const steps = `/defaults/${event.event}/steps`
    await assert.rejects(member.ask('POST', steps, { step: 'outcome' }), refusal('DEFAULT_STEP'))
    for (const step of ['notice to Panel', 'Panel process', 'outcome']) await member.ask('POST', steps, { step })
    const { events } = await member.ask<{ events: { closed?: string }[] }>('GET', '/defaults')
    assert.ok(events[0]!.closed)
  })

  it('a Party that ceased leaves certificates that it is a duty to revoke', async () => {
    const manager = office.as('ra-manager-1')
    await manager.ask('POST', `/organisations/${party}/cessation`, { words: 'wound up' })
    const { duties } = await manager.ask<{ duties: { party: number; certificates: object[] }[] }>('GET', '/duties')
    const due = duties.find(one => one.party === party)!
    assert.ok(due.certificates.length >= 3)
    const { cases } = await manager.ask<{ cases: Opened[] }>('POST', `/organisations/${party}/duties`, {
      evidence: paper,
    })
    assert.equal(cases.length, due.certificates.length)
    await assert.rejects(supplier().ask('GET', '/self'), refusal('CREDENTIAL_NOT_IN_USE'))
  })

  it('each of them stands in the journal', async () => {
    const said = new Set((await acts(office.rooms.store)).map(({ act }) => act))
    for (const act of [
      'approve Organisation CSR',
      'refuse Organisation CSR',
      'reject Organisation Certificate',
      'record decision',
      'begin deferral',
      'end deferral',
      'suspend',
      'resume from suspension',
      'Event of Default',
      'open duties',
    ]) {
      assert.ok(said.has(act), act)
    }
  })
})
