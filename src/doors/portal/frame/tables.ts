/** Tables, lists of facts, and the pages of a long list. */

import { type Html, html, type Part } from './html.ts'

export interface Column {
  readonly name: string
  readonly numeric?: boolean
}

/**
 * The first cell of each row names the row. Wide ones scroll by themselves, by keyboard too.
 * @param empty what to say when there are no rows
 */
export function table(
  caption: string,
  columns: readonly (Column | string)[],
  rows: readonly (readonly Part[])[],
  empty: Part,
): Html {
  const all = columns.map(one => (typeof one === 'string' ? { name: one } : one))
  if (rows.length === 0) return html`<p class="govuk-body">${empty}</p>`
  const numeric = (i: number, of: string) => (all[i]?.numeric ? ` govuk-table__${of}--numeric` : '')
  return html`<div class="portal-scroll" tabindex="0" role="region" aria-label="${caption}"><table class="govuk-table"><caption class="govuk-table__caption govuk-table__caption--m">${caption}</caption><thead class="govuk-table__head"><tr class="govuk-table__row">${all.map(
    (one, i) => html`<th scope="col" class="govuk-table__header${numeric(i, 'header')}">${one.name}</th>`,
  )}</tr></thead><tbody class="govuk-table__body">${rows.map(
    row =>
      html`<tr class="govuk-table__row">${row.map((cell, i) =>
        i === 0
          ? html`<th scope="row" class="govuk-table__header">${cell}</th>`
          : html`<td class="govuk-table__cell${numeric(i, 'cell')}">${cell}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`
}

/** What is known of one thing. A fact that is not there is left out. */
export function facts(rows: readonly (readonly [name: string, value: Part])[]): Html {
  const there = rows.filter(([, value]) => value !== undefined && value !== null && value !== false)
  return html`<dl class="govuk-summary-list">${there.map(
    ([name, value]) =>
      html`<div class="govuk-summary-list__row"><dt class="govuk-summary-list__key">${name}</dt><dd class="govuk-summary-list__value">${value}</dd></div>`,
  )}</dl>`
}

/** Earlier and later parts of a list. @param to the address of the part of that number, from 1 */
export function pagination(now: number, hasMore: boolean, to: (part: number) => string): Html | undefined {
  if (now === 1 && !hasMore) return undefined
  const arrow = (rel: 'prev' | 'next', text: string, address: string) =>
    html`<div class="govuk-pagination__${rel}"><a class="govuk-link govuk-pagination__link" href="${address}" rel="${rel}"><span class="govuk-pagination__link-title">${text}<span class="govuk-visually-hidden"> page</span></span></a></div>`
  return html`<nav class="govuk-pagination" aria-label="Pagination">${now > 1 ? arrow('prev', 'Previous', to(now - 1)) : ''}${hasMore ? arrow('next', 'Next', to(now + 1)) : ''}</nav>`
}

/** The part of a list that the address asks for: 1 unless it says a number. */
export function partAsked(query: Readonly<Record<string, string>>): number {
  return /^[1-9]\d{0,5}$/.test(query.part ?? '') ? Number(query.part) : 1
}
