/** Lessons, rows 3 and 5: whatever write fails, before or after it took effect, nothing is issued twice or unwritten. */

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { makeDeviceCsr, makeKeyPair, spkiOf } from '../../simulator/device.ts'
import { toHex } from '../../src/ground/bytes.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import type { Hands } from '../../src/rooms/authority/issue-one.ts'
import { issuingAuthority } from '../../src/rooms/authority/register.ts'
import { advance, decideBatch, parse } from '../../src/rooms/issuance/batch.ts'
import {
  issuePortion,
  PortionLost,
  recover,
  releasePortion,
  takePortion,
} from '../../src/rooms/issuance/portion.ts'
import { resultsOf } from '../../src/rooms/issuance/results.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { beginUpload } from '../../src/rooms/issuance/upload.ts'
import { bound, everyFailure, failing, Injected, watched } from './failing.ts'
import { acts, anyDevice, issue, makeRooms, newDeviceId, type Rooms, signings } from './rooms.ts'

let rooms: Rooms

before(async () => {
  rooms = await makeRooms({ pkis: ['smki-device', 'smki-organisation'] })
})
after(() => rooms.close())

async function certificatesFor(deviceId: string): Promise<{ serial: string; key: string; state: string }[]> {
  const { rows } = await rooms.store.query<{ serial: Buffer; key_id: Buffer; usage: number; state: string }>(
    `SELECT c.serial, c.key_id, c.usage, s.state FROM certificate c JOIN signing s ON s.id = c.signing
      WHERE c.eui64 = $1 ORDER BY c.signing, c.position`,
    [Buffer.from(deviceId, 'hex')],
  )
  return rows.map(row => ({
    serial: toHex(row.serial),
    key: `${row.usage} ${toHex(row.key_id)}`,
    state: row.state,
  }))
}

/** All that was signed was written down before; what is complete is journalled as issued, what was given up as such. */
async function holds(signed: readonly string[]): Promise<void> {
  for (const tbs of signed) {
    const { rowCount } = await rooms.store.query('SELECT FROM certificate WHERE tbs = $1', [
      Buffer.from(tbs, 'hex'),
    ])
    assert.equal(rowCount, 1, 'what was signed stands in the register')
  }
  const said = await acts(rooms.store)
  const told = (act: string) => said.filter(one => one.act === act).map(one => String(one.body.signing))
  const { rows } = await rooms.store.query<{ id: bigint; state: string }>(
    'SELECT id, state FROM signing ORDER BY id',
  )
  const of = (state: string) => rows.filter(row => row.state === state).map(row => String(row.id))
  assert.deepEqual(
    told('intend').toSorted(byNumber),
    rows.map(row => String(row.id)),
  )
  assert.deepEqual(told('issue').toSorted(byNumber), of('complete'))
  assert.deepEqual(told('abandon').toSorted(byNumber), of('abandoned'))
}
const byNumber = (a: string, b: string) => Number(a) - Number(b)

describe('a group of Device CSRs', () => {
  it('whichever call to the store fails, can be asked for again: one certificate, under a new serial number', async () => {
    const { keys, signed } = watched(rooms.keys.issuing)
    let issuedBefore = 0
    const ways = await everyFailure(async (nth, when, crash) => {
      const deviceId = newDeviceId()
      const requests = (['digitalSignature', 'keyAgreement'] as const).map(
        usage => makeDeviceCsr({ deviceId, usage }).csr,
      )
      const broken = failing(rooms.store, nth, when, crash)
      const first = issue(rooms.devices({ hands: { ...rooms.hands, store: broken.store }, keys }), requests)
      const failed = await first.then(
        () => false,
        cause => {
          assert.ok(cause instanceof Injected, String(cause))
          return true
        },
      )
      if (crash) await recover(rooms.hands)
      const serialsOfFirst = new Set((await certificatesFor(deviceId)).map(one => one.serial))
      assert.equal((await signings(rooms.store)).intended, 0, `call ${nth} failed ${when}: nothing is left open`)

      const again = await issue(rooms.devices({ keys }), requests)
      const known = (await certificatesFor(deviceId)).filter(one => one.state === 'complete')
      assert.equal(known.length, 2)
      assert.equal(new Set(known.map(one => one.key)).size, 2)
      for (const outcome of again) {
        if ('refusal' in outcome) {
          issuedBefore++
          assert.equal(outcome.refusal.code, 'CR:9999')
          assert.ok(known.every(one => serialsOfFirst.has(one.serial)))
        } else assert.ok(!serialsOfFirst.has(toHex(readCertificate(outcome.der).serial)))
      }
      return { calls: broken.calls(), failed }
    })
    assert.ok(ways >= 4 * 7, `${ways} ways`)
    // Only where the last transaction took effect and nobody was told: twice in two ways, and where nothing failed.
    assert.ok(issuedBefore >= 4, `${issuedBefore}`)
    await holds(signed)
  })

  it('of which one could not be signed is not issued, and can be asked for again', async () => {
    const deviceId = newDeviceId()
    const requests = (['digitalSignature', 'keyAgreement'] as const).map(
      usage => makeDeviceCsr({ deviceId, usage }).csr,
    )
    const { keys, signed } = watched(rooms.keys.issuing)
    const once = new Proxy(keys, {
      get: (of, name) =>
        name === 'sign'
          ? (label: string, octets: Uint8Array) => {
              if (signed.length === 1) throw new Injected('the module went away')
              return of.sign(label, octets)
            }
          : bound(of, name),
    })
    await assert.rejects(issue(rooms.devices({ keys: once }), requests), Injected)
    assert.equal((await signings(rooms.store)).intended, 0)
    const outcomes = await issue(rooms.devices(), requests)
    assert.ok(outcomes.every(one => 'der' in one))
    const states = (await certificatesFor(deviceId)).map(one => one.state)
    assert.deepEqual(states, ['abandoned', 'abandoned', 'complete', 'complete'])
    await holds(signed)
  })
})

describe('a portion of a batch', () => {
  /** A batch that is being processed, of four requests, two of which are bad. */
  async function processing(): Promise<{ batch: bigint; deviceId: string }> {
    const deviceId = newDeviceId()
    const csrs = (['digitalSignature', 'keyAgreement'] as const).map(
      usage => makeDeviceCsr({ deviceId, usage }).csr,
    )
    const items = [csrs[0]!, Buffer.from([1]), csrs[1]!, csrs[0]!].map((csr, i) => ({ id: `i${i}`, csr }))
    const { hands } = rooms
    const upload = await beginUpload(hands, 10)
    for (const item of items) upload.take(item)
    await upload.accept({ party: 1, reference: 'x' })
    const batch = upload.id
    await decideBatch(hands, batch, { approve: true, by: 'test' })
    await parse(hands, batch)
    await advance(hands, true)
    return { batch, deviceId }
  }

  /** As a worker of the signer does it. */
  async function work(hands: Hands, keys: KeyStore, worker: string): Promise<void> {
    const portion = await takePortion(hands, worker)
    if (!portion) return
    try {
      await issuePortion(rooms.devices({ hands, keys }), portion, worker, anyDevice, undefined)
    } catch (cause) {
      if (cause instanceof PortionLost) return
      await releasePortion(hands.store, portion, worker, { counts: true })
      throw cause
    }
  }

  for (const next of ['another worker takes it over', 'a signer starts anew'] as const) {
    it(`is issued once, whichever call to the store fails, and each request is answered once, when ${next}`, () =>
      whichever(next))
  }

  async function whichever(next: 'another worker takes it over' | 'a signer starts anew'): Promise<void> {
    const { keys, signed } = watched(rooms.keys.issuing)
    const ways = await everyFailure(async (nth, when, crash) => {
      const { batch, deviceId } = await processing()
      const broken = failing(rooms.store, nth, when, crash)
      const failed = await work({ ...rooms.hands, store: broken.store }, keys, 'first').then(
        () => false,
        cause => {
          assert.ok(cause instanceof Injected, String(cause))
          return true
        },
      )
      const calls = broken.calls()
      if (next === 'a signer starts anew') await recover(rooms.hands)
      // Where it could not even be given back, its lease runs out.
      else await rooms.store.query("UPDATE portion SET lease_until = 'epoch' WHERE state = 'taken'")
      await work(rooms.hands, keys, 'second')
      const { completed } = await advance(rooms.hands, true)
      assert.deepEqual(completed, [batch], `call ${nth} failed ${when}`)

      const results = (await Array.fromAsync(resultsOf(rooms.store, { id: batch, count: 4 }))).flat()
      assert.deepEqual(
        results.map(one => [one.id, 'certificate' in one ? 'SUCCESS' : one.code]),
        [
          ['i0', 'SUCCESS'],
          ['i1', 'CR:CC2'],
          ['i2', 'SUCCESS'],
          ['i3', 'CR:9999'],
        ],
        `call ${nth} failed ${when}${crash ? ', and nothing followed' : ''}`,
      )
      const known = await certificatesFor(deviceId)
      const complete = known.filter(one => one.state === 'complete').map(one => one.serial)
      assert.equal(complete.length, 2)
      assert.ok(known.every(one => one.state !== 'intended'))
      const delivered = results.flatMap(one =>
        'certificate' in one ? [toHex(readCertificate(one.certificate).serial)] : [],
      )
      assert.deepEqual(delivered, complete)
      assert.equal(new Set(known.map(one => one.serial)).size, known.length, 'no serial number is used twice')
      return { calls, failed }
    })
    assert.ok(ways >= 4 * 7, `${ways} ways`)
    await holds(signed)
  }
})

describe('an Organisation Certificate', () => {
  it('whichever call to the store fails, can be asked for again', async () => {
    const { keys, signed } = watched(rooms.keys.issuing)
    const record = await issuingAuthority(rooms.store, 'smki-organisation')
    const by = { record, keys, profile: profileNamed(rooms.settings, 'Organisation Certificate') }
    const ways = await everyFailure(async (nth, when, crash) => {
      const eui64 = newDeviceId()
      const publicKey = spkiOf(makeKeyPair().publicKey)
      const request = { role: 2, eui64, usage: 'digitalSignature', publicKey } as const
      const broken = failing(rooms.store, nth, when, crash)
      const failed = await issueOrganisation({ ...rooms.hands, store: broken.store }, by, request).then(
        () => false,
        cause => {
          assert.ok(cause instanceof Injected, String(cause))
          return true
        },
      )
      if (crash) {
        // A signer that starts beside a ceremony leaves alone what is in hand; what is an hour old is nobody's any more.
        const { intended } = await signings(rooms.store)
        await recover(rooms.hands)
        assert.equal((await signings(rooms.store)).intended, intended)
        await recover({ ...rooms.hands, clock: () => new Date(Date.now() + 3_601_000) })
      }
      assert.equal((await signings(rooms.store)).intended, 0, `call ${nth} failed ${when}: nothing is left open`)
      const again = await issueOrganisation(rooms.hands, by, request)
      const known = await certificatesFor(eui64)
      assert.equal(new Set(known.map(one => one.serial)).size, known.length)
      assert.equal(known.filter(one => one.serial === toHex(again.serial) && one.state === 'complete').length, 1)
      return { calls: broken.calls(), failed }
    })
    assert.ok(ways >= 4 * 3, `${ways} ways`)
    await holds(signed)
  })
})
