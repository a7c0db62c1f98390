/** Organisations with their standing, and the ranges of all of them drawn on one line. */

import { formOf, type Organisation, rangesInForce } from '../../../rooms/registration/party.ts'
import { readEui64, writeEui64 } from '../../../rooms/registration/ranges.ts'
import { standingOf } from '../../../rooms/registration/standing.ts'
import type { PortalWorld } from '../door.ts'
import { type Html, html } from '../frame/html.ts'
import { page } from '../frame/page.ts'
import { buttonLink, heading, link, paragraph, tag, warning } from '../frame/pieces.ts'
import { table } from '../frame/tables.ts'
import { count, eui64, onDay } from '../frame/words.ts'
import { csv } from './csv.ts'
import { kindWords, namesOf, standingTag } from './names.ts'
import { type Overlap, type Owned, overlapsOf, rangeLine } from './range-line.ts'
import { central } from './who.ts'

export const organisations = page({
  path: '/registration/organisations',
  title: 'Organisations',
  who: central,
  section: 'registration',
  says: 'applicants and Parties, their standing and their ranges of EUI-64s',
  async show({ door, visitor }) {
    const { all } = await namesOf(door.store)
    const standings = await Promise.all(all.map(one => standingOf(door.store, one.id)))
    const ranges = await rangesOf(door, all)
    const overlaps = overlapsOf(ranges)
    return html`${heading('Organisations', 'Registration Authority')}${visitor?.callers.length ? buttonLink('/registration/organisations/new', 'Receive a first form') : ''}${table(
      'Organisations',
      ['Organisation', 'Kind', 'Standing', 'Form', 'Registered'],
      all.map((one, i) => [
        link(`/registration/organisations/${one.id}`, one.tradingName),
        kindWords[one.kind],
        standingTag(standings[i]!.state),
        html`${one.formInForce ? `version ${one.formInForce}` : 'none in force'}${one.formSubmitted ? html` ${tag(`version ${one.formSubmitted} waits`, 'blue')}` : ''}`,
        onDay(one.registeredAt),
      ]),
      'No organisation is registered.',
    )}${drawn(ranges, overlaps)}${ranges.length === 0 ? '' : paragraph(link('/registration/ranges.csv', 'Export the ranges as CSV'))}`
  },
})

/** The line with its overlaps in words. */
export function drawn(ranges: readonly Owned[], overlaps: readonly Overlap[]): Html {
  if (ranges.length === 0) return paragraph('No range of EUI-64s is in force or asked for.')
  const name = (one: Owned) => `${one.owner}, ${one.userRole}${one.asked ? ' (asked for)' : ''}`
  return html`<h2 class="govuk-heading-m">Ranges of EUI-64 identifiers</h2>${overlaps.length > 0 ? warning(`${count(overlaps.length, 'overlap')}: an identifier belongs to one organisation and one User Role`) : ''}${rangeLine(ranges, overlaps)}${
    overlaps.length === 0
      ? ''
      : table(
          'Overlaps',
          ['One', 'Another', 'From', 'To'],
          overlaps.map(({ a, b, first, last }) => [
            name(a),
            name(b),
            eui64(writeEui64(first)),
            eui64(writeEui64(last)),
          ]),
          '',
        )
  }${table(
    'Ranges',
    ['Organisation', 'User Role', 'From', 'To', 'State'],
    ranges.map(one => [
      one.owner,
      one.userRole,
      eui64(writeEui64(one.first)),
      eui64(writeEui64(one.last)),
      one.asked ? 'asked for' : 'in force',
    ]),
    '',
  )}`
}

/** Those in force, and those of forms that wait. */
export async function rangesOf(
  { store }: Pick<PortalWorld, 'store'>,
  all: readonly Organisation[],
): Promise<Owned[]> {
  const found = await Promise.all(
    all.map(async ({ id, tradingName, formSubmitted }): Promise<Owned[]> => {
      const owned = { party: id, owner: tradingName }
      const inForce = (await rangesInForce(store, id)).map(one => ({ ...owned, ...one, asked: false }))
      if (formSubmitted === undefined) return inForce
      const { form } = await formOf(store, id, formSubmitted)
      const asked = form.userRoles.map(one => ({
        ...owned,
        userRole: one.userRole,
        first: readEui64(one.first),
        last: readEui64(one.last),
        asked: true,
      }))
      return [...inForce, ...asked]
    }),
  )
  return found.flat()
}

export const rangesCsv = page({
  path: '/registration/ranges.csv',
  title: 'Ranges as CSV',
  who: central,
  async show({ door }) {
    const { all } = await namesOf(door.store)
    const ranges = await rangesOf(door, all)
    return csv(
      'ranges.csv',
      ['party', 'organisation', 'user role', 'first', 'last', 'state'],
      ranges.map(one => [
        one.party,
        one.owner,
        one.userRole,
        writeEui64(one.first),
        writeEui64(one.last),
        one.asked ? 'asked for' : 'in force',
      ]),
    )
  },
})
