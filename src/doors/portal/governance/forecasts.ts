/** Forecasts against actuals, and who has not forecast yet. */

import { monthIn, plusMonths } from '../../../policy/performance/zone.ts'
import { mostRecentFor, type RoundState, roundStandings } from '../../../rooms/governance/performance/forecasts.ts'
import { deviceSubscribers } from '../../../rooms/issuance/performance.ts'
import { html, type Part } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { type Colour, heading, paragraph, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { figure, onDay } from '../frame/words.ts'
import { namesOf } from '../registration/names.ts'
import { barChart } from './chart.ts'
import { day } from './documents.ts'
import { monthAsked, monthChoice, monthName, panelReport } from './month.ts'
import { central } from './who.ts'

const states: Readonly<Record<RoundState, { says: string; colour: Colour }>> = {
  'in time': { says: 'In time', colour: 'green' },
  late: { says: 'Late', colour: 'yellow' },
  open: { says: 'Not yet', colour: 'blue' },
  missing: { says: 'Missing', colour: 'red' },
}

export const forecasts = page({
  path: '/governance/forecasts',
  title: 'Forecasts',
  who: central,
  section: 'governance',
  says: 'what Authorised Subscribers forecast against what they sent',
  async show(visit) {
    const { door, at } = visit
    const { performance: settings } = door.settings
    const month = monthAsked(visit)
    const subscribers = await deviceSubscribers(door.store)
    const [{ report }, recent, standings, names] = await Promise.all([
      panelReport(visit, month),
      mostRecentFor(door.store, month, settings),
      roundStandings(door.store, settings, subscribers, at),
      namesOf(door.store),
    ])
    const next = plusMonths(monthIn(at, settings.zone), 1)
    const coming = await mostRecentFor(door.store, next, { ...settings, mostRecentForecast: 'latest' })
    const { sent, forecast, ofForecast } = report.total
    const bars = report.history.map(one => ({
      name: one.month.slice(2),
      value: one.sent,
      against: one.forecast === 'none' ? undefined : one.forecast,
    }))
    return html`${heading(`Forecasts and actuals, ${monthName(month)}`, 'Governance')}${monthChoice(visit, '/governance/forecasts')}${table(
      'All Authorised Subscribers',
      [
        'CSRs for Device Certificates',
        { name: 'Sent', numeric: true },
        { name: 'Forecast', numeric: true },
        'Of forecast',
      ],
      (['single', 'batch', 'total'] as const).map(key => [
        key === 'single' ? 'Single' : key === 'batch' ? 'In batches' : 'Total',
        figure(sent[key]),
        forecast === 'none' ? 'none' : figure(forecast[key]),
        ofForecast[key],
      ]),
      '',
    )}${barChart('CSRs for Device Certificates, month by month', bars, { bars: 'sent', line: 'forecast' })}${table(
      'Month by month',
      ['Month', { name: 'Sent', numeric: true }, { name: 'Forecast', numeric: true }],
      report.history.map(one => [
        monthName(one.month),
        figure(one.sent),
        one.forecast === 'none' ? 'none' : figure(one.forecast),
      ]),
      'There is no month to show yet.',
    )}${table(
      'At or above 110 % of the most recent forecast',
      ['Party', { name: 'Sent', numeric: true }, { name: 'Forecast', numeric: true }, 'Of forecast'],
      report.listed.map((one): Part[] => [
        names.link(one.party),
        figure(one.sent),
        one.forecast === 'none' ? 'none' : figure(one.forecast),
        one.ofForecast,
      ]),
      'Nobody is to be listed to the SEC Panel.',
    )}${standings[0] ? paragraph(`The forecasts of the round of ${monthName(standings[0].round)} are due by ${day(standings[0].dueOn)}.`) : ''}${table(
      'Forecasts of this round',
      [
        'Party',
        'State',
        'Submitted',
        { name: `Forecast for ${monthName(month)}`, numeric: true },
        { name: `Forecast for ${monthName(next)}`, numeric: true },
      ],
      standings.map((one): Part[] => {
        const { says, colour } = states[one.state]
        const [now, then] = [recent.get(one.party), coming.get(one.party)]
        return [
          names.link(one.party),
          tag(says, colour),
          one.submittedAt ? onDay(one.submittedAt) : '–',
          now ? figure(now.single + now.batch) : 'none',
          then ? figure(then.single + then.batch) : 'none',
        ]
      }),
      'Nobody is expected to forecast in this round.',
    )}`
  },
})
