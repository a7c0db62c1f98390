/** Whether the certificates of a path are revoked: complete lists, each by the issuer that the path itself has. */

import { toHex } from '../../bytes.ts'
import { extension } from '../certificate.ts'
import type { RevocationList } from '../list.ts'
import { oids } from '../names.ts'
import type { ProfileName } from './keys.ts'
import { type Judged, type Revoked, showList, showRevoked } from './lists.ts'
import type { Opened } from './opened.ts'
import { called, type PathRefusal, refuse } from './refusals.ts'

/** `partly`: lists were given, and some certificate of the path is not covered by one that counts. */
export type RevocationState = 'checked' | 'not checked' | 'partly'

export interface RevocationAnswer {
  readonly state: RevocationState
  readonly refusals: readonly PathRefusal[]
  readonly notes: readonly string[]
}

/** What was given to check against. */
export interface Lists {
  /** Undefined: nobody asked for revocation. Empty: they did, and nothing is covered. */
  readonly given: readonly RevocationList[] | undefined
  /** The given lists of that name, each judged once under that issuer. */
  readonly of: (issuer: Opened) => readonly Judged[]
  /** Those among all given certificates whose key made this one: only they can revoke an anchor. */
  readonly makersOf: (anchor: Opened) => readonly Opened[]
}

/**
 * Each certificate of the path but the anchor must be covered by a sound and current list of its issuer, and be on none.
 * A list that is not understood refuses even beside a good one: what it would say is not known.
 *
 * @param path the target first, the anchor last
 * @param at milliseconds, a whole second; undefined leaves the dates of lists out, and every sound list is current then
 */
export function checkRevocation(
  path: readonly Opened[],
  lists: Lists,
  at: number | undefined,
  profile: ProfileName,
): RevocationAnswer {
  if (lists.given === undefined) return { state: 'not checked', refusals: [], notes: [] }
  const refusals: PathRefusal[] = []
  const notes: string[] = []
  let covered = 0
  let uncovered = 0
  for (let i = 0; i < path.length - 1; i++) {
    const one = path[i]!
    const judged = lists.of(path[i + 1]!)
    const exempt = profile === 'gb' && i === 0 && isDevice(one)
    const found = statusOf(one, judged, at)
    refusals.push(...found.refusals)
    notes.push(...found.notes)
    if (found.current) covered++
    else if (exempt) notes.push('a Device Certificate is never revoked, and has no list (CERT-A14)')
    else {
      uncovered++
      refusals.push(...whyUncovered(one, path[i + 1]!, judged, at))
    }
  }
  const anchor = path[path.length - 1]!
  for (const maker of lists.makersOf(anchor)) {
    // Nobody needs to vouch for an anchor; but if a list says that it is revoked, that is worth more than the trust.
    refusals.push(...statusOf(anchor, lists.of(maker), at).refusals.filter(({ code }) => code === 'REVOKED'))
  }
  return { state: uncovered > 0 ? 'partly' : covered > 0 ? 'checked' : 'not checked', refusals, notes }
}

interface Status {
  /** Whether a list that counts says anything of it, if only by silence. */
  readonly current: boolean
  readonly refusals: readonly PathRefusal[]
  readonly notes: readonly string[]
}

function statusOf({ certificate }: Opened, judged: readonly Judged[], at: number | undefined): Status {
  const refusals: PathRefusal[] = []
  const notes: string[] = []
  const serial = toHex(certificate.serial)
  let current = false
  for (const { list, worth, fault, revoked } of judged) {
    const entry = revoked.get(serial)
    if (entry && revokes(entry, list, at))
      refusals.push(refuse('REVOKED', certificate, `revoked by ${showList(list)}: ${showRevoked(entry)}`))
    if (worth === 'unsound') refusals.push(refuse(fault!.code, certificate, `${showList(list)}: ${fault!.says}`))
    else if (worth === 'unusable') notes.push(`${showList(list)} was left aside: ${fault!.says}`)
    else if (datesFault(list, at) === undefined) current = true
  }
  return { current, refusals, notes }
}

/**
 * A list that is current revokes what is on it, whatever the date of the entry. One that is out of date still does: a
 * revocation is for good, hold apart, and an entry leaves the lists only after its certificate expired (RFC 5280 3.3).
 * One from after the moment asked about does where the revocation itself came before that moment.
 */
function revokes(entry: Revoked, list: RevocationList, at: number | undefined): boolean {
  if (at === undefined) return true
  if (list.thisUpdate.ms > at) return entry.at <= at
  return datesFault(list, at) === undefined || entry.reason !== certificateHold
}

const certificateHold = 6

/** nextUpdate is when the next list is there at the latest, so this one is good until just before it. */
function datesFault({ thisUpdate, nextUpdate }: RevocationList, at: number | undefined) {
  if (at === undefined) return undefined
  if (at < thisUpdate.ms) return { code: 'LIST_NOT_YET_VALID', says: `it begins at ${thisUpdate.text}` } as const
  if (nextUpdate && at >= nextUpdate.ms)
    return { code: 'LIST_EXPIRED', says: `the next one was due at ${nextUpdate.text}` } as const
  return undefined
}

/** One refusal for each list that might have covered it and does not; or that there is none. */
function whyUncovered(
  { certificate }: Opened,
  issuer: Opened,
  judged: readonly Judged[],
  at: number | undefined,
): PathRefusal[] {
  const why = judged.flatMap(({ list, worth, fault }) => {
    const wrong = worth === 'sound' ? datesFault(list, at) : worth === 'unusable' ? fault : undefined
    return wrong ? [refuse(wrong.code, certificate, `${showList(list)}: ${wrong.says}`)] : []
  })
  if (why.length > 0 || judged.some(({ worth }) => worth === 'unsound')) return why
  return [refuse('LIST_MISSING', certificate, `no list of ${called(issuer.certificate)} was given`)]
}

/** Device Certificates by their form: no subject, and one critical hardwareModuleName of 8 octets (GBCS 12.6). */
function isDevice({ certificate, names, constraints }: Opened): boolean {
  const only = names?.length === 1 ? names[0] : undefined
  return (
    certificate.subject.rdns.length === 0 &&
    constraints?.ca !== true &&
    only?.kind === 'hardwareModuleName' &&
    only.hwSerialNum.length === 8 &&
    extension(certificate, oids.subjectAltName)?.critical === true
  )
}
