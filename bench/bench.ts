/** What a benchmark is to the program that runs it. */

import type { Promised } from './promised.ts'

export interface Context {
  /** Everything that the benchmark writes lies below; whoever made the folder removes it. */
  readonly folder: string
  /** Aborted when somebody wants us to stop: every process we started has to end, in order. */
  readonly signal: AbortSignal
  /** Says what is being done, to a person who waits. */
  readonly say: (text: string) => void
}

/** What `--json` prints. */
export type Figures = Readonly<Record<string, unknown>>

/** `--name 500` for a number, `--name` for a boolean, `--name text` for a string. */
export type Options = Readonly<Record<string, number | boolean | string>>

export interface Bench {
  readonly says: string
  /** The options by name, each with its default. */
  readonly options: Options
  /** Other defaults, for a run of seconds that shows that it works. */
  readonly quick: Options
  /** What the project promises of its figures. */
  readonly promises: readonly Promised<Figures>[]
  run(options: Options, context: Context): Promise<Figures>
  /** For people: rows of equally many cells. */
  table(figures: Figures): string[][]
}

/** Types of a bench are known where it is written; whoever runs it knows only that they fit together. */
export function bench<O extends Options, F extends Figures>(made: {
  readonly says: string
  readonly options: O
  readonly quick?: Partial<O>
  readonly promises?: readonly Promised<F>[]
  readonly run: (
    options: {
      readonly [name in keyof O]: O[name] extends number ? number : O[name] extends string ? string : boolean
    },
    context: Context,
  ) => Promise<F>
  readonly table: (figures: F) => string[][]
}): Bench {
  return { quick: {}, promises: [], ...made } as unknown as Bench
}

/** To so many digits behind the point: what lies beyond is noise. */
export function rounded(value: number, digits = 0): number {
  return Number(value.toFixed(digits))
}

export function eachRounded(figures: Readonly<Record<string, number>>, digits: number): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, rounded(figure, digits)]))
}

/** For people. */
export function shown(value: number, digits = 0): string {
  return value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The value below which that part of them lies. */
export function nth(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!
}
