/** Figures and reviews of governance, in a browser: performance, forecasts, the report to the Panel, and reviews that are due. */
// biome-ignore-all lint/performance/useDomNodeTextContent: pages are read as people see them, cells and lines apart

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { horizonOf } from '../../src/policy/performance/rounds.ts'
import { monthIn, plusMonths } from '../../src/policy/performance/zone.ts'
import { collector } from '../../src/rooms/governance/performance/collect.ts'
import { submitForecast } from '../../src/rooms/governance/performance/forecasts.ts'
import { reportOf } from '../../src/rooms/governance/performance/reports.ts'
import { putUnderReview } from '../../src/rooms/governance/reviews.ts'
import { reportMonth } from '../../src/rooms/issuance/performance.ts'
import { hasBrowser } from './browser.ts'
import { type BackOffice, type Desk, openBackOffice } from './registration-scene.ts'

const markup = `"><script>document.title='run'</script><img src=x onerror="document.title='run'">'&amp;`
const dayMs = 86_400_000

describe('the figures of governance', { skip: !hasBrowser && 'no browser is installed' }, () => {
  let here: BackOffice
  let member: Desk
  before(async () => {
    here = await openBackOffice()
    // The Members are in office for some minutes.
    here.office.pass(10 * 60_000)
    await come()
  })
  after(() => here?.close())

  /** Sessions last five minutes. */
  async function come(): Promise<void> {
    await member?.context.close()
    member = await here.enter('pma-member-1')
  }
  const summary = (desk: Desk) => desk.page.locator('.govuk-error-summary').innerText()
  const clean = async (desk: Desk) => {
    assert.equal(await desk.page.locator('main script, main img').count(), 0)
    assert.notEqual(await desk.page.title(), 'run')
  }

  it('hold performance against its targets, and name what missed them', async () => {
    const { store, clock } = here.hands
    const zone = here.settings.performance.zone
    const samples = collector(store, 'a test', zone)
    const now = clock().getTime()
    const party = await here.party('import-supplier')
    for (let i = 0; i < 60; i++) {
      const received = now - 3_600_000 + i * 1000
      samples.measure({
        channel: 'ADHOC_WS',
        party,
        received,
        sent: received + (i < 3 ? 40_000 : 900),
        outcome: 'sent',
      })
      samples.measure({ channel: 'REPOSITORY', party, received, sent: received + 20, outcome: 'sent' })
    }
    await samples.flush()
    await member.go('/governance/performance')
    const text = await member.text()
    assert.match(text, /Target missed/)
    assert.match(text, /Repository request\s+3 seconds\s+60\s+60\s+100\.00 % Target met/)
    assert.equal(
      await member.page.locator('tr', { hasText: 'Test Import Supplier' }).count(),
      3,
      'each that was late',
    )
    assert.match(
      (await member.page.locator('svg[role="img"]').getAttribute('aria-label')) ?? '',
      /Repository request: 100 against 99/,
    )
    await member.judge('performance')
  })

  it('hold what was sent against forecasts, and report the month to the Panel as files', async () => {
    const { hands, settings } = here
    const rules = settings.performance
    const by = (await here.officer('pma-member-1')).person
    const party = await here.party('import-supplier')
    const forecast = async (single: number) => {
      const months = horizonOf(monthIn(hands.clock(), rules.zone), rules.forecastMonths).map(month => ({
        month,
        single,
        batch: 1000,
      }))
      await submitForecast(hands, rules, by, { party, months })
    }
    await forecast(10)
    here.office.pass(32 * dayMs)
    await come()
    const month = monthIn(hands.clock(), rules.zone)
    const samples = collector(hands.store, 'another', rules.zone)
    const received = hands.clock().getTime() - 60_000
    for (let i = 0; i < 1200; i++)
      samples.measure({
        channel: 'ADHOC_WS',
        party,
        received: received + i,
        sent: received + i + 10,
        outcome: 'sent',
      })
    await samples.flush()
    await member.go('/governance/forecasts')
    // 1,200 sent, 1,010 forecast.
    assert.match(
      await member.page.locator('tr', { hasText: 'Test Import Supplier' }).first().innerText(),
      /1,200\s+1,010\s+118\.81 %/,
    )
    await member.judge('forecasts and actuals')
    await member.go('/governance/panel-report')
    assert.match(await member.text(), /It is not made yet/)
    await member.judge('a report so far')

    here.office.pass(31 * dayMs)
    await come()
    await reportMonth(hands, rules, 'schedule', month)
    await member.go(`/governance/panel-report?month=${month}`)
    const { content } = await reportOf(hands.store, month, 'SEC Panel')
    assert.ok((await member.text()).includes(createHash('sha256').update(content).digest('hex')))
    await member.judge('a report')
    const json = await member.page.request.get(`/governance/panel-report/${month}/json`)
    assert.equal((await json.text()).trim(), content)
    for (const format of ['csv', 'html'])
      assert.match(
        await (await member.page.request.get(`/governance/panel-report/${month}/${format}`)).text(),
        /Test Import Supplier/,
      )
    assert.equal((await member.page.request.get(`/governance/panel-report/${month}/exe`)).status(), 404)
    await member.go('/governance/panel-report')
    await member.go(`/governance/performance?month=${month}`)
    assert.match(await member.text(), /As reported to the SEC Panel/)
    await member.judge('performance as it was reported')
    assert.equal(await member.go(`/governance/performance?month=${plusMonths(month, 12)}`), 404)
    assert.equal(await member.go('/governance/performance?month=%22%3E%3Cscript%3E'), 404)
    // Forecasts that nobody sent are missing once they were due.
    await member.go('/governance/forecasts')
    assert.match(await member.text(), /Missing/)
    await member.judge('missing forecasts')
  })

  it('say which review of the risk of symmetric keys is due, and record it', async () => {
    const by = (await here.officer('pma-member-1')).person
    await putUnderReview(here.hands, by, { subject: 'risk:DCO', everyMonths: 60, lastOn: '2021-12-10' })
    await putUnderReview(here.hands, by, { subject: 'risk:S1SP FOC', everyMonths: 60, lastOn: '2026-01-10' })
    await member.go('/governance/reviews')
    assert.match(await member.text(), /1 review is overdue/)
    assert.match(
      await member.page.locator('tbody tr').first().innerText(),
      /DCO\s+10 December 2021\s+Overdue 10 December 2026/,
    )
    await member.judge('reviews, one of them overdue')
    await member.press('Record the review')
    assert.match(
      await summary(member),
      /Enter the day[\s\S]*Enter what was found[\s\S]*Enter where the evidence lies/,
    )
    await member.judge('a review with all that is missing')
    await member.page.getByLabel('Of', { exact: true }).selectOption('risk:DCO')
    await member.page.getByLabel('Day of the review').fill('2027-01-05')
    await member.page.getByLabel('What was found').fill(markup)
    await member.page.getByLabel('Evidence').fill('archive 7')
    await member.press('Record the review')
    assert.match(await member.text(), /The review is recorded/)
    assert.doesNotMatch(await member.text(), /overdue/)
    await clean(member)
  })

  it('have met no fault of ours', () => {
    assert.deepEqual(
      here.log.filter(line => line.includes('a page met a fault')),
      [],
    )
  })
})
