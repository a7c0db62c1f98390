/** Monthly reports: the 110 % list, relief, what is kept of them, and how they are shown. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { XmlDocument } from 'libxml2-wasm'
import { horizonOf } from '../../src/policy/performance/rounds.ts'
import { collector } from '../../src/rooms/governance/performance/collect.ts'
import { cell, escaped } from '../../src/rooms/governance/performance/escape.ts'
import { rendered } from '../../src/rooms/governance/performance/render.ts'
import type { OwnReport, PanelReport } from '../../src/rooms/governance/performance/report.ts'
import { reportOf, reportsKept } from '../../src/rooms/governance/performance/reports.ts'
import { draftMonth, forecast, reportMonth } from '../../src/rooms/issuance/performance.ts'
import { clerk, type Office, openOffice, refusal } from './office.ts'

/** RFC 4180, read by the letter. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (end === '' && quoted === undefined && plain === '') break
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!)
    if (end === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

describe('monthly reports', () => {
  let office: Office
  const party: Record<string, number> = {}
  const foretell = async (name: string, single: number, batch: number) => {
    const months = horizonOf('2026-09', 8).map(month => ({ month, single, batch }))
    await forecast(office.hands, office.settings, clerk, { party: party[name]!, months })
  }
  const draft = async (changes = {}) => {
    const reports = await draftMonth(office.hands, { ...office.settings, ...changes }, '2026-10')
    const panel = reports.find(one => one.report === 'panel') as PanelReport
    const own = (name: string) =>
      reports.find(one => one.report === 'own' && one.party === party[name]) as OwnReport
    return { panel, own }
  }

  before(async () => {
    office = await openOffice('2026-09-01T09:00:00.000Z')
    for (const name of ['exact', 'below', 'nothing', 'zero', 'without']) party[name] = await office.party(name)
    party.stranger = await office.party('stranger', false)
    office.turnTo('2026-09-10T09:00:00.000Z')
    await foretell('exact', 100, 900)
    await foretell('below', 0, 1000)
    await foretell('nothing', 0, 0)
    await foretell('zero', 0, 0)
    office.turnTo('2026-11-05T09:00:00.000Z')
    const day = { received: '2026-10-10T09:00:00Z', completed: '2026-10-10T10:00:00Z' }
    await office.batch({ party: party.exact!, count: 1097, ...day })
    await office.batch({ party: party.below!, count: 1099, ...day })
    await office.batch({ party: party.without!, count: 7, received: '2026-10-31T23:59:59Z', state: 'REJECTED' })
    await office.batch({ party: party.without!, count: 70, received: '2026-11-01T00:00:00Z' })
    await office.batch({ party: party.without!, count: 700, received: '2026-09-30T22:59:59Z' })
    const collected = collector(office.store, 'door', office.settings.zone)
    const received = Date.parse('2026-10-11T09:00:00Z')
    const ask = (name: string, outcome: 'sent' | 'refused') =>
      collected.measure({ channel: 'ADHOC_WS', party: party[name]!, received, sent: received + 5, outcome })
    for (const name of ['exact', 'exact', 'exact', 'zero', 'stranger']) ask(name, 'sent')
    ask('exact', 'refused')
    await collected.flush()
    // One of the four of `exact` too many for the round number.
    await office.store.query('UPDATE demand SET csrs = 3 WHERE party = $1 AND channel = 1', [party.exact])
  })
  after(() => office.close())

  it('list whoever is at or above 110 %, whole numbers, and whoever sent without a forecast', async () => {
    const { panel, own } = await draft()
    assert.deepEqual(
      panel.listed.map(({ name, sent, forecast, ofForecast }) => [name, sent, forecast, ofForecast]),
      [
        ['exact & Co', 1100, 1000, '110.00 %'],
        ['without & Co', 7, 'none', 'none'],
        ['zero & Co', 1, 0, 'none'],
        [`party ${party.stranger}`, 1, 'none', 'none'],
      ],
    )
    assert.deepEqual(own('below').ofForecast, { single: 'none', batch: '109.90 %', total: '109.90 %' })
    assert.deepEqual([own('exact').listed, own('below').listed, own('nothing').listed], [true, false, false])
    assert.deepEqual(own('exact').sent, { single: 3, batch: 1097, total: 1100 })
    assert.deepEqual(panel.total.sent, { single: 5, batch: 2203, total: 2208 })
    assert.equal(panel.total.forecast !== 'none' && panel.total.forecast.total, 2000)
  })

  it('measure batches and single requests together, and no failure counts where demand was too high', async () => {
    await office.batch({
      party: party.exact!,
      count: 1,
      received: '2026-10-12T09:00:00Z',
      completed: '2026-10-14T09:00:00Z',
    })
    const { panel } = await draft()
    assert.deepEqual(
      panel.measures.map(({ measure, measured, within, percent }) => [measure, measured, within, percent]),
      [
        // The one that was refused has no receipt.
        ['single', 5, 5, '100.00 %'],
        ['batch', 3, 2, '66.66 %'],
        ['repository', 0, 0, 'none'],
      ],
    )
    // 2,209 is above 110 % of 2,000.
    assert.equal(panel.relief, true)
    assert.deepEqual(
      panel.performance.map(({ number, percent, level }) => [number, percent, level]),
      [
        [7, '87.50 %', 'relieved'],
        [8, 'none', 'none'],
      ],
    )
    assert.equal((await draft({ exclusions: [] })).panel.performance[0]!.level, 'below minimum')
    assert.equal((await draft({ reliefPercent: 111 })).panel.performance[0]!.level, 'below minimum')
    assert.equal((await draft({ exclusions: [], minimumPercent: 87 })).panel.performance[0]!.level, 'minimum met')
    assert.equal(
      (await draft({ exclusions: [], minimumPercent: 80, targetPercent: 87 })).panel.performance[0]!.level,
      'target met',
    )
    assert.deepEqual(
      panel.breaches.map(({ measure, party, sentAt, cause }) => [measure, party, sentAt, cause]),
      [['batch', party.exact, '2026-10-14T09:00:00.000Z', 'batch 6: it waited, or was issued slowly']],
    )
  })

  it('tell of forecasts above 150 % of the average month only where that is switched on', async () => {
    assert.equal((await draft()).panel.aboveAverage, undefined)
    const { panel } = await draft({ averageMonthNotice: true })
    assert.deepEqual(panel.aboveAverage, [])
    office.turnTo('2026-10-30T09:00:00.000Z')
    const months = horizonOf('2026-10', 8).map(month => ({ month, single: 0, batch: 1650 }))
    await forecast(office.hands, office.settings, clerk, { party: party.below!, months })
    office.turnTo('2026-11-05T09:00:00.000Z')
    const [above, ...others] = (await draft({ averageMonthNotice: true })).panel.aboveAverage!
    assert.deepEqual(
      [above!.name, above!.sent, above!.forecast, above!.ofForecast],
      ['below & Co', 1099, 1650, '150.13 %'],
    )
    assert.deepEqual(others, [])
  })

  it('are kept once, octet for octet, with their digests in the journal; a correction is another version', async () => {
    const { hands, settings, store } = office
    await assert.rejects(reportMonth(hands, settings, clerk, '2026-11'), refusal('MONTH_NOT_OVER'))
    await assert.rejects(reportMonth(hands, settings, clerk, '2026-13'), refusal('MONTH_UNFIT'))
    await assert.rejects(reportOf(store, '2026-10', 'SEC Panel'), refusal('REPORT_UNKNOWN'))
    assert.equal((await reportMonth(hands, settings, 'schedule', '2026-10')).length, 6)
    assert.equal((await reportMonth(hands, settings, 'schedule', '2026-10')).length, 0)
    const kept = await reportOf(store, '2026-10', `party ${party.exact}`)
    assert.deepEqual([kept.version, kept.madeAt.toISOString()], [1, '2026-11-05T09:00:00.000Z'])
    const digests = async (act: string) => (await office.journal()).filter(one => one.act === act)
    const entries = await digests('make performance report')
    assert.equal(entries.length, 6)
    const [entry] = entries.filter(one => one.body.recipient === `party ${party.exact}`)
    assert.equal(entry!.body.sha256, createHash('sha256').update(kept.content).digest('hex'))
    assert.equal((await reportMonth(hands, settings, clerk, '2026-10', true)).length, 6)
    assert.equal((await reportOf(store, '2026-10', `party ${party.exact}`)).version, 2)
    assert.equal((await reportsKept(store, 'SEC Panel')).length, 2)
    const told = (await digests('notice')).filter(one => one.body.recipient === 'SEC Panel')
    assert.equal(told.length, 2)
  })

  it('are made once by two who try at the same time', async () => {
    const { hands, settings } = office
    const both = await Promise.all([1, 2].map(() => reportMonth(hands, settings, 'schedule', '2026-09')))
    assert.deepEqual(both.map(one => one.length).sort(), [0, 6])
  })

  it('are shown as a page, a spreadsheet and JSON, which say the same', async () => {
    const { content } = await reportOf(office.store, '2026-10', 'SEC Panel')
    assert.equal(rendered(content, 'json'), `${content}\n`)
    const csv = readCsv(rendered(content, 'csv'))
    const html = rendered(content, 'html')
    assert.deepEqual(csv[0], ['Month', '2026-10'])
    assert.ok(csv.some(row => row.join('|') === `${party.exact}|exact & Co|1101|1000|110.10 %`))
    assert.ok(html.includes('<h1>SMKI demand and performance, October 2026</h1>'))
    assert.ok(html.includes(`<td>exact &#38; Co</td><td>1101</td><td>1000</td><td>110.10 %</td>`))
    assert.ok(html.includes(createHash('sha256').update(content).digest('hex')))
    // The chart is well-formed by another's reading, and says its figures to who does not see it.
    const [svg] = /<svg[\s\S]*<\/svg>/.exec(html)!
    const chart = XmlDocument.fromString(svg)
    assert.match(chart.get('//*[local-name()="title"]')!.content, /2026-10: 2209 sent, 2000 forecast/)
    assert.equal(chart.find('//*[local-name()="rect"]').length, 1)
    chart.dispose()
    assert.ok(!/<script|src=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(html), 'it needs nothing else')
    const own = rendered((await reportOf(office.store, '2026-10', `party ${party.exact}`)).content, 'html')
    assert.ok(own.includes('At or above 110 %') && own.includes('To: exact &#38; Co.'))
    assert.ok(!own.includes('below'), 'one Party sees nothing of another')
  })

  it('do nothing with what people wrote but show it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const [[read]] = readCsv(`${cell(text)},\r\n`) as [[string]]
        assert.equal(read.replace(/^'(?=[=+\-@\t\r])/, ''), text.replace(/^'(?=[=+\-@\t\r])/, ''))
        assert.ok(!/^[=+\-@\t\r]/.test(read))
        assert.ok(!/[<>"']/.test(escaped(text)))
      }),
    )
    assert.equal(cell('=HYPERLINK("x")'), `"'=HYPERLINK(""x"")"`)
    assert.equal(cell(-5), '-5')
  })
})
