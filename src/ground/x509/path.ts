/** Relying-party validation: whether a certificate may be relied on, by RFC 5280 section 6, and why not. */

import { type Bytes, equal, toHex } from '../bytes.ts'
import type { Certificate } from './certificate.ts'
import { readCertificate } from './certificate.ts'
import type { RevocationList } from './list.ts'
import { sameName } from './name.ts'
import { pathFaults, placeIn, validityFaults, type Wanted } from './path/check.ts'
import { algorithmFault, type ProfileName } from './path/keys.ts'
import { linkFaults } from './path/link.ts'
import { type Judged, judge } from './path/lists.ts'
import { type Opened, open } from './path/opened.ts'
import { ownFaults, ownNotes, type Place } from './path/own.ts'
import { called, notDer, type PathRefusal, refuse } from './path/refusals.ts'
import { checkRevocation, type Lists, type RevocationState } from './path/revocation.ts'
import { type Attempt, attempts } from './path/search.ts'

export type { ProfileName } from './path/keys.ts'
export type { Place } from './path/own.ts'
export { type PathCode, type PathRefusal, pathRefusals } from './path/refusals.ts'
export type { RevocationState } from './path/revocation.ts'

/** What a rule of a profile found in one certificate. An `error` refuses; anything else is a note. */
export interface Finding {
  /** The rule's identifier. */
  readonly rule: string
  readonly severity: 'error' | 'warning' | 'notice'
  readonly sentence: string
}

/** What the one who asks holds and believes. The values were read before, so they are DER. */
export interface Reliance extends Wanted {
  /**
   * Trust anchors. Each must be a CA, for others and for itself: an end entity among them anchors nothing. It need not
   * be self-signed, but what is self-issued and names no other key must have signed itself. An anchor is held against
   * everything that a CA below it is held against, its dates included; only its issuer, and a list about it, are not
   * asked for. A list that is there and revokes it counts.
   */
  readonly trust: readonly Certificate[]
  /** Certificates that may stand between. */
  readonly untrusted?: readonly Certificate[]
  /** CRLs and ARLs. Undefined: revocation is not checked. Empty: it is, and every certificate lacks its list. */
  readonly lists?: readonly RevocationList[] | undefined
  /** `gb` takes the keys and algorithms of the GB profiles only, and asks `gb` below; `rfc5280` does neither. */
  readonly profile: ProfileName
  /** The rules of the GB profiles, from the policy floor. Not asked under `rfc5280`. */
  readonly gb?: ((certificate: Certificate, place: Place) => readonly Finding[]) | undefined
}

export interface Verdict {
  readonly valid: boolean
  /** The path that holds; else the one that came nearest. The target first. Empty when the target was not readable. */
  readonly path: readonly Certificate[]
  /** Empty exactly when valid. Each says its code, a sentence, and the certificate at fault. */
  readonly refusals: readonly PathRefusal[]
  /** Of that path. */
  readonly revocation: RevocationState
  /** What is worth knowing and decides nothing. */
  readonly notes: readonly string[]
}

/**
 * One question. For many with the same anchors and lists, `relyingParty` reads them once.
 *
 * @param question.target a certificate, or its DER
 * @param question.at the moment to answer for, floored to the second, or `ignore`: then no date of a certificate or list
 *   counts, but revocation does
 * @returns a verdict, whatever the octets are; nothing is thrown for them
 * @throws RangeError when `at` is no date
 */
export function validate(question: Reliance & { target: Bytes | Certificate; at: Date | 'ignore' }): Verdict {
  return relyingParty(question)(question.target, question.at)
}

/**
 * Answers for certificate after certificate. All paths to all anchors are tried, and one that holds is enough. A target
 * that is an anchor itself, octet for octet, is valid by itself only when it is a self-signed CA; trust in anything
 * else is trust in what it issued, and says nothing about it.
 */
export function relyingParty(reliance: Reliance): (target: Bytes | Certificate, at: Date | 'ignore') => Verdict {
  const world = surroundings(reliance)
  return (target, when) => {
    const at = when === 'ignore' ? undefined : Math.floor(when.getTime() / 1000) * 1000
    if (Number.isNaN(at)) throw new RangeError('the moment to validate for is no date')
    let certificate: Certificate
    try {
      certificate = target instanceof Uint8Array ? readCertificate(target) : target
    } catch (cause) {
      return malformed(notDer(cause), world.lists)
    }
    let best: Judgement | undefined
    let limit: PathRefusal | undefined
    for (const attempt of attempts(world.known(certificate), world)) {
      limit ??= attempt.broken.find(({ code }) => code === 'SEARCH_LIMIT')
      const judgement = judgePath(attempt, world, reliance, at)
      if (judgement.verdict.valid) return judgement.verdict
      if (best === undefined || promise(judgement) > promise(best)) best = judgement
    }
    const { verdict } = best!
    // Another path might have held, so whoever reads this must know that not all were tried.
    return limit && !verdict.refusals.includes(limit)
      ? { ...verdict, refusals: [...verdict.refusals, limit] }
      : verdict
  }
}

interface Judgement {
  readonly verdict: Verdict
  readonly attempt: Attempt
}

/** One path that reaches an anchor is worth more than any that does not; then the fewest faults, or the most links. */
function promise({ attempt, verdict }: Judgement): number {
  const reaches = attempt.broken.length === 0
  return (reaches ? 1000 : 0) + attempt.links * (reaches ? 0 : 20) - Math.min(verdict.refusals.length, 19)
}

function judgePath(attempt: Attempt, world: World, reliance: Reliance, at: number | undefined): Judgement {
  const { path, broken, links } = attempt
  const reaches = broken.length === 0
  const refusals: PathRefusal[] = []
  const notes: string[] = []
  // Where the last link does not hold, its issuer is not the issuer, and what is wrong with it does not matter.
  const held = path.slice(0, links + 1)
  held.forEach((one, i) => {
    const own = world.own(one, reaches ? placeIn(path, i) : placeInBroken(held, i))
    refusals.push(...own.refusals)
    notes.push(...own.notes)
  })
  refusals.push(...broken)
  let revocation: RevocationState = world.lists.given === undefined ? 'not checked' : 'partly'
  if (!reaches) {
    refusals.push(...validityFaults(held, at))
  } else {
    refusals.push(...pathFaults(path, at, reliance))
    const answer = checkRevocation(path, world.lists, at, reliance.profile)
    refusals.push(...answer.refusals)
    notes.push(...answer.notes)
    revocation = answer.state
    if (path.length === 1) notes.push('it is a trust anchor itself')
  }
  if (revocation === 'not checked') notes.push('revocation was not checked')
  if (at === undefined) notes.push('dates were not checked')
  const certificates = path.map(({ certificate }) => certificate)
  return { attempt, verdict: { valid: refusals.length === 0, path: certificates, refusals, revocation, notes } }
}

/** A path that ends with an issuer of itself would be right but for the trust: it is measured as if that were there. */
function placeInBroken(held: readonly Opened[], index: number): Place {
  return index === 0 ? 'target' : index === held.length - 1 && held[index]!.selfIssued ? 'anchor' : 'ca'
}

function malformed(sentence: string, { given }: Lists): Verdict {
  const revocation = given === undefined ? 'not checked' : 'partly'
  return { valid: false, path: [], refusals: [{ code: 'MALFORMED', sentence }], revocation, notes: [] }
}

type World = ReturnType<typeof surroundings>

/** The anchors, the certificates between and the lists, opened once; what was found out about them is remembered. */
function surroundings({ trust, untrusted = [], lists, profile, gb }: Reliance) {
  const opened = new Map<string, Opened>()
  const add = (certificate: Certificate) => {
    const octets = toHex(certificate.der)
    const known = opened.get(octets) ?? open(certificate)
    opened.set(octets, known)
    return known
  }
  const anchors = new Set(trust.map(add))
  untrusted.forEach(add)
  const all = [...opened.values()]
  const byIssuer = new Map<string, readonly Opened[]>()

  const known = (certificate: Certificate) => opened.get(toHex(certificate.der)) ?? open(certificate)

  const named = ({ certificate }: Opened): readonly Opened[] => {
    const octets = toHex(certificate.issuer.der)
    const found = byIssuer.get(octets) ?? all.filter(one => sameName(one.certificate.subject, certificate.issuer))
    byIssuer.set(octets, found)
    return found
  }

  const links = remember((child: Opened) =>
    remember((issuer: Opened): readonly PathRefusal[] => linkFaults(child, issuer, profile)),
  )

  const own = remember((one: Opened) => remember((place: PlaceKey) => ownAnswer(one, place.place, profile, gb)))

  const issuersOf = (child: Opened) => {
    const wanted = child.authority?.keyIdentifier
    const rank = (issuer: Opened) =>
      (anchors.has(issuer) ? 0 : 4) +
      (wanted && issuer.subjectKeyIdentifier && equal(wanted, issuer.subjectKeyIdentifier) ? 0 : 2) +
      (own(issuer)(places.ca).refusals.length === 0 ? 0 : 1)
    return named(child).toSorted((a, b) => rank(a) - rank(b))
  }

  const judged = remember((issuer: Opened): readonly Judged[] =>
    (lists ?? []).flatMap(list => judge(list, issuer, profile) ?? []),
  )

  return {
    known,
    issuersOf,
    isAnchor: (one: Opened) => anchors.has(one),
    linkFaults: (child: Opened, issuer: Opened) => links(child)(issuer),
    own: (one: Opened, place: Place) => own(one)(places[place]),
    lists: {
      given: lists,
      of: judged,
      makersOf: (anchor: Opened) => named(anchor).filter(maker => links(anchor)(maker).length === 0),
    } satisfies Lists,
  }
}

interface PlaceKey {
  readonly place: Place
}
const places: Readonly<Record<Place, PlaceKey>> = {
  target: { place: 'target' },
  ca: { place: 'ca' },
  anchor: { place: 'anchor' },
}

function ownAnswer(one: Opened, place: Place, profile: ProfileName, gb: Reliance['gb']) {
  const { certificate } = one
  const refusals = ownFaults(one, place, profile)
  const notes = ownNotes(one)
  if (place === 'anchor') refusals.push(...anchorFaults(one, profile))
  if (profile === 'gb') {
    for (const { rule, severity, sentence } of gb?.(certificate, place) ?? []) {
      if (severity === 'error') refusals.push(refuse('PROFILE', certificate, `${sentence} [${rule}]`))
      else notes.push(`${sentence} [${rule}]`)
    }
  }
  return { refusals, notes: notes.map(note => `${called(certificate)}: ${note}`) }
}

/** What says that it signed itself must have done so. A signature that nobody can check is at least of a kind we take. */
function anchorFaults(one: Opened, profile: ProfileName): PathRefusal[] {
  if (claimsSelfSigned(one)) return one.keyFault ? [] : linkFaults(one, one, profile)
  const { certificate } = one
  const { signatureAlgorithm: inner, outerAlgorithm: outer } = certificate
  const fault = algorithmFault({ inner, outer }, profile)
  return fault ? [refuse(fault.code, certificate, fault.says)] : []
}

/** Issued by its own name, and not by another key of that name as far as it says. */
function claimsSelfSigned({ selfIssued, authority, subjectKeyIdentifier }: Opened): boolean {
  const by = authority?.keyIdentifier
  return selfIssued && (!by || !subjectKeyIdentifier || equal(by, subjectKeyIdentifier))
}

/** The function's answer for each object, worked out once. */
function remember<K extends object, V>(work: (key: K) => V): (key: K) => V {
  const answers = new WeakMap<K, V>()
  return key => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = work(key)
    answers.set(key, answer)
    return answer
  }
}
