/** The report and the drills that are due. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chartOf } from './chart.ts'
import { dueDrills } from './drills.ts'
import { howLong, type RecoveryReport } from './report.ts'
import { htmlOf, markdownOf, verdict } from './report-text.ts'

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 20, 9, minutes))
const report = {
  event: {
    reference: 'SUP-<1>',
    keyKind: 'organisation',
    notifiedAt: at(0),
    suspectedSince: at(-60),
    means: 'call back',
    procedure: 'method3',
  },
  says: 'certificates & keys are placed',
  counts: { pending: 0, commanded: 0, sending: 0, unresolved: 0, accepted: 0, proven: 1999, listed: 2 },
  kinds: [{ kind: 'ESME', devices: 2001, proven: 1999 }],
  reasons: [{ reason: '{2,KA} noTrustAnchor | <b>', devices: 2 }],
  curve: [
    { at: at(10), proven: 1000 },
    { at: at(125), proven: 1999 },
  ],
  firstProven: at(10),
  lastProven: at(125),
  commands: { updates: 2010, questions: 2020, answered: 4000 },
  steps: [],
  directions: [],
  ceremonies: [],
  refused: { ANSWER_REPLAYED: 3 },
} as unknown as RecoveryReport
const heading = { drill: true, environment: 'lab', madeAt: at(200) }

describe('A report', () => {
  it('says in one sentence how many, and how long it took; a share is never rounded up to all', () => {
    assert.equal(
      verdict(report),
      '1,999 of 2,001 Relevant Devices (99.9 %) are recovered, and each has shown that it is; 2 are listed with the ' +
        'reason why they are not. From the notification to the last recovered Device it took 2 h 05 min.',
    )
    const none = {
      ...report,
      counts: { ...report.counts, proven: 0, listed: 0, pending: 5 },
      lastProven: undefined,
    }
    assert.match(verdict(none), /^0 of 5 .* and 5 are still under way\.$/)
  })

  it('is one page of HTML that asks for nothing from elsewhere and escapes what it is given', () => {
    const html = htmlOf(report, heading)
    assert.ok(html.includes('SUP-&lt;1&gt;') && !html.includes('<b>'))
    assert.doesNotMatch(html, /<script|src=|href=|url\(/)
    assert.match(html, /<html lang="en-GB">/)
    assert.match(html, /role="img" aria-labelledby="chart-title"/)
  })

  it('is Markdown with the same facts, and fields for the lessons', () => {
    const text = markdownOf(report, heading)
    assert.match(text, /\| \{2,KA\} noTrustAnchor \\\| <b> \(it finds no path to its root\) \| 2 \|/)
    assert.equal(text.match(/_To be written\._/g)?.length, 4)
    assert.match(text, /ANSWER_REPLAYED 3/)
  })

  it('has a chart that never goes down and ends at what was recovered', () => {
    const [, path] = /<path d="([^"]+)"/.exec(chartOf(report))!
    const heights = [...path!.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y))
    assert.equal(heights.length, 2)
    assert.ok(heights[0]! > heights[1]!, 'less is higher up')
    assert.ok(chartOf({ ...report, curve: [] }).includes('<path d="M64'))
  })

  it('tells durations as people do', () => {
    assert.deepEqual(
      [0, 59, 60, 125, 1440, 3000].map(minutes => howLong(minutes * 60_000)),
      ['0 min', '59 min', '1 h 00 min', '2 h 05 min', '1 d 0 h', '2 d 2 h'],
    )
  })
})

describe('A drill', () => {
  it('is due a year after the last of its procedure, and at once where there was none', () => {
    const held = [
      { procedure: 'method1', at: new Date('2024-02-29T10:00:00Z') },
      { procedure: 'method1', at: new Date('2023-01-01T10:00:00Z') },
      { procedure: 'root', at: new Date('2026-01-01T00:00:00Z') },
    ] as const
    const due = dueDrills(held, ['method1', 'root', 'recovery'], 12, new Date('2026-11-20T00:00:00Z'))
    assert.deepEqual(
      due.map(one => [one.procedure, one.due.toISOString().slice(0, 10), one.isDue]),
      [
        ['method1', '2025-02-28', true],
        ['root', '2027-01-01', false],
        ['recovery', '2026-11-20', true],
      ],
    )
  })
})
