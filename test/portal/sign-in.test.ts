/** Who comes in, by what, and for how long: tokens over mutual TLS, and the Repository Portal's passwords with their lock-out. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { loadSettings } from '../../src/main/home.ts'
import { testIdentities } from '../../src/main/test-identities.ts'
import { systemChance, systemClock } from '../../src/main/world.ts'
import type { Hands, Officer } from '../../src/rooms/registration/act.ts'
import {
  handOver,
  lockCredential,
  requestCredential,
  unlockCredential,
} from '../../src/rooms/registration/credentials.ts'
import { giveAccount } from '../../src/rooms/registration/give.ts'
import { registrationKinds } from '../../src/rooms/registration/kinds.ts'
import { officesOf } from '../../src/rooms/registration/nominations.ts'
import { credentialOf } from '../../src/rooms/registration/parties.ts'
import { waitingFor } from '../../src/rooms/registration/task.ts'
import { approve, verify } from '../../src/rooms/registration/tasks.ts'
import { client, officer, said, type Turned, turned } from './door.ts'

const minute = 60_000
const evidence = [{ kind: 'receipt', reference: 'test' }]

describe('signing in to the Portal', () => {
  let here: Turned
  let hands: Hands
  /** By the key of their test identity. */
  let people: ReadonlyMap<string, Officer>

  before(async () => {
    here = await turned()
    const { home, store } = here.environment
    hands = { store, clock: systemClock, chance: systemChance, rules: loadSettings(home).registration }
    const known = new Map<string, Officer>()
    for (const { key, identity } of await testIdentities(home, store)) {
      if (identity.kind !== 'officer') continue
      const credential = (await credentialOf(store, identity.peers[0]!.issuer, identity.peers[0]!.serial))!
      const [held] = await officesOf(store, credential.person!, systemClock())
      known.set(key, {
        person: credential.person!,
        as: held!.office,
        ...(held!.party !== undefined && { party: held!.party }),
      })
    }
    people = known
  })
  after(() => here?.close())

  it('is by the certificate of the connection, whose record says which part it opens', async () => {
    const supplier = officer(here, 'import-supplier', 'portal-org')
    const first = await supplier.get('/')
    assert.equal(first.status, 200)
    assert.match(said(first), /Test Import Supplier|import-supplier/)
    assert.match(said(first), /the part for Organisation Certificates/)
    assert.match(String(first.headers['strict-transport-security']), /max-age=31536000/)
    assert.equal((await supplier.get('/home')).headers.location, '/')
    const signedIn = await supplier.post('/', {}, { origin: `https://127.0.0.1:${here.ports.portal}` })
    assert.equal(signedIn.status, 303)
    assert.match(String(signedIn.headers['set-cookie']), /^__Host-portal=.*; Secure/)
    assert.equal((await supplier.get('/officer/organisation')).status, 200)
    assert.equal((await supplier.get('/officer/batches')).status, 403)
    assert.equal((await supplier.get('/registration/batches')).status, 403)
    assert.equal((await supplier.get('/sample.zip')).status, 404)
  })

  it('is bound to that certificate: its cookie opens nothing on another’s connection', async () => {
    const supplier = officer(here, 'import-supplier', 'portal-org')
    await supplier.get('/')
    await supplier.post('/', {})
    assert.equal((await supplier.get('/home')).status, 200)
    const thief = officer(here, 'network-operator', 'portal-org')
    thief.cookie = supplier.cookie
    assert.equal((await thief.get('/home')).headers.location, '/?ended')
    // Whoever found it elsewhere has ended it.
    assert.equal((await supplier.get('/home')).headers.location, '/?ended')
  })

  it('is refused in the handshake without a certificate of the IKI', async () => {
    const ca = readFileSync(join(here.environment.home.credentials, 'dcc', 'server-ca.crt.pem'))
    await assert.rejects(
      client({ port: here.ports.portal!, ca }).get('/'),
      /socket hang up|ECONNRESET|handshake|alert/i,
    )
  })

  it('is refused to a credential of another interface, which is put on record', async () => {
    const system = officer(here, 'meter-maker', 'batch-ws')
    const answer = await system.get('/')
    assert.equal(answer.status, 403)
    assert.match(said(answer), /does not open this part of the Portal/)
    const acts = await here.environment.acts()
    assert.ok(
      acts.some(
        ({ act, body }) => act === 'refused' && body.code === 'CREDENTIAL_OTHER_DOOR' && body.kind === 'BATCH_WS',
      ),
    )
  })

  it('ends in the middle of a session with the credential', async () => {
    const aro = officer(here, 'meter-maker', 'portal-device')
    await aro.get('/')
    await aro.post('/', {})
    const page = await aro.get('/officer/device/new')
    assert.equal(page.status, 200)
    const { rows } = await here.environment.store.query<{ id: number }>(
      "SELECT l.id FROM credential_life l JOIN party p ON p.id = l.party WHERE p.name = 'meter-maker' AND l.kind = 'PORTAL_DEVICE'",
    )
    const clerk = people.get('ra-clerk-1')!
    await lockCredential(hands, clerk, rows[0]!.id, { evidence })
    const refused = await aro.post('/officer/device/new', { csr: 'anything' })
    assert.equal(refused.status, 403)
    assert.match(said(refused), /not in use any more: it is locked/)
    assert.equal((await aro.get('/home')).headers.location, '/?ended')
    await unlockCredential(hands, clerk, rows[0]!.id, { evidence })
  })

  describe('to the Repository Portal', () => {
    const account = async (username: string) => {
      const aro = people.get('import-supplier')!
      const { credential, task } = await requestCredential(hands, aro, {
        kind: 'REPO_PORTAL',
        party: aro.party!,
        person: aro.person,
        systemName: username,
      })
      const kinds = registrationKinds(hands.rules)
      for (const key of ['ra-clerk-1', 'ra-manager-1', 'ra-manager-2']) {
        const by = people.get(key)!
        const found = (await waitingFor(hands.store, kinds, by.person, systemClock())).find(
          one => one.task.id === task,
        )
        if (!found || found.step === 'request') continue
        const { evidence: kindsOf } = kinds[found.task.kind]!.procedure[found.step]
        const given = {
          digest: found.task.digest,
          words: 'seen',
          evidence: kindsOf.map(kind => ({ kind, reference: 'test' })),
        }
        if (found.step === 'verify')
          await verify(hands, kinds, by, task, { ...given, level: hands.rules.identityLevel })
        else await approve(hands, kinds, by, task, given)
      }
      const password = await giveAccount(hands, people.get('ra-clerk-1')!, credential, username)
      await handOver(hands, people.get('ra-clerk-1')!, credential, { evidence })
      return password
    }
    const reader = () => {
      const ca = readFileSync(join(here.environment.home.credentials, 'dcc', 'server-ca.crt.pem'))
      return client({ port: here.ports.repositoryPortal!, ca })
    }

    it('is by user name and password, which is changed first; and opens the Repository alone', async () => {
      const first = await account('supplier-1')
      const one = reader()
      assert.equal((await one.get('/')).status, 200)
      const signedIn = await one.post('/', { username: 'supplier-1', password: first })
      assert.equal(signedIn.headers.location, '/password')
      assert.equal((await one.get('/repository/certificates')).headers.location, '/password')
      await one.get('/password')
      const short = await one.post('/password', { former: first, password: 'short', again: 'short' })
      assert.match(said(short), /Enter a password of/)
      const other = await one.post('/password', {
        former: first,
        password: 'a long new password',
        again: 'another',
      })
      assert.match(said(other), /Enter the same new password/)
      assert.ok(!other.text.includes('a long new password') && !other.text.includes(first), 'no password in a page')
      const changed = await one.post('/password', {
        former: first,
        password: ' a long new password',
        again: ' a long new password',
      })
      assert.equal(changed.status, 303)
      assert.equal((await one.get('/repository/certificates?family=organisation')).status, 200)
      assert.equal((await one.get('/officer/batches')).status, 404)
      assert.equal((await one.get('/registration/batches')).status, 404)
      assert.equal((await one.post('/sign-out', {})).status, 303)
      assert.equal((await one.get('/repository/certificates')).headers.location, '/')
    })

    it('is locked by five wrong passwords within an hour, until one hour after the first of them', async () => {
      const password = await account('supplier-2')
      const one = reader()
      const tries = async (word: string) => {
        await one.get('/')
        return one.post('/', { username: 'supplier-2', password: word })
      }
      const began = Date.now()
      for (let i = 0; i < 4; i++) {
        assert.match(said(await tries('wrong')), /user name or the password is not right/)
        here.pass(10 * minute)
      }
      const fifth = await tries('wrong')
      const until = /locked until (\d+ \w+ \d+ at \d+:\d\d[ap]m)/.exec(said(fifth))?.[1]
      assert.ok(until, said(fifth))
      assert.ok(Date.now() - began < 10 * minute)
      // The right one is refused too, and is not counted.
      assert.match(said(await tries(password)), /locked until/)
      here.pass(19 * minute)
      assert.match(said(await tries(password)), /locked until/)
      here.pass(2 * minute)
      assert.equal((await tries(password)).headers.location, '/password')
      assert.ok(!here.logged().includes(password))
    })

    it('says the same of a name that there is not, and keeps what was typed but the password', async () => {
      const one = reader()
      await one.get('/')
      const answer = await one.post('/', { username: 'no"body', password: 'secret words' })
      assert.equal(answer.status, 400)
      assert.match(said(answer), /user name or the password is not right/)
      assert.ok(answer.text.includes('value="no&quot;body"') && !answer.text.includes('secret words'))
    })
  })
})
