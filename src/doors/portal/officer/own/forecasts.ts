/** An organisation's own forecasts of Device CSRs, and the monthly reports that were made to it. */

import { horizonOf } from '../../../../policy/performance/rounds.ts'
import { monthIn } from '../../../../policy/performance/zone.ts'
import { forecastsOf } from '../../../../rooms/governance/performance/forecasts.ts'
import { contentTypes, type Format, formats, rendered } from '../../../../rooms/governance/performance/render.ts'
import { reportOf, reportsKept } from '../../../../rooms/governance/performance/reports.ts'
import { forecast } from '../../../../rooms/issuance/performance.ts'
import { input } from '../../frame/fields.ts'
import { html } from '../../frame/html.ts'
import { Faulty, page, type Visit } from '../../frame/page.ts'
import { buttonLink, buttons, form, heading, link, paragraph } from '../../frame/pieces.ts'
import { table } from '../../frame/tables.ts'
import { officerAs } from '../../frame/visitor.ts'
import { atTime, figure } from '../../frame/words.ts'
import { refuse } from '../../refusals.ts'

const officer = { who: ['ARO', 'SRO'], part: 'PORTAL_DEVICE', section: 'officer' } as const

const name = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })
const monthName = (month: string) => name.format(new Date(`${month}-15T00:00:00Z`))

export const ownForecasts = page({
  ...officer,
  path: '/officer/forecasts',
  title: 'Your forecasts and monthly reports',
  says: 'Forecast how many Device CSRs you will send, and read your monthly reports.',
  async show({ door, visitor }) {
    const party = visitor!.party!
    const [forecasts, reports] = await Promise.all([
      forecastsOf(door.store, party, 5),
      reportsKept(door.store, `party ${party}`),
    ])
    return html`${heading('Your forecasts and monthly reports')}
${buttonLink('/officer/forecasts/new', 'Submit a forecast')}
${
  forecasts.length === 0
    ? paragraph('Your organisation has not submitted a forecast yet.')
    : forecasts.map(({ submittedAt, months }) =>
        table(
          `Forecast of ${atTime(submittedAt)}`,
          ['Month', { name: 'Single CSRs', numeric: true }, { name: 'CSRs in batches', numeric: true }],
          months.map(one => [monthName(one.month), figure(one.single), figure(one.batch)]),
          '',
        ),
      )
}
${table(
  'Monthly reports, newest first',
  ['Month', 'Made', { name: 'Version', numeric: true }, 'Download'],
  reports.map(one => [
    monthName(one.month),
    atTime(one.madeAt),
    String(one.version),
    formats.map(
      (format, i) =>
        html`${i > 0 ? ', ' : ''}${link(`/officer/reports/${one.month}.${format}`, html`${format.toUpperCase()}<span class="govuk-visually-hidden"> of ${monthName(one.month)}</span>`)}`,
    ),
  ]),
  'No monthly report was made to your organisation yet.',
)}`
  },
})

const monthsOf = ({ door, at }: Visit) => {
  const { zone, forecastMonths, forecastFrom } = door.settings.performance
  return horizonOf(monthIn(at, zone), forecastMonths, forecastFrom)
}

export const newForecast = page({
  ...officer,
  path: '/officer/forecasts/new',
  title: 'Submit a forecast',
  show(visit) {
    return html`${heading('Submit a forecast')}
${paragraph('How many Certificate Signing Requests for Device Certificates will your organisation send?')}
${form(
  visit,
  html`${monthsOf(visit).map(
    month =>
      html`<fieldset class="govuk-fieldset"><legend class="govuk-fieldset__legend govuk-fieldset__legend--s">${monthName(month)}</legend>${input(visit, { name: `single-${month}`, label: html`Single CSRs<span class="govuk-visually-hidden"> in ${monthName(month)}</span>`, inputmode: 'numeric', width: 10 })}${input(visit, { name: `batch-${month}`, label: html`CSRs in batches<span class="govuk-visually-hidden"> in ${monthName(month)}</span>`, inputmode: 'numeric', width: 10 })}</fieldset>`,
  )}${buttons({ text: 'Submit forecast' })}`,
)}`
  },
  async act(visit, sent) {
    const { door, visitor } = visit
    const read = (field: string) => {
      const text = sent.text(field).replace(/,/g, '')
      return /^\d{1,9}$/.test(text) ? Number(text) : undefined
    }
    const months = monthsOf(visit).map(month => ({
      month,
      single: read(`single-${month}`),
      batch: read(`batch-${month}`),
    }))
    const faults = months.flatMap(({ month, single, batch }) => [
      ...(single === undefined
        ? [{ field: `single-${month}`, says: `Enter a number of single CSRs for ${monthName(month)}, 0 or more.` }]
        : []),
      ...(batch === undefined
        ? [
            {
              field: `batch-${month}`,
              says: `Enter a number of CSRs in batches for ${monthName(month)}, 0 or more.`,
            },
          ]
        : []),
    ])
    if (faults.length > 0) throw new Faulty(faults)
    const by = officerAs(visitor, 'ARO', 'SRO')
    const whole = months.map(({ month, single, batch }) => ({ month, single: single!, batch: batch! }))
    await forecast(door, door.settings.performance, by.person, { party: by.party!, months: whole })
    return { to: '/officer/forecasts', says: 'Your forecast was received.' }
  },
})

export const ownReport = page({
  ...officer,
  path: '/officer/reports/:file',
  title: 'Monthly report',
  async show({ door, visitor, params }) {
    const [, month, format] = /^(\d{4}-\d{2})\.(html|csv|json)$/.exec(params.file ?? '') ?? []
    if (month === undefined) throw refuse('NOTHING_THERE')
    const { content } = await reportOf(door.store, month, `party ${visitor!.party}`)
    return {
      name: `report-${month}.${format}`,
      type: contentTypes[format as Format],
      octets: rendered(content, format as Format),
    }
  },
})
