/** Certificates by the thousand: planned by copying, proven by likeness, and never otherwise than one by one. */

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { printableString } from '../../src/ground/der/write.ts'
import { readCertificate } from '../../src/ground/x509/certificate.ts'
import { keyIdentifier } from '../../src/ground/x509/key.ts'
import { oids } from '../../src/ground/x509/names.ts'
import { parseSettings } from '../../src/main/home.ts'
import { isLikeProven } from '../../src/policy/alike.ts'
import { conform, DoesNotConform } from '../../src/policy/conform.ts'
import { profileNamed } from '../../src/policy/hierarchies.ts'
import type { Wanted } from '../../src/policy/wanted.ts'
import { planFor, wholePlan } from '../../src/rooms/authority/plan.ts'
import { attribute, extensions, forgeCertificate, name, p256, rsa } from '../verify/forge.ts'

const settings = parseSettings(JSON.stringify({ environment: 'alike', kind: 'test' }), 'the test')
const profile = profileNamed(settings, 'Device Certificate')

function makeIssuer(commonName: string) {
  const by = p256()
  const subject = name(attribute(oids.commonName, printableString(commonName)))
  return readCertificate(
    forgeCertificate({ issuer: subject, subject, spki: by.spki, by, extensions: [extensions.ski(by.id)] }),
  )
}

const issuer = makeIssuer('D001')
const other = makeIssuer('D002')
const keys = [p256().spki, p256().spki]
const plan = planFor(profile, issuer)
const whole = wholePlan(profile, issuer)

const base: Wanted = {
  profile,
  issuer,
  serial: Buffer.from('5f0c0123456789abcdef0123456789ab', 'hex'),
  moment: new Date('2026-11-20T09:30:05Z'),
  subject: {},
  publicKey: keys[0]!,
  usage: 'digitalSignature',
  hardwareModule: { hwType: '1.2.826.0.1.8641679.1.2.2.1', hwSerialNum: Buffer.from('02a0000000010000', 'hex') },
}
const device = (hwSerialNum: Uint8Array, hwType = base.hardwareModule!.hwType) => ({ hwType, hwSerialNum })

/** Device IDs that stand elsewhere in the certificate too: somebody may choose them. */
const chosen = [
  keyIdentifier(keys[0]!.subarray(26)),
  keyIdentifier(issuer.publicKey.key),
  Buffer.from(base.serial.subarray(0, 8)),
  Buffer.from(keys[0]!.subarray(30, 38)),
  Buffer.alloc(8, 0xd5),
  Buffer.alloc(8),
]
const wants = fc.record({
  serial: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map(octets => Buffer.from(octets.with(0, (octets[0]! & 0x7f) | 1))),
  publicKey: fc.constantFrom(...keys),
  usage: fc.constantFrom('digitalSignature' as const, 'keyAgreement' as const),
  moment: fc.integer({ min: 0, max: 3 }).map(n => new Date(base.moment.getTime() + n * 1000)),
  hardwareModule: fc
    .oneof(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.constantFrom(...chosen))
    .chain(id => fc.constantFrom(device(Buffer.from(id)), device(Buffer.from(id), '1.2.3'))),
})

describe('a certificate planned by copying', () => {
  it('has the octets that it would have by itself, and is proven like it', () => {
    fc.assert(
      fc.property(wants, one => {
        const wanted: Wanted = { ...base, ...one }
        const octets = plan(wanted)
        assert.deepEqual(octets, whole(wanted))
        assert.equal(conform(octets, wanted).tbs, octets)
        assert.ok(isLikeProven(octets, wanted))
      }),
      { numRuns: 500 },
    )
  })

  it('has them also where a value has another length than the template’s', () => {
    plan(base)
    const odd: Partial<Wanted>[] = [
      { serial: Buffer.from([5]) },
      { serial: Buffer.alloc(16, 0xff) },
      { serial: Buffer.concat([Buffer.from([0]), Buffer.alloc(15, 7)]) },
      { publicKey: rsa(2048).spki },
      { hardwareModule: device(Buffer.alloc(9, 1)) },
    ]
    for (const change of odd) assert.deepEqual(plan({ ...base, ...change }), whole({ ...base, ...change }))
  })

  it('is its own: what is written into one changes no other', () => {
    const first = plan(base)
    const before = Buffer.from(first)
    plan({ ...base, serial: Buffer.alloc(16, 0x11) }).fill(0)
    assert.deepEqual(first, before)
    assert.deepEqual(plan(base), before)
  })
})

describe('a certificate like one that was proven', () => {
  const tbs = whole(base)
  before(() => {
    const another = { ...base, serial: Buffer.alloc(16, 0x42) }
    conform(whole(another), another)
  })

  it('is refused for any octet that is another, as if none had been proven', () => {
    assert.ok(isLikeProven(tbs, base))
    for (let n = 0; n < tbs.length; n++) {
      for (const bit of [0x01, 0x80]) {
        const changed = Buffer.from(tbs)
        changed[n]! ^= bit
        assert.ok(!isLikeProven(changed, base), `octet ${n}`)
        assert.throws(() => conform(changed, base), `octet ${n}`)
      }
    }
    for (const cut of [tbs.subarray(0, -1), Buffer.concat([tbs, Buffer.of(0)])]) {
      assert.ok(!isLikeProven(cut, base))
      assert.throws(() => conform(cut, base))
    }
    assert.ok(isLikeProven(tbs, base))
  })

  it('is refused when anything else was decided than stands in it', () => {
    const changes: Partial<Wanted>[] = [
      { serial: Buffer.alloc(16, 0x43) },
      { publicKey: keys[1]! },
      { publicKey: Buffer.concat([keys[0]!.subarray(0, 26), Buffer.of(6), keys[0]!.subarray(27)]) },
      { usage: 'keyAgreement' },
      { moment: new Date(base.moment.getTime() + 1000) },
      { hardwareModule: device(Buffer.alloc(8, 9)) },
      { hardwareModule: device(base.hardwareModule!.hwSerialNum, '1.2.3') },
      { issuer: other },
      { subject: { commonName: 'X' } },
    ]
    for (const change of changes) {
      const wanted = { ...base, ...change }
      assert.ok(!isLikeProven(tbs, wanted), JSON.stringify(change))
      assert.throws(() => conform(tbs, wanted), DoesNotConform, JSON.stringify(change))
    }
  })

  it('is refused with a serial number, a key or a Device ID of the wrong form, though plan and decision agree', () => {
    const forms: Partial<Wanted>[] = [
      { serial: Buffer.concat([Buffer.of(0x80), Buffer.alloc(15, 1)]) },
      { serial: Buffer.alloc(15, 1) },
      { publicKey: Buffer.concat([keys[0]!.subarray(0, 26), Buffer.of(6), keys[0]!.subarray(27)]) },
      { hardwareModule: device(Buffer.alloc(7, 9)) },
    ]
    for (const form of forms) {
      const wanted = { ...base, ...form }
      assert.throws(() => conform(whole(wanted), wanted), DoesNotConform, JSON.stringify(form))
    }
  })

  it('is not proven by one that did not conform', () => {
    const wanted = { ...base, moment: new Date('2027-01-01T00:00:00Z') }
    const planned = whole({ ...wanted, usage: 'keyAgreement' })
    for (let n = 0; n < 2; n++) {
      assert.throws(() => conform(planned, wanted), DoesNotConform)
      assert.ok(!isLikeProven(planned, wanted))
    }
  })
})
