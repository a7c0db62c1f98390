/** What is fuzzed: a reader of octets from outside, how its "no" looks, and where its inputs begin. */

import type { Bytes } from '../../src/ground/bytes.ts'

export interface Target {
  readonly name: string
  readonly says: string
  /** Which scripts' coverage guides, by their URL. */
  readonly watches: RegExp
  /** Longest input, in octets. */
  readonly longest: number
  /** Which mutators fit the octets, besides those that know nothing of them. */
  readonly form: 'der' | 'text' | 'octets'
  /** What inputs are made with: octets that a blind change would hardly find. */
  readonly words: readonly Bytes[]
  /** Good inputs to begin with. Those from outside are read where they lie, and may be missing. */
  seeds(): Promise<Buffer[]> | Buffer[]
  /** Reads, and writes again where there is a writer; throws `Broken` when that gives other octets. */
  read(octets: Buffer): void | Promise<void>
  /** The code of a "no" that the reader is allowed to say, or undefined: then it is a finding. */
  no(cause: unknown): string | undefined
}

/** A property that does not hold, though nothing was thrown by the reader itself. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

/** @throws Broken unless the octets are these */
export function same(written: Bytes, read: Bytes, what: string): void {
  if (Buffer.compare(written, read) === 0) return
  throw new Broken(`${what} comes back as ${Buffer.from(written).toString('hex').slice(0, 200)}`)
}
