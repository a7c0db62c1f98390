/** Charts as SVG, without script: bars, and a line across each where there is something to hold it against. */

import { type Html, html } from '../frame/html.ts'
import { figure } from '../frame/words.ts'

export interface Bar {
  readonly name: string
  readonly value: number
  /** What was expected, or asked for. */
  readonly against?: number | undefined
}

const width = 720
const height = 240
const left = 80
const bottom = 40

/**
 * The figures stand in a table beside it: the chart is for those who see, and says of itself what it shows.
 * @param most the top of the scale; by default the largest value
 */
export function barChart(
  title: string,
  bars: readonly Bar[],
  legend: { readonly bars: string; readonly line: string },
  most?: number,
): Html | undefined {
  if (bars.length === 0) return undefined
  const top = most ?? Math.max(1, ...bars.flatMap(one => [one.value, one.against ?? 0]))
  const slot = (width - left - 10) / bars.length
  const base = height - bottom
  const y = (value: number) => (base - (Math.min(value, top) / top) * (base - 16)).toFixed(1)
  const drawn = bars.map(({ name, value, against }, i) => {
    const x = left + i * slot
    const line =
      against === undefined
        ? ''
        : html`<line x1="${(x + slot * 0.08).toFixed(1)}" x2="${(x + slot * 0.92).toFixed(1)}" y1="${y(against)}" y2="${y(against)}" stroke="#ffffff" stroke-width="7"/><line x1="${(x + slot * 0.08).toFixed(1)}" x2="${(x + slot * 0.92).toFixed(1)}" y1="${y(against)}" y2="${y(against)}" stroke="#0b0c0c" stroke-width="3" stroke-dasharray="6 3"/>`
    return html`<rect x="${(x + slot * 0.2).toFixed(1)}" y="${y(value)}" width="${(slot * 0.6).toFixed(1)}" height="${(base - Number(y(value))).toFixed(1)}" fill="#1f4e5f"/>${line}<text x="${(x + slot / 2).toFixed(1)}" y="${base + 18}" text-anchor="middle">${name}</text>`
  })
  const said = bars
    .map(
      ({ name, value, against }) =>
        `${name}: ${figure(value)}${against === undefined ? '' : ` against ${figure(against)}`}`,
    )
    .join('; ')
  return html`<figure class="govuk-!-margin-0 govuk-!-margin-bottom-6"><div class="portal-scroll" tabindex="0" role="region" aria-label="Chart: ${title}"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}. ${said}." font-family="sans-serif" font-size="14" fill="#0b0c0c"><line x1="${left}" x2="${width - 10}" y1="${base}" y2="${base}" stroke="#484949"/><text x="${left - 8}" y="24" text-anchor="end">${figure(top)}</text><text x="${left - 8}" y="${base}" text-anchor="end">0</text>${drawn}</svg></div><figcaption class="govuk-body-s">${title}. Bars: ${legend.bars}. Dashed lines: ${legend.line}.</figcaption></figure>`
}
