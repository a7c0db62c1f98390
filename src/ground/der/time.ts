/** UTCTime and GeneralizedTime as RFC 5280 section 4.1.2.5 allows them: whole seconds, in UTC, ended by Z. */

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
  if (found !== tag.utcTime && found !== tag.generalizedTime) der.fail('tag', `${what} is not a time`)
  const text = Buffer.from(der.content(found, what)).toString('latin1')
  const form = found === tag.utcTime ? 'UTCTime' : 'GeneralizedTime'
  const parts = (
    form === 'UTCTime' ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text)
  if (!parts) throw new NotDer('time', `${what} is not a ${form} of whole seconds that ends in Z`, at)

  const [written, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  // RFC 5280 4.1.2.5.1: two digits from 50 on are of the twentieth century.
  const year = form === 'GeneralizedTime' ? written : written >= 50 ? 1900 + written : 2000 + written
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const real =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  if (!real) throw new NotDer('time', `${what} names an instant that does not exist: ${text}`, at)
  return { form, text, ms: date.getTime() }
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). @throws RangeError unless a whole second. */
export function writeTime(instant: Date): Buffer {
  if (instant.getTime() % 1000 !== 0) throw new RangeError('a certificate knows whole seconds only')
  const year = instant.getUTCFullYear()
  if (!(year >= 1950 && year <= 9999)) throw new RangeError('year out of range')
  const digits = `${instant.toISOString().replace(/[-:T]|\.000/g, '')}`
  return year < 2050
    ? element(tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(tag.generalizedTime, Buffer.from(digits, 'latin1'))
}
