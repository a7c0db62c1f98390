/** The chart of a report: how many Devices were recovered by when, as SVG that needs nothing else. */

import type { RecoveryReport } from './report.ts'
import { howLong } from './report.ts'

const width = 720
const height = 260
const left = 64
const right = 40
const top = 16
const bottom = 40

/** Steps between whole numbers that people read: 1, 2 or 5 times a power of ten; at most five of them. */
function tick(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most) / 4))
  return Math.max(1, [1, 2, 5, 10].map(one => one * power).find(step => most / step <= 5) ?? power * 10)
}

/** Times between marks that people read, in milliseconds: from ten minutes to four weeks. */
const times = [10, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 40_320].map(minutes => minutes * 60_000)

/** Time runs from the notification; the line across is the number of Relevant Devices. */
export function chartOf({ event, curve, counts }: Pick<RecoveryReport, 'event' | 'curve' | 'counts'>): string {
  const all = Object.values(counts).reduce((a, b) => a + b, 0)
  const begin = event.notifiedAt.getTime()
  const end = Math.max(curve.at(-1)?.at.getTime() ?? 0, begin + 60_000)
  const x = (at: number) => left + ((at - begin) / (end - begin)) * (width - left - right)
  const y = (count: number) => height - bottom - (count / Math.max(1, all)) * (height - top - bottom)
  const points = [{ at: event.notifiedAt, proven: 0 }, ...curve]
  // A step at each point: nothing was recovered in between.
  const line = points
    .map(
      ({ at, proven }, i) =>
        `${i === 0 ? 'M' : 'H'}${round(x(at.getTime()))}${i === 0 ? ` ${round(y(proven))}` : `V${round(y(proven))}`}`,
    )
    .join('')
  const step = tick(all)
  const rows = Array.from({ length: Math.floor(all / step) + 1 }, (_, i) => i * step)
  const apart = times.find(one => (end - begin) / one <= 6) ?? times.at(-1)!
  const columns = Array.from({ length: Math.floor((end - begin) / apart) + 1 }, (_, i) => begin + i * apart)
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="chart-title" xmlns="http://www.w3.org/2000/svg">`,
    `<title id="chart-title">Devices recovered and proven, by time since the notification: ${counts.proven} of ${all}</title>`,
    ...rows.map(
      count =>
        `<line x1="${left}" x2="${width - right}" y1="${round(y(count))}" y2="${round(y(count))}" stroke="#d8d8d8"/>` +
        `<text x="${left - 8}" y="${round(y(count) + 4)}" text-anchor="end">${count.toLocaleString('en-GB')}</text>`,
    ),
    ...columns.map(
      at => `<text x="${round(x(at))}" y="${height - 14}" text-anchor="middle">${howLong(at - begin)}</text>`,
    ),
    `<line x1="${left}" x2="${width - right}" y1="${round(y(all))}" y2="${round(y(all))}" stroke="#505a5f" stroke-dasharray="4 4"/>`,
    `<path d="${line}" fill="none" stroke="#1d70b8" stroke-width="2.5"/>`,
    '</svg>',
  ].join('\n')
}

const round = (value: number) => Number(value.toFixed(1))
