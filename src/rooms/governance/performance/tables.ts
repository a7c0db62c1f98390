/** What a report says, as tables: the same for a page as for a spreadsheet. */

import type { Comparison, Listed, OwnReport, PanelReport } from './report.ts'

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export function tablesOf(report: OwnReport | PanelReport): Table[] {
  if (report.report === 'own') {
    return [comparison('CSRs for Device Certificates', report), history(report)]
  }
  const { total, listed, aboveAverage, forecasts, performance, measures, breaches, exclusions } = report
  return [
    comparison('CSRs for Device Certificates, all Authorised Subscribers', total),
    listing('At or above 110 % of the most recent forecast', listed, ['Sent', 'Forecast', 'Of forecast']),
    ...(aboveAverage
      ? [listing('Forecast above 150 % of the average month', aboveAverage, ['Average', 'Expected', 'Of average'])]
      : []),
    {
      title: 'Forecasts late or missing',
      head: ['Party', 'Name', 'Round', 'Due', 'State'],
      rows: forecasts.map(({ party, name, round, dueOn, state }) => [party, name, round, dueOn, state]),
    },
    {
      title: 'Code Performance Measures',
      head: ['Measure', 'Requests', 'In time', 'Per cent', 'Service level'],
      rows: performance.map(({ number, measured, within, percent, level }) => [
        number,
        measured,
        within,
        percent,
        level,
      ]),
    },
    {
      title: 'Response times',
      head: ['Request', 'Target', 'Requests', 'In time', 'Per cent', 'Excluded'],
      rows: measures.map(({ says, target, measured, within, percent, excluded }) => [
        says,
        target,
        measured,
        within,
        percent,
        excluded,
      ]),
    },
    {
      title: 'Requests beyond their target',
      head: ['Request', 'Channel', 'Party', 'Received', 'Sent', 'Cause'],
      rows: breaches.map(({ measure, channel, party, receivedAt, sentAt, cause }) => [
        measure,
        channel,
        party ?? '',
        receivedAt,
        sentAt ?? 'not yet',
        cause,
      ]),
    },
    {
      title: 'Not counted',
      head: ['Why', 'From', 'Until', 'Reference'],
      rows: exclusions.map(({ kind, from, until, reference }) => [kind, from, until, reference]),
    },
    history(report),
  ]
}

function comparison(title: string, { sent, forecast, ofForecast }: Comparison): Table {
  const row = (name: string, key: 'single' | 'batch' | 'total') => [
    name,
    sent[key],
    forecast === 'none' ? 'none' : forecast[key],
    ofForecast[key],
  ]
  return {
    title,
    head: ['', 'Sent', 'Forecast', 'Of forecast'],
    rows: [row('Single', 'single'), row('In batches', 'batch'), row('Total', 'total')],
  }
}

function listing(title: string, listed: readonly Listed[], columns: readonly string[]): Table {
  return {
    title,
    head: ['Party', 'Name', ...columns],
    rows: listed.map(({ party, name, sent, forecast, ofForecast }) => [party, name, sent, forecast, ofForecast]),
  }
}

function history(report: OwnReport | PanelReport): Table {
  return {
    title: 'Month by month',
    head: ['Month', 'Sent', 'Forecast'],
    rows: report.history.map(({ month, sent, forecast }) => [month, sent, forecast]),
  }
}
