import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { noOpenssl, openssl } from '../../../test/outside.ts'
import { Der, NotDer, tag } from './read.ts'
import { forever, readTime, writeTime } from './time.ts'
import { element, sequence } from './write.ts'

const utc = (text: string) => element(tag.utcTime, Buffer.from(text, 'latin1'))
const general = (text: string) => element(tag.generalizedTime, Buffer.from(text, 'latin1'))
const read = (octets: Buffer) => readTime(new Der(octets), 'it')
const iso = (octets: Buffer) => new Date(read(octets).ms).toISOString().replace('.000', '')

/** Whole seconds from 1950 to the end of 9999: what a certificate can say. */
const instants = fc
  .integer({ min: Date.UTC(1950, 0, 1) / 1000, max: forever / 1000 })
  .map(seconds => new Date(seconds * 1000))

describe('A time', () => {
  it('is read from the canonical examples of X.690 11.7.5 and 11.8.4 that have whole seconds', () => {
    assert.equal(iso(general('19920521000000Z')), '1992-05-21T00:00:00Z')
    assert.equal(iso(general('19920622123421Z')), '1992-06-22T12:34:21Z')
    assert.equal(iso(utc('920521000000Z')), '1992-05-21T00:00:00Z')
    assert.equal(iso(utc('920622123421Z')), '1992-06-22T12:34:21Z')
    assert.equal(iso(utc('920722132100Z')), '1992-07-22T13:21:00Z')
  })

  it('is refused in the forms that X.690 and RFC 5280 4.1.2.5 forbid', () => {
    const bad = [
      // X.690 11.7.5 and 11.8.4: midnight as 24 h, trailing zeros, no seconds
      general('19920520240000Z'),
      general('19920622123421.0Z'),
      general('19920722132100.30Z'),
      utc('920520240000Z'),
      utc('9207221321Z'),
      // RFC 5280 4.1.2.5.2: no fractions at all
      general('19920722132100.3Z'),
      // other than Z, or nothing
      utc('920622123421'),
      utc('920622123421+0000'),
      utc('920622123421-0500'),
      utc('920622123421z'),
      general('19920622123421'),
      general('19920622123421+0100'),
      general('1992062212Z'),
      general('199206221234Z'),
      // the digits of one form under the tag of the other
      utc('19920622123421Z'),
      general('920622123421Z'),
      // no digits
      utc(''),
      utc('Z'),
      utc('92062212342 Z'),
      utc(' 20622123421Z'),
      utc('9206221234-1Z'),
      utc('92062212342\u00b2Z'),
      utc('920622123421Z\n'),
      utc('920622123421Z\0'),
      general('-9920622123421Z'),
      general('+9920622123421Z'),
    ]
    for (const octets of bad)
      assert.throws(() => read(octets), { name: 'NotDer', fault: 'time', offset: 0 }, octets.toString('latin1'))
  })

  it('is refused when no calendar has it', () => {
    for (const text of [
      '20230230000000Z',
      '20230229000000Z',
      '19000229000000Z',
      '21000229000000Z',
      '20230431000000Z',
      '20230631000000Z',
      '20231301000000Z',
      '20230001000000Z',
      '20230100000000Z',
      '20230132000000Z',
      '20230101240000Z',
      '20230101250000Z',
      '20230101006000Z',
      '20230101000060Z', // a leap second has no place in the count of seconds
      '20161231235960Z',
      '99999999999999Z',
    ]) {
      assert.throws(() => read(general(text)), { name: 'NotDer', fault: 'time' }, text)
    }
  })

  it('knows leap days', () => {
    for (const [text, date] of [
      ['20240229235959Z', '2024-02-29T23:59:59Z'],
      ['20000229000000Z', '2000-02-29T00:00:00Z'],
      ['20960229000000Z', '2096-02-29T00:00:00Z'],
    ] as const) {
      assert.equal(iso(general(text)), date)
    }
  })

  it('has two digits of the year from 1950 to 2049, and four at any time', () => {
    assert.equal(iso(utc('500101000000Z')), '1950-01-01T00:00:00Z')
    assert.equal(iso(utc('991231235959Z')), '1999-12-31T23:59:59Z')
    assert.equal(iso(utc('000101000000Z')), '2000-01-01T00:00:00Z')
    assert.equal(iso(utc('491231235959Z')), '2049-12-31T23:59:59Z')
    assert.equal(iso(general('20500101000000Z')), '2050-01-01T00:00:00Z')
    assert.equal(read(general('99991231235959Z')).ms, forever)
    // Years that a Date constructor would move to the twentieth century.
    assert.equal(iso(general('00500101000000Z')), '0050-01-01T00:00:00Z')
    assert.equal(iso(general('00000229000000Z')), '0000-02-29T00:00:00Z')
    // A linter tells that this should have been a UTCTime; the instant is clear.
    assert.deepEqual(read(general('20491231235959Z')), {
      form: 'GeneralizedTime',
      text: '20491231235959Z',
      ms: Date.UTC(2049, 11, 31, 23, 59, 59),
    })
  })

  it('exists exactly when a Date of the same numbers shows them again', () => {
    const digits = (max: number) => fc.integer({ min: 0, max })
    const fields = fc.tuple(digits(9999), digits(13), digits(32), digits(24), digits(60), digits(60))
    let there = 0
    fc.assert(
      fc.property(fields, ([year, ...rest]) => {
        const text = `${String(year).padStart(4, '0')}${rest.map(n => String(n).padStart(2, '0')).join('')}Z`
        const [month, day, hour, minute, second] = rest
        const date = new Date(0)
        date.setUTCFullYear(year, month - 1, day)
        date.setUTCHours(hour, minute, second)
        const exists = date.toISOString().replace(/[-:T]|\.000/g, '') === text
        if (exists) there++
        if (exists) assert.equal(read(general(text)).ms, date.getTime())
        else assert.throws(() => read(general(text)), { fault: 'time' }, text)
      }),
      { numRuns: 3000 },
    )
    assert.ok(there > 1000)
  })

  it('is no other type', () => {
    assert.throws(() => read(element(tag.printableString, Buffer.from('920622123421Z'))), { fault: 'tag' })
    assert.throws(() => read(Buffer.alloc(0)), { fault: 'truncated' })
    assert.throws(() => read(Buffer.from('370d393230363232313233343231', 'hex')), NotDer)
  })

  it('is refused at once when it has octets by the million', () => {
    assert.throws(() => read(utc('9'.repeat(2_000_000))), { fault: 'time' })
  })

  it('is written as UTCTime through 2049, as GeneralizedTime from 2050, to the second', () => {
    assert.equal(writeTime(new Date('1950-01-01T00:00:00Z')).toString('latin1'), '\x17\x0d500101000000Z')
    assert.equal(writeTime(new Date('2049-12-31T23:59:59Z')).toString('latin1'), '\x17\x0d491231235959Z')
    assert.equal(writeTime(new Date('2050-01-01T00:00:00Z')).toString('latin1'), '\x18\x0f20500101000000Z')
    assert.equal(writeTime(new Date(forever)).toString('latin1'), '\x18\x0f99991231235959Z')
  })

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(instants, instant => {
        const time = read(writeTime(instant))
        assert.equal(time.ms, instant.getTime())
        assert.equal(time.form, instant.getUTCFullYear() < 2050 ? 'UTCTime' : 'GeneralizedTime')
      }),
    )
  })

  it('is not written with parts of a second, before 1950, after 9999, or at no time', () => {
    for (const instant of [
      new Date(1),
      new Date(-1),
      new Date(Date.UTC(1949, 11, 31, 23, 59, 59)),
      new Date(forever + 1000),
      new Date(Number.NaN),
    ]) {
      assert.throws(() => writeTime(instant), RangeError)
    }
  })

  it('is the instant that OpenSSL reads', { skip: noOpenssl }, () => {
    const samples = fc.sample(instants, { numRuns: 200, seed: 1 })
    const { ok, says } = openssl(['asn1parse', '-inform', 'DER'], sequence(...samples.map(writeTime)))
    assert.ok(ok, says)
    const said = [...says.matchAll(/ (UTCTIME|GENERALIZEDTIME) +:(\S+)/g)].map(([, form, text]) => [form, text])
    assert.deepEqual(
      said,
      samples.map(instant => {
        const digits = instant.toISOString().replace(/[-:T]|\.000/g, '')
        return instant.getUTCFullYear() < 2050 ? ['UTCTIME', digits.slice(2)] : ['GENERALIZEDTIME', digits]
      }),
    )
  })
})
