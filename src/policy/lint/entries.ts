/** The entries of a list, walked once: of each thing that a rule forbids, the first that was met. */

import { type Bytes, toBigInt, toHexUpper } from '../../ground/bytes.ts'
import { NotDer } from '../../ground/der/read.ts'
import type { Time } from '../../ground/der/time.ts'
import { readReasonCode, reasonCodes } from '../../ground/x509/extensions.ts'
import type { RevocationList } from '../../ground/x509/list.ts'
import { oidName, oids } from '../../ground/x509/names.ts'

export interface Entries {
  readonly count: number
  /** Each of these is the serial number of the first offender, and a word on it; undefined when there is none. */
  readonly outOfOrder: string | undefined
  readonly repeated: string | undefined
  readonly notPositive: string | undefined
  readonly criticalReason: string | undefined
  readonly unspecifiedReason: string | undefined
  readonly suspension: string | undefined
  readonly otherExtension: string | undefined
  /** Revocation dates whose form does not fit their year; at most the first. */
  readonly oddTime: Time | undefined
  /** Why a reason could not be read; the first is enough. */
  readonly fault: NotDer | undefined
}

/** Never throws: each entry was read once already, and an unreadable reason is kept as `fault`. */
export function entriesOf(list: RevocationList): Entries {
  const first: Partial<Record<keyof Entries, string>> = {}
  let count = 0
  let oddTime: Time | undefined
  let previous: bigint | undefined
  let fault: NotDer | undefined
  let seen: Set<string> | undefined

  for (const { serial, revokedAt, extensions } of list.entries()) {
    const text = toHexUpper(serial)
    const number = signed(serial)
    if (number <= 0n) first.notPositive ??= text
    if (previous !== undefined && number < previous) {
      first.outOfOrder ??= text
      // Serial numbers are remembered only for a list out of order: a long one stays cheap.
      seen ??= new Set(serialsBefore(list, count))
    }
    if (number === previous || seen?.has(text)) first.repeated ??= text
    seen?.add(text)
    previous = number
    if (!oddTime && oddForm(revokedAt)) oddTime = revokedAt

    for (const { oid, critical, value } of extensions) {
      if (oid !== oids.reasonCode) {
        first.otherExtension ??= `${text}: ${oidName(oid)}`
        continue
      }
      if (critical) first.criticalReason ??= text
      const reason = readReason(value)
      if (reason instanceof NotDer) fault ??= reason
      else if (reason === 0) first.unspecifiedReason ??= text
      else if (reason === 6 || reason === 8) first.suspension ??= `${text}: ${reasonCodes[reason]}`
    }
    count++
  }
  return {
    count,
    outOfOrder: first.outOfOrder,
    repeated: first.repeated,
    notPositive: first.notPositive,
    criticalReason: first.criticalReason,
    unspecifiedReason: first.unspecifiedReason,
    suspension: first.suspension,
    otherExtension: first.otherExtension,
    oddTime,
    fault,
  }
}

function readReason(value: Bytes): number | NotDer {
  try {
    return readReasonCode(value)
  } catch (cause) {
    if (cause instanceof NotDer) return cause
    throw cause
  }
}

/** The number that the content octets of an INTEGER stand for: two's complement. */
function signed(serial: Bytes): bigint {
  return BigInt.asIntN(serial.length * 8, toBigInt(serial))
}

function* serialsBefore(list: RevocationList, count: number): Generator<string> {
  let at = 0
  for (const { serial } of list.entries()) {
    if (at++ === count) return
    yield toHexUpper(serial)
  }
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. Years 50 to 99 of a UTCTime are the past. */
export function oddForm({ form, text }: Time): boolean {
  return form === 'UTCTime' ? text.slice(0, 2) >= '50' : text.slice(0, 4) < '2050'
}
