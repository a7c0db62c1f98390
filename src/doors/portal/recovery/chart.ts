/** How many Devices are recovered by when, as SVG without script; the figures stand in a table beside it. */

import type { RecoveryReport } from '../../../rooms/recovery/report.ts'
import { howLong } from '../../../rooms/recovery/report.ts'
import { type Html, html } from '../frame/html.ts'
import { figure } from '../frame/words.ts'

const width = 720
const height = 240
const left = 80
const base = 200

/** Time runs from the notification; the dashed line is the number of Relevant Devices. Undefined before the first. */
export function curveChart(
  { event, curve, counts }: Pick<RecoveryReport, 'event' | 'curve' | 'counts'>,
  now: Date,
): Html | undefined {
  const all = Object.values(counts).reduce((a, b) => a + b, 0)
  if (curve.length === 0 || all === 0) return undefined
  const begin = event.notifiedAt.getTime()
  const end = Math.max((event.closedAt ?? now).getTime(), curve.at(-1)!.at.getTime(), begin + 60_000)
  const x = (at: Date) => (left + ((at.getTime() - begin) / (end - begin)) * (width - left - 20)).toFixed(1)
  const y = (count: number) => (base - (count / all) * (base - 24)).toFixed(1)
  // A step at each point: nothing was recovered in between.
  const line = curve.map(({ at, proven }) => `H${x(at)}V${y(proven)}`).join('')
  const title = `Devices recovered and proven since the notification: ${figure(counts.proven)} of ${figure(all)} after ${howLong(end - begin)}`
  return html`<figure class="govuk-!-margin-0 govuk-!-margin-bottom-6"><div class="portal-scroll" tabindex="0" role="region" aria-label="Chart of progress"><svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}." font-family="sans-serif" font-size="14" fill="#0b0c0c"><line x1="${left}" x2="${width - 20}" y1="${base}" y2="${base}" stroke="#484949"/><line x1="${left}" x2="${width - 20}" y1="${y(all)}" y2="${y(all)}" stroke="#484949" stroke-dasharray="6 3"/><text x="${left - 8}" y="28" text-anchor="end">${figure(all)}</text><text x="${left - 8}" y="${base}" text-anchor="end">0</text><text x="${left}" y="${base + 22}">notified</text><text x="${width - 20}" y="${base + 22}" text-anchor="end">${howLong(end - begin)}</text><path d="M${left} ${base}${line}H${width - 20}" fill="none" stroke="#1f4e5f" stroke-width="3"/></svg></div><figcaption class="govuk-body-s">${title}. The dashed line is all Relevant Devices.</figcaption></figure>`
}
