/** Certificate revocation lists (RFC 5280 section 5), read strictly; entries are walked, never kept as objects. */

import { type Bytes, equal } from '../bytes.ts'
import { Der, tag } from '../der/read.ts'
import { readTime, type Time } from '../der/time.ts'
import { type Extension, readExtensions } from './extensions.ts'
import { type AlgorithmIdentifier, readAlgorithm } from './key.ts'
import { type Name, readName } from './name.ts'

export interface RevokedEntry {
  /** Content octets of the INTEGER. */
  readonly serial: Bytes
  readonly revokedAt: Time
  readonly extensions: readonly Extension[]
}

/** Everything of a list but its entries. */
export interface ListHeading {
  readonly der: Bytes
  readonly tbs: Bytes
  /** 1 or 2. */
  readonly version: number
  readonly innerAlgorithm: AlgorithmIdentifier
  readonly outerAlgorithm: AlgorithmIdentifier
  readonly issuer: Name
  readonly thisUpdate: Time
  readonly nextUpdate: Time | undefined
  /** Where the entries begin and end in `der`; equal when there is none. */
  readonly entriesFrom: number
  readonly entriesTo: number
  readonly extensions: readonly Extension[]
  readonly signature: Bytes
}

export interface RevocationList extends ListHeading {
  /** How many entries; each was read once, so walking them again cannot throw. */
  readonly count: number
  entries(): Generator<RevokedEntry>
}

/** Exactly one list. Every entry is read, so a fault in any of them refuses the whole list. @throws NotDer */
export function readList(octets: Bytes): RevocationList {
  const heading = readListHeading(octets)
  const { version, entriesFrom, entriesTo } = heading
  let count = 0
  for (const revoked = new Der(octets, entriesFrom, entriesTo); !revoked.done; count++) {
    const entry = readEntry(revoked)
    if (version === 1 && entry.extensions.length > 0)
      revoked.fail('structure', 'entry extensions stand in version 1')
  }
  return {
    ...heading,
    count,
    *entries() {
      for (const walk = new Der(octets, entriesFrom, entriesTo); !walk.done; ) yield readEntry(walk)
    },
  }
}

/** A list whose entries nobody has looked at. @throws NotDer for a fault in anything else */
export function readListHeading(octets: Bytes): ListHeading {
  const der = new Der(octets)
  const whole = der.sequence('the list')
  der.finish('the list')
  const start = whole.at
  const tbs = whole.sequence('the to-be-signed list')
  const signed = octets.subarray(start, whole.at)
  const outerAlgorithm = readAlgorithm(whole, 'the signature algorithm')
  const signature = whole.wholeBits('the signature')
  whole.finish('the signature')

  let version = 1
  if (tbs.peek() === tag.integer) {
    // TBSCertList has no DEFAULT: absent is version 1, and when present it must be 2 (RFC 5280 5.1.2.1).
    if (tbs.small('the version') !== 1) tbs.fail('structure', 'the version of a list is 2 or absent')
    version = 2
  }
  const innerAlgorithm = readAlgorithm(tbs, 'the signature algorithm inside')
  const issuer = readName(tbs, 'the issuer')
  const thisUpdate = readTime(tbs, 'thisUpdate')
  const nextUpdate =
    tbs.peek() === tag.utcTime || tbs.peek() === tag.generalizedTime ? readTime(tbs, 'nextUpdate') : undefined

  let entriesFrom = 0
  let entriesTo = 0
  if (tbs.peek() === tag.sequence) {
    const revoked = tbs.sequence('the revoked certificates')
    if (revoked.done) revoked.fail('empty', 'the revoked certificates are an empty list')
    entriesFrom = revoked.at
    entriesTo = revoked.end
  }
  let extensions: Extension[] = []
  if (tbs.peek() === 0xa0) {
    if (version === 1) tbs.fail('structure', 'list extensions stand in version 1')
    const explicit = tbs.enter(0xa0, 'the list extensions')
    extensions = readExtensions(explicit, 'the list extensions')
    explicit.finish('the list extensions')
  }
  tbs.finish('the to-be-signed list')
  return {
    der: octets,
    tbs: signed,
    version,
    innerAlgorithm,
    outerAlgorithm,
    issuer,
    thisUpdate,
    nextUpdate,
    entriesFrom,
    entriesTo,
    extensions,
    signature,
  }
}

function readEntry(revoked: Der): RevokedEntry {
  const entry = revoked.sequence('an entry')
  const serial = entry.integer('a revoked serial number')
  const revokedAt = readTime(entry, 'a revocation date')
  const extensions = entry.done ? [] : readExtensions(entry, 'the entry extensions')
  entry.finish('an entry')
  return { serial, revokedAt, extensions }
}

/** The first entry of that serial number, compared as octets of a minimal INTEGER. */
export function entryOf(list: RevocationList, serial: Bytes): RevokedEntry | undefined {
  for (const entry of list.entries()) if (equal(entry.serial, serial)) return entry
  return undefined
}
