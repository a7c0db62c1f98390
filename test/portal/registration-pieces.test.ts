/** What the Registration Authority's pages are made of, where it can be said without a browser. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { html } from '../../src/doors/portal/frame/html.ts'
import { rowsOf, sideBySide } from '../../src/doors/portal/registration/both.ts'
import { csv } from '../../src/doors/portal/registration/csv.ts'
import { type Owned, overlapsOf, rangeLine } from '../../src/doors/portal/registration/range-line.ts'
import { byUrgency, span } from '../../src/doors/portal/registration/urgency.ts'
import type { JsonValue } from '../../src/ground/journal/entry.ts'
import { contains } from '../../src/rooms/registration/ranges.ts'

const last = 2n ** 64n - 1n
const owned = fc
  .record({
    a: fc.bigInt(0n, 40n),
    b: fc.bigInt(0n, 40n),
    party: fc.integer({ min: 1, max: 4 }),
    asked: fc.boolean(),
    high: fc.boolean(),
  })
  .map(({ a, b, party, asked, high }): Owned => {
    const [first, end] = a < b ? [a, b] : [b, a]
    // Both ends of the space.
    const shift = high ? last - 40n : 0n
    return { first: first + shift, last: end + shift, party, owner: `Party ${party}`, userRole: 'IS', asked }
  })

describe('ranges on a line', () => {
  it('overlap exactly where an identifier lies in two of them', () => {
    fc.assert(
      fc.property(fc.array(owned, { maxLength: 8 }), ranges => {
        const found = overlapsOf(ranges)
        const points = [...Array(41).keys()].flatMap(n => [BigInt(n), last - 40n + BigInt(n)])
        for (const point of points) {
          const in_ = ranges.filter(one => contains(one, point))
          // A version of a form takes the place of the one before it: these two do not clash.
          const pairs = in_.flatMap((a, i) =>
            in_
              .slice(i + 1)
              .filter(b => a.party !== b.party || a.asked === b.asked)
              .map(b => [a, b]),
          )
          const said = found.filter(one => one.first <= point && point <= one.last)
          assert.equal(said.length, pairs.length, `${point}`)
        }
      }),
    )
  })

  it('are drawn within the picture, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(owned, { minLength: 1, maxLength: 8 }), ranges => {
        const drawn = String(rangeLine(ranges, overlapsOf(ranges)))
        const numbers = [...drawn.matchAll(/<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)"/g)]
        assert.ok(numbers.length >= ranges.length)
        for (const [, x, , width] of numbers) assert.ok(Number(x) >= 210 && Number(x) + Number(width) <= 960, drawn)
        assert.doesNotMatch(drawn, /NaN|undefined|Infinity/)
      }),
    )
  })
})

describe('an export', () => {
  it('runs nothing in a spreadsheet, and reads back as it was (RFC 4180)', () => {
    const hostile = [
      '=HYPERLINK("http://x")',
      '+1',
      '-1',
      '@SUM(A1)',
      '\tx',
      'a,b',
      'say "no"',
      'two\r\nlines',
      ' ',
      'plain',
    ]
    const { octets } = csv(
      'x.csv',
      ['text'],
      hostile.map(text => [text]),
    )
    const [, ...cells] = parse(String(octets).slice(1))
    assert.deepEqual(
      cells.map(([cell]) => cell),
      hostile.map(text => (/^[=+\-@\t]/.test(text) ? `'${text}` : text)),
    )
    for (const [cell] of cells) assert.doesNotMatch(cell!, /^[=+\-@\t\r]/)
  })

  it('keeps every cell of any text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.integer()), { maxLength: 5 }), rows => {
        const { octets } = csv('x.csv', ['text', 'number'], rows)
        const read = parse(String(octets).slice(1)).slice(1)
        assert.deepEqual(
          read.map(([text]) => text!.replace(/^'(?='*[=+\-@\t\r])/, '')),
          rows.map(([text]) => text),
        )
      }),
      { examples: [[[["'+", 0]]], [[['=1', 0]]], [[["''@", 0]]]] },
    )
  })
})

describe('what was asked, beside what is on record', () => {
  it('names every value, and says in words what differs', () => {
    const now = { legalName: 'A', userRoles: [{ userRole: 'IS', first: '01', last: '02' }], gone: true }
    const asked = { legalName: 'A', userRoles: [{ userRole: 'IS', first: '01', last: '03' }], added: ['x', 'y'] }
    assert.deepEqual(rowsOf(asked), [
      { name: 'Legal name', value: 'A' },
      { name: 'User roles 1, user role', value: 'IS' },
      { name: 'User roles 1, first', value: '01' },
      { name: 'User roles 1, last', value: '03' },
      { name: 'Added', value: 'x, y' },
    ])
    const text = String(sideBySide('Both', ['Now', 'Asked'], rowsOf(now), rowsOf(asked)))
    const said = [
      ...text.matchAll(
        /<th scope="row"[^>]*>([^<]*)<\/th>(?:<td[^>]*>(?:<strong>)?([^<]*)(?:<\/strong>)?<\/td>){3}/g,
      ),
    ].map(([, name, says]) => `${name}: ${says}`)
    assert.deepEqual(said, [
      'Legal name: Same',
      'User roles 1, user role: Same',
      'User roles 1, first: Same',
      'User roles 1, last: Changed',
      'Added: New',
      'Gone: Goes',
    ])
  })

  it('hides no value of any subject, and runs none', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), subject => {
        const values = rowsOf(subject as JsonValue).map(one => one.value)
        assert.ok(leavesOf(subject as JsonValue).length === 0 || values.length > 0)
        const page = String(html`${values.map(one => html`<td>${one}</td>`)}`)
        assert.doesNotMatch(page.replaceAll('<td>', '').replaceAll('</td>', ''), /[<>]/)
      }),
      { examples: [[{ '0 ': {} }], [{ a: [[]] }]] },
    )
  })

  /** What is said in it, at whatever depth; `null` says nothing. */
  const leavesOf = (value: JsonValue): JsonValue[] =>
    value === null ? [] : typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : [value]
})

describe('urgency', () => {
  it('keeps the order of waiting among what is as urgent, and loses nothing', () => {
    const urgencies = ['at once', 'today', 'in turn'] as const
    const listed = fc.array(
      fc.record({ urgency: fc.constantFrom(...urgencies), opened: fc.integer({ min: 0, max: 99 }) }),
    )
    fc.assert(
      fc.property(listed, all => {
        const tasks = all.map(({ urgency, opened }, id) => ({
          urgency,
          task: { id, openedAt: new Date(opened) } as never as { id: number; openedAt: Date },
        }))
        const sorted = byUrgency(tasks as never[]) as typeof tasks
        assert.equal(sorted.length, tasks.length)
        for (const [i, one] of sorted.slice(1).entries()) {
          const [a, b] = [urgencies.indexOf(sorted[i]!.urgency), urgencies.indexOf(one.urgency)]
          assert.ok(a < b || (a === b && sorted[i]!.task.openedAt <= one.task.openedAt))
        }
      }),
    )
  })

  it('says spans as people do', () => {
    const minute = 60_000
    assert.deepEqual(
      [30_000, minute, 119 * minute, 120 * minute, 47 * 60 * minute, 48 * 60 * minute, -5 * minute].map(span),
      ['less than a minute', '1 minute', '119 minutes', '2 hours', '47 hours', '2 days', '5 minutes'],
    )
  })
})

/** RFC 4180, by a reader of the test's own. */
function parse(text: string): string[][] {
  const rows: string[][] = [[]]
  let at = 0
  while (at < text.length) {
    let cell = ''
    if (text[at] === '"') {
      for (at++; ; at++) {
        if (text[at] === '"' && text[at + 1] === '"') at++
        else if (text[at] === '"') break
        cell += text[at]
      }
      at++
    } else while (at < text.length && text[at] !== ',' && !text.startsWith('\r\n', at)) cell += text[at++]
    rows.at(-1)!.push(cell)
    if (text[at] === ',') at++
    else {
      at += 2
      if (at < text.length) rows.push([])
    }
  }
  return rows
}
