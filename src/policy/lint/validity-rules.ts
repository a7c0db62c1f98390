/** Rules about time: its forms, and the inclusive period to the second (lessons, row 1). */

import { forever, type Time } from '../../ground/der/time.ts'
import { oddForm } from './entries.ts'
import { type Kind, listKinds } from './kind.ts'
import { kindsWhere } from './profiles.ts'
import { type Rule, rule } from './rule.ts'
import type { View } from './view.ts'

const second = 1000
const day = 86_400 * second

const timesOf = ({ validity, updates, entries }: View): Time[] =>
  [
    validity?.notBefore,
    validity?.notAfter,
    updates?.thisUpdate,
    updates?.nextUpdate,
    // Of the entries of a list only the first of an odd form is kept.
    entries?.oddTime,
  ].filter(time => time !== undefined)

const shownTimes = (times: Time[]) =>
  times
    .filter(oddForm)
    .map(time => `${time.form} ${time.text}`)
    .join(', ')

/**
 * By how many milliseconds the certificate outlasts its policy; negative when it ends early. The period is inclusive
 * (RFC 5280 4.1.2.5), so n years end one second before the anniversary. One that began on 29 February has two: the
 * policies do not say whether it is 28 February or 1 March, and either is taken.
 */
function excess({ validity, profile }: View): number | undefined {
  if (!validity || typeof profile.years !== 'number') return undefined
  const ends = anniversaries(validity.notBefore.ms, profile.years * 12)
  const over = ends.map(end => validity.notAfter.ms - (end - second))
  return over.find(ms => ms === 0) ?? Math.min(...over)
}

function anniversaries(from: number, months: number): number[] {
  const rolled = new Date(from)
  rolled.setUTCMonth(rolled.getUTCMonth() + months)
  if (rolled.getUTCDate() === new Date(from).getUTCDate()) return [rolled.getTime()]
  // The day does not exist in that month: the last one that does, and the first of the next.
  const clamped = new Date(rolled)
  clamped.setUTCDate(0)
  return [clamped.getTime(), rolled.getTime() - (rolled.getUTCDate() - 1) * day]
}

const quirky: readonly Kind[] = ['organisation']
/** What `validity_on_anniversary` and `validity_one_day_over` name is not called too long as well. */
const isQuirk = (ms: number, view: View) => quirky.includes(view.kind) && (ms === second || ms === day)
const shownPeriod = (_: unknown, { validity }: View) => `${validity!.notBefore.text} to ${validity!.notAfter.text}`
const withYears = kindsWhere(profile => typeof profile.years === 'number')

export const validityRules: readonly Rule[] = [
  rule({
    id: 'time_generalized_before_2050',
    says: 'a year before 2050 is written in UTCTime',
    clause: 'RFC 5280 4.1.2.5',
    of: timesOf,
    holds: times => !times.some(time => time.form === 'GeneralizedTime' && oddForm(time)),
    shows: shownTimes,
  }),
  rule({
    id: 'time_utc_from_2050',
    says: 'a year from 2050 on is written in GeneralizedTime: in UTCTime the digits 50 to 99 are the last century',
    clause: 'RFC 5280 4.1.2.5.1',
    of: timesOf,
    holds: times => !times.some(time => time.form === 'UTCTime' && oddForm(time)),
    shows: shownTimes,
  }),
  rule({
    id: 'validity_order',
    says: 'notAfter is not before notBefore',
    clause: 'RFC 5280 4.1.2.5',
    of: view => view.validity,
    holds: ({ notBefore, notAfter }) => notBefore.ms <= notAfter.ms,
    shows: shownPeriod,
  }),
  rule({
    id: 'validity_too_long',
    says: 'the inclusive period is not longer than the policy gives, to the second',
    clause: 'certificates.md 4 to 8, CERT-A01',
    kinds: withYears,
    field: 'years',
    of: excess,
    holds: (ms, view) => ms <= 0 || isQuirk(ms, view),
    shows: (ms, view) => `${shownPeriod(ms, view)}, ${ms / second} s too long`,
  }),
  rule({
    id: 'validity_too_short',
    severity: 'warning',
    says: 'the inclusive period is not shorter than the policy gives',
    clause: 'certificates.md 4 to 8, CERT-A01',
    kinds: withYears,
    of: excess,
    holds: ms => ms >= 0,
    shows: (ms, view) => `${shownPeriod(ms, view)}, ${-ms / second} s too short`,
  }),
  rule({
    id: 'validity_on_anniversary',
    severity: 'warning',
    says: 'notAfter is one second before the anniversary, not the anniversary itself',
    clause: 'certificates.md 4, 16 (trap 9), CERT-A06',
    kinds: quirky,
    of: excess,
    holds: ms => ms !== second,
    shows: shownPeriod,
  }),
  rule({
    id: 'validity_one_day_over',
    severity: 'warning',
    says: 'the last day is the one before the anniversary, not the anniversary itself',
    clause: 'certificates.md 4, 16 (trap 9), CERT-A06',
    kinds: quirky,
    of: excess,
    holds: ms => ms !== day,
    shows: shownPeriod,
  }),
  rule({
    id: 'validity_forever',
    says: 'notAfter is the GeneralizedTime 99991231235959Z',
    clause: 'certificates.md 5, RFC 5280 4.1.2.5',
    kinds: kindsWhere(profile => profile.years === 'forever'),
    field: 'years',
    of: view => view.validity?.notAfter,
    holds: time => time.form === 'GeneralizedTime' && time.ms === forever,
    shows: time => `${time.form} ${time.text}`,
  }),
  rule({
    id: 'list_next_update',
    says: 'a list says when the next one comes',
    clause: 'RFC 5280 5.1.2.5, certificates.md 10',
    kinds: [...listKinds, 'unknown'],
    of: view => view.updates,
    holds: updates => updates.nextUpdate !== undefined,
    shows: () => 'no nextUpdate',
  }),
  rule({
    id: 'list_update_order',
    says: 'nextUpdate is after thisUpdate',
    clause: 'RFC 5280 5.1.2.5',
    kinds: [...listKinds, 'unknown'],
    of: ({ updates }) => (updates?.nextUpdate ? { from: updates.thisUpdate, to: updates.nextUpdate } : undefined),
    holds: ({ from, to }) => from.ms < to.ms,
    shows: ({ from, to }) => `${from.text} to ${to.text}`,
  }),
  rule({
    id: 'list_period',
    says: 'from thisUpdate to nextUpdate is at most the period of the list (48 hours a CRL, 12 months an ARL)',
    clause: 'certificates.md 10, CERT-A11',
    kinds: listKinds,
    field: 'period',
    of: ({ updates }) => (updates?.nextUpdate ? { from: updates.thisUpdate, to: updates.nextUpdate } : undefined),
    holds: ({ from, to }, { profile }) => to.ms <= latest(from.ms, profile.period!),
    shows: ({ from, to }) => `${from.text} to ${to.text}`,
  }),
]

function latest(from: number, period: { hours: number } | { months: number }): number {
  return 'hours' in period ? from + period.hours * 3600 * second : Math.max(...anniversaries(from, period.months))
}
