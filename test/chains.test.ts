/** What is issued, before other judges: OpenSSL verifies each chain with its lists, and our own verification agrees. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeKeyPair, spkiOf } from '../simulator/device.ts'
import { gbRules } from '../src/doors/cli/verify.ts'
import { makeKeyPair as makePair } from '../src/ground/keystore/pair.ts'
import { type Certificate, readCertificate } from '../src/ground/x509/certificate.ts'
import { type RevocationList, readList } from '../src/ground/x509/list.ts'
import { validate } from '../src/ground/x509/path.ts'
import { hierarchies, profileNamed } from '../src/policy/hierarchies.ts'
import type { PkiName } from '../src/policy/profile.ts'
import { type AuthorityRecord, authorities, issuingAuthority } from '../src/rooms/authority/register.ts'
import { issueIki, issueOrganisation } from '../src/rooms/issuance/single.ts'
import { registerParty } from '../src/rooms/registration/parties.ts'
import { currentLists, markRevoked } from '../src/rooms/repository/lists.ts'
import { publishList } from '../src/rooms/revocation/list.ts'
import { issue, makeRooms, newCsr, newDeviceId, type Rooms } from './issuing/rooms.ts'
import { noOpenssl } from './outside.ts'
import { smkiVerify } from './smki-verify.ts'
import { opensslVerify } from './verify/openssl.ts'

/** Now, and no milliseconds: what is issued must be valid at once, and is to be judged at one moment. */
const moment = new Date(Math.floor(Date.now() / 1000) * 1000)

let rooms: Rooms
let known: AuthorityRecord[]
let lists: RevocationList[]
const folder = mkdtempSync(join(tmpdir(), 'opensmki-chains-'))

interface Chain {
  readonly end: Certificate
  readonly issuing: Certificate
  readonly root: Certificate
}
const chains: Record<string, Chain> = {}

function chainOf(end: Certificate): Chain {
  const issuing = known.find(one => Buffer.compare(one.certificate.subject.der, end.issuer.der) === 0)!
  const root = known.find(one => one.pki === issuing.pki && one.level === 'root')!
  return { end, issuing: issuing.certificate, root: root.certificate }
}

before(async () => {
  rooms = await makeRooms({
    pkis: ['smki-organisation', 'smki-device', 'iki'],
    settings: { certificates: { issuingDcaStock: 2 } },
    clock: () => moment,
  })
  known = await authorities(rooms.store)
  lists = (await currentLists(rooms.store)).map(list => readList(list.der))
  for (const usage of ['digitalSignature', 'keyAgreement'] as const) {
    const [outcome] = await issue(rooms.devices(), [newCsr(usage)])
    chains[`Device, ${usage}`] = chainOf(readCertificate(outcome && 'der' in outcome ? outcome.der : assert.fail()))
    const by = await issuer('smki-organisation', 'Organisation Certificate')
    const publicKey = spkiOf(makeKeyPair().publicKey)
    const request = { role: 2, eui64: newDeviceId(), usage, publicKey, commonName: 'TESTSUPPLIER' }
    chains[`Organisation, ${usage}`] = chainOf(await issueOrganisation(rooms.hands, by, request))
  }
  const party = await rooms.store.transaction(client =>
    registerParty(client, { name: 'p', tradingName: 'P', deviceSubscriber: true, roles: [] }, moment),
  )
  chains.IKI = chainOf(
    await issueIki(rooms.hands, await issuer('iki', 'IKI Client Certificate'), {
      party,
      kind: 'ADHOC_WS',
      role: 2,
      systemName: 'head-end-1',
      tradingName: 'P',
      publicKey: makePair('RSA-2048').publicKey,
    }),
  )
})
after(async () => {
  await rooms.close()
  rmSync(folder, { recursive: true })
})

async function issuer(pki: PkiName, profile: string) {
  return {
    record: await issuingAuthority(rooms.store, pki),
    keys: rooms.keys.issuing,
    profile: profileNamed(rooms.settings, profile),
  }
}

const policy = '1.2.826.0.1.8641679.1.2.1.4'

interface Question {
  readonly lists?: readonly RevocationList[] | undefined
  readonly at?: Date
  readonly policies?: readonly string[]
}

/** Both judges on one chain; they must say the same. */
function asked({ end, issuing, root }: Chain, { lists, at = moment, policies = [policy] }: Question): boolean {
  const own = validate({
    target: end,
    at,
    trust: [root],
    untrusted: [issuing],
    lists,
    profile: 'gb',
    acceptedPolicies: policies,
    gb: gbRules([]),
  })
  const [outside] = opensslVerify(
    {
      trust: [root.der],
      untrusted: [issuing.der],
      ...(lists && { lists: lists.map(list => list.der) }),
      at: at.toISOString(),
      policies,
    },
    [end.der],
  )
  assert.equal(own.valid, outside!.error === 0, `${JSON.stringify(own.refusals)} and OpenSSL ${outside!.error}`)
  if (own.valid)
    assert.deepEqual(
      own.path.map(one => one.der),
      [end, issuing, root].map(one => one.der),
    )
  return own.valid
}

const every = () => Object.entries(chains)
const year = 366 * 86_400_000

describe('A chain that was issued', { skip: noOpenssl }, () => {
  it('is there for a Device, an Organisation and the IKI', () => {
    assert.equal(every().length, 5)
    assert.equal(lists.length, 5)
  })

  it('is valid, for its policy, without lists', () => {
    for (const [name, chain] of every()) assert.ok(asked(chain, {}), name)
  })

  it('is valid with all its lists, and an Organisation or IKI chain is not without one of them', () => {
    for (const [name, chain] of every()) {
      if (name.startsWith('Device')) continue
      assert.ok(asked(chain, { lists }), name)
      const own = lists.filter(list =>
        [chain.root, chain.issuing].some(one => Buffer.compare(one.subject.der, list.issuer.der) === 0),
      )
      assert.equal(own.length, 2)
      for (const missing of own) assert.ok(!asked(chain, { lists: lists.filter(list => list !== missing) }), name)
    }
  })

  it('of a Device is valid with the Device ARL: no list of Devices exists, and our verification knows it', () => {
    // OpenSSL can ask for the list of every certificate or of the target alone; of a Device there is none.
    for (const [name, { end, issuing, root }] of every().filter(([name]) => name.startsWith('Device'))) {
      const question = {
        target: end,
        at: moment,
        trust: [root],
        untrusted: [issuing],
        lists,
        profile: 'gb',
      } as const
      const { valid, refusals, revocation } = validate({ ...question, gb: gbRules([]) })
      assert.ok(valid, `${name}: ${JSON.stringify(refusals)}`)
      assert.equal(revocation, 'checked')
      assert.ok(!validate({ ...question, lists: [] }).valid)
      // OpenSSL, asked about the Issuing DCA alone, finds the ARL good.
      const setting = { trust: [root.der], lists: lists.map(list => list.der), at: moment.toISOString() }
      assert.equal(opensslVerify(setting, [issuing.der])[0]!.error, 0)
    }
  })

  it('is not valid for another policy, before it began, or after its issuer ended', () => {
    for (const [name, chain] of every()) {
      assert.ok(!asked(chain, { policies: ['1.2.3.4'] }), name)
      assert.ok(!asked(chain, { at: new Date(moment.getTime() - 86_400_000 - 1000) }), name)
      assert.ok(!asked(chain, { at: new Date(moment.getTime() + 26 * year) }), name)
    }
  })

  it('is not valid under the root of another hierarchy, or with the Issuing authority of another', () => {
    const [device, organisation, iki] = ['Device, digitalSignature', 'Organisation, digitalSignature', 'IKI'].map(
      name => chains[name]!,
    )
    assert.ok(!asked({ ...device!, root: organisation!.root }, {}))
    assert.ok(!asked({ ...organisation!, issuing: device!.issuing }, {}))
    assert.ok(!asked({ ...iki!, root: organisation!.root }, {}))
    // The other DCA of the stock has a name of its own, so it is no issuer of this Device.
    const other = known.find(
      one => one.part === 'Issuing DCA' && Buffer.compare(one.certificate.der, device!.issuing.der) !== 0,
    )!
    assert.ok(!asked({ ...device!, issuing: other.certificate }, {}))
  })

  it('is valid by `smki verify` too, with the files that an operator has', async () => {
    const of = (level: string) => known.filter(one => one.level === level).map(one => one.certificate.der)
    const { verdicts, code } = await smkiVerify(
      folder,
      {
        ends: every().map(([, { end }]) => end.der),
        trust: of('root'),
        untrusted: of('issuing'),
        lists: lists.map(list => list.der),
      },
      moment,
    )
    assert.deepEqual(
      verdicts.map(one => [one.valid, one.revocation]),
      every().map(() => [true, 'checked']),
    )
    assert.equal(code, 0)
  })
})

describe('A certificate that was revoked', { skip: noOpenssl }, () => {
  it('stands on the next list, and then neither judge takes its chain', async () => {
    for (const [pki, name] of [
      ['smki-organisation', 'Organisation, digitalSignature'],
      ['iki', 'IKI'],
    ] as const) {
      const chain = chains[name]!
      const record = await issuingAuthority(rooms.store, pki)
      await rooms.store.transaction(client =>
        markRevoked(client, record.id, {
          serial: chain.end.serial,
          at: moment,
          reason: 1,
          expiresAt: new Date(chain.end.notAfter.ms),
        }),
      )
      const schedule = hierarchies(rooms.settings)[pki].issuing.list!
      const published = await publishList(rooms.hands, record, rooms.keys.issuing, schedule)
      assert.equal(published.number, 2n)
      const now = [
        ...lists.filter(list => Buffer.compare(list.issuer.der, record.certificate.subject.der) !== 0),
        readList(published.der),
      ]
      assert.ok(!asked(chain, { lists: now }), name)
      // The others of the same authority are as good as before.
      if (pki === 'smki-organisation') assert.ok(asked(chains['Organisation, keyAgreement']!, { lists: now }))
    }
  })
})
