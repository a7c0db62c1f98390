/** A journal entry: one act in canonical JSON, the octets that the log commits to (docs/formats/journal.md). */

import { type Bytes, equal, view } from '../bytes.ts'

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

declare const canonical: unique symbol

/** The octets of one entry. `entry` alone makes them, so that nothing enters the log that cannot be read again. */
export type Entry = Buffer & { readonly [canonical]: true }

/** An entry read back: `body` holds every member but `act` and `at`. */
export interface Act {
  readonly act: string
  readonly at: Date
  readonly body: Readonly<Record<string, JsonValue>>
}

/** The length of an entry stands in 16 bits of an entry bundle (C2SP tlog-tiles, Log entries). */
export const longestEntry = 65_535

/** Deeper nesting than this is refused: an entry is a record of an act, and readers recurse. */
const deepest = 32

/** Octets claimed to be an entry that are not the canonical form of one. */
export class NotAnEntry extends Error {
  override readonly name = 'NotAnEntry'
}

/**
 * The canonical JSON (RFC 8785) of an act, of its instant (UTC, milliseconds) and of what else there is to say.
 * Octets and numbers beyond 2^53 stand in `body` as hexadecimal strings; large things and personal data stand as a
 * hash or a reference.
 * @throws RangeError for more than 65,535 octets, an act without a name, an instant outside the years 0000 to 9999, a
 * body that names `act` or `at`, or a value that is no string, whole number up to 2^53 - 1, boolean, null, array or
 * plain object of such.
 */
export function entry(act: string, at: Date, body: Readonly<Record<string, JsonValue>>): Entry {
  if (act === '') throw new RangeError('an entry names its act')
  if (Object.hasOwn(body, 'act') || Object.hasOwn(body, 'at'))
    throw new RangeError('act and at are not of the body')
  const octets = Buffer.from(write({ ...body, act, at: instant(at) }, 0))
  if (octets.length > longestEntry)
    throw new RangeError(`an entry of ${octets.length} octets, ${longestEntry} at most`)
  return octets as Entry
}

/** What an entry says. @throws NotAnEntry unless the octets are exactly what `entry` makes of what they say. */
export function readEntry(octets: Bytes): Act {
  try {
    const { act, at, ...body } = JSON.parse(view(octets).toString()) as Record<string, JsonValue>
    if (typeof act !== 'string' || typeof at !== 'string') throw new RangeError('no act, or no instant')
    const read: Act = { act, at: new Date(at), body }
    if (!equal(entry(read.act, read.at, read.body), octets)) throw new RangeError('not in canonical form')
    return read
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof RangeError || cause instanceof TypeError) {
      throw new NotAnEntry(`not a journal entry: ${cause.message}`, { cause })
    }
    throw cause
  }
}

function instant(at: Date): string {
  const text = at.toISOString()
  if (text.length !== 24) throw new RangeError(`${text} is outside the years 0000 to 9999`)
  return text
}

// JSON.stringify writes strings and whole numbers as RFC 8785 wants them (3.2.2 is taken from ECMAScript), and sort()
// compares UTF-16 code units (3.2.3). What it would pass over in silence or bend is refused instead: undefined, NaN,
// fractions, lone surrogates, toJSON.
function write(value: unknown, depth: number): string {
  if (depth > deepest) throw new RangeError(`nested deeper than ${deepest}`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number up to 2^53 - 1`)
    return JSON.stringify(value)
  }
  // Array.from, because map passes over holes.
  if (Array.isArray(value)) return `[${Array.from(value, item => write(item, depth + 1)).join()}]`
  if (!isPlain(value)) throw new RangeError(`${typeof value} has no place in an entry`)
  const members = Object.keys(value).sort()
  return `{${members.map(name => `${quoted(name)}:${write(value[name], depth + 1)}`).join()}}`
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('a string with half a surrogate pair')
  return JSON.stringify(text)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
