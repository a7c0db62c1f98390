/**
 * One organisation from nothing to certified, and on to its end: a session to be read as documentation. Who does what, on
 * what evidence, and what comes of it. Each step goes on from the one before; time passes when the story says so.
 */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr } from '../../simulator/device.ts'
import { fromHex, toHex } from '../../src/ground/bytes.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { readList } from '../../src/ground/x509/list.ts'
import { validate } from '../../src/ground/x509/path.ts'
import { organisationCsr } from '../../src/main/csr.ts'
import { authorities } from '../../src/rooms/authority/register.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { applyAsSubscriber } from '../../src/rooms/registration/applications.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import { nominate } from '../../src/rooms/registration/nominations.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { apply } from '../../src/rooms/registration/organisation.ts'
import { enterPerson } from '../../src/rooms/registration/people.ts'
import { planOf, planSrept, recordResult, requestCompletion } from '../../src/rooms/registration/srept.ts'
import { standingOf } from '../../src/rooms/registration/standing.ts'
import { currentLists } from '../../src/rooms/repository/lists.ts'
import { caseOf } from '../../src/rooms/revocation/case.ts'
import { beginDeferral, endDeferral } from '../../src/rooms/revocation/deferral.ts'
import { requestRevocation } from '../../src/rooms/revocation/request.ts'
import { revokeReturned } from '../../src/rooms/revocation/returned.ts'
import { listWatch } from '../../src/rooms/revocation/watch.ts'
import { refusal } from '../registration/office.ts'
import { type Held, openStory, type Story } from './story.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const form = [{ kind: 'signed form', reference: 'post/2026/118' }]
const eui64 = '02a000000a010000'

describe('Bright Energy, from nothing to certified, and to its end', () => {
  let story: Story
  before(async () => {
    story = await openStory()
  })
  after(() => story.close())

  let bright: number
  let sro: Officer
  let aro: Officer
  let other: Officer
  let portal: Held
  let signing: Certificate
  let agreement: Certificate

  it('1. it hands in its Organisation Information Form; the Registration Authority verifies who it is', async () => {
    const { hands, personnel } = story
    const submitted = await apply(
      hands,
      personnel[1],
      'bright-energy',
      {
        kind: 'party',
        legalName: 'Bright Energy Supply Limited',
        tradingName: 'Bright Energy',
        identifier: 'SEC-0118',
        companyNumber: '01180118',
        address: '118 Test Street, Testing',
        contactNumber: '+44 1632 960118',
        userRoles: [{ userRole: 'IS', first: '02a000000a010000', last: '02a000000a01ffff' }],
        declaration: { reference: 'form 118, signed', signedOn: '2026-11-18' },
      },
      { evidence: form },
    )
    // Verified by one of the Personnel on evidence of its membership, the public register and a call back; approved by a Manager.
    await story.decide(submitted)
    bright = submitted.party
    assert.equal((await standingOf(story.store, bright)).state, 'identityVerified')
  })

  it('2. its officers are nominated, each verified and appointed by two others', async () => {
    const { hands, personnel } = story
    const appoint = async (by: Officer, name: string, office: 'NO' | 'SRO' | 'ARO'): Promise<Officer> => {
      const person = await enterPerson(hands, personnel[0], { name })
      const policies = office === 'ARO' ? (['smki-organisation', 'smki-device'] as const) : undefined
      await story.decide(await nominate(hands, by, { person, office, party: bright, policies }, { evidence: form }))
      return { person, as: office, party: bright }
    }
    const nominating = await appoint(personnel[1], 'Nell', 'NO')
    sro = await appoint(nominating, 'Sid', 'SRO')
    aro = await appoint(sro, 'Ada', 'ARO')
    other = await appoint(sro, 'Otto', 'ARO')
    assert.equal((await standingOf(story.store, bright)).state, 'officersInPlace')
  })

  it('3. it passes the entry process tests, and the Panel is told', async () => {
    const { hands } = story
    await planSrept(hands, sro, bright, ['PORTAL_ORG', 'BATCH_WS'])
    for (const { id } of (await planOf(story.store, bright))!.scenarios) {
      const evidence = [{ kind: 'run', reference: `test service, ${id}` }]
      await recordResult(hands, aro, bright, { scenario: id, passed: true, automatic: true, evidence })
    }
    await story.decide(await requestCompletion(hands, aro, bright, {}))
    assert.equal((await noticesTo(story.store, 'SEC Panel'))[0]?.subject, 'SREPT completed')
  })

  it('4. it applies under both Certificate Policies, and is an Authorised Subscriber', async () => {
    for (const policy of ['smki-organisation', 'smki-device'] as const) {
      await story.decide(await applyAsSubscriber(story.hands, sro, bright, policy, { evidence: form }))
    }
    assert.equal((await standingOf(story.store, bright)).state, 'authorised')
  })

  it('5. its AROs and its system get their credentials, each for one interface', async () => {
    portal = await story.give(aro, bright, 'PORTAL_ORG', 'Bright Energy', aro.person)
    await story.give(other, bright, 'BATCH_WS', 'Bright Energy')
  })

  it('6. an ARO submits Organisation CSRs, one for each usage, and they are issued and in the Repository', async () => {
    const csr = (usage: 'digitalSignature' | 'keyAgreement') =>
      organisationCsr(makeKeyPair('P-256'), { role: 2, eui64: fromHex(eui64) }, usage)
    signing = await story.organisationCsr(portal, csr('digitalSignature'))
    agreement = await story.organisationCsr(portal, csr('keyAgreement'))
    assert.deepEqual(await verdict(signing), 'good')
    assert.deepEqual(await verdict(agreement), 'good')
  })

  it('6a. but none for an identifier that is not its own, or for a role that is not of its User Roles', async () => {
    const csr = (id: string, role: number) =>
      organisationCsr(makeKeyPair('P-256'), { role, eui64: fromHex(id) }, 'digitalSignature')
    await assert.rejects(story.organisationCsr(portal, csr('02a000000b000000', 2)), refusal('EUI64_NOT_OWN'))
    await assert.rejects(story.organisationCsr(portal, csr(eui64, 3)), refusal('OU_ROLE_NOT_HELD'))
  })

  it('7. a batch for its Devices is approved, issued, and each certificate is what its CSR asked for', async () => {
    const devices = Array.from({ length: 5 }, (_, i) =>
      makeDeviceCsr({ deviceId: `02d000000000${(0x1000 + i).toString(16)}`, usage: 'digitalSignature' }),
    )
    const results = await story.deviceBatch(
      bright,
      devices.map(({ csr }, i) => ({ id: `D${i}`, csr })),
    )
    assert.equal(results.length, 5)
    for (const [i, result] of results.entries()) {
      assert.ok('certificate' in result, JSON.stringify(result))
      const spki = readCertificate(result.certificate).publicKey.spki
      assert.deepEqual(Buffer.from(spki), devices[i]!.publicKey.export({ format: 'der', type: 'spki' }))
    }
  })

  it('8. half a year later an officer leaves: a second later his credential opens nothing, and it is revoked', async () => {
    story.pass(180 * day)
    await story.renew()
    const csr = organisationCsr(makeKeyPair('P-256'), { role: 2, eui64: fromHex(eui64) }, 'digitalSignature')
    await cease(
      story.hands,
      sro,
      { person: aro.person, office: 'ARO', party: bright },
      { words: 'leaves the company', evidence: [{ kind: 'letter', reference: 'post/2027/51' }] },
    )
    story.pass(1000)
    await assert.rejects(story.organisationCsr(portal, csr))
    const revoked = await revokeReturned(story.hands)
    assert.equal(revoked.length, 1)
    // Another ARO is in office, so the supplier is an Authorised Subscriber still.
    assert.equal((await standingOf(story.store, bright)).state, 'authorised')
  })

  it('9. its signing key is compromised: revoked on its request, by two people of the Registration Authority', async () => {
    const asked = await requestRevocation(
      story.hands,
      sro,
      { certificate: refOf(signing), ground: 'key compromise' },
      { words: 'the server was broken into', evidence: form },
    )
    const one = await story.settle(asked)
    assert.equal(one.state, 'revoked')
    assert.deepEqual(await verdict(signing), 'good', 'until a list says otherwise, nobody knows')
  })

  it('10. the list appears within an hour, and a relying party refuses the certificate', async () => {
    story.pass(59 * minute)
    const watched = (await listWatch(story.store, story.hands.clock(), story.hands.schedules)).find(isOfOca)
    assert.equal(watched?.state, 'waiting revocations')
    const published = await story.renew()
    assert.ok(published.length > 0)
    assert.equal(await verdict(signing), 'revoked')
    assert.equal(await verdict(agreement), 'good')
  })

  it('11. then the supplier fails: the SMKI PMA defers, and its certificates stay valid (L16)', async () => {
    const { hands } = story
    const decision = await story.decision(['defer revocation'], [`party:${bright}`])
    const reviewAt = new Date(hands.clock().getTime() + 14 * day)
    const deferral = await beginDeferral(
      hands,
      story.managers[0],
      { decision, party: bright, userIds: [eui64], mpids: ['BRGT'], reviewAt },
      { evidence: [{ kind: 'decision', reference: decision }] },
    )
    const asked = await requestRevocation(
      hands,
      story.personnel[1],
      { certificate: refOf(agreement), ground: 'supplier of last resort' },
      { words: 'the supplier has ceased trading', evidence: form },
    )
    assert.equal(asked.deferral?.id, deferral.id)
    // Authenticated as any request; but instead of an approval it waits for the SMKI PMA.
    assert.equal((await story.authenticate(asked)).state, 'deferred')
    story.pass(10 * day)
    await story.renew()
    assert.equal(await verdict(agreement), 'good')

    const end = await story.decision(['end deferral'], [`party:${bright}`])
    await endDeferral(hands, story.managers[0], deferral.id, { decision: end }, { evidence: form })
    assert.equal((await caseOf(story.store, asked.case)).state, 'revoked')
    await story.renew()
    assert.equal(await verdict(agreement), 'revoked')
  })

  it('12. the journal says who did what and on what evidence, and names nobody', async () => {
    const acts = await story.journal()
    const told = new Set(acts.map(one => one.act))
    for (const act of [
      'enter applicant',
      'appoint',
      'complete SREPT',
      'submit batch',
      'issue',
      'cease',
      'revoke',
      'publish list',
      'begin deferral',
      'end deferral',
    ])
      assert.ok(told.has(act), `${act} is not in ${[...told].join(', ')}`)
    const text = JSON.stringify(acts)
    for (const name of ['Nell', 'Sid', '"Ada"', 'Otto']) assert.ok(!text.includes(name), name)
  })

  const refOf = (certificate: Certificate) => ({
    authority: story.authority('smki-organisation').id,
    serial: toHex(certificate.serial),
  })
  const isOfOca = (list: { part: string }) => list.part === 'Issuing OCA'

  /** As a relying party finds it, with the chain and the lists of the Repository. */
  async function verdict(certificate: Certificate): Promise<string> {
    const known = await authorities(story.store)
    const root = known.find(one => one.pki === 'smki-organisation' && one.level === 'root')!
    const issuing = story.authority('smki-organisation')
    const lists = (await currentLists(story.store)).map(one => readList(one.der))
    const found = validate({
      target: certificate,
      trust: [root.certificate],
      untrusted: [issuing.certificate],
      lists,
      profile: 'rfc5280',
      at: story.hands.clock(),
    })
    return found.valid ? 'good' : found.refusals.map(one => one.code.toLowerCase()).join(', ')
  }
})
