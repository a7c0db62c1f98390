import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { CertificateKind } from '../../src/policy/registration/credentials.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { cease } from '../../src/rooms/registration/cease.ts'
import {
  type CredentialRequest,
  handOver,
  lockCredential,
  requestCredential,
  requestRevocation,
  returnCredential,
  unlockCredential,
} from '../../src/rooms/registration/credentials.ts'
import { opens } from '../../src/rooms/registration/eligible.ts'
import { keepCredentialTerms } from '../../src/rooms/registration/expiry.ts'
import {
  giveAccount,
  giveApiKey,
  giveSshKey,
  partyOfSshKey,
  readyCertificate,
} from '../../src/rooms/registration/give.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { noticesTo } from '../../src/rooms/registration/notices.ts'
import { credentialOf, partyOfApiKey, recordCredential } from '../../src/rooms/registration/parties.ts'
import { readSshKey } from '../../src/rooms/registration/ssh-key.ts'
import { approve, refuse, withdraw } from '../../src/rooms/registration/tasks.ts'
import { csr, evidence, type Office, type Officers, openOffice, ranges, refusal } from './office.ts'

const day = 86_400_000
const known = { evidence: evidence('receipt') }
let serial = 0

describe('a credential', () => {
  let office: Office
  let acme: Officers & { party: number }
  before(async () => {
    office = await openOffice({ repositoryCredentialDays: 365 })
    acme = await office.subscriber('acme', { userRoles: ranges('IS', 'OU') })
  })
  after(() => office.close())

  const ask = (request: Partial<CredentialRequest> & Pick<CredentialRequest, 'kind'>, by: Officer = acme.sro) => {
    const name = `system-${++serial}`
    const certificate = !request.kind.startsWith('REPO')
    return requestCredential(office.hands, by, {
      party: acme.party,
      systemName: name,
      ...(certificate && { csr: csr(name) }),
      ...request,
    })
  }
  const approved = async (request: Partial<CredentialRequest> & Pick<CredentialRequest, 'kind'>, by?: Officer) => {
    const asked = await ask(request, by)
    await office.decide(asked)
    return asked.credential
  }
  /** As issuance does, in the transaction that keeps the certificate. */
  const issued = async (id: number, days = 3650) => {
    const { party, kind, role, systemName } = await readyCertificate(office.hands, id)
    const notAfter = { ms: office.hands.clock().getTime() + days * day }
    const certificate = { issuer: { der: Buffer.from('ICA') }, serial: randomBytes(16), notAfter }
    await office.store.transaction(client =>
      recordCredential(
        client,
        certificate,
        { party, kind: kind as CertificateKind, role, systemName, life: id },
        office.hands.clock(),
      ),
    )
    return certificate
  }
  const stateOf = async (id: number) => (await credentialRecord(office.store, id)).state
  const opensBatch = async (certificate: { issuer: { der: Buffer }; serial: Buffer }) =>
    opens((await credentialOf(office.store, certificate.issuer.der, certificate.serial))!, 'BATCH_WS')

  it('lives from request to return, and opens its door between handing over and the end', async () => {
    const { hands, personnel } = office
    const asked = await ask({ kind: 'BATCH_WS', role: 0x02 })
    const id = asked.credential
    assert.equal(await stateOf(id), 'requested')
    await office.check(asked)
    assert.equal(await stateOf(id), 'verified')
    await assert.rejects(readyCertificate(hands, id), refusal('CREDENTIAL_STATE'))
    await approve(hands, office.kinds, office.managers[0], asked.task, { digest: asked.digest })
    assert.equal(await stateOf(id), 'approved')
    const certificate = await issued(id)
    assert.equal(await opensBatch(certificate), false)
    await assert.rejects(lockCredential(hands, acme.sro, id, {}), refusal('CREDENTIAL_STATE'))
    await handOver(hands, personnel[0], id, known)
    assert.equal(await opensBatch(certificate), true)
    await lockCredential(hands, acme.sro, id, { words: 'lost laptop' })
    assert.equal(await opensBatch(certificate), false)
    await assert.rejects(handOver(hands, personnel[0], id, known), refusal('CREDENTIAL_STATE'))
    await assert.rejects(unlockCredential(hands, personnel[0], id, {}), refusal('EVIDENCE_MISSING'))
    await assert.rejects(unlockCredential(hands, acme.sro, id, known), refusal('NOT_FOR_THIS_OFFICE'))
    await unlockCredential(hands, personnel[0], id, known)
    assert.equal(await opensBatch(certificate), true)
    await returnCredential(hands, personnel[0], id, { words: 'system is gone' })
    assert.equal(await opensBatch(certificate), false)
    await assert.rejects(unlockCredential(hands, personnel[0], id, known), refusal('CREDENTIAL_STATE'))
    const acts = (await office.journal()).filter(({ body }) => body.credential === id).map(({ act }) => act)
    const life = ['verified', 'approved', 'issued', 'active', 'locked', 'active', 'returned']
    assert.deepEqual(
      acts.filter(act => act.startsWith('credential ')),
      life.map(state => `credential ${state}`),
    )
    assert.equal(acts.filter(act => act === 'refused').length, 5)
  })

  it('serves one interface of one Party, under a name that was not used for it', async () => {
    const first = await ask({ kind: 'BATCH_WS', systemName: 'taken', csr: csr('a') })
    await assert.rejects(
      ask({ kind: 'BATCH_WS', systemName: 'taken', csr: csr('b') }),
      refusal('SYSTEM_NAME_TAKEN'),
    )
    await assert.rejects(ask({ kind: 'ADHOC_WS', csr: csr('a') }), refusal('KEY_USED_ELSEWHERE'))
    const other = await office.subscriber('beta')
    const theirs = ask({ kind: 'BATCH_WS', party: other.party, csr: csr('a') }, other.sro)
    await assert.rejects(theirs, refusal('KEY_USED_ELSEWHERE'))
    await ask({ kind: 'ADHOC_WS', systemName: 'taken', csr: csr('c') })
    // Corrected and handed in again: nothing was made of the first one.
    await refuse(office.hands, office.kinds, office.managers[0], first.task, { words: 'wrong OU' })
    assert.equal(await stateOf(first.credential), 'refused')
    const again = await ask({ kind: 'BATCH_WS', systemName: 'taken', csr: csr('a') })
    await withdraw(office.hands, office.kinds, acme.sro, again.task)
    assert.equal(await stateOf(again.credential), 'withdrawn')
  })

  it('of one name is asked for once, also by two at one moment', async () => {
    const both = await Promise.allSettled(
      [1, 2].map(n => ask({ kind: 'BATCH_WS', systemName: 'twin', csr: csr(`twin ${n}`) })),
    )
    assert.deepEqual(both.map(one => one.status).sort(), ['fulfilled', 'rejected'])
    refusal('SYSTEM_NAME_TAKEN')((both.find(one => one.status === 'rejected') as PromiseRejectedResult).reason)
  })

  it('is asked for with what it is made from', async () => {
    const unfit: [Partial<CredentialRequest> & Pick<CredentialRequest, 'kind'>, string][] = [
      [{ kind: 'FAX' as never }, 'CREDENTIAL_KIND_UNKNOWN'],
      [{ kind: 'BATCH_WS', csr: undefined }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'BATCH_WS', csr: { sha256: '00', publicKeySha256: '00' } }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'REPO_API_KEY', csr: csr('x') }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'REPO_API_KEY', role: 2 }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'REPO_SFTP' }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'REPO_SFTP', sshKey: 'ssh-ed25519 AAAA' }, 'SSH_KEY_UNFIT'],
      [{ kind: 'BATCH_WS', systemName: 'x'.repeat(65) }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'BATCH_WS', systemName: '' }, 'CREDENTIAL_REQUEST_UNFIT'],
      [{ kind: 'BATCH_WS', role: 0x03 }, 'OU_ROLE_NOT_HELD'],
      [{ kind: 'BATCH_WS', role: 0x07 }, 'OU_ROLE_NOT_HELD'],
      [{ kind: 'BATCH_WS', person: acme.aro.person }, 'CREDENTIAL_HOLDER'],
      [{ kind: 'PORTAL_ORG' }, 'CREDENTIAL_HOLDER'],
      [{ kind: 'PORTAL_ORG', person: acme.sro.person }, 'CREDENTIAL_HOLDER'],
      [{ kind: 'BATCH_WS', replaces: 999_999 }, 'CREDENTIAL_UNKNOWN'],
    ]
    for (const [request, code] of unfit) await assert.rejects(ask(request), refusal(code), code)
  })

  it('is for a Party that is what its kind needs', async () => {
    const { hands } = office
    const party = await office.organisation('early')
    const early = await office.officers(party, ['smki-organisation'])
    const portal = { kind: 'PORTAL_ORG', party, person: early.aro.person } as const
    await assert.rejects(ask(portal, early.sro), refusal('SREPT_NOT_COMPLETED'))
    await assert.rejects(ask({ kind: 'REPO_API_KEY', party }, early.sro), refusal('SREPT_NOT_COMPLETED'))
    await office.srept(party, early.aro)
    await assert.rejects(ask(portal, early.sro), refusal('NOT_AUTHORISED_SUBSCRIBER'))
    await office.decide(await ask({ kind: 'REPO_API_KEY', party }, early.sro))
    // An ARO for Organisation Certificates has no token for Device Certificates.
    const device = { kind: 'PORTAL_DEVICE', party, person: early.aro.person } as const
    await assert.rejects(ask(device, early.sro), refusal('CREDENTIAL_HOLDER'))
    const maker = await office.subscriber('maker', { userRoles: ranges('OU') })
    await assert.rejects(ask({ kind: 'ADHOC_WS', party: maker.party }, maker.sro), refusal('CREDENTIAL_ROLE'))
    await ask({ kind: 'BATCH_WS', party: maker.party }, maker.sro)
    assert.ok(hands)
  })

  it('is not approved once its Party or its holder is not what it was', async () => {
    const { hands, kinds, managers } = office
    const gone = await office.subscriber('gone')
    const asked = await ask({ kind: 'BATCH_WS', party: gone.party }, gone.sro)
    const held = await ask({ kind: 'PORTAL_ORG', party: gone.party, person: gone.aro.person }, gone.sro)
    await office.check(asked)
    await cease(hands, gone.sro, { person: gone.aro.person, office: 'ARO', party: gone.party }, {})
    await assert.rejects(
      approve(hands, kinds, managers[0], asked.task, { digest: asked.digest }),
      refusal('NOT_AUTHORISED_SUBSCRIBER'),
    )
    assert.equal(await stateOf(held.credential), 'withdrawn')
  })

  it('is not issued to another than it was approved for', async () => {
    const id = await approved({ kind: 'BATCH_WS' })
    const record = await credentialRecord(office.store, id)
    for (const wrong of [
      { kind: 'ADHOC_WS' as const },
      { systemName: 'another' },
      { party: office.operator },
      { role: 8 },
    ]) {
      const certificate = { issuer: { der: Buffer.from('ICA') }, serial: randomBytes(16) }
      const { party, kind, role, systemName } = { ...record, ...wrong }
      const given = { party, kind: kind as CertificateKind, role, systemName, life: id }
      const attempt = office.store.transaction(client =>
        recordCredential(client, certificate, given, office.hands.clock()),
      )
      await assert.rejects(attempt, refusal('CREDENTIAL_REQUEST_UNFIT'))
    }
    await issued(id)
    await assert.rejects(readyCertificate(office.hands, id), refusal('CREDENTIAL_STATE'))
  })

  it('may be asked for by its holder, and is decided by others', async () => {
    const { hands, kinds, managers, pma, personnel } = office
    const own = await ask({ kind: 'PORTAL_ORG', person: acme.aro.person }, acme.aro)
    await office.decide(own)
    const mine = await ask({ kind: 'RA_STAFF', party: undefined, person: managers[0].person }, managers[0])
    await office.check(mine)
    await assert.rejects(
      approve(hands, kinds, managers[0], mine.task, { digest: mine.digest }),
      refusal('OWN_AFFAIRS'),
    )
    await approve(hands, kinds, pma[0], mine.task, { digest: mine.digest })
    const certificate = await issued(mine.credential)
    await assert.rejects(handOver(hands, managers[0], mine.credential, known), refusal('OWN_AFFAIRS'))
    await handOver(hands, personnel[0], mine.credential, known)
    const record = await credentialOf(office.store, certificate.issuer.der, certificate.serial)
    assert.equal(record?.person, managers[0].person)
    assert.equal(record?.party, office.operator)
  })

  it('of the Registration Authority is revoked on request of any SMKI PMA Member (RAPP 8.3.3), by two others', async () => {
    const { hands, kinds, managers, pma, personnel } = office
    const asked = await ask({ kind: 'RA_STAFF', party: undefined, person: managers[1].person }, managers[1])
    await office.check(asked)
    await approve(hands, kinds, pma[0], asked.task, { digest: asked.digest })
    const certificate = await issued(asked.credential)
    await handOver(hands, personnel[0], asked.credential, known)
    const opened = await requestRevocation(hands, pma[1], asked.credential, { words: 'persistent failure' })
    await assert.rejects(requestRevocation(hands, pma[0], asked.credential, {}), refusal('CREDENTIAL_STATE'))
    await office.check(opened)
    await assert.rejects(
      approve(hands, kinds, managers[1], opened.task, { digest: opened.digest }),
      refusal('OWN_AFFAIRS'),
    )
    await assert.rejects(
      approve(hands, kinds, pma[1], opened.task, { digest: opened.digest }),
      refusal('TWO_PERSON_RULE'),
    )
    const { outcome } = await approve(hands, kinds, managers[0], opened.task, { digest: opened.digest })
    assert.deepEqual(
      (outcome as { certificate: { serial: string } }).certificate.serial,
      certificate.serial.toString('hex'),
    )
    assert.equal((await credentialOf(office.store, certificate.issuer.der, certificate.serial))?.state, 'revoked')
    await assert.rejects(requestRevocation(hands, pma[0], asked.credential, {}), refusal('CREDENTIAL_STATE'))
  })

  it('of a person is revoked on request of that person or the SRO, not of a colleague (REG-A09)', async () => {
    const { hands, personnel } = office
    const id = await approved({ kind: 'PORTAL_DEVICE', person: acme.aro.person })
    await issued(id)
    const colleague = await office.appoint(acme.sro, await office.person('Col'), 'ARO', acme.party, ['smki-device'])
    await assert.rejects(requestRevocation(hands, colleague, id, {}), refusal('NOT_FOR_THIS_OFFICE'))
    await office.decide(await requestRevocation(hands, acme.aro, id, { words: 'token lost' }))
    assert.equal(await stateOf(id), 'revoked')
    await assert.rejects(lockCredential(hands, personnel[0], id, {}), refusal('CREDENTIAL_STATE'))
  })

  it('that is an API key opens letter for letter: a key in a wrong case is refused', async () => {
    const { hands, personnel } = office
    const id = await approved({ kind: 'REPO_API_KEY' })
    const key = await giveApiKey(hands, personnel[0], id)
    assert.equal(await partyOfApiKey(office.store, key), undefined)
    await handOver(hands, personnel[0], id, known)
    assert.equal(await partyOfApiKey(office.store, key), acme.party)
    const swapped = [...key].map(c => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('')
    assert.notEqual(swapped, key)
    for (const wrong of [swapped, key.toLowerCase(), key.toUpperCase(), `${key} `, key.slice(0, -1), '']) {
      assert.equal(await partyOfApiKey(office.store, wrong), undefined)
    }
    const { rows } = await office.store.query<{ text: string }>('SELECT t::text AS text FROM api_key t')
    assert.ok(rows.length > 0 && rows.every(row => !row.text.includes(key)))
    await lockCredential(hands, acme.sro, id, {})
    assert.equal(await partyOfApiKey(office.store, key), undefined)
    await assert.rejects(giveApiKey(hands, personnel[0], id), refusal('CREDENTIAL_STATE'))
  })

  it('that is an SSH key opens while it is active', async () => {
    const { hands, personnel } = office
    const octets = Buffer.concat([
      Buffer.from('0000000b', 'hex'),
      Buffer.from('ssh-ed25519'),
      Buffer.from('00000020', 'hex'),
      randomBytes(32),
    ])
    const sshKey = `ssh-ed25519 ${octets.toString('base64')} nightly`
    const id = await approved({ kind: 'REPO_SFTP', sshKey })
    await giveSshKey(hands, personnel[0], id)
    const whose = () => partyOfSshKey(office.store, readSshKey(sshKey), hands.clock())
    assert.equal(await whose(), undefined)
    await handOver(hands, personnel[0], id, known)
    assert.equal(await whose(), acme.party)
    const again = await approved({ kind: 'REPO_SFTP', sshKey })
    await assert.rejects(giveSshKey(hands, personnel[0], again), refusal('KEY_USED_ELSEWHERE'))
    await returnCredential(hands, personnel[0], id, {})
    assert.equal(await whose(), undefined)
    await giveSshKey(hands, personnel[0], again)
    await handOver(hands, personnel[0], again, known)
    assert.equal(await whose(), acme.party)
    await assert.rejects(
      giveApiKey(hands, personnel[0], await approved({ kind: 'BATCH_WS' })),
      refusal('CREDENTIAL_REQUEST_UNFIT'),
    )
  })

  it('that replaces another ends it when it is handed over, and not before', async () => {
    const { hands, personnel } = office
    const first = await approved({ kind: 'BATCH_WS' })
    const old = await issued(first)
    await handOver(hands, personnel[0], first, known)
    const open = await requestRevocation(hands, acme.sro, first, {})
    const second = await approved({ kind: 'BATCH_WS', replaces: first })
    await issued(second)
    assert.equal(await opensBatch(old), true)
    await handOver(hands, personnel[0], second, known)
    assert.equal(await opensBatch(old), false)
    await assert.rejects(
      approve(hands, office.kinds, office.managers[0], open.task, { digest: open.digest }),
      refusal('TASK_DECIDED'),
    )
  })

  it('is announced before it ends, once for each term, and ends on time; the job may run twice', async () => {
    const own = await openOffice({ repositoryCredentialDays: 100 })
    const beta = await own.subscriber('beta')
    const asked = await requestCredential(own.hands, beta.sro, {
      kind: 'REPO_API_KEY',
      party: beta.party,
      systemName: 'r',
    })
    await own.decide(asked)
    const key = await giveApiKey(own.hands, own.personnel[0], asked.credential)
    await handOver(own.hands, own.personnel[0], asked.credential, known)
    const run = async (): Promise<[number[], string[]]> => {
      const { noticed, expired } = await keepCredentialTerms(own.hands)
      return [noticed.map(one => one.days), expired.map(one => one.state)]
    }
    assert.deepEqual(await run(), [[], []])
    own.pass(10 * day)
    assert.deepEqual(await run(), [[90], []])
    assert.deepEqual(await run(), [[], []])
    own.pass(59 * day)
    assert.deepEqual(await run(), [[], []])
    own.pass(25 * day)
    // Nobody ran it on the 70th day: one notice, of the term that it is now.
    assert.deepEqual(await run(), [[7], []])
    own.pass(6 * day - 1)
    assert.deepEqual(await run(), [[], []])
    assert.equal(await partyOfApiKey(own.store, key), beta.party)
    own.pass(1)
    const [once, twice] = await Promise.all([run(), run()])
    assert.deepEqual([...once[1], ...twice[1]], ['expired'])
    assert.equal(await partyOfApiKey(own.store, key), undefined)
    // Two runs at one moment, over several that end: each ends once.
    const others = ['a', 'b', 'c', 'd'].map(
      systemName => ({ kind: 'REPO_API_KEY', party: beta.party, systemName }) as const,
    )
    for (const other of others) {
      const one = await requestCredential(own.hands, beta.sro, other)
      await own.decide(one)
      await giveApiKey(own.hands, own.personnel[0], one.credential)
    }
    own.pass(100 * day)
    const ends = (await Promise.all([run(), run(), run()])).flatMap(one => one[1])
    assert.deepEqual(ends, Array(4).fill('expired'))
    const told = await noticesTo(own.store, `party ${beta.party}`)
    assert.deepEqual(
      told.map(one => [one.subject, one.about.days]),
      [
        ['credential expires', 90],
        ['credential expires', 7],
      ],
    )
    await own.close()
  })

  it('is unknown under another number', async () => {
    await assert.rejects(
      lockCredential(office.hands, office.managers[0], 999_999, {}),
      refusal('CREDENTIAL_UNKNOWN'),
    )
    await assert.rejects(
      giveAccount(office.hands, office.personnel[0], 999_999, 'abc'),
      refusal('CREDENTIAL_UNKNOWN'),
    )
  })
})
