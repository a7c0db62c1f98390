/** Ranges of EUI-64s drawn on a line, each organisation's below the other's, so that what overlaps is seen, and said. */

import { common, type Range, writeEui64 } from '../../../rooms/registration/ranges.ts'
import { type Html, html } from '../frame/html.ts'
import { count, eui64 } from '../frame/words.ts'

export interface Owned extends Range {
  readonly party: number
  readonly owner: string
  /** Of a form that waits for its approval. */
  readonly asked?: boolean
}

export interface Overlap {
  readonly a: Owned
  readonly b: Owned
  readonly first: bigint
  readonly last: bigint
}

/** Every pair that has something in common, found in one pass over the ranges in their order. */
export function overlapsOf(ranges: readonly Owned[]): Overlap[] {
  const sorted = ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  const found: Overlap[] = []
  let open: Owned[] = []
  for (const b of sorted) {
    open = open.filter(a => a.last >= b.first)
    for (const a of open) {
      // A version of a form takes the place of the one before it.
      if (a.party === b.party && a.asked !== b.asked) continue
      const both = common(a, b)
      if (both) found.push({ a, b, ...both })
    }
    open.push(b)
  }
  return found
}

const width = 960
const label = 210
const high = 26

/**
 * Not to scale: the space of 2^64 is nearly empty, so each place where a range begins or ends has the same distance to the
 * next. What overlaps is hatched, and stands in the table beside it.
 */
export function rangeLine(ranges: readonly Owned[], overlaps: readonly Overlap[]): Html {
  const ends = [...new Set(ranges.flatMap(one => [one.first, one.last + 1n]))].toSorted((a, b) => (a < b ? -1 : 1))
  const place = new Map(
    ends.map((end, i) => [end, label + ((width - label - 10) * i) / Math.max(1, ends.length - 1)]),
  )
  const rows = [...new Set(ranges.map(one => one.owner))]
  const y = (owner: string) => rows.indexOf(owner) * high + 8
  const height = rows.length * high + 30
  const bar = (one: Owned) => {
    const [from, to] = [place.get(one.first)!, place.get(one.last + 1n)!]
    return html`<rect x="${from.toFixed(1)}" y="${y(one.owner)}" width="${Math.max(3, to - from).toFixed(1)}" height="14" fill="${one.asked ? '#ffffff' : '#1f4e5f'}" stroke="#173b48" stroke-width="2"${one.asked ? html` stroke-dasharray="4 2"` : ''}><title>${one.owner}, ${one.userRole}: ${eui64(writeEui64(one.first))} to ${eui64(writeEui64(one.last))}${one.asked ? ', asked for' : ''}</title></rect>`
  }
  const hatch = ({ a, b, first, last }: Overlap) => {
    const [from, to] = [place.get(first)!, place.get(last + 1n)!]
    return [a, b].map(
      one =>
        html`<rect x="${from.toFixed(1)}" y="${y(one.owner) - 3}" width="${Math.max(4, to - from).toFixed(1)}" height="20" fill="url(#overlap)" stroke="#942514" stroke-width="2"/>`,
    )
  }
  const says =
    overlaps.length === 0
      ? 'No ranges overlap.'
      : `${count(overlaps.length, 'overlap')}, hatched; the table below names what overlaps.`
  return html`<figure class="govuk-!-margin-0 govuk-!-margin-bottom-6"><div class="portal-scroll" tabindex="0" role="region" aria-label="Ranges drawn on a line"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Ranges of ${rows.length} organisations in the order of their identifiers. ${says}"><defs><pattern id="overlap" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#ffffff"/><rect width="3" height="6" fill="#942514"/></pattern></defs>${rows.map(
    owner =>
      html`<text x="0" y="${y(owner) + 12}" font-size="14" font-family="sans-serif" fill="#0b0c0c">${owner.length > 27 ? `${owner.slice(0, 26)}…` : owner}</text><line x1="${label}" x2="${width - 10}" y1="${y(owner) + 7}" y2="${y(owner) + 7}" stroke="#a9bcc2"/>`,
  )}${ranges.map(bar)}${overlaps.map(hatch)}<text x="${label}" y="${height - 6}" font-size="13" font-family="sans-serif" fill="#484949">lower identifiers</text><text x="${width - 10}" y="${height - 6}" font-size="13" font-family="sans-serif" fill="#484949" text-anchor="end">higher identifiers</text></svg></div><figcaption class="govuk-body-s">In the order of their identifiers, not to scale. Filled: in force. Dashed: asked for. Hatched: overlapping. ${says}</figcaption></figure>`
}
