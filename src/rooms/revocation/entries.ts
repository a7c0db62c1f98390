/** The entries of a list, written straight into the octets that will be signed. */

import type { Bytes } from '../../ground/bytes.ts'

/** Octets of one entry: SEQUENCE { serial of 16 octets, UTCTime } and, with a reason, the reasonCode extension. */
export const entryLength = { plain: 35, withReason: 49 } as const

/** SEQUENCE OF { reasonCode, OCTET STRING { ENUMERATED } }; the last octet is the reason (RFC 5280 5.3.1). */
const reasonExtension = Buffer.from('300c300a0603551d1504030a0100', 'hex')

/**
 * A writer of entries, one after another from `at`. Serial numbers have 16 octets, the first 01 to 7F; the date is a
 * UTCTime, so it lies before 2050.
 * @throws RangeError on any other; on more entries than `octets` has room for
 */
export function entryWriter(
  octets: Buffer,
  from: number,
): { write(serial: Bytes, ms: number, reason: number): void; at(): number } {
  const days = new Map<number, Buffer>()
  let at = from
  return {
    write(serial, ms, reason) {
      const length = reason === 0 ? entryLength.plain : entryLength.withReason
      if (serial.length !== 16 || serial[0]! < 0x01 || serial[0]! > 0x7f)
        throw new RangeError('not a serial number of ours')
      if (at + length > octets.length) throw new RangeError('more entries than were counted')
      octets[at] = 0x30
      octets[at + 1] = length - 2
      octets[at + 2] = 0x02
      octets[at + 3] = 16
      octets.set(serial, at + 4)
      octets[at + 20] = 0x17
      octets[at + 21] = 13
      writeUtcTime(octets, at + 22, ms, days)
      if (reason !== 0) {
        octets.set(reasonExtension, at + entryLength.plain)
        octets[at + length - 1] = reason
      }
      at += length
    },
    at: () => at,
  }
}

const dayMs = 86_400_000

/** `YYMMDDHHMMSSZ`; the date part is remembered, for entries of one day come by the thousand. */
function writeUtcTime(octets: Buffer, at: number, ms: number, days: Map<number, Buffer>): void {
  const day = Math.floor(ms / dayMs)
  let date = days.get(day)
  if (!date) {
    const text = new Date(day * dayMs).toISOString()
    if (text < '1950' || text >= '2050') throw new RangeError('a revocation date outside UTCTime')
    date = Buffer.from(text.slice(2, 10).replaceAll('-', ''), 'latin1')
    days.set(day, date)
  }
  octets.set(date, at)
  const second = Math.floor((ms - day * dayMs) / 1000)
  twoDigits(octets, at + 6, Math.floor(second / 3600))
  twoDigits(octets, at + 8, Math.floor(second / 60) % 60)
  twoDigits(octets, at + 10, second % 60)
  octets[at + 12] = 0x5a
}

function twoDigits(octets: Buffer, at: number, value: number): void {
  octets[at] = 0x30 + Math.floor(value / 10)
  octets[at + 1] = 0x30 + (value % 10)
}
