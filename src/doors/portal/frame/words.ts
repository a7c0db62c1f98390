/** Dates, numbers and octets as British readers write them. */

const zone = 'Europe/London'
const day = new Intl.DateTimeFormat('en-GB', { timeZone: zone, day: 'numeric', month: 'long', year: 'numeric' })
const hour = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: 'numeric', minute: '2-digit', hour12: true })
const number = new Intl.NumberFormat('en-GB')

/** `20 November 2026` */
export function onDay(at: Date): string {
  return day.format(at)
}

/** `20 November 2026 at 9:05am`, in the time of London. */
export function atTime(at: Date): string {
  return `${day.format(at)} at ${hour.format(at).replace(/\s/g, '')}`
}

/** `2,000` */
export function figure(n: number | bigint): string {
  return number.format(n)
}

/** `1 certificate`, `2,000 certificates` */
export function count(n: number | bigint, one: string, many = `${one}s`): string {
  return `${figure(n)} ${Number(n) === 1 ? one : many}`
}

/** An EUI-64 of 16 hexadecimal digits with hyphens: `02-D0-…`. */
export function eui64(digits: string): string {
  return digits.toUpperCase().replace(/(..)(?=.)/g, '$1-')
}

/** Hexadecimal digits in groups of four, which a reader can follow. */
export function grouped(digits: string): string {
  return digits.toUpperCase().replace(/(.{4})(?=.)/g, '$1 ')
}

/** `1.5 MB`; never more exact than a reader needs. */
export function size(octets: number): string {
  if (octets < 1000) return `${octets} bytes`
  if (octets < 1_000_000) return `${(octets / 1000).toFixed(octets < 10_000 ? 1 : 0)} kB`
  return `${(octets / 1_000_000).toFixed(1)} MB`
}

/** As a sentence of its own: rooms write theirs to stand after a code, and pages to stand in a list. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
