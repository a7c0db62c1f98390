/** Something to open when it is wanted; it is open already when what was entered in it was refused. */

import { type Html, html, type Part } from '../frame/html.ts'
import type { Visit } from '../frame/page.ts'

/** @param fields those that are in it */
export function openable(
  visit: Pick<Visit, 'faults' | 'given'>,
  summary: string,
  fields: readonly string[],
  content: Part,
): Html {
  const { faults, given } = visit
  const open =
    faults.some(({ field }) => fields.includes(field ?? '')) ||
    (faults.length > 0 && fields.some(one => given[one]))
  return html`<details class="govuk-details"${open ? html` open` : ''}><summary class="govuk-details__summary"><span class="govuk-details__summary-text">${summary}</span></summary><div class="govuk-details__text">${content}</div></details>`
}
