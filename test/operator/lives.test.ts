/** Lives that go through the operator API to their end: credentials, people, forms, tasks, submissions, rejections, deferrals. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { partyOfSshKey } from '../../src/rooms/registration/give.ts'
import { issue, newCsr } from '../issuing/rooms.ts'
import { type OperatorOffice, openOperatorOffice, paper, portalCsr, refusal } from './office.ts'

const day = 86_400_000
type Asked = { credential: number; task: number; digest: string }
type Credential = { credential: number; kind: string; state: string; replaces?: number; party: number }

describe('Through the operator API', () => {
  let office: OperatorOffice
  const party = 2
  before(async () => {
    office = await openOperatorOffice(
      { registration: { passwordLog2N: 14, repositoryCredentialDays: 60, expiryNoticeDays: [30, 7] } },
      'smki-device',
    )
    await office.registerParties()
  })
  after(() => office.close())

  const clerk = () => office.as('ra-clerk-1')
  const manager = () => office.as('ra-manager-1')
  const supplier = () => office.as('import-supplier')
  const credentialOf = (number: number) => clerk().ask<Credential>('GET', `/credentials/${number}`)
  const approved = async (request: object) => {
    const asked = await supplier().ask<Asked>('POST', '/credentials', { party, ...request })
    await office.decide(asked.task)
    return asked.credential
  }

  it('an SSH key opens SFTP once it is handed over, and nothing once it was returned', async () => {
    const path = join(office.home, 'sftp')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
    const sshKey = readFileSync(`${path}.pub`, 'utf8').trim()
    const number = await approved({ kind: 'REPO_SFTP', systemName: 'sftp', sshKey })
    await clerk().ask('POST', `/credentials/${number}/ssh-key`, {})
    const { store, hands } = office.rooms
    const owner = () => partyOfSshKey(store, Buffer.from(sshKey.split(' ')[1]!, 'base64'), hands.clock())
    assert.equal(await owner(), undefined)
    await clerk().ask('POST', `/credentials/${number}/hand-over`, { evidence: paper })
    assert.equal(await owner(), party)
    const returned = await clerk().ask('POST', `/credentials/${number}/return`, { words: 'not needed' })
    assert.equal(returned.state, 'returned')
    assert.equal(await owner(), undefined)
    const used = { kind: 'REPO_SFTP', party, systemName: 'sftp', sshKey: 'ssh-dss AAAA' }
    await assert.rejects(supplier().ask('POST', '/credentials', used), refusal('SSH_KEY_UNFIT'))
  })

  it('a credential is issued again: the one before it ends when its follower is handed over', async () => {
    const { credentials } = await supplier().ask<{ credentials: Credential[] }>(
      'GET',
      `/organisations/${party}/credentials`,
    )
    const former = credentials.find(one => one.kind === 'BATCH_WS')!
    const { pem, csr, key } = portalCsr('Test Import Supplier', 'import-supplier-batch-next')
    const number = await approved({ kind: 'BATCH_WS', csr: pem, replaces: former.credential })
    await office.issue(number, csr, key, 'import-supplier', 'batch-next')
    assert.equal((await credentialOf(former.credential)).state, 'active')
    await clerk().ask('POST', `/credentials/${number}/hand-over`, { evidence: paper })
    assert.equal((await credentialOf(former.credential)).state, 'revoked')
    assert.equal((await credentialOf(number)).replaces, former.credential)
  })

  it('the Party is told before a key expires, once for each term, and then it has expired', async () => {
    const number = await approved({ kind: 'REPO_API_KEY', systemName: 'short' })
    await clerk().ask('POST', `/credentials/${number}/api-key`, {})
    await clerk().ask('POST', `/credentials/${number}/hand-over`, { evidence: paper })
    office.pass(31 * day)
    const soon = await clerk().ask<{ credentials: Credential[] }>('GET', '/credentials?ending=30')
    assert.ok(soon.credentials.some(one => one.credential === number))
    const noticed = () => clerk().ask<{ noticed: object[]; expired: number[] }>('POST', '/credential-terms', {})
    const first = (await noticed()).noticed
    assert.deepEqual(first.at(-1), { credential: number, days: 30 })
    assert.deepEqual((await noticed()).noticed, [])
    const { notices } = await supplier().ask<{ notices: { subject: string }[] }>('GET', '/notices')
    assert.equal(notices.at(-1)!.subject, 'credential expires')
    office.pass(30 * day)
    assert.equal((await noticed()).expired.at(-1), number)
    assert.equal((await credentialOf(number)).state, 'expired')
  })

  it('an account is unlocked and reset by whoever says on what he knew its holder', async () => {
    const { person } = await supplier().ask<{ person: string }>('GET', '/self')
    const number = await approved({ kind: 'REPO_PORTAL', person, systemName: 'aro' })
    await clerk().ask('POST', `/credentials/${number}/account`, { username: 'aro.supplier' })
    await clerk().ask('POST', `/credentials/${number}/hand-over`, { evidence: paper })
    const at = '/repository-accounts/aro.supplier'
    for (let wrong = 0; wrong < 5; wrong++)
      await clerk()
        .ask('POST', `${at}/check`, { password: 'no' })
        .catch(() => {})
    const known = [{ kind: 'questions', reference: 'call 7' }]
    await assert.rejects(clerk().ask('POST', `${at}/unlock`, {}), refusal('EVIDENCE_MISSING'))
    await assert.rejects(
      clerk().ask('POST', '/repository-accounts/nobody/unlock', { evidence: known }),
      refusal('USERNAME_UNKNOWN'),
    )
    await clerk().ask('POST', `${at}/unlock`, { evidence: known })
    const { password } = await clerk().ask<{ password: string }>('POST', `${at}/reset`, { evidence: known })
    assert.equal((await clerk().ask('POST', `${at}/check`, { password })).mustChange, true)
  })

  it('a person is amended and erased, and not while the person is needed', async () => {
    const { person } = await clerk().ask<{ person: string }>('POST', '/persons', { data: { name: 'Temp' } })
    await clerk().ask('PUT', `/persons/${person}`, { data: { name: 'Temporary', email: 'x@example.org' } })
    assert.equal((await clerk().ask('POST', `/persons/${person}/consultation`, {})).name, 'Temporary')
    const { person: needed } = await supplier().ask<{ person: string }>('GET', '/self')
    await assert.rejects(manager().ask('POST', `/persons/${needed}/erasure`, {}), refusal('PERSON_NEEDED'))
    await assert.rejects(clerk().ask('POST', `/persons/${person}/erasure`, {}), refusal('NOT_FOR_THIS_OFFICE'))
    await manager().ask('POST', `/persons/${person}/erasure`, { words: 'left' })
    await assert.rejects(clerk().ask('POST', `/persons/${person}/consultation`, {}), refusal('PERSON_UNKNOWN'))
    const { persons } = await clerk().ask<{ persons: { person: string; erased: boolean }[] }>('GET', '/persons')
    assert.equal(persons.find(one => one.person === person)!.erased, true)
    const { officers } = await clerk().ask<{ officers: { known?: string }[] }>('GET', '/officers')
    assert.ok(officers.some(one => one.known === 'ra-manager-2'))
  })

  it('a new version of a form waits beside the one in force; refused or withdrawn it takes no effect', async () => {
    const { form } = await clerk().ask<{ form: object }>('GET', `/organisations/${party}/forms/1`)
    const next = { form: { ...form, address: '2 New Street' }, evidence: paper }
    const path = `/organisations/${party}/forms`
    const first = await clerk().ask<{ version: number; task: number }>('POST', path, next)
    assert.equal(
      (await manager().ask('POST', `/tasks/${first.task}/refusal`, { words: 'not signed' })).state,
      'refused',
    )
    const second = await clerk().ask<{ version: number; task: number }>('POST', path, next)
    assert.equal(
      (await clerk().ask('POST', `/tasks/${second.task}/withdrawal`, { words: 'mistake' })).state,
      'withdrawn',
    )
    const third = await clerk().ask<{ version: number; task: number }>('POST', path, next)
    await office.decide(third.task)
    const shown = await clerk().ask('GET', `/organisations/${party}`)
    assert.equal(shown.formInForce, third.version)
    const states = await Promise.all(
      [first, second, third].map(async one => (await clerk().ask('GET', `${path}/${one.version}`)).state),
    )
    assert.deepEqual(states, ['refused', 'refused', 'in force'])
  })

  it('a condition that is withdrawn suspends the Party', async () => {
    const path = '/organisations/3/withdrawals'
    const standing = await manager().ask('POST', path, { condition: 'application', policy: 'smki-device' })
    assert.notEqual(standing.state, 'authorised')
    await assert.rejects(manager().ask('POST', path, { condition: 'application' }), refusal('POLICY_UNKNOWN'))
    await assert.rejects(clerk().ask('POST', path, { condition: 'SREPT' }), refusal('NOT_FOR_THIS_OFFICE'))
  })

  it('a CSR for a key that was certified for another subject is held until an RA Manager decides', async () => {
    const key = makeKeyPair('P-256')
    const submit = (eui64: string) => {
      const csr = organisationCsr(
        key,
        { commonName: 'held', role: 0x02, eui64: fromHex(eui64) },
        'digitalSignature',
      )
      const body = { csr: toPem('CERTIFICATE REQUEST', csr) }
      return supplier().ask<{ submission: string; state: string }>('POST', `/organisations/${party}/csrs`, body)
    }
    assert.equal((await submit('02a0000000010000')).state, 'issued')
    const held = await submit('02a0000000010001')
    assert.equal(held.state, 'held')
    const { submissions } = await manager().ask<{ submissions: { submission: string }[] }>('GET', '/held-csrs')
    assert.deepEqual(
      submissions.map(one => one.submission),
      [held.submission],
    )
    const path = `/held-csrs/${held.submission}/decision`
    await assert.rejects(clerk().ask('POST', path, { approve: true }), refusal('NOT_FOR_THIS_OFFICE'))
    assert.equal((await manager().ask('POST', path, { approve: true, words: 'one HSM for both' })).state, 'issued')
    const shown = await supplier().ask('GET', `/organisations/${party}/csrs/${held.submission}`)
    assert.equal(shown.acceptance, 'open')
  })

  it('a rejected Device Certificate is investigated, and never revoked', async () => {
    const [outcome] = await issue(office.rooms.devices(), [newCsr()])
    assert.ok(outcome && 'der' in outcome, JSON.stringify(outcome))
    const serial = toHex(readCertificate(outcome.der).serial)
    const rejected = { certificate: { serial }, words: 'not our key' }
    const { rejection } = await supplier().ask('POST', '/rejections', { ...rejected, of: 'device' })
    await assert.rejects(
      supplier().ask('POST', '/rejections', { ...rejected, of: 'organisation' }),
      refusal('DEVICE_NEVER_REVOKED'),
    )
    const revoke = { certificate: { serial }, ground: 'key compromise' }
    await assert.rejects(supplier().ask('POST', '/revocations', revoke), refusal('DEVICE_NEVER_REVOKED'))
    await clerk().ask('POST', `/rejections/${rejection}/finding`, { finding: 'the CSR had that key' })
    const { rejections } = await clerk().ask<{ rejections: { finding: string }[] }>('GET', '/rejections')
    assert.equal(rejections[0]!.finding, 'the CSR had that key')
    assert.deepEqual(await clerk().ask('GET', '/rejections?open=true'), { rejections: [] })
  })

  it('a deferral is extended, one case is released from it, and a decision that was withdrawn serves nothing', async () => {
    const { person } = await office.as('pma-member-1').ask<{ person: string }>('GET', '/self')
    const at = office.rooms.hands.clock()
    const decided = (reference: string, act: string, subject = `party:${party}`) =>
      manager().ask('POST', '/decisions', {
        reference,
        acts: [act],
        subjects: [subject],
        meeting: '9',
        text: `to ${act}`,
        members: [person],
        decidedAt: at.toISOString(),
        from: at.toISOString(),
      })
    const review = new Date(at.getTime() + 10 * day).toISOString()
    await decided('D-1', 'defer revocation')
    const begin = { decision: 'D-1', party, userIds: [], mpids: [], review }
    const { deferral } = await manager().ask<{ deferral: number }>('POST', '/deferrals', begin)
    await decided('D-2', 'extend deferral')
    const later = new Date(at.getTime() + 20 * day).toISOString()
    const extended = await manager().ask('POST', `/deferrals/${deferral}/extension`, {
      decision: 'D-2',
      review: later,
    })
    assert.equal(extended.review, later)
    const { certificates } = await clerk().ask<{ certificates: { authority: number; serial: string }[] }>(
      'GET',
      `/deferrals/${deferral}`,
    )
    assert.ok(certificates.length > 3)
    const { submissions } = await supplier().ask<{ submissions: { certificate?: { serial: string } }[] }>(
      'GET',
      `/organisations/${party}/csrs`,
    )
    const { serial } = submissions.find(one => one.certificate)!.certificate!
    const opened = await supplier().ask<{ case: number; task: number; digest: string }>('POST', '/revocations', {
      certificate: { serial },
      ground: 'key compromise',
    })
    const evidence = [{ kind: 'requester authenticated', reference: 'call 8' }]
    await clerk().ask('POST', `/tasks/${opened.task}/verification`, { digest: opened.digest, evidence })
    await decided('D-3', 'revoke')
    assert.match(String((await manager().ask('GET', '/decisions/D-3')).reference), /D-3/)
    await manager().ask('POST', '/decisions/D-3/withdrawal', { words: 'superseded' })
    const path = `/revocations/${opened.case}/release`
    await assert.rejects(manager().ask('POST', path, { decision: 'D-3' }), refusal('DECISION_NOT_IN_FORCE'))
    await decided('D-4', 'revoke')
    assert.equal((await manager().ask('POST', path, { decision: 'D-4' })).state, 'revoked')
    const { decisions } = await manager().ask<{ decisions: { reference: string; notInForce?: string }[] }>(
      'GET',
      '/decisions?act=revoke',
    )
    assert.deepEqual(
      decisions.filter(one => one.notInForce).map(one => one.reference),
      ['D-3'],
    )
    const { deferrals } = await supplier().ask<{ deferrals: { deferral: number }[] }>('GET', '/deferrals?open=true')
    assert.equal(deferrals[0]!.deferral, deferral)
    assert.deepEqual(await office.as('network-operator').ask('GET', '/deferrals'), { deferrals: [] })
    await assert.rejects(manager().ask('GET', '/decisions/D-9'), refusal('DECISION_UNKNOWN'))
  })
})
