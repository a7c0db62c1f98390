/** Which month a page is about, and the Panel's report of it: as it was kept, or as it would be made now. */

import { isMonth, type Month, monthIn, plusMonths } from '../../../policy/performance/zone.ts'
import type { PanelReport } from '../../../rooms/governance/performance/report.ts'
import { reportOf, reportsKept } from '../../../rooms/governance/performance/reports.ts'
import { draftMonth } from '../../../rooms/issuance/performance.ts'
import { select } from '../frame/fields.ts'
import type { Html } from '../frame/html.ts'
import { html } from '../frame/html.ts'
import type { Visit } from '../frame/page.ts'
import { buttons, searchForm } from '../frame/pieces.ts'
import { refuse } from '../refusals.ts'

/** Months that a page offers; older ones have their reports. */
const offered = 13

/** @throws Refusal NOTHING_THERE for a month that has not begun, or is none */
export function monthAsked({ query, door, at }: Visit): Month {
  const now = monthIn(at, door.settings.performance.zone)
  const month = query.month ?? now
  if (!isMonth(month) || month > now) throw refuse('NOTHING_THERE')
  return month
}

export interface Seen {
  readonly report: PanelReport
  /** Whether it was made and kept; else it is what there is so far. */
  readonly kept: boolean
  /** As it was kept: what its hash in the journal is of. */
  readonly content: string | undefined
}

/** The latest version for the SEC Panel. */
export async function panelReport({ door }: Visit, month: Month): Promise<Seen> {
  const kept = (await reportsKept(door.store, 'SEC Panel')).some(one => one.month === month)
  if (kept) {
    const { content } = await reportOf(door.store, month, 'SEC Panel')
    return { report: JSON.parse(content) as PanelReport, kept, content }
  }
  const drafts = await draftMonth(door, door.settings.performance, month)
  return { report: drafts.find((one): one is PanelReport => one.report === 'panel')!, kept, content: undefined }
}

/** A choice of months, the latest first. */
export function monthChoice(visit: Visit, to: string): Html {
  const { door, at } = visit
  const now = monthIn(at, door.settings.performance.zone)
  const choices = Array.from({ length: offered }, (_, i) => plusMonths(now, -i)).map(value => ({
    value,
    text: monthName(value),
  }))
  return searchForm(
    to,
    html`${select({ given: { month: monthAsked(visit) }, faults: [] }, { name: 'month', label: 'Month', choices })}${buttons({ text: 'Show', kind: 'secondary' })}`,
  )
}

const name = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })

/** `November 2026` */
export function monthName(month: Month): string {
  return name.format(new Date(`${month}-15T12:00:00Z`))
}
