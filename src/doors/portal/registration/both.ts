/** What is to be approved, as rows that a person can compare: what stands on record now beside what would stand there. */

import type { JsonValue } from '../../../ground/journal/entry.ts'
import { type Html, html, type Part } from '../frame/html.ts'

export interface Row {
  readonly name: string
  readonly value: string
}

/** Every value of it, under the names that lead to it: `user roles 1, first`. */
export function rowsOf(value: JsonValue | undefined, at: readonly string[] = []): Row[] {
  if (value === undefined || value === null) return at.length === 0 ? [] : [{ name: named(at), value: 'none' }]
  if (Array.isArray(value)) {
    const plain = value.every(one => typeof one !== 'object')
    if (plain) return [{ name: named(at), value: value.length === 0 ? 'none' : value.join(', ') }]
    return value.flatMap((one, i) => rowsOf(one, [...at, String(i + 1)]))
  }
  if (typeof value === 'object')
    return Object.entries(value).flatMap(([name, one]) => rowsOf(one, [...at, words(name)]))
  return [{ name: named(at), value: typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value) }]
}

function named(at: readonly string[]): string {
  const text = at.join(', ').replace(/, (\d+)/g, ' $1')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Names that people write otherwise. */
const known: Readonly<Record<string, string>> = {
  sha256: 'SHA-256',
  eui64: 'EUI-64',
  personal: 'commitment to the personal data (SHA-256)',
  request: 'SHA-256 of the CSR',
  key: 'SHA-256 of the key',
}

/** `contactNumber` as people write it; what is written in capitals stays so. */
function words(name: string): string {
  if (Object.hasOwn(known, name)) return known[name]!
  return name.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
}

/**
 * Two columns in one table, so that what belongs together stands in one line on a small screen too. A difference is said
 * in words.
 */
export function sideBySide(
  caption: string,
  heads: readonly [string, string],
  left: readonly Row[],
  right: readonly Row[],
): Html {
  const [before, after] = [
    new Map(left.map(one => [one.name, one.value])),
    new Map(right.map(one => [one.name, one.value])),
  ]
  const names = [...new Set([...right, ...left].map(one => one.name))]
  const cell = (content: Part) => html`<td class="govuk-table__cell">${content}</td>`
  return html`<div class="portal-scroll" tabindex="0" role="region" aria-label="${caption}"><table class="govuk-table"><caption class="govuk-table__caption govuk-table__caption--m">${caption}</caption><thead class="govuk-table__head"><tr class="govuk-table__row"><th scope="col" class="govuk-table__header">What</th><th scope="col" class="govuk-table__header">${heads[0]}</th><th scope="col" class="govuk-table__header">${heads[1]}</th><th scope="col" class="govuk-table__header">Difference</th></tr></thead><tbody class="govuk-table__body">${names.map(
    name => {
      const [was, is] = [before.get(name), after.get(name)]
      const says = was === is ? 'Same' : was === undefined ? 'New' : is === undefined ? 'Goes' : 'Changed'
      const seen = says === 'Same' ? says : html`<strong>${says}</strong>`
      return html`<tr class="govuk-table__row"><th scope="row" class="govuk-table__header">${name}</th>${cell(was ?? '–')}${cell(is ?? '–')}${cell(seen)}</tr>`
    },
  )}</tbody></table></div>`
}
