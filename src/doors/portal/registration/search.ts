/** Certificates found by Party, EUI-64 or serial number; what was found is exported, or requested to be revoked, at once. */

import { fromHex, toHex } from '../../../ground/bytes.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import { groundNames, grounds } from '../../../policy/revocation/grounds.ts'
import { authorities } from '../../../rooms/authority/register.ts'
import { findByEui64, findBySerials, type Lodged } from '../../../rooms/repository/find.ts'
import { certificatesOfParty } from '../../../rooms/revocation/party.ts'
import { requestRevocation } from '../../../rooms/revocation/request.ts'
import { input, select } from '../frame/fields.ts'
import { type Html, html, type Part } from '../frame/html.ts'
import { Faulty, page, type Visit } from '../frame/page.ts'
import { buttons, code, form as formHtml, heading, link, paragraph, searchForm, tag } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { officerAs } from '../frame/visitor.ts'
import { count, eui64, onDay } from '../frame/words.ts'
import { refuse } from '../refusals.ts'
import { kindOf, statusTag, usageOf } from '../repository/described.ts'
import { csv } from './csv.ts'
import { givenFields, readGiven } from './given.ts'
import { capital, namesOf, numberIn } from './names.ts'
import { central } from './who.ts'

/** More is for an export; it bounds what one page shows and what one request does. */
const mostShown = 200

/** @throws Faulty for what cannot be looked for */
async function find({ door, query, at }: Visit): Promise<Lodged[] | undefined> {
  const { store } = door
  const text = (query.text ?? '').replace(/[\s:-]/g, '').toLowerCase()
  const party = numberIn(query.party)
  if (text === '' && party === undefined) return undefined
  if (text === '') {
    const held = await certificatesOfParty(store, party!, at)
    const wanted = new Set(held.map(one => `${one.authority} ${one.serial}`))
    const found = await findBySerials(
      store,
      held.map(one => fromHex(one.serial)),
      at,
    )
    return found.filter(one => wanted.has(`${one.authority} ${toHex(one.serial)}`))
  }
  if (/^[0-9a-f]{32}$/.test(text)) return findBySerials(store, [fromHex(text)], at)
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new Faulty([
      { field: 'text', says: 'Enter an EUI-64 of 16 hexadecimal digits, or a serial number of 32' },
    ])
  const both = await Promise.all(
    (['organisation', 'device'] as const).map(family => findByEui64(store, fromHex(text), family, at)),
  )
  return both.flat()
}

export const search = page({
  path: '/registration/search',
  title: 'Search',
  who: central,
  section: 'registration',
  says: 'certificates, for an export or for a revocation of several at once',
  async show(visit) {
    let { faults } = visit
    let found: Lodged[] | undefined
    try {
      found = await find(visit)
    } catch (cause) {
      if (!(cause instanceof Faulty)) throw cause
      faults = [...faults, ...cause.faults]
    }
    return html`${heading('Search', 'Registration Authority')}${await searching(visit, faults)}${found === undefined ? '' : await results(visit, found)}`
  },
  async act(visit, form) {
    const ground = groundNames.find(one => one === form.text('ground'))
    const chosen = form.all('certificate').map(one => /^([1-9]\d{0,4}) ([0-9a-f]{32})$/.exec(one))
    if (chosen.some(one => one === null) || chosen.length > mostShown || !ground) throw refuse('FORM_UNFIT')
    if (chosen.length === 0) throw new Faulty([{ says: 'Choose the certificates first' }])
    const by = officerAs(visit.visitor, 'RA_PERSONNEL', 'RA_MANAGER', 'PMA_MEMBER')
    const given = readGiven(form, [], true)
    const rows: Part[][] = []
    let done = 0
    for (const [, authority, serial] of chosen as RegExpExecArray[]) {
      const certificate = { authority: Number(authority), serial: serial! }
      try {
        const opened = await requestRevocation(visit.door, by, { certificate, ground }, given)
        done++
        rows.push([
          code(serial!.toUpperCase()),
          tag('Requested', 'green'),
          link(`/registration/revocations/${opened.case}`, `Case ${opened.case}`),
        ])
      } catch (cause) {
        if (!(cause instanceof Refusal)) throw cause
        rows.push([code(serial!.toUpperCase()), tag('Not requested', 'red'), `${cause.message} (${cause.code})`])
      }
    }
    return html`${heading(`${count(done, 'revocation')} of ${chosen.length} requested`, 'Search')}${table('Result of each', ['Certificate', 'Result', 'Case, or why not'], rows, '')}${paragraph(link('/registration/tasks', 'Go to the tasks'))}`
  },
})

async function searching({ query, door }: Visit, faults: Visit['faults']): Promise<Html> {
  const names = await namesOf(door.store)
  const given = { given: query, faults }
  return searchForm(
    '/registration/search',
    html`${input(given, { name: 'text', label: 'EUI-64 or serial number', hint: '16 or 32 hexadecimal digits; hyphens, colons and spaces do no harm', type: 'search', code: true })}${select(
      given,
      {
        name: 'party',
        label: 'or every good certificate of an organisation',
        choices: [
          { value: '', text: 'Choose an organisation' },
          ...names.all.map(one => ({ value: String(one.id), text: one.tradingName })),
        ],
      },
    )}${buttons({ text: 'Search', kind: 'secondary' })}`,
  )
}

async function results(visit: Visit, found: readonly Lodged[]): Promise<Html> {
  const { door, query, visitor } = visit
  const issuers = new Map((await authorities(door.store)).map(one => [one.id, one.name]))
  const shown = found.slice(0, mostShown)
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''))
  const acts = (visitor?.callers.length ?? 0) > 0 && shown.some(revocable)
  const list = table(
    'Certificates',
    ['Serial number', 'What', 'EUI-64', 'Issuer', 'Status', 'Until', ...(acts ? ['Choose'] : [])],
    shown.map((one): Part[] => [
      code(toHex(one.serial).toUpperCase()),
      `${kindOf(one)}${one.usage === '-' ? '' : `, ${usageOf(one)}`}`,
      one.eui64 ? eui64(one.eui64) : '–',
      issuers.get(one.authority) ?? String(one.authority),
      statusTag(one.status),
      one.family === 'device' ? 'for ever' : onDay(new Date(readCertificate(one.der).notAfter.ms)),
      ...(acts ? [revocable(one) ? tick(one) : '–'] : []),
    ]),
    'No certificate was found.',
  )
  const above = paragraph(
    count(found.length, 'certificate'),
    found.length > shown.length ? `, of which ${shown.length} are shown` : '',
    '. ',
    found.length > 0 && link(`/registration/search.csv?${asked}`, 'Export them all as CSV'),
  )
  if (!acts) return html`${above}${list}`
  return html`${above}${formHtml(
    visit,
    html`${list}${select(visit, { name: 'ground', label: 'Ground of the revocation', choices: groundNames.map(value => ({ value, text: `${capital(value)}: ${grounds[value].says}` })) })}${givenFields(visit, [])}${buttons({ text: 'Request the revocation of the chosen', kind: 'warning' })}`,
    { to: `${visit.path}?${asked}` },
  )}`
}

const revocable = ({ family, status }: Lodged): boolean => family !== 'device' && status !== 'R' && status !== 'E'

function tick(one: Lodged): Html {
  const serial = toHex(one.serial)
  return html`<div class="govuk-checkboxes govuk-checkboxes--small"><div class="govuk-checkboxes__item"><input class="govuk-checkboxes__input" type="checkbox" id="c-${one.authority}-${serial}" name="certificate" value="${one.authority} ${serial}"><label class="govuk-label govuk-checkboxes__label" for="c-${one.authority}-${serial}"><span class="govuk-visually-hidden">Choose ${serial.toUpperCase()}</span></label></div></div>`
}

export const searchCsv = page({
  path: '/registration/search.csv',
  title: 'Search as CSV',
  who: central,
  async show(visit) {
    const found = await find(visit).catch(unfit)
    return csv(
      'certificates.csv',
      ['authority', 'serial', 'family', 'usage', 'role', 'eui64', 'status', 'issued', 'not after'],
      (found ?? []).map(one => [
        one.authority,
        toHex(one.serial),
        one.family,
        one.usage,
        one.role,
        one.eui64,
        one.status,
        one.issuedAt,
        one.family === 'device' ? 'for ever' : new Date(readCertificate(one.der).notAfter.ms),
      ]),
    )
  },
})

/** A file has no place for what is wrong with a field. */
function unfit(cause: unknown): never {
  throw cause instanceof Faulty ? refuse('FORM_UNFIT', cause.message) : cause
}
