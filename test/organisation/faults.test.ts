/** Whatever write fails, before or after it took effect: each CSR is answered once, and one certificate comes of it. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toHex } from '../../src/ground/bytes.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { makeKeyPair } from '../../src/ground/keystore/pair.ts'
import type { Store } from '../../src/ground/store/store.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { toPem } from '../../src/ground/x509/pem.ts'
import { roomSigning } from '../../src/main/signer-rooms.ts'
import {
  acceptOrganisation,
  downloadOrganisation,
  rejectOrganisation,
} from '../../src/rooms/issuance/acceptance.ts'
import { unansweredCredentials } from '../../src/rooms/issuance/iki-issue.ts'
import { type Submission, submissionOf, submissionsOf } from '../../src/rooms/issuance/organisation-csr.ts'
import { decideHeld } from '../../src/rooms/issuance/organisation-held.ts'
import { unansweredSubmissions } from '../../src/rooms/issuance/organisation-issue.ts'
import { type Shown, submitOrganisation } from '../../src/rooms/issuance/organisation-submit.ts'
import type { Hands } from '../../src/rooms/registration/act.ts'
import { withdrawCondition } from '../../src/rooms/registration/cease.ts'
import { credentialRecord } from '../../src/rooms/registration/life.ts'
import { everyFailure, failing, Injected, watched } from '../issuing/failing.ts'
import { signings } from '../issuing/rooms.ts'
import { type Officers, ranges } from '../registration/office.ts'
import { approvedIki, csrFor, openPortal, type Portal } from './portal.ts'

let portal: Portal
let supplier: Officers & { party: number; shown: Shown }
let eui64: string
let next = 0n

before(async () => {
  portal = await openPortal({ pkis: ['smki-organisation', 'iki'] })
  const userRoles = ranges('IS')
  eui64 = userRoles[0]!.first
  const who = await portal.office.subscriber('supplier', { userRoles })
  supplier = { ...who, shown: await portal.shown(who.party, who.aro) }
})
after(() => portal.close())

/** Another of the supplier's for each way of failing. */
const newEui64 = () => (BigInt(`0x${eui64}`) + ++next).toString(16).padStart(16, '0')
const broken = (store: Store): Hands => ({ ...portal.office.hands, store })
const now = () => portal.office.hands.clock()
const statusOf = (id: bigint) =>
  submissionOf(portal.office.store, { party: supplier.party, id }, portal.rules, now())

async function attempt(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return false
  } catch (cause) {
    assert.ok(cause instanceof Injected, String(cause))
    return true
  }
}

/** What a signer does when it starts: it issues what was approved. */
async function start(keys: KeyStore = portal.keys.issuing): Promise<void> {
  const ask = roomSigning(portal.office.hands, keys, portal.settings)
  for (const submission of await unansweredSubmissions(portal.office.store, now()))
    await ask({ ask: 'organisation', submission })
  for (const one of await unansweredCredentials(portal.office.store, now())) await ask({ ask: 'iki', ...one })
}

/** Certificates of an EUI-64 and of a key, by the state of their signing. */
async function certificatesOf(
  column: 'eui64' | 'key_id',
  value: Uint8Array,
): Promise<{ serial: string; state: string }[]> {
  const { rows } = await portal.office.store.query<{ serial: Buffer; state: string }>(
    `SELECT c.serial, s.state FROM certificate c JOIN signing s ON s.id = c.signing WHERE c.${column} = $1 ORDER BY c.signing`,
    [value],
  )
  return rows.map(row => ({ serial: toHex(row.serial), state: row.state }))
}

/** All that was signed stands in the register; what is complete is journalled as issued, what was given up as such. */
async function holds(signed: readonly string[]): Promise<void> {
  for (const tbs of signed) {
    const { rowCount } = await portal.office.store.query('SELECT FROM certificate WHERE tbs = $1', [
      Buffer.from(tbs, 'hex'),
    ])
    assert.equal(rowCount, 1, 'what was signed stands in the register')
  }
  const said = await portal.office.journal()
  const told = (act: string) =>
    said.filter(one => one.act === act && one.body.signing !== undefined).map(one => String(one.body.signing))
  const { rows } = await portal.office.store.query<{ id: bigint; state: string }>('SELECT id, state FROM signing')
  const of = (state: string) => rows.filter(row => row.state === state).map(row => String(row.id))
  assert.deepEqual(told('issue').toSorted(), of('complete').toSorted())
  assert.deepEqual(told('abandon').toSorted(), of('abandoned').toSorted())
}

describe('an Organisation CSR', () => {
  it('whichever call fails while it is submitted, is on record with its entry, or is not at all', async () => {
    const count = async () =>
      (await submissionsOf(portal.office.store, supplier.party, portal.rules, now(), 10_000)).length
    const entries = async () =>
      (await portal.office.journal()).filter(
        one => one.act.endsWith('Organisation CSR') && 'submission' in one.body,
      ).length
    const ways = await everyFailure(async (nth, when, crash) => {
      const text = toPem('CERTIFICATE REQUEST', csrFor(newEui64(), 0x02))
      const submitting = { credential: supplier.shown, csr: text, reference: `try-${nth}-${when}-${crash}` }
      const { store, calls } = failing(portal.office.store, nth, when, crash)
      const was = [await count(), await entries()]
      const failed = await attempt(submitOrganisation(broken(store), portal.rules, submitting))
      const is = [await count(), await entries()]
      assert.equal(is[0]! - was[0]!, is[1]! - was[1]!)
      // Sent again under its reference it is one, whatever became of the first.
      const again = await submitOrganisation(portal.office.hands, portal.rules, submitting)
      assert.equal(again.state, 'approved')
      assert.deepEqual([await count(), await entries()], [was[0]! + 1, was[1]! + 1])
      return { calls: calls(), failed }
    })
    assert.ok(ways >= 4 * 2, `${ways} ways`)
  })

  it('whichever call fails while it is issued, is issued once after the next start, and answered when asked again', async () => {
    const { keys, signed } = watched(portal.keys.issuing)
    await start()
    let lost = 0
    const ways = await everyFailure(async (nth, when, crash) => {
      const own = newEui64()
      const { id } = await portal.submit(
        supplier.shown,
        csrFor(own, 0x02, nth % 2 ? 'keyAgreement' : 'digitalSignature'),
      )
      const { store, calls } = failing(portal.office.store, nth, when, crash)
      const question = { ask: 'organisation', submission: id } as const
      const failed = await attempt(roomSigning(broken(store), keys, portal.settings)(question))
      const state = await statusOf(id)
      if (failed && state.state === 'issued') lost++
      assert.ok(crash || !failed || state.state !== 'issued', 'a signer that lives on hears of its own certificate')

      await start(keys)
      const held = await certificatesOf('eui64', Buffer.from(own, 'hex'))
      const complete = held.filter(one => one.state === 'complete')
      assert.equal(complete.length, 1, `call ${nth} failed ${when}: ${JSON.stringify(held)}`)
      assert.ok(held.every(one => one.state !== 'intended'))
      const answered = await statusOf(id)
      assert.equal(answered.state, 'issued')
      assert.equal(toHex(answered.certificate!.serial), complete[0]!.serial)
      const answer = await portal.ask(question)
      assert.equal(
        'certificate' in answer && toHex(readCertificate(Buffer.from(answer.certificate)).serial),
        complete[0]!.serial,
      )
      return { calls: calls(), failed }
    })
    assert.ok(ways >= 4 * 5, `${ways} ways`)
    assert.ok(lost > 0, 'there was one that took effect, and whose signer was no more')
    assert.equal((await signings(portal.office.store)).intended, 0)
    await holds(signed)
  })

  it('whichever call fails while it is refused late, is refused once', async () => {
    const { office } = portal
    const userRoles = ranges('ED')
    const late = await office.subscriber('late', { userRoles })
    const shown = await portal.shown(late.party, late.aro)
    const many: Submission[] = []
    for (let i = 0; i < 40; i++) many.push(await portal.submit(shown, csrFor(userRoles[0]!.first, 0x03)))
    await withdrawCondition(
      office.hands,
      office.managers[0],
      late.party,
      { condition: 'application', policy: 'smki-organisation' },
      {},
    )
    await everyFailure(async (nth, when, crash) => {
      const { id } = many.shift()!
      const { store, calls } = failing(office.store, nth, when, crash)
      const question = { ask: 'organisation', submission: id } as const
      const failed = await attempt(roomSigning(broken(store), portal.keys.issuing, portal.settings)(question))
      const answer = await portal.ask(question)
      assert.equal('code' in answer && answer.code, 'NOT_AUTHORISED_SUBSCRIBER')
      const said = (await office.journal()).filter(
        one => one.act === 'refuse Organisation CSR' && one.body.submission === String(id),
      )
      assert.equal(said.length, 1)
      return { calls: calls(), failed }
    })
    await start()
  })

  it('whichever call fails while a held one is decided, is decided with its entry, or waits', async () => {
    const pair = makeKeyPair('P-256')
    await portal.submit(supplier.shown, csrFor(newEui64(), 0x02, 'digitalSignature', { pair }))
    for (const approve of [true, false]) {
      await everyFailure(async (nth, when, crash) => {
        const held = await portal.submit(supplier.shown, csrFor(newEui64(), 0x02, 'digitalSignature', { pair }))
        assert.equal(held.state, 'held')
        const { store, calls } = failing(portal.office.store, nth, when, crash)
        const decision = { approve, words: 'looked into' }
        const failed = await attempt(
          decideHeld(broken(store), portal.rules, portal.office.managers[0], held.id, decision),
        )
        const { state } = await statusOf(held.id)
        const said = (await portal.office.journal()).filter(one => one.body.submission === String(held.id)).length
        assert.equal(state === 'held', said === 1, `${state}, ${said} entries`)
        return { calls: calls(), failed }
      })
    }
  })
})

describe('two signers that are asked for the same at one moment', () => {
  const two = () => [1, 2].map(() => roomSigning(portal.office.hands, portal.keys.issuing, portal.settings))

  it('give one certificate of an Organisation CSR', async () => {
    for (let round = 0; round < 8; round++) {
      const own = newEui64()
      const { id } = await portal.submit(supplier.shown, csrFor(own, 0x02))
      const asked = two().map(ask => ask({ ask: 'organisation', submission: id }).catch(() => undefined))
      const answers = (await Promise.all(asked)).filter(answer => answer !== undefined)
      assert.ok(answers.length >= 1, 'one of them at least answers')
      const held = await certificatesOf('eui64', Buffer.from(own, 'hex'))
      const complete = held.filter(one => one.state === 'complete')
      assert.equal(complete.length, 1, JSON.stringify(held))
      for (const answer of answers) {
        const serial = 'certificate' in answer && toHex(readCertificate(Buffer.from(answer.certificate)).serial)
        assert.equal(serial, complete[0]!.serial)
      }
    }
    assert.equal((await signings(portal.office.store)).intended, 0)
    await holds([])
  })

  it('give one also when the second comes to write once the first is done', async () => {
    const own = newEui64()
    const { id } = await portal.submit(supplier.shown, csrFor(own, 0x02))
    const reached = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const { store } = portal.office
    const late: Store = {
      ...store,
      async transaction(work, options) {
        reached.resolve()
        await gate.promise
        return store.transaction(work, options)
      },
    }
    const question = { ask: 'organisation', submission: id } as const
    const second = roomSigning(broken(late), portal.keys.issuing, portal.settings)(question)
    await reached.promise
    const first = await portal.ask(question)
    gate.resolve()
    assert.ok('certificate' in first)
    assert.deepEqual(await second, first)
    const held = await certificatesOf('eui64', Buffer.from(own, 'hex'))
    assert.deepEqual(
      held.map(one => one.state),
      ['complete'],
    )
  })

  it('refuse once what may not be issued any more', async () => {
    const { office } = portal
    const userRoles = ranges('GT')
    const gone = await office.subscriber('gone', { userRoles })
    const shown = await portal.shown(gone.party, gone.aro)
    const many: Submission[] = []
    for (let i = 0; i < 6; i++) many.push(await portal.submit(shown, csrFor(userRoles[0]!.first, 0x03)))
    const condition = { condition: 'application', policy: 'smki-organisation' } as const
    await withdrawCondition(office.hands, office.managers[0], gone.party, condition, {})
    for (const { id } of many) await Promise.all(two().map(ask => ask({ ask: 'organisation', submission: id })))
    const said = (await office.journal()).filter(
      one => one.act === 'refuse Organisation CSR' && one.body.party === gone.party,
    )
    assert.equal(said.length, many.length)
  })
})

describe('what a Subscriber says of its Certificate', () => {
  const acts = {
    download: (hands: Hands, id: bigint) =>
      downloadOrganisation(hands, portal.rules, supplier.aro, { party: supplier.party, id }),
    accept: (hands: Hands, id: bigint) =>
      acceptOrganisation(hands, portal.rules, supplier.aro, { party: supplier.party, id }),
    reject: (hands: Hands, id: bigint) =>
      rejectOrganisation(hands, portal.rules, supplier.aro, { party: supplier.party, id }, { words: 'not ours' }),
  }

  for (const [name, act] of Object.entries(acts)) {
    it(`whichever call fails when it is to ${name}, is done with all that follows, or not at all`, async () => {
      const ways = await everyFailure(async (nth, when, crash) => {
        const { submission, certificate } = await portal.issue(supplier.shown, csrFor(newEui64(), 0x02))
        const { store, calls } = failing(portal.office.store, nth, when, crash)
        const failed = await attempt(act(broken(store), submission.id))
        const is = await statusOf(submission.id)
        const done = name === 'download' ? is.downloadedAt !== undefined : is.acceptance !== 'open'
        const said = (await portal.office.journal()).filter(
          one => one.act === `${name} Organisation Certificate` && one.body.submission === String(submission.id),
        )
        assert.equal(said.length, done ? 1 : 0)
        const { rowCount } = await portal.office.store.query('SELECT FROM revoked WHERE serial = $1', [
          certificate.serial,
        ])
        assert.equal(rowCount, done && name === 'reject' ? 1 : 0)
        return { calls: calls(), failed }
      })
      assert.ok(ways >= 4, `${ways} ways`)
    })
  }
})

describe('the CSR of an IKI credential', () => {
  it('whichever call fails while it is issued, is issued once after the next start, with its registration record', async () => {
    const { keys, signed } = watched(portal.keys.issuing)
    const ways = await everyFailure(async (nth, when, crash) => {
      // P-256 keys are made faster; the certificate is signed by RSA all the same.
      const systemName = `signer ${nth} ${when} ${crash}`
      const asked = await approvedIki(portal, supplier.sro, {
        kind: 'BATCH_WS',
        party: supplier.party,
        tradingName: 'supplier',
        role: 0x02,
        systemName,
        pair: rsa,
      })
      const { store, calls } = failing(portal.office.store, nth, when, crash)
      const failed = await attempt(roomSigning(broken(store), keys, portal.settings)({ ask: 'iki', ...asked }))
      const onRecord = (await unansweredCredentials(portal.office.store, now())).some(
        one => one.credential === asked.credential,
      )
      const issuedBefore = (await credentialRecord(portal.office.store, asked.credential)).state === 'issued'
      await start(keys)
      const { state, certificate } = await credentialRecord(portal.office.store, asked.credential)
      // Once it is on record it comes to be, whoever stops; before that, nothing was begun.
      assert.equal(state, onRecord || issuedBefore ? 'issued' : 'approved', `call ${nth} failed ${when}`)
      const answer = await portal.ask({ ask: 'iki', ...asked })
      assert.ok('certificate' in answer, JSON.stringify(answer))
      const serial = toHex(readCertificate(Buffer.from(answer.certificate)).serial)
      if (certificate) assert.equal(certificate.serial, serial)
      assert.equal((await credentialRecord(portal.office.store, asked.credential)).certificate?.serial, serial)
      return { calls: calls(), failed }
    })
    assert.ok(ways >= 4 * 5, `${ways} ways`)
    assert.equal((await signings(portal.office.store)).intended, 0)
    await holds(signed)
    const { rows } = await portal.office.store.query<{ most: bigint }>(
      'SELECT max(n) AS most FROM (SELECT count(*) AS n FROM credential GROUP BY life) AS each',
    )
    assert.equal(rows[0]!.most, 1n)
  })
  const rsa = makeKeyPair('RSA-2048')
})
