/** Search of the Repository: by identifier, serial number, issuer, key, role, status and dates. */

import { fromHex, toHexUpper } from '../../../ground/bytes.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { showName } from '../../../ground/x509/name.ts'
import type { Family } from '../../../policy/profile.ts'
import { roles } from '../../../policy/roles.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import type { Status } from '../../../rooms/repository/find.ts'
import { type Asked, type Found, type Place, search } from '../../../rooms/repository/search.ts'
import { input, select } from '../frame/fields.ts'
import { type Html, html, nothing } from '../frame/html.ts'
import { type Fault, page, type Visit } from '../frame/page.ts'
import { buttons, code, heading, link, paragraph, searchForm } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { eui64, figure, onDay } from '../frame/words.ts'
import { addressOf, familyChoices, kindOf, roleInWords, statusChoices, statusTag, usageOf } from './described.ts'

const atOnce = 25

export const searchPage = page({
  path: '/repository/certificates',
  title: 'Search for Certificates',
  says: 'Find Certificates by EUI-64, serial number, issuer, key, role, status or date.',
  who: 'signed in',
  section: 'repository',
  async show(visit) {
    const { door, query } = visit
    const all = await authorities(door.store)
    const { asked, place, faults } = readQuery(query, new Set(all.map(one => one.id)))
    const asks = Object.values(asked).some(one => one !== undefined)
    let results: Html = nothing
    if (faults.length === 0 && asks) {
      try {
        const found = await search(door.store, asked, visit.at, atOnce, place)
        results = shown(found, query)
      } catch (cause) {
        if (!(cause instanceof Refusal) || cause.code !== 'SEARCH_TOO_WIDE') throw cause
        faults.push({ says: cause.message })
      }
    }
    const asking = { given: query, faults }
    const any = { value: '', text: 'Any' }
    return {
      title: faults.length > 0 ? 'Error: Search for Certificates' : 'Search for Certificates',
      body: html`${faults.length === 0 ? '' : problems(faults)}${heading('Search for Certificates')}
${searchForm(
  '/repository/certificates',
  html`<div class="govuk-grid-row"><div class="govuk-grid-column-one-half">
${input(asking, { name: 'eui64', label: 'EUI-64', hint: '16 hexadecimal digits of a Device or an organisation, with hyphens or without', width: 20, code: true })}
${input(asking, { name: 'serial', label: 'Serial number', hint: '32 hexadecimal digits, or a decimal number', code: true })}
${input(asking, { name: 'key', label: 'Subject Key Identifier', hint: '16 hexadecimal digits', width: 20, code: true })}
${select(asking, { name: 'issuer', label: 'Issuer', choices: [any, ...all.map(one => ({ value: String(one.id), text: `${one.part}: ${showName(one.certificate.subject)}` }))] })}
</div><div class="govuk-grid-column-one-half">
${select(asking, { name: 'family', label: 'Kind of Certificate', choices: [any, ...familyChoices] })}
${select(asking, { name: 'role', label: 'Remote Party Role', choices: [any, ...roles.filter(one => one.endEntity).map(one => ({ value: String(one.code), text: `${roleInWords(one.code)} (${one.code})` }))] })}
${select(asking, { name: 'status', label: 'Status', choices: [any, ...statusChoices] })}
${input(asking, { name: 'from', label: 'Issued on or after', hint: 'For example, 20/11/2026', width: 10 })}
${input(asking, { name: 'until', label: 'Issued on or before', hint: 'For example, 27/11/2026', width: 10 })}
</div></div>${buttons({ text: 'Search' })}`,
)}
${results}`,
    }
  },
})

function shown({ certificates, next, looked }: Found, query: Visit['query']): Html {
  const further =
    looked === undefined
      ? ''
      : paragraph(
          `These are all among ${figure(looked)} Certificates that were looked at. There may be more among the older ones.`,
        )
  return html`${table(
    'Certificates, newest first',
    ['Serial number', 'Kind', 'EUI-64', 'Role', 'For', 'Status', 'Issued'],
    certificates.map(one => [
      html`<a class="govuk-link" href="${addressOf(one)}">${code(toHexUpper(one.serial))}</a>`,
      kindOf(one),
      one.eui64 === undefined ? 'none' : code(eui64(one.eui64)),
      one.role === undefined ? 'none' : roleInWords(one.role),
      usageOf(one) ?? 'other uses',
      statusTag(one.status),
      onDay(one.issuedAt),
    ]),
    looked === undefined
      ? 'No Certificate was found. Check what you entered, or say less.'
      : 'No such Certificate is among those that were looked at.',
  )}${further}${next ? paragraph(link(`/repository/certificates?${new URLSearchParams({ ...query, after: `${next.signing}.${next.position}` })}`, 'Older Certificates')) : ''}`
}

function problems(faults: readonly Fault[]): Html {
  return html`<div class="govuk-error-summary" data-module="govuk-error-summary"><div role="alert"><h2 class="govuk-error-summary__title">There is a problem</h2><div class="govuk-error-summary__body"><ul class="govuk-list govuk-error-summary__list">${faults.map(
    ({ field, says }) => html`<li>${field ? html`<a href="#${field}">${says}</a>` : says}</li>`,
  )}</ul></div></div></div>`
}

interface Query {
  readonly asked: Asked
  readonly place: Place | undefined
  readonly faults: Fault[]
}

function readQuery(query: Visit['query'], issuers: ReadonlySet<number>): Query {
  const faults: Fault[] = []
  const said = (field: string) => (query[field] ?? '').trim()
  const read = <T>(field: string, reading: (text: string) => T | undefined, says: string): T | undefined => {
    const text = said(field)
    if (text === '') return undefined
    const value = reading(text)
    if (value === undefined) faults.push({ field, says })
    return value
  }
  const hex = (digits: number) => (text: string) => {
    const plain = text.replace(/[\s:-]/g, '')
    return plain.length === digits && /^[0-9a-fA-F]+$/.test(plain) ? fromHex(plain) : undefined
  }
  const one =
    <T extends string>(of: readonly { readonly value: T }[]) =>
    (text: string) =>
      of.find(({ value }) => value === text)?.value
  const day = (text: string, add: number) => {
    const [, days, months, years] = /^(\d{1,2})[/. ](\d{1,2})[/. ](\d{4})$/.exec(text) ?? []
    if (days === undefined) return undefined
    const at = new Date(Date.UTC(Number(years), Number(months) - 1, Number(days)))
    // The 31st of February is no day, and not one of March.
    if (at.getUTCDate() !== Number(days) || at.getUTCMonth() !== Number(months) - 1) return undefined
    return new Date(at.getTime() + add)
  }
  const asked: Asked = {
    eui64: read('eui64', hex(16), 'Enter an EUI-64 of 16 hexadecimal digits, such as 02-D0-00-00-00-00-00-01.'),
    serial: read(
      'serial',
      text => hex(32)(text) ?? decimalSerial(text),
      'Enter a serial number of 32 hexadecimal digits, or a decimal number.',
    ),
    keyId: read('key', hex(16), 'Enter a Subject Key Identifier of 16 hexadecimal digits.'),
    authority: read(
      'issuer',
      text => (/^\d{1,5}$/.test(text) && issuers.has(Number(text)) ? Number(text) : undefined),
      'Choose one of the issuers.',
    ),
    family: read<Family>('family', one(familyChoices), 'Choose one of the kinds of Certificate.'),
    role: read(
      'role',
      text => roles.find(role => String(role.code) === text)?.code,
      'Choose one of the Remote Party Roles.',
    ),
    status: read<Status>('status', one(statusChoices), 'Choose one of the statuses.'),
    from: read('from', text => day(text, 0), 'Enter the first day as a date, such as 20/11/2026.'),
    until: read('until', text => day(text, 86_400_000), 'Enter the last day as a date, such as 20/11/2026.'),
  }
  const [, signing, position] = /^(\d{1,18})\.(\d{1,5})$/.exec(said('after')) ?? []
  const place = signing === undefined ? undefined : { signing: BigInt(signing), position: Number(position) }
  return { asked, place, faults }
}

/** As DUIS signatures name it. @returns 16 octets; undefined for what is no such number */
function decimalSerial(text: string): Uint8Array | undefined {
  if (!/^\d{1,39}$/.test(text)) return undefined
  const digits = BigInt(text).toString(16).padStart(32, '0')
  return digits.length === 32 ? fromHex(digits) : undefined
}
