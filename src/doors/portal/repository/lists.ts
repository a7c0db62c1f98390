/** CRLs and ARLs: the current one of each authority, its entries a hundred at a time, and every version to download. */

import { fromHex, toHexUpper } from '../../../ground/bytes.ts'
import { reasonCodes } from '../../../ground/x509/extensions.ts'
import { type AuthorityRecord, authorities } from '../../../rooms/authority/register.ts'
import { countOfList, entriesOfList, listDer, listVersions } from '../../../rooms/repository/list-entries.ts'
import { currentIntervals, type ListInterval } from '../../../rooms/repository/lists.ts'
import { input } from '../frame/fields.ts'
import { html } from '../frame/html.ts'
import { page, type Visit } from '../frame/page.ts'
import {
  buttonLink,
  buttons,
  code,
  heading,
  link,
  paragraph,
  searchForm,
  subheading,
  tag,
} from '../frame/pieces.ts'
import { facts, table } from '../frame/tables.ts'
import { atTime, count, figure, size } from '../frame/words.ts'
import { refuse } from '../refusals.ts'

const repository = { who: 'signed in', section: 'repository' } as const

export const listsPage = page({
  ...repository,
  path: '/repository/lists',
  title: 'Revocation lists',
  says: 'See and download the CRLs and ARLs in force.',
  async show({ door, at }) {
    const [all, lists] = await Promise.all([authorities(door.store), currentIntervals(door.store)])
    return html`${heading('Revocation lists')}
${paragraph('A Certificate Revocation List (CRL) names Certificates of subscribers; an Authority Revocation List (ARL) names those of authorities.')}
${table(
  'Lists in force',
  ['List', 'Authority', { name: 'Number', numeric: true }, 'Made', 'Next one due by', 'State'],
  lists.map(one => [
    link(`/repository/lists/${one.authority}`, one.name),
    all.find(authority => authority.id === one.authority)?.part,
    figure(one.number),
    atTime(one.thisUpdate),
    atTime(one.nextUpdate),
    one.nextUpdate > at ? tag('In force', 'green') : tag('Run out', 'red'),
  ]),
  'No list was made in this environment yet.',
)}`
  },
})

/** On one page: a list of a million entries has ten thousand of them, and each opens as quickly as the first. */
const atOnce = 100

const counts = new Map<string, Promise<number>>()

export const listPage = page({
  ...repository,
  path: '/repository/lists/:authority',
  title: 'Revocation list',
  async show(visit) {
    const { door, query } = visit
    const { list, authority } = await asked(visit)
    const text = (query.from ?? '').replace(/[\s:-]/g, '')
    const fits = /^[0-9a-fA-F]{1,32}$/.test(text)
    const faults =
      text === '' || fits
        ? []
        : [{ field: 'from', says: 'Enter the serial number, or how it begins, in hexadecimal digits.' }]
    const from = fits ? fromHex(text.padEnd(32, '0')) : undefined
    const [entries, versions, total] = await Promise.all([
      entriesOfList(door.store, list, atOnce + 1, from),
      listVersions(door.store, list.authority, 20),
      remembered(door, list),
    ])
    const next = entries[atOnce]
    const here = `/repository/lists/${list.authority}`
    return {
      title: list.name,
      body: html`${heading(list.name, authority?.part)}
${facts([
  ['Number', figure(list.number)],
  ['Made', atTime(list.thisUpdate)],
  ['Next one due by', atTime(list.nextUpdate)],
  ['Entries', figure(total)],
])}
<div class="govuk-button-group">${buttonLink(`${here}/${list.number}.crl`, 'Download the list', true)}</div>
${subheading('Entries')}
${total === 0 ? paragraph('Nothing has been revoked that this list would name.') : searchForm(here, html`${input({ given: query, faults }, { name: 'from', label: 'Serial number, or how it begins', hint: 'The entries are shown from there on.', code: true })}${buttons({ text: 'Show', kind: 'secondary' })}`)}
${
  total === 0
    ? ''
    : table(
        `Entries by serial number${from ? `, from ${toHexUpper(from).slice(0, 8)}…` : ''}`,
        ['Serial number', 'Revoked', 'Reason'],
        entries
          .slice(0, atOnce)
          .map(one => [
            html`<a class="govuk-link" href="/repository/certificates/${list.authority}/${toHexUpper(one.serial)}">${code(toHexUpper(one.serial))}</a>`,
            atTime(one.at),
            (reasonCodes[one.reason] ?? 'no reason is given').replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase(),
          ]),
        'There are no entries from there on.',
      )
}
${next ? paragraph(link(`${here}?from=${toHexUpper(next.serial)}`, `The next ${atOnce} entries`)) : ''}
${table(
  'The newest versions',
  [{ name: 'Number' }, 'Lodged', 'Made', 'Held until', { name: 'Size', numeric: true }],
  versions.map(one => [
    link(`${here}/${one.number}.crl`, `${figure(one.number)} (DER)`),
    atTime(one.lodgedAt),
    atTime(one.thisUpdate),
    atTime(one.nextUpdate),
    size(one.octets),
  ]),
  '',
)}
${paragraph(link('/repository/lists', 'All lists'), ` (${count(versions.length, 'version')} shown)`)}`,
    }
  },
})

export const listFile = page({
  ...repository,
  path: '/repository/lists/:authority/:number.crl',
  title: 'List',
  async show({ door, params }) {
    const { authority = '', number = '' } = params
    if (!/^\d{1,5}$/.test(authority) || !/^[1-9]\d{0,17}$/.test(number)) throw refuse('NOTHING_THERE')
    const octets = await listDer(door.store, Number(authority), BigInt(number))
    if (!octets) throw refuse('NOTHING_THERE')
    return { name: `list-${authority}-${number}.crl`, type: 'application/pkix-crl', octets }
  },
})

/** Counted once for each list: what is on it does not change. */
function remembered({ store }: Visit['door'], list: ListInterval): Promise<number> {
  const key = `${list.authority} ${list.number} ${list.thisUpdate.getTime()}`
  const known = counts.get(key)
  if (known) return known
  if (counts.size > 100) counts.clear()
  const counted = countOfList(store, list)
  counts.set(key, counted)
  counted.catch(() => counts.delete(key))
  return counted
}

async function asked({
  door,
  params,
}: Visit): Promise<{ list: ListInterval; authority: AuthorityRecord | undefined }> {
  const [all, lists] = await Promise.all([authorities(door.store), currentIntervals(door.store)])
  const list = lists.find(one => String(one.authority) === params.authority)
  if (!list) throw refuse('NOTHING_THERE', 'that authority has no list')
  return { list, authority: all.find(one => one.id === list.authority) }
}
