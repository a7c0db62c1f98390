/** Good, revoked, expired, of a wrong issuer: of every hierarchy with lists our verification and OpenSSL say the same. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gbRules } from '../../src/doors/cli/verify.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Certificate } from '../../src/ground/x509/certificate.ts'
import { type RevocationList, readList } from '../../src/ground/x509/list.ts'
import { validate } from '../../src/ground/x509/path.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import { listSchedules } from '../../src/policy/revocation/schedules.ts'
import { issueOne } from '../../src/rooms/authority/issue-one.ts'
import { type AuthorityRecord, authorities } from '../../src/rooms/authority/register.ts'
import { authority } from '../../src/rooms/authority/sign.ts'
import { currentLists, markRevoked } from '../../src/rooms/repository/lists.ts'
import { publishList } from '../../src/rooms/revocation/list.ts'
import { makeRooms, type Rooms } from '../issuing/rooms.ts'
import { noOpenssl } from '../outside.ts'
import { smkiVerify } from '../smki-verify.ts'
import { opensslVerify } from '../verify/openssl.ts'
import type { Pki } from './scene.ts'

const moment = new Date(Math.floor(Date.now() / 1000) * 1000)
const policy = '1.2.826.0.1.8641679.1.2.1.4'

interface EndEntity {
  readonly profile: string
  readonly rsa?: true
  readonly subject: Readonly<Record<string, string>>
  readonly role?: number
  readonly serverNames?: readonly string[]
  readonly usage?: 'digitalSignature'
}

const party = { organizationName: 'Test', organizationalUnitName: '90B3D51F30010000' }
const ends: readonly [Pki, EndEntity][] = [
  [
    'smki-organisation',
    {
      profile: 'Organisation Certificate',
      subject: { organizationalUnitName: '02', uniqueIdentifier: '90b3d51f30010000' },
      usage: 'digitalSignature',
    },
  ],
  [
    'iki',
    {
      profile: 'IKI Client Certificate',
      rsa: true,
      subject: { organizationName: 'Test', organizationalUnitName: '02', commonName: 'head-end-1' },
    },
  ],
  [
    'dccki',
    {
      profile: 'DCCKI Infrastructure Certificate',
      rsa: true,
      subject: { ...party, commonName: 'gateway.example' },
      serverNames: ['gateway.example'],
    },
  ],
  [
    'dccki',
    { profile: 'Personnel Authentication Certificate', rsa: true, subject: { ...party, commonName: 'person-1' } },
  ],
  [
    's1spki-foc',
    {
      profile: 'FOC HES Certificate',
      subject: { organizationName: 'S1SP', organizationalUnitName: 'FOC', commonName: 'hes.example' },
    },
  ],
  [
    's1spki-moc',
    {
      profile: 'MOC Communications Hub Certificate',
      subject: { organizationName: 'S1SP', organizationalUnitName: 'MOC', commonName: '90B3D51F30010000' },
    },
  ],
]

interface Chain {
  readonly name: string
  readonly pki: Pki
  readonly good: Certificate
  readonly revoked: Certificate
  readonly issuing: Certificate
  readonly root: Certificate
}

let rooms: Rooms
let known: AuthorityRecord[]
let lists: RevocationList[]
const chains: Chain[] = []
const folder = mkdtempSync(join(tmpdir(), 'opensmki-verify-'))
const rsa = makeKeyPair('RSA-2048').publicKey

before(async () => {
  const pkis = [...new Set(ends.map(([pki]) => pki))]
  rooms = await makeRooms({ pkis, clock: () => moment })
  known = await authorities(rooms.store)
  const of = (pki: Pki, level: string) => known.find(one => one.pki === pki && one.level === level)!
  for (const [pki, { profile, subject, rsa: isRsa, serverNames, usage }] of ends) {
    const record = of(pki, 'issuing')
    const make = () =>
      issueOne(
        rooms.hands,
        authority(rooms.keys.issuing, record.keyLabel, record.certificate),
        {
          profile: profileNamed(rooms.settings, profile),
          subject,
          publicKey: isRsa ? rsa : makeKeyPair('P-256').publicKey,
          ...(serverNames && { serverNames }),
          ...(usage && { usage }),
        },
        { authority: record.id },
        {},
      )
    const chain = {
      name: profile,
      pki,
      good: await make(),
      revoked: await make(),
      issuing: record.certificate,
      root: of(pki, 'root').certificate,
    }
    const { serial, notAfter } = chain.revoked
    await rooms.store.transaction(client =>
      markRevoked(client, record.id, { serial, at: moment, reason: 1, expiresAt: new Date(notAfter.ms) }),
    )
    chains.push(chain)
  }
  const schedules = listSchedules(rooms.settings)
  for (const record of known.filter(one => one.level === 'issuing')) {
    await publishList(rooms.hands, record, rooms.keys.issuing, schedules(record)!)
  }
  lists = (await currentLists(rooms.store)).map(list => readList(list.der))
})
after(async () => {
  await rooms.close()
  rmSync(folder, { recursive: true })
})

interface Question {
  readonly end?: Certificate
  readonly issuing?: Certificate
  readonly root?: Certificate
  readonly at?: Date
  readonly lists?: readonly RevocationList[]
}

/** What both judges say of it; they must say the same. The codes are ours. */
function judged(chain: Chain, question: Question = {}): { valid: boolean; codes: string[] } {
  const { end, issuing, root, at, lists: asked } = { ...chain, end: chain.good, at: moment, lists, ...question }
  const own = validate({
    target: end,
    at,
    trust: [root],
    untrusted: [issuing],
    lists: asked,
    profile: 'gb',
    acceptedPolicies: [policy],
    gb: gbRules([]),
  })
  const [outside] = opensslVerify(
    {
      trust: [root.der],
      untrusted: [issuing.der],
      lists: asked.map(list => list.der),
      at: at.toISOString(),
      policies: [policy],
    },
    [end.der],
  )
  const both = `${chain.name}: ${JSON.stringify(own.refusals)} and OpenSSL ${outside!.error}`
  assert.equal(own.valid, outside!.error === 0, both)
  return { valid: own.valid, codes: own.refusals.map(one => one.code) }
}

describe('our verification and OpenSSL', { skip: noOpenssl }, () => {
  it('look at a certificate of every hierarchy that has lists', () => {
    assert.equal(new Set(chains.map(one => one.pki)).size, 5)
    assert.equal(chains.length, 6)
    assert.equal(lists.length, 10)
  })

  it('take one that is good', () => {
    for (const chain of chains) assert.deepEqual(judged(chain), { valid: true, codes: [] }, chain.name)
  })

  it('refuse one that was revoked, and take it while the list of before is all that they have', async () => {
    const { rows } = await rooms.store.query<{ der: Buffer }>(
      'SELECT der FROM list WHERE superseded_at IS NOT NULL',
    )
    const before = rows.map(row => readList(row.der))
    assert.equal(before.length, 5)
    for (const chain of chains) {
      const { valid, codes } = judged(chain, { end: chain.revoked })
      assert.ok(!valid, chain.name)
      assert.ok(
        codes.some(code => /REVOKED/i.test(code)),
        `${chain.name}: ${codes}`,
      )
      const isNewest = (list: RevocationList) => Buffer.compare(list.issuer.der, chain.issuing.subject.der) === 0
      const old = [...lists.filter(list => !isNewest(list)), ...before.filter(isNewest)]
      assert.ok(judged(chain, { end: chain.revoked, lists: old }).valid, chain.name)
    }
  })

  it('refuse one that has expired, or is not good yet, whatever the lists say', () => {
    for (const chain of chains) {
      const late = judged(chain, { at: new Date(chain.good.notAfter.ms + 1000) })
      const early = judged(chain, { at: new Date(chain.good.notBefore.ms - 1000) })
      assert.ok(late.codes.includes('EXPIRED'), `${chain.name}: ${late.codes}`)
      assert.ok(early.codes.includes('NOT_YET_VALID'), `${chain.name}: ${early.codes}`)
    }
  })

  it('refuse one of a wrong issuer: of another hierarchy, or under another root', () => {
    for (const chain of chains) {
      for (const other of chains.filter(one => one.pki !== chain.pki)) {
        assert.ok(!judged(chain, { issuing: other.issuing }).valid, chain.name)
        assert.ok(!judged(chain, { root: other.root }).valid, chain.name)
      }
    }
  })

  it('refuse one without a list that is in time, or with that of another authority alone', () => {
    for (const chain of chains) {
      const others = lists.filter(list => Buffer.compare(list.issuer.der, chain.issuing.subject.der) !== 0)
      assert.equal(others.length, 9)
      assert.ok(!judged(chain, { lists: others }).valid, chain.name)
      // 48 hours later the list has run out, and nothing else has.
      assert.ok(!judged(chain, { at: new Date(moment.getTime() + 49 * 3_600_000) }).valid, chain.name)
    }
  })

  it('agree with `smki verify` on the same files', async () => {
    const certificates = (level: string) => known.filter(one => one.level === level).map(one => one.certificate.der)
    const { verdicts, code } = await smkiVerify(
      folder,
      {
        ends: chains.flatMap(({ good, revoked }) => [good.der, revoked.der]),
        trust: certificates('root'),
        untrusted: certificates('issuing'),
        lists: lists.map(list => list.der),
      },
      moment,
    )
    assert.deepEqual(
      verdicts.map(one => one.valid),
      chains.flatMap(() => [true, false]),
    )
    assert.ok(verdicts.every(one => one.revocation === 'checked' || !one.valid))
    assert.equal(code, 1)
  })

  it('refuse everything under an issuing authority whose certificate the ARL names', async () => {
    const schedules = listSchedules(rooms.settings)
    for (const pki of new Set(chains.map(one => one.pki))) {
      const of = (level: string) => known.find(one => one.pki === pki && one.level === level)!
      const { serial, notAfter } = of('issuing').certificate
      const revoked = { serial, at: moment, reason: 2, expiresAt: new Date(notAfter.ms) }
      await rooms.store.transaction(client => markRevoked(client, of('root').id, revoked))
      await publishList(rooms.hands, of('root'), rooms.keys.root, schedules(of('root'))!)
    }
    const now = (await currentLists(rooms.store)).map(list => readList(list.der))
    for (const chain of chains)
      assert.deepEqual(judged(chain, { lists: now }), { valid: false, codes: ['REVOKED'] })
  })
})
