/** Lessons, row 1: the inclusive period is the policy's to the second, on every day of the calendar. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../../src/ground/bytes.ts'
import { readCertificate, readTbs } from '../../src/ground/x509/certificate.ts'
import { parseSettings } from '../../src/main/home.ts'
import { conform, DoesNotConform } from '../../src/policy/conform.ts'
import { hierarchies, profileNamed } from '../../src/policy/hierarchies.ts'
import type { Profile } from '../../src/policy/profile.ts'
import type { Wanted } from '../../src/policy/wanted.ts'
import { periodOf, planFor } from '../../src/rooms/authority/plan.ts'
import { extensions as ext, forgeCertificate, forgeTbs, p256, printableCn } from '../verify/forge.ts'

const settings = parseSettings(JSON.stringify({ environment: 'period', kind: 'test' }), 'the test')
const issuing = hierarchies(settings)['smki-device'].issuing.profile
const by = p256()
const key = p256()
const issuerName = printableCn('DA')
const issuer = readCertificate(
  forgeCertificate({ issuer: issuerName, subject: issuerName, spki: by.spki, by, extensions: [ext.ski(by.id)] }),
)
const serial = fromHex('5f0c0123456789abcdef0123456789ab')

const wantedAt = (moment: Date, validity: Profile['validity']): Wanted => ({
  profile: { ...issuing, validity },
  issuer,
  serial,
  moment,
  subject: { commonName: 'D001' },
  publicKey: key.spki,
})

/** The same certificate by another writer, with a period of its own. */
function withPeriod(from: string, until: string): Buffer {
  return forgeTbs({
    serial,
    issuer: issuerName,
    subject: printableCn('D001'),
    from,
    until,
    spki: key.spki,
    by,
    extensions: [
      ext.usage('keyCertSign'),
      ext.constraints(true, 0),
      ext.policies(settings.certificates.policyDevice),
      ext.ski(key.id),
      ext.aki(by.id),
    ],
  })
}

/** The calendar of the runtime's own Temporal, which shares nothing with Date: 29 February has 28 February as its day. */
function calendar(moment: Date, years: number, from: 'moment' | 'day') {
  const instant = Temporal.Instant.fromEpochMilliseconds(moment.getTime())
    .toZonedDateTimeISO('UTC')
    .toPlainDateTime()
  const begins = from === 'day' ? instant.toPlainDate().toPlainDateTime() : instant
  const text = (at: Temporal.PlainDateTime) => at.toString({ smallestUnit: 'second' })
  const ends = begins.add({ years }, { overflow: 'constrain' }).subtract({ seconds: 1 })
  const shifted = (seconds: number) => text(ends.add({ seconds }))
  return { begins: text(begins), ends: text(ends), shifted }
}

const edges = [
  '2028-02-29T00:00:00Z',
  '2028-02-29T23:59:59Z',
  '2028-02-28T23:59:59Z',
  '2028-03-01T00:00:00Z',
  '2027-02-28T12:00:00Z',
  '2026-12-31T23:59:59Z',
  '2027-01-01T00:00:00Z',
  '2039-12-31T23:59:59Z',
  '2040-01-01T00:00:00Z',
  '2040-01-01T00:00:01Z',
  '2049-12-31T23:59:59Z',
  '2050-01-01T00:00:00Z',
  '2096-02-29T08:00:00Z',
  '2100-02-28T23:59:59Z',
  '1999-12-31T23:59:59Z',
].map(text => new Date(text))

const moments = fc.oneof(
  fc
    .date({ min: new Date('1990-01-01'), max: new Date('2150-01-01'), noInvalidDate: true })
    .map(at => new Date(Math.floor(at.getTime() / 1000) * 1000)),
  fc.constantFrom(...edges),
  // The last days of February and of the year, at any second.
  fc
    .tuple(
      fc.integer({ min: 1992, max: 2148 }),
      fc.constantFrom(1, 2, 11),
      fc.integer({ min: 27, max: 32 }),
      fc.nat(86_399),
    )
    .map(([year, month, day, second]) => new Date(Date.UTC(year, month, day, 0, 0, second))),
)
const years = fc.oneof(fc.constantFrom(1, 2, 3, 4, 10, 25, 50, 100), fc.integer({ min: 1, max: 100 }))
const from = fc.constantFrom('moment' as const, 'day' as const)

/** Node.js has it from version 26 on. */
const noCalendar = typeof Temporal === 'undefined' && 'skipped: this runtime has no Temporal'

describe('The period of a certificate', { skip: noCalendar }, () => {
  it('is the one that another calendar gives, and a second more or less is refused', () => {
    let leapDays = 0
    let forms = 0
    const property = fc.property(moments, years, from, (moment, years, from) => {
      const wanted = wantedAt(moment, { years, from })
      const expected = calendar(moment, years, from)
      if (expected.begins.includes('-02-29')) leapDays++

      const { tbs } = conform(planFor(wanted.profile, issuer)(wanted), wanted)
      const { notBefore, notAfter } = readTbs(tbs)
      assert.equal(new Date(notBefore.ms).toISOString(), `${expected.begins}.000Z`)
      assert.equal(new Date(notAfter.ms).toISOString(), `${expected.ends}.000Z`)
      assert.deepEqual(tbs, withPeriod(expected.begins, expected.ends))
      if (notBefore.form !== notAfter.form) forms++

      for (const seconds of [-1, 1]) {
        const off = withPeriod(expected.begins, expected.shifted(seconds))
        assert.throws(
          () => conform(off, wanted),
          (cause: DoesNotConform) => {
            assert.ok(cause instanceof DoesNotConform)
            assert.match(cause.broken.join(), /^the period is that of the policy, to the second \(CERT-A01\)$/)
            return true
          },
          `${expected.begins} and ${years} years, ${seconds} s`,
        )
      }
    })
    fc.assert(property, {
      numRuns: 3000,
      examples: edges
        .flatMap(
          at =>
            [
              [at, 1, 'moment'],
              [at, 10, 'moment'],
              [at, 25, 'day'],
            ] as const,
        )
        .map(one => [...one]),
    })
    assert.ok(leapDays > 5 && forms > 30, `${leapDays} leap days, ${forms} across 2050`)
  })

  it('without a well-defined end ends in the last second of the year 9999, and in no other', () => {
    fc.assert(
      fc.property(moments, moment => {
        const wanted = wantedAt(moment, { years: 'forever', from: 'moment' })
        const begins = moment.toISOString().slice(0, 19)
        const { tbs } = conform(planFor(wanted.profile, issuer)(wanted), wanted)
        assert.deepEqual(tbs, withPeriod(begins, '9999-12-31T23:59:59'))
        assert.equal(readTbs(tbs).notAfter.text, '99991231235959Z')
        assert.throws(() => conform(withPeriod(begins, '9999-12-31T23:59:58'), wanted), DoesNotConform)
      }),
      { numRuns: 300, examples: edges.map(at => [at]) },
    )
  })

  it('that has no name in a certificate is no period: before 1950, beyond 9999, within a second', () => {
    for (const moment of ['1949-12-31T23:59:59Z', '9990-01-01T00:00:00Z', '2026-11-20T09:30:00.001Z']) {
      const wanted = wantedAt(new Date(moment), { years: 25, from: 'moment' })
      assert.throws(() => planFor(wanted.profile, issuer)(wanted), RangeError, moment)
    }
  })

  it('is what every profile of the platform asks for', () => {
    const all = Object.values(hierarchies(settings)).flatMap(one => [
      one.root.profile,
      one.issuing.profile,
      ...one.endEntities,
    ])
    assert.ok(all.length > 15)
    for (const profile of all) {
      for (const moment of edges) {
        const { notBefore, notAfter } = periodOf(profile, moment)
        if (profile.validity.years === 'forever') {
          assert.equal(profile.name, 'Device Certificate')
          continue
        }
        const { begins, ends } = calendar(moment, profile.validity.years, profile.validity.from)
        assert.deepEqual(
          [notBefore.toISOString(), notAfter.toISOString()],
          [`${begins}.000Z`, `${ends}.000Z`],
          profile.name,
        )
      }
    }
    // certificates.md sections 4 to 8.
    const years = Object.fromEntries(all.map(one => [one.name, one.validity.years]))
    assert.equal(years['Root OCA Certificate'], 50)
    assert.equal(years['Issuing DCA Certificate'], 25)
    assert.equal(years['Organisation Certificate'], 10)
    assert.equal(profileNamed(settings, 'DCCKI Infrastructure Certificate').validity.years, 3)
    assert.equal(profileNamed(settings, 'Personnel Authentication Certificate').validity.years, 2)
  })
})
