/** A small chart as SVG: what was sent each month, as bars, beside what was forecast, as lines. No script, no fonts. */

import { escaped } from './escape.ts'
import type { Past } from './report.ts'

const width = 640
const height = 180
const margin = { top: 16, right: 8, bottom: 34, left: 64 }

/** @param title said to people who do not see it, with the figures of the last month */
export function chart(title: string, history: readonly Past[]): string {
  const most = history.reduce(
    (top, { sent, forecast }) => Math.max(top, sent, forecast === 'none' ? 0 : forecast),
    1,
  )
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom }
  const slot = inner.width / Math.max(1, history.length)
  const y = (value: number) => round(margin.top + inner.height - (value / most) * inner.height)
  const bars = history.map(({ month, sent, forecast }, i) => {
    const x = margin.left + i * slot
    const bar = `<rect x="${round(x + slot * 0.2)}" y="${y(sent)}" width="${round(slot * 0.6)}" height="${round(
      margin.top + inner.height - y(sent),
    )}" fill="#1d70b8"/>`
    const line =
      forecast === 'none'
        ? ''
        : `<line x1="${round(x + slot * 0.05)}" x2="${round(x + slot * 0.95)}" y1="${y(forecast)}" y2="${y(
            forecast,
          )}" stroke="#0b0c0c" stroke-width="2" stroke-dasharray="5 3"/>`
    const name = `<text x="${round(x + slot / 2)}" y="${height - margin.bottom + 16}" text-anchor="middle">${escaped(
      month.slice(2),
    )}</text>`
    return bar + line + name
  })
  const last = history.at(-1)
  const says = last
    ? `${title}. ${last.month}: ${last.sent} sent, ${last.forecast === 'none' ? 'no forecast' : `${last.forecast} forecast`}.`
    : `${title}. Nothing yet.`
  const base = margin.top + inner.height
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="11">` +
    `<title>${escaped(says)}</title>` +
    `<line x1="${margin.left}" x2="${width - margin.right}" y1="${base}" y2="${base}" stroke="#505a5f"/>` +
    `<text x="${margin.left - 6}" y="${margin.top + 4}" text-anchor="end">${most}</text>` +
    `<text x="${margin.left - 6}" y="${base}" text-anchor="end">0</text>` +
    `${bars.join('')}` +
    `<text x="${margin.left}" y="${height - 4}">bars: CSRs sent; dashed: forecast</text></svg>`
  )
}

const round = (value: number) => Math.round(value * 10) / 10
