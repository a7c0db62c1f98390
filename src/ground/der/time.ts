/** UTCTime and GeneralizedTime as RFC 5280 section 4.1.2.5 allows them: whole seconds, in UTC, ended by Z. */

import { type Bytes, view } from '../bytes.ts'
import { type Der, NotDer, tag } from './read.ts'
import { element } from './write.ts'

export interface Time {
  readonly form: 'UTCTime' | 'GeneralizedTime'
  /** As encoded, for example `251120093000Z`. */
  readonly text: string
  /** Milliseconds since 1970. A whole second. */
  readonly ms: number
}

/** No well-defined expiry (RFC 5280 4.1.2.5): the end of a Device Certificate. */
export const forever = Date.UTC(9999, 11, 31, 23, 59, 59)

export function readTime(der: Der, what: string): Time {
  const at = der.at
  const found = der.peek()
  if (found < 0) der.fail('truncated', `${what} is missing`)
  if (found !== tag.utcTime && found !== tag.generalizedTime) der.fail('tag', `${what} is not a time`)
  const content = der.content(found, what)
  const form = found === tag.utcTime ? 'UTCTime' : 'GeneralizedTime'
  // Lists hold times by the million, so no pattern is matched and no Date is made.
  const digits = form === 'UTCTime' ? 12 : 14
  let fits = content.length === digits + 1 && content[digits] === 0x5a
  for (let i = 0; fits && i < digits; i++) fits = content[i]! >= 0x30 && content[i]! <= 0x39
  if (!fits) throw new NotDer('time', `${what} is not a ${form} of whole seconds that ends in Z`, at)

  const text = view(content).toString('latin1')
  const month = two(content, digits - 10)
  const day = two(content, digits - 8)
  const hour = two(content, digits - 6)
  const minute = two(content, digits - 4)
  const second = two(content, digits - 2)
  // RFC 5280 4.1.2.5.1: two digits from 50 on are of the twentieth century.
  const written = two(content, 0)
  const year = form === 'UTCTime' ? (written < 50 ? 2000 : 1900) + written : written * 100 + two(content, 2)
  const real = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(month, year) && hour < 24 && minute < 60
  if (!real || second > 59) throw new NotDer('time', `${what} names an instant that does not exist: ${text}`, at)
  // Date.UTC moves the years 0 to 99 to the twentieth century; the calendar repeats itself after 400 years.
  const ms = Date.UTC(year + 400, month - 1, day, hour, minute, second) - 146_097 * 86_400_000
  return { form, text, ms }
}

const two = (digits: Bytes, at: number) => (digits[at]! - 0x30) * 10 + digits[at + 1]! - 0x30

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). @throws RangeError unless a whole second. */
export function writeTime(instant: Date): Buffer {
  if (instant.getTime() % 1000 !== 0) throw new RangeError('a certificate knows whole seconds only')
  const year = instant.getUTCFullYear()
  if (!(year >= 1950 && year <= 9999)) throw new RangeError('year out of range')
  const digits = instant.toISOString().replace(/[-:T]|\.000/g, '')
  return year < 2050
    ? element(tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(tag.generalizedTime, Buffer.from(digits, 'latin1'))
}
