/** A document at every door of a service: what is public comes from each that has documents, what is confidential from none. */

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findCredential } from '../../src/doors/cli/operator-client.ts'
import { find } from '../../src/doors/sftp/tree.ts'
import { loadSettings } from '../../src/main/home.ts'
import { testIdentities } from '../../src/main/test-identities.ts'
import { documents } from '../../src/policy/documents/document-set.ts'
import { recordDecision } from '../../src/rooms/governance/decisions.ts'
import { decideEntered, enterVersion } from '../../src/rooms/governance/entering.ts'
import type { Officer } from '../../src/rooms/registration/act.ts'
import { handOver, requestCredential } from '../../src/rooms/registration/credentials.ts'
import { giveAccount } from '../../src/rooms/registration/give.ts'
import { registrationKinds } from '../../src/rooms/registration/kinds.ts'
import { officesOf } from '../../src/rooms/registration/nominations.ts'
import { credentialOf } from '../../src/rooms/registration/parties.ts'
import { waitingFor } from '../../src/rooms/registration/task.ts'
import { approve, verify } from '../../src/rooms/registration/tasks.ts'
import { type Client, client, officer, said, type Turned, turned } from '../portal/door.ts'

const policy = 'The Device Certificate Policy.\n'
const statement = 'How the keys are really kept.\n'
const sha256 = (text: string) => hash('sha256', text, 'hex')

interface Raw {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

describe('a document at every door', () => {
  let here: Turned
  let people: ReadonlyMap<string, Officer>
  before(async () => {
    here = await turned()
    const { home, store, hands } = here.environment
    const known = new Map<string, Officer>()
    for (const { key, identity } of await testIdentities(home, store)) {
      if (identity.kind !== 'officer') continue
      const credential = (await credentialOf(store, identity.peers[0]!.issuer, identity.peers[0]!.serial))!
      const [held] = await officesOf(store, credential.person!, hands.clock())
      known.set(key, {
        person: credential.person!,
        as: held!.office,
        ...(held!.party !== undefined && { party: held!.party }),
      })
    }
    people = known
    const [clerk, manager, member, other] = ['ra-clerk-1', 'ra-manager-1', 'pma-member-1', 'pma-member-2'].map(
      key => people.get(key)!,
    )
    const enter = (document: string, version: string, text: string) =>
      enterVersion(
        hands,
        clerk!,
        { document, version, sha256: sha256(text), mediaType: 'text/plain', octets: Buffer.from(text) },
        1 << 20,
      )
    const decided = { from: '2026-01-01', outcome: 'approved' } as const
    await enter('Appendix A', '1.0', policy)
    const approved = { document: 'Appendix A', version: '1.0', sha256: sha256(policy), ...decided }
    await decideEntered(hands, manager!, { ...approved, under: { basis: 'MP173' } })
    await enter('Appendix A', '1.1', 'a draft\n')
    await enter('Device CPS', '1.0', statement)
    const now = hands.clock()
    await recordDecision(hands, member!.person, {
      reference: 'PMA/1',
      acts: ['approve document'],
      subjects: ['document:Device CPS'],
      meeting: 'SMKI PMA meeting 99',
      text: 'So it was decided.',
      members: [member!.person, other!.person],
      decidedAt: now,
      from: now,
    })
    const confidential = { document: 'Device CPS', version: '1.0', sha256: sha256(statement), ...decided }
    await decideEntered(hands, member!, { ...confidential, under: { decision: 'PMA/1' } })
  })
  after(() => here?.close())

  const journal = async (act: string) => (await here.environment.acts()).filter(one => one.act === act)
  const ask = (options: object, tls: boolean) =>
    new Promise<Raw>((resolve, reject) => {
      ;(tls ? secure : plain)({ host: '127.0.0.1', agent: false, ...options }, async answer =>
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          text: Buffer.concat(await answer.toArray()).toString(),
        }),
      )
        .on('error', reject)
        .end()
    })
  const ca = () => readFileSync(join(here.environment.home.credentials, 'dcc', 'server-ca.crt.pem'))
  const isFile = (answer: Raw) => {
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.text, policy)
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="Appendix-A-1.0.txt"')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['content-security-policy'], "default-src 'none'; sandbox")
    assert.equal(answer.headers.etag, `"${sha256(policy)}"`)
    assert.equal(answer.headers['content-length'], String(policy.length))
  }
  /** The statement is in none of them, nor that it is there. */
  const isNothing = (answer: Raw, status: number, what: string) => {
    assert.equal(answer.status, status, what)
    assert.ok(!answer.text.includes('really kept') && !answer.text.includes(sha256(statement)), what)
  }

  for (const door of ['tls', 'plain'] as const) {
    it(`is fetched from the Repository's web service, ${door === 'tls' ? 'over TLS' : 'on the plain listener'}, unless it is confidential or a draft`, async () => {
      const { repository, plainRepository } = here.environment.service.ports as Record<string, number>
      const own = readFileSync(
        join(here.environment.home.credentials, 'import-supplier', 'repository-api-key'),
        'utf8',
      ).trim()
      const get = (path: string, key = own, headers: Record<string, string> = {}) =>
        ask(
          {
            port: door === 'tls' ? repository : plainRepository,
            path: `${path}?apikey=${key}`,
            headers,
            ...(door === 'tls' && { ca: ca() }),
          },
          door === 'tls',
        )
      isFile(await get('/documents/Appendix%20A/1.0'))
      const held = await get('/documents/Appendix%20A/1.0', own, { 'if-none-match': `"${sha256(policy)}"` })
      assert.deepEqual([held.status, held.text], [304, ''])
      const listed = JSON.parse((await get('/documents')).text) as { documents: Record<string, unknown>[] }
      assert.deepEqual(listed.documents, [
        {
          document: 'Appendix A',
          title: 'Device Certificate Policy',
          version: '1.0',
          from: '2026-01-01',
          mediaType: 'text/plain',
          octets: policy.length,
          sha256: sha256(policy),
          file: '/documents/Appendix%20A/1.0',
        },
      ])
      for (const path of [
        'Device%20CPS/1.0',
        'Appendix%20A/1.1',
        'Appendix%20A/9',
        'Nothing/1',
        'Device%20CPS',
        '..%2f..%2fetc/passwd',
      ]) {
        isNothing(await get(`/documents/${path}`), 404, path)
      }
      isNothing(await get('/documents/Appendix%20A/1.0', 'no-key'), 403, 'without a key')
      assert.equal(
        (
          await ask(
            {
              method: 'POST',
              port: door === 'tls' ? repository : plainRepository,
              path: `/documents?apikey=${own}`,
              ...(door === 'tls' && { ca: ca() }),
            },
            door === 'tls',
          )
        ).status,
        405,
      )
    })
  }

  it('is fetched by an ARO from the Repository pages of the Portal, and nothing else by whatever address', async () => {
    const aro = officer(here, 'import-supplier', 'portal-org')
    await signIn(aro)
    const list = await aro.get('/repository/documents')
    assert.match(said(list), /Device Certificate Policy Appendix A Version 1\.0 \(31 bytes\)/)
    assert.match(said(list), /Organisation Certificate Policy Appendix B Entered by title only; no file is kept\./)
    assert.doesNotMatch(list.text, /CPS|Certification Practice/)
    const document = await aro.get('/repository/documents/Appendix%20A')
    assert.match(said(document), /1\.0 In force .*Download 1\.0/)
    assert.doesNotMatch(document.text, /1\.1/)
    isFile(await aro.get('/repository/documents/Appendix%20A/1.0'))
    for (const path of [
      '/repository/documents/Device%20CPS',
      '/repository/documents/Device%20CPS/1.0',
      '/repository/documents/Appendix%20A/1.1',
    ])
      isNothing(await aro.get(path), 404, path)
    for (const path of [
      '/governance/documents',
      '/governance/documents/Device%20CPS',
      '/governance/documents/Device%20CPS/versions/1.0',
      '/governance/documents/Device%20CPS/versions/1.0/file',
      '/governance/documents/Device%20CPS/enter',
      '/governance/documents/Appendix%20A/versions/1.1/file',
    ])
      isNothing(await aro.get(path), 403, path)
  })

  it('leads nowhere on any page where there is no file', async () => {
    const aro = officer(here, 'import-supplier', 'portal-org')
    await signIn(aro)
    const { text } = await aro.get('/repository/documents')
    const links = [...text.matchAll(/href="(\/repository\/documents\/[^"]+)"/g)].map(([, to]) =>
      to!.replaceAll('&amp;', '&'),
    )
    const shown = documents.filter(one => !one.confidential).length
    assert.equal(links.length, shown + 1)
    for (const to of links) assert.equal((await aro.get(to)).status, 200, to)
    for (const one of documents.filter(({ ref, confidential }) => !confidential && ref !== 'Appendix A')) {
      const page = await aro.get(`/repository/documents/${encodeURIComponent(one.ref)}`)
      assert.match(said(page), /Entered by title only; no file is kept\./, one.ref)
      assert.doesNotMatch(page.text, /Download/)
    }
  })

  it('is fetched by a user of the Repository Portal, and the confidential one is not there', async () => {
    const reader = await signedReader()
    isFile(await reader.get('/repository/documents/Appendix%20A/1.0'))
    assert.doesNotMatch((await reader.get('/repository/documents')).text, /CPS/)
    for (const path of [
      '/repository/documents/Device%20CPS',
      '/repository/documents/Device%20CPS/1.0',
      '/governance/documents/Device%20CPS/versions/1.0/file',
    ])
      isNothing(await reader.get(path), 404, path)
  })

  it('is fetched by the clerk and the Member whom the register names, and that stands in the journal', async () => {
    for (const [name, reader] of [
      ['ra-clerk-1', 'DCC'],
      ['pma-member-2', 'SMKI PMA'],
    ] as const) {
      const desk = officer(here, name, 'ra-staff')
      await signIn(desk)
      const page = await desk.get('/governance/documents/Device%20CPS')
      assert.match(said(page), /Download 1\.0/)
      const file = await desk.get('/governance/documents/Device%20CPS/versions/1.0/file')
      assert.deepEqual([file.status, file.text], [200, statement])
      const entry = (await journal('read document')).at(-1)!
      const { person: by } = people.get(name)!
      assert.deepEqual(entry.body, {
        by,
        document: 'Device CPS',
        version: '1.0',
        sha256: sha256(statement),
        reader,
      })
    }
    const auditor = client({ port: here.ports.testPortal! })
    await auditor.get('/')
    await auditor.enter('auditor')
    isNothing(await auditor.get('/governance/documents/Device%20CPS/versions/1.0/file'), 403, 'the auditor')
    isNothing(
      await auditor.get('/governance/documents/Appendix%20A/versions/1.1/file'),
      403,
      'the auditor, a draft',
    )
    isFile(await auditor.get('/governance/documents/Appendix%20A/versions/1.0/file'))
  })

  it('is entered on a page by a clerk, refused where it cannot be, and decided on by a manager on another', async () => {
    const clerk = officer(here, 'ra-clerk-1', 'ra-staff')
    await signIn(clerk)
    const to = '/governance/documents/Appendix%20B/enter'
    await clerk.get(to)
    const missing = await clerk.upload(to, '', Buffer.alloc(0))
    assert.equal(missing.status, 400)
    assert.match(said(missing), /Enter the version, such as 2\.1.*Choose the file/)
    for (const [name, content, fields, code] of [
      ['b.html', '<html>', { version: '1.0' }, /Choose a file whose name ends in/],
      ['b.txt', '<html>', { version: '1.0' }, /FILE_ACTIVE/],
      ['b.pdf', 'text', { version: '1.0' }, /FILE_NOT_AS_SAID/],
      ['b.txt', 'text', { version: '1.0', sha256: 'ab'.repeat(32) }, /FILE_HASH_WRONG/],
      ['b.txt', 'text', { version: 'new' }, /VERSION_NOT_LATER/],
    ] as const) {
      const no = await clerk.upload(to, name, Buffer.from(content), fields)
      assert.ok(no.status >= 400 && no.status < 500, said(no))
      assert.match(said(no), code)
    }
    const text = 'The Organisation Certificate Policy.\n'
    const entered = await clerk.upload(to, 'b.txt', Buffer.from(text), { version: '1.0', sha256: sha256(text) })
    assert.equal(entered.headers.location, '/governance/documents/Appendix%20B/versions/1.0', said(entered))
    const own = await clerk.get(String(entered.headers.location))
    assert.match(said(own), /Appendix B 1\.0 is entered as a draft\..*You entered it: another person/)

    const member = officer(here, 'pma-member-1', 'ra-staff')
    await signIn(member)
    assert.match(said(await member.get(to)), /Versions of it are entered for the DCC/)
    const manager = officer(here, 'ra-manager-1', 'ra-staff')
    await signIn(manager)
    const page = await manager.get('/governance/documents/Appendix%20B/versions/1.0')
    assert.match(said(page), /Enter what was decided/)
    const decision = {
      outcome: 'approved',
      from: '2026-02-01',
      decision: '',
      basis: 'MP173',
      amendments: '',
      sha256: sha256(text),
    }
    const path = '/governance/documents/Appendix%20B/versions/1.0'
    assert.match(said(await manager.post(path, { ...decision, basis: '' })), /Enter the decision of the SMKI PMA/)
    assert.match(said(await manager.post(path, { ...decision, from: '2026-02-30' })), /Enter the day from which/)
    assert.match(said(await manager.post(path, { ...decision, sha256: sha256('another') })), /VERSION_UNKNOWN/)
    assert.match(said(await clerk.post(path, decision)), /NOT_THE_APPROVER/)
    assert.equal((await manager.post(path, decision)).status, 303)
    assert.match(said(await manager.get(path)), /Approved.*from 1 February 2026/)
  })

  it('is in no folder of SFTP, at no address of the journal, and behind no address of the operator API for a stranger', async () => {
    for (const path of ['/documents', '/documents/Device CPS', '/governance', '/Device CPS/1.0'])
      assert.equal(find([], path), undefined, path)
    const { journal: public_, operator } = here.environment.service.ports as Record<string, number>
    for (const path of [
      '/documents',
      '/documents/Device%20CPS/1.0',
      '/1.0/documents/Device%20CPS/versions/1.0/file',
    ])
      isNothing(await ask({ port: public_, path, ca: ca() }, true), 404, path)
    const as = findCredential('import-supplier', here.environment.home.credentials)
    const [key, cert] = [as.key, as.certificate].map(file => readFileSync(file))
    const path = '/1.0/documents/Device%20CPS/versions/1.0/file'
    isNothing(await ask({ port: operator, path, key, cert, ca: ca() }, true), 403, 'operator API')
    isNothing(
      await ask({ port: operator, path: '/1.0/documents', key, cert, ca: ca() }, true),
      200,
      'operator API, list',
    )
    await assert.rejects(ask({ port: operator, path, ca: ca() }, true), /ECONNRESET|handshake|alert|hang up/)
  })

  async function signIn(one: Client): Promise<void> {
    await one.get('/')
    assert.equal((await one.post('/', {})).status, 303)
    await one.get('/home')
  }

  async function signedReader(): Promise<Client> {
    const { store, hands: plainHands, home } = here.environment
    const hands = { ...plainHands, store, rules: loadSettings(home).registration }
    const aro = people.get('import-supplier')!
    const asked = { kind: 'REPO_PORTAL', party: aro.party!, person: aro.person, systemName: 'reader-1' } as const
    const { credential, task } = await requestCredential(hands, aro, asked)
    const kinds = registrationKinds(hands.rules)
    const evidence = [{ kind: 'receipt', reference: 'test' }]
    for (const key of ['ra-clerk-1', 'ra-manager-1', 'ra-manager-2']) {
      const by = people.get(key)!
      const waiting = await waitingFor(store, kinds, by.person, hands.clock())
      const due = waiting.find(one => one.task.id === task)
      if (!due || due.step === 'request') continue
      const { evidence: needed } = kinds[due.task.kind]!.procedure[due.step]
      const given = {
        digest: due.task.digest,
        words: 'seen',
        evidence: needed.map(kind => ({ kind, reference: 'test' })),
      }
      if (due.step === 'verify')
        await verify(hands, kinds, by, task, { ...given, level: hands.rules.identityLevel })
      else await approve(hands, kinds, by, task, given)
    }
    const password = await giveAccount(hands, people.get('ra-clerk-1')!, credential, 'reader-1')
    await handOver(hands, people.get('ra-clerk-1')!, credential, { evidence })
    const reader = client({ port: here.ports.repositoryPortal!, ca: ca() })
    await reader.get('/')
    await reader.post('/', { username: 'reader-1', password })
    await reader.get('/password')
    const own = ' a long new password'
    assert.equal((await reader.post('/password', { former: password, password: own, again: own })).status, 303)
    return reader
  }
})
