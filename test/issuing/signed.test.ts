/** Lessons, rows 4 and 5: what is signed was checked and written down, and what a key store gives back is not believed. */

import assert from 'node:assert/strict'
import { sign, X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { makeKeyPair, spkiOf } from '../../simulator/device.ts'
import { equal, toHex } from '../../src/ground/bytes.ts'
import { wholeSecond } from '../../src/ground/clock.ts'
import type { KeyStore } from '../../src/ground/keystore/keystore.ts'
import { type Certificate, readCertificate } from '../../src/ground/x509/certificate.ts'
import { systemChance } from '../../src/main/world.ts'
import { conform } from '../../src/policy/conform.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import type { Wanted } from '../../src/policy/wanted.ts'
import { type Plan, planFor } from '../../src/rooms/authority/plan.ts'
import { authorities, issuingAuthority } from '../../src/rooms/authority/register.ts'
import { serialNumbers } from '../../src/rooms/authority/serial.ts'
import { authority, SignatureFault } from '../../src/rooms/authority/sign.ts'
import { issueOrganisation } from '../../src/rooms/issuance/single.ts'
import { certificatesOf } from '../../src/rooms/repository/signings.ts'
import { acts, issue, makeRooms, newCsr, newDeviceId, type Rooms, signings } from './rooms.ts'

let rooms: Rooms

before(async () => {
  rooms = await makeRooms({ pkis: ['smki-device', 'smki-organisation'] })
})
after(() => rooms.close())

/** A Device Certificate that could be signed. */
function conforming(plan: Plan, issuer: Certificate) {
  const wanted: Wanted = {
    profile: profileNamed(rooms.settings, 'Device Certificate'),
    issuer,
    serial: serialNumbers(systemChance)(),
    moment: wholeSecond(new Date()),
    subject: {},
    publicKey: spkiOf(makeKeyPair().publicKey),
    usage: 'digitalSignature',
    hardwareModule: { hwType: '1.2.3', hwSerialNum: Buffer.from(newDeviceId(), 'hex') },
  }
  return conform(plan(wanted), wanted)
}

/** A key store that does otherwise when it signs. */
function signingBy(signs: KeyStore['sign']): KeyStore {
  const keys = rooms.keys.issuing
  return new Proxy(keys, {
    get: (of, name) => {
      if (name === 'sign') return signs
      const found = Reflect.get(of, name, of) as unknown
      return typeof found === 'function' ? found.bind(of) : found
    },
  })
}

const good: KeyStore['sign'] = (label, octets) => rooms.keys.issuing.sign(label, octets)

/** What a module that fails, or is not ours, may do. */
const faulty: Record<string, KeyStore['sign']> = {
  'signs something else': (label, octets) => good(label, octets.subarray(1)),
  'changes what it was given, and signs that': (label, octets) => {
    octets[octets.length - 1]! ^= 1
    return good(label, octets)
  },
  'changes what it was given after it signed': (label, octets) => {
    const signature = good(label, octets)
    octets[20]! ^= 1
    return Uint8Array.from(signature).map((octet, i) => (i === 10 ? octet ^ 1 : octet))
  },
  'gives a signature with one bit changed': (label, octets) => {
    const signature = Uint8Array.from(good(label, octets))
    signature[signature.length - 1]! ^= 1
    return signature
  },
  'gives a signature cut short': (label, octets) => good(label, octets).subarray(0, -1),
  'gives a signature with an octet behind it': (label, octets) =>
    Buffer.concat([good(label, octets), Buffer.of(0)]),
  'gives a signature of plain r and s': (_, octets) =>
    sign('sha256', octets, { key: makeKeyPair().privateKey, dsaEncoding: 'ieee-p1363' }),
  'gives no octets': () => Buffer.alloc(0),
  'signs with another key of the same store': (_, octets) => {
    const other = rooms.keys.issuing.labels().find(label => label.startsWith('smki-organisation/'))!
    return good(other, octets)
  },
  'signs with a key of its own': (_, octets) => sign('sha256', octets, makeKeyPair().privateKey),
}

describe('A key store that', () => {
  for (const [name, signs] of Object.entries(faulty)) {
    it(`${name} is caught, and nothing is kept`, async () => {
      const before = await signings(rooms.store)
      const csr = newCsr()
      await assert.rejects(issue(rooms.devices({ keys: signingBy(signs) }), [csr]), SignatureFault)
      const record = await issuingAuthority(rooms.store, 'smki-organisation')
      if (name !== 'signs with another key of the same store') {
        const by = {
          record,
          keys: signingBy(signs),
          profile: profileNamed(rooms.settings, 'Organisation Certificate'),
        }
        const publicKey = spkiOf(makeKeyPair().publicKey)
        const request = { role: 2, eui64: newDeviceId(), usage: 'digitalSignature', publicKey } as const
        await assert.rejects(issueOrganisation(rooms.hands, by, request), SignatureFault)
      }
      const now = await signings(rooms.store)
      assert.equal(now.complete, before.complete)
      assert.equal(now.intended, 0)
      assert.ok(now.abandoned > before.abandoned)
      // The request is as good as new.
      const [outcome] = await issue(rooms.devices(), [csr])
      assert.ok(outcome && 'der' in outcome)
    })
  }

  it('says of its own signatures that they hold, when they do not, is believed for a few dozen at most', async () => {
    const keys = new Proxy(rooms.keys.issuing, {
      get: (of, name) => {
        if (name === 'sign') return faulty['signs with a key of its own']
        if (name === 'checkOwn') return (_: string, __: Uint8Array, all: unknown[]) => all.map(() => true)
        const found = Reflect.get(of, name, of) as unknown
        return typeof found === 'function' ? found.bind(of) : found
      },
    })
    const [record] = (await authorities(rooms.store)).filter(
      one => one.pki === 'smki-device' && one.level === 'issuing',
    )
    const one = authority(keys, record!.keyLabel, record!.certificate)
    const plan = planFor(profileNamed(rooms.settings, 'Device Certificate'), record!.certificate)
    const group = Array.from({ length: 70 }, () => conforming(plan, record!.certificate))
    // The first of all, and the thirty-third, whatever the groups are.
    assert.throws(() => one.signMany(group.slice(0, 1)), SignatureFault)
    assert.equal(one.signMany(group.slice(1, 20)).length, 19)
    assert.equal(one.signMany(group.slice(20, 32)).length, 12)
    assert.throws(() => one.signMany(group.slice(32, 34)), SignatureFault)
    // And each alone.
    assert.throws(() => one.sign(group[40]!), SignatureFault)
  })

  it('has signed one of a group wrongly is caught, whether it can check itself or not', async () => {
    for (const checksItself of [true, false]) {
      let signed = 0
      const signs: KeyStore['sign'] = (label, octets) => good(label, ++signed === 20 ? octets.subarray(1) : octets)
      const by = signingBy(signs)
      const keys = new Proxy(by, {
        get: (of, name) => (name === 'checkOwn' && !checksItself ? undefined : Reflect.get(of, name, of)),
      })
      const before = await signings(rooms.store)
      const csrs = Array.from({ length: 40 }, () => newCsr())
      await assert.rejects(issue(rooms.devices({ keys }), csrs), SignatureFault)
      const now = await signings(rooms.store)
      assert.equal(now.complete, before.complete)
      assert.equal(now.intended, 0)
    }
  })

  it('names another key under the label of an authority is not used at all', async () => {
    const keys = signingBy(good)
    const swapped = new Proxy(keys, {
      get: (of, name) =>
        name === 'publicKey' ? () => rooms.keys.issuing.publicKey('journal') : Reflect.get(of, name, of),
    })
    const before = await signings(rooms.store)
    await assert.rejects(issue(rooms.devices({ keys: swapped }), [newCsr()]), SignatureFault)
    assert.deepEqual(await signings(rooms.store), before)
  })
})

/**
 * Asks on a connection of its own, while this thread stands still: is a to-be-signed certificate in the register, and
 * its signing open?
 */
function witness(): { sees(tbs: Uint8Array): boolean; close(): Promise<number> } {
  const answer = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     import(workerData.store).then(async ({ openStore }) => {
       const store = await openStore(workerData.connection, { max: 1 })
       parentPort.on('message', async tbs => {
         const { rowCount } = await store.query(
           "SELECT FROM certificate c JOIN signing s ON s.id = c.signing AND s.state = 'intended' WHERE c.tbs = $1",
           [Buffer.from(tbs)]).catch(() => ({ rowCount: -1 }))
         Atomics.store(workerData.answer, 0, rowCount === 1 ? 1 : 2)
         Atomics.notify(workerData.answer, 0)
       })
     })`,
    {
      eval: true,
      workerData: {
        answer,
        connection: rooms.connection,
        store: new URL('../../src/ground/store/store.ts', import.meta.url).href,
      },
    },
  )
  return {
    sees(tbs) {
      Atomics.store(answer, 0, 0)
      worker.postMessage(Uint8Array.from(tbs))
      assert.notEqual(Atomics.wait(answer, 0, 0, 60_000), 'timed-out')
      return Atomics.load(answer, 0) === 1
    },
    close: () => worker.terminate(),
  }
}

describe('At the moment of signing', () => {
  it('the whole to-be-signed certificate is there for every other connection to see', async () => {
    const { sees, close } = witness()
    try {
      let seen = 0
      const keys = signingBy((label, octets) => {
        assert.ok(sees(octets), 'written down, and committed')
        seen++
        return good(label, octets)
      })
      assert.ok(!sees(Buffer.from('never written')), 'the witness can say no')
      await issue(rooms.devices({ keys }), [newCsr(), newCsr('keyAgreement'), newCsr()])
      const record = await issuingAuthority(rooms.store, 'smki-organisation')
      const by = { record, keys, profile: profileNamed(rooms.settings, 'Organisation Certificate') }
      const publicKey = spkiOf(makeKeyPair().publicKey)
      await issueOrganisation(rooms.hands, by, { role: 3, eui64: newDeviceId(), usage: 'keyAgreement', publicKey })
      assert.equal(seen, 4)
    } finally {
      await close()
    }
  })

  it('the octets are those that were checked: they come back in the certificate and stand in the register', async () => {
    const signed: string[] = []
    const keys = signingBy((label, octets) => {
      signed.push(toHex(octets))
      return good(label, octets)
    })
    const outcomes = await issue(
      rooms.devices({ keys }),
      Array.from({ length: 5 }, () => newCsr()),
    )
    const ders = outcomes.map(one => ('der' in one ? one.der : assert.fail()))
    assert.deepEqual(
      ders.map(der => toHex(readCertificate(der).tbs)),
      signed,
    )
    const { signing } = (await acts(rooms.store)).findLast(one => one.act === 'issue')!.body
    const kept = await certificatesOf(rooms.store, BigInt(String(signing)))
    assert.deepEqual(kept, ders)
    const issuers = (await authorities(rooms.store)).map(one => new X509Certificate(one.certificate.der))
    for (const der of kept) {
      const certificate = new X509Certificate(der)
      assert.ok(issuers.some(issuer => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      assert.ok(equal(certificate.raw, der))
    }
  })
})
