import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entry, type JsonValue, longestEntry, NotAnEntry, readEntry } from './entry.ts'

const at = new Date('2026-11-20T05:42:00.007Z')

describe('a journal entry', () => {
  it('is canonical JSON: members sorted, no blanks, whole milliseconds', () => {
    assert.equal(
      entry('issued', at, {
        serial: '00ff',
        count: 2,
        ca: { name: 'Issuing DCA', 10: null },
        tags: ['b', 'a'],
      }).toString(),
      '{"act":"issued","at":"2026-11-20T05:42:00.007Z","ca":{"10":null,"name":"Issuing DCA"},"count":2,"serial":"00ff","tags":["b","a"]}',
    )
  })

  it('sorts as RFC 8785 3.2.3 does: by UTF-16 code units, its own example', () => {
    const given = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    const sorted = ['Carriage Return', 'One', 'Control', 'Latin Small', 'Euro Sign', 'Emoji', 'Hebrew']
    const text = entry('a', at, { given }).toString()
    const places = sorted.map(value => text.indexOf(`:"${value}`))
    assert.ok(places.every(place => place > 0))
    assert.deepEqual(
      places.toSorted((a, b) => a - b),
      places,
    )
  })

  it('writes strings as RFC 8785 3.2.2.2 does, its own example', () => {
    const octets = entry('a', at, { string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/' })
    assert.ok(octets.includes(String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"`), octets.toString())
  })

  it('has room for 65,535 octets and no more', () => {
    const overhead = entry('a', at, { filler: '' }).length
    assert.equal(entry('a', at, { filler: 'x'.repeat(longestEntry - overhead) }).length, 65_535)
    assert.throws(() => entry('a', at, { filler: 'x'.repeat(longestEntry - overhead + 1) }), RangeError)
    assert.throws(() => entry('a', at, { filler: '€'.repeat(22_000) }), RangeError, 'octets count, not characters')
  })

  it('refuses what JSON would bend or pass over in silence', () => {
    const nested: { [name: string]: unknown } = {}
    nested.self = nested
    for (const value of [
      undefined,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      10n,
      Buffer.of(1),
      new Date(),
      new Map(),
      () => 1,
      Symbol('s'),
      '\ud800',
      { '\udc00': 1 },
      [undefined],
      new Array(2),
      { deep: { undefined } },
      nested,
    ]) {
      assert.throws(() => entry('a', at, { value: value as JsonValue }), RangeError, String(value))
    }
    const levels = (count: number): JsonValue => (count === 0 ? 0 : [levels(count - 1)])
    assert.ok(entry('a', at, { levels: levels(31) }))
    assert.throws(() => entry('a', at, { levels: levels(32) }), /nested/)
    assert.throws(() => entry('', at, {}), RangeError)
    assert.throws(() => entry('a', at, { act: 'b' }), RangeError)
    assert.throws(() => entry('a', at, { at: 'b' }), RangeError)
    assert.throws(() => entry('a', new Date(Number.NaN), {}), RangeError)
    assert.throws(() => entry('a', new Date(8.64e15), {}), RangeError)
  })

  it('is read back as it was written, whatever it says', () => {
    const { json } = fc.letrec<{ json: JsonValue }>(tie => ({
      json: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('json'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    const body = fc.dictionary(
      fc.string().filter(name => name !== 'act' && name !== 'at'),
      json,
      { maxKeys: 5, noNullPrototype: true },
    )
    const instant = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), instant, body, (act, when, body) => {
        assert.deepEqual(readEntry(entry(act, when, body)), { act, at: when, body })
        assert.deepEqual(JSON.parse(entry(act, when, body).toString()), { act, at: when.toISOString(), ...body })
      }),
    )
  })

  it('is refused on reading unless it is in canonical form', () => {
    const good = '{"act":"a","at":"2026-11-20T05:42:00.007Z","b":1}'
    assert.equal(readEntry(Buffer.from(good)).act, 'a')
    for (const bad of [
      '',
      'null',
      '[]',
      '{}',
      '{"act":"a"}',
      '{"act":1,"at":"2026-11-20T05:42:00.007Z"}',
      `${good} `,
      good.replace(',', ', '),
      good.replace('.007Z', 'Z'),
      good.replace('.007Z', '.007+00:00'),
      good.replace('"b":1', '"b":1.0'),
      good.replace('"b":1', '"b":1.5'),
      good.replace('"b":1', '"b":1,"b":1'),
      good.replace('"b":1', '"b":"\\u0041"'),
      good.replace('"b":1', '"b":"\\ud800"'),
      '{"at":"2026-11-20T05:42:00.007Z","act":"a"}',
      `\ufeff${good}`,
    ]) {
      assert.throws(() => readEntry(Buffer.from(bad)), NotAnEntry, bad)
    }
    const latin1 = Buffer.from(good.replace('"b":1', '"b":"ü"'), 'latin1')
    assert.throws(() => readEntry(latin1), NotAnEntry)
  })

  it('cannot have any one octet changed and still read the same', () => {
    const good = entry('issued', at, { serial: '00ff', count: 2 })
    const read = readEntry(good)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const octets = Buffer.from(good)
        octets[place]! ^= change
        try {
          assert.notDeepEqual(readEntry(octets), read)
        } catch (error) {
          if (!(error instanceof NotAnEntry)) throw error
        }
      }),
    )
  })
})
