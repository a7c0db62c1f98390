/** Ranges of EUI-64 identifiers, unsigned 64 bits, both ends in the range (RAPP 5.1). */

import { eui64 } from '../../policy/identifiers.ts'
import { no } from './refusals.ts'

export interface Range {
  readonly userRole: string
  readonly first: bigint
  readonly last: bigint
}

/** One identifier that several User Roles use, as H1.5 allows. */
export interface Shared {
  readonly eui64: bigint
  readonly userRoles: readonly string[]
}

/** Pairs of User Roles that may share (REG-A04); the order within a pair means nothing. */
export type SharedPairs = readonly (readonly [string, string])[]

/** @throws Refusal EUI64_UNREADABLE, EUI64_BEYOND_64_BITS */
export function readEui64(text: string): bigint {
  const own = eui64(text)
  if (own !== undefined) return BigInt(`0x${own}`)
  const digits = text.replaceAll('-', '')
  if (/^[0-9a-fA-F]{17,}$/.test(digits)) throw no('EUI64_BEYOND_64_BITS', text.slice(0, 64))
  throw no('EUI64_UNREADABLE', text.slice(0, 64))
}

/** 16 lower-case hexadecimal digits. */
export function writeEui64(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

export function contains(range: Pick<Range, 'first' | 'last'>, identifier: bigint): boolean {
  return range.first <= identifier && identifier <= range.last
}

/** What two ranges have in common, if anything. */
export function common(
  a: Omit<Range, 'userRole'>,
  b: Omit<Range, 'userRole'>,
): { first: bigint; last: bigint } | undefined {
  // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigint
  const first = a.first > b.first ? a.first : b.first
  // biome-ignore lint/complexity/useMathMinMax: nor does Math.min
  const last = a.last < b.last ? a.last : b.last
  return first <= last ? { first, last } : undefined
}

/**
 * The rules for the ranges of one organisation: each begins with its lower end, a User Role has one, and those of two
 * User Roles are disjoint but for the identifiers that are recorded as shared.
 * @throws Refusal RANGE_REVERSED, ROLE_TWICE, SHARED_UNFIT, SHARED_OUTSIDE_RANGES, SHARED_PAIR_NOT_ALLOWED, RANGES_OVERLAP
 */
export function checkRanges(ranges: readonly Range[], shared: readonly Shared[], pairs: SharedPairs): void {
  const seen = new Set<string>()
  for (const { userRole, first, last } of ranges) {
    if (first > last) throw no('RANGE_REVERSED', `${userRole} ${writeEui64(first)} to ${writeEui64(last)}`)
    if (seen.has(userRole)) throw no('ROLE_TWICE', userRole)
    seen.add(userRole)
  }
  for (const one of shared) checkShared(one, ranges, shared, pairs)
  for (const [i, a] of ranges.entries()) {
    for (const b of ranges.slice(i + 1)) checkApart(a, b, shared)
  }
}

function checkShared(one: Shared, ranges: readonly Range[], all: readonly Shared[], pairs: SharedPairs): void {
  const text = writeEui64(one.eui64)
  const { userRoles } = one
  const twice = all.filter(other => other.eui64 === one.eui64).length > 1
  if (twice || userRoles.length < 2 || new Set(userRoles).size < userRoles.length) throw no('SHARED_UNFIT', text)
  for (const role of userRoles) {
    const range = ranges.find(({ userRole }) => userRole === role)
    if (!range || !contains(range, one.eui64)) throw no('SHARED_OUTSIDE_RANGES', `${text} for ${role}`)
  }
  for (const a of userRoles) {
    for (const b of userRoles) {
      const allowed = a === b || pairs.some(([x, y]) => (x === a && y === b) || (x === b && y === a))
      if (!allowed) throw no('SHARED_PAIR_NOT_ALLOWED', `${a} and ${b}, ${text}`)
    }
  }
}

// By number, not one by one: an overlap can hold 2^64 identifiers.
function checkApart(a: Range, b: Range, shared: readonly Shared[]): void {
  const both = common(a, b)
  if (!both) return
  const exempt = shared.filter(
    one => contains(both, one.eui64) && one.userRoles.includes(a.userRole) && one.userRoles.includes(b.userRole),
  )
  if (BigInt(exempt.length) === both.last - both.first + 1n) return
  throw no(
    'RANGES_OVERLAP',
    `${a.userRole} and ${b.userRole}, ${writeEui64(both.first)} to ${writeEui64(both.last)}`,
  )
}
