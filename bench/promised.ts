/** Promises of the project as data: what, how much, and where the figure stands; and whether it was reached. */

import type { Figures } from './bench.ts'

/** Figures of the benchmarks that ran before in the same run, by name. */
export type Before = Readonly<Record<string, Figures | undefined>>

/** One promise, of the figures of one benchmark. */
export interface Promised<F> {
  readonly says: string
  readonly unit: string
  /** One of the two; neither where it only stands there to be compared with. */
  readonly atLeast?: number
  readonly atMost?: number
  /** Undefined when that run did not measure it. */
  readonly figure: (figures: F, before: Before) => number | undefined
  /** What was measured beside it in the same run, for people. */
  readonly beside?: (figures: F) => string | undefined
}

export type Verdict = 'pass' | 'short' | 'not measured' | 'for comparison'

export function verdictOf(
  { atLeast, atMost }: Pick<Promised<never>, 'atLeast' | 'atMost'>,
  figure?: number,
): Verdict {
  if (figure === undefined || Number.isNaN(figure)) return 'not measured'
  if (atLeast === undefined && atMost === undefined) return 'for comparison'
  if (atLeast !== undefined && figure < atLeast) return 'short'
  return atMost !== undefined && figure > atMost ? 'short' : 'pass'
}

/** Rows of the table of promises: what, to reach, reached, beside it, verdict. */
export function promisedRows<F>(
  name: string,
  promises: readonly Promised<F>[],
  figures: F | undefined,
  before: Before = {},
): string[][] {
  return promises.map(promise => {
    const { says, unit, atLeast, atMost } = promise
    const figure = figures === undefined ? undefined : promise.figure(figures, before)
    const bound = [
      atLeast === undefined ? '' : `≥ ${number(atLeast)}`,
      atMost === undefined ? '' : `≤ ${number(atMost)}`,
    ]
    return [
      name,
      says,
      bound.every(part => part === '') ? '' : `${bound.join('')} ${unit}`.trim(),
      figure === undefined ? '' : `${number(figure)} ${unit}`.trim(),
      (figures === undefined ? undefined : promise.beside?.(figures)) ?? '',
      verdictOf(promise, figure),
    ]
  })
}

export const promisedHead: readonly string[] = [
  'BENCH',
  'PROMISE',
  'TO REACH',
  'REACHED',
  'BESIDE IT, SAME RUN',
  '',
]

/** Three digits that matter, and no more behind the point than that. */
function number(value: number): string {
  const digits = Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.abs(value) || 1))))
  return value.toLocaleString('en-GB', { maximumFractionDigits: digits })
}
